// Outgoing HTTP as the rest of the server sees it: a request is handed in, its answer arrives later in the asker's
// inbox. What asks (hooks, key sets, events) never waits for it and never touches a socket. CurlClient
// (curl_client.h) sends them; the simulator and tests have twins.
//
//   worker                     Client's own thread
//     client.submit(request, inbox, ticket) ->  ...
//     inbox.take() in its turn   <-  inbox.put({ticket, response})
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "loop/io.h"

namespace egress {

// Whether a request may go to addresses that only this machine or its network reaches (http/egress_guard.h).
// `private_too` is for URLs that the operator wrote into the configuration, never for any that came from elsewhere.
enum class Reach : std::uint8_t { public_only, private_too };

struct Header {
  std::string name;   // a token
  std::string value;  // without control characters; a secret is fine, headers are never logged
  friend bool operator==(const Header&, const Header&) = default;
};

struct Request {
  enum class Method : std::uint8_t { get, post } method = Method::post;
  std::string url;  // http or https, absolute
  std::vector<Header> headers;
  std::string body;                                  // of post
  base::Duration timeout = std::chrono::seconds(1);  // for all of it: name, connection, TLS, answer
  std::uint32_t response_bytes_max = 64 * 1024;      // of the body; larger ones are cut off and fail
  Reach reach = Reach::public_only;
};

enum class Failure : std::uint8_t {
  none,         // there is a status, whatever it is
  busy,         // too many requests are on their way; nothing was sent
  denied,       // the guard did not let it leave
  unresolved,   // the name has no address
  unreachable,  // no connection, or TLS failed
  timeout,
  too_large,  // the body, or the headers
  broken,     // the connection ended, or what came was no HTTP
  stopped,    // the server ends
};
inline constexpr std::size_t kFailures = 9;
std::string_view to_string(Failure failure);

struct Response {
  Failure failure = Failure::none;
  std::uint16_t status = 0;  // redirects are not followed: 302 is an answer like any other
  std::string body;          // empty with a failure
  std::string detail;        // with a failure: what was wrong, for the log; never a part of the URL behind the host
  base::Duration took{0};
};

// Chosen by the asker, returned untouched.
using Ticket = std::uint64_t;

struct Answer {
  Ticket ticket = 0;
  Response response;
};

// Where answers arrive for one thread. Bounded by what its owner has asked and not taken.
class Inbox {
 public:
  // `owner` is woken by put(); it outlives the inbox.
  explicit Inbox(loop::Wakeup& owner) : owner_(owner) {}

  void put(Answer answer);     // any thread
  std::vector<Answer> take();  // the owner
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

 private:
  loop::Wakeup& owner_;
  std::mutex mutex_;
  std::vector<Answer> answers_;
};

class Client {
 public:
  virtual ~Client() = default;
  // Any thread; never blocks. Exactly one answer arrives in `inbox`, which must live until then, or until the client is
  // gone. False: busy, and no answer will arrive.
  virtual bool submit(Request request, Inbox& inbox, Ticket ticket) = 0;
};

// Sends nothing: for servers without an outside.
class NoClient final : public Client {
 public:
  bool submit(Request, Inbox&, Ticket) override { return false; }
};

}  // namespace egress
