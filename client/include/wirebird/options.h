// What can be said about a client and a subscription before they start. C++17. Plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wirebird/values.h"

namespace wirebird {

// How get_token answers: exactly once, at any time, from any thread, also after the Client is gone (then it is
// ignored). Copies are one and the same answer. If all copies are gone without one, that is failed().
class TokenAnswer {
 public:
  struct Outcome {
    enum class Kind : std::uint8_t { token, unauthorized, failed } kind;
    std::string text;  // the token, or why it failed
  };

  explicit TokenAnswer(std::function<void(Outcome)> take) : state_(std::make_shared<State>(std::move(take))) {}

  void token(std::string token) const { state_->give({Outcome::Kind::token, std::move(token)}); }
  // This user may not: the client disconnects, or the subscription ends. An empty token means the same.
  void unauthorized() const { state_->give({Outcome::Kind::unauthorized, {}}); }
  // It did not work this time: asked again later.
  void failed(std::string why) const { state_->give({Outcome::Kind::failed, std::move(why)}); }

 private:
  struct State {
    explicit State(std::function<void(Outcome)> to) : take(std::move(to)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { give({Outcome::Kind::failed, "get_token gave no answer"}); }
    void give(Outcome outcome) {
      // Not for two threads at once: one answer is the contract.
      if (auto to = std::exchange(take, nullptr)) to(std::move(outcome));
    }
    std::function<void(Outcome)> take;
  };
  std::shared_ptr<State> state_;
};

using GetToken = std::function<void(TokenAnswer)>;

// Runs what it is given, soon, one after the other in the order in which it came; from any thread of yours.
using Executor = std::function<void(std::function<void()>)>;

enum class Format : std::uint8_t { json, protobuf };

struct ClientOptions {
  Format format = Format::json;

  std::string token;   // a JWT; empty: none
  GetToken get_token;  // called when there is no token, when it has expired, and before it does
  std::string data;    // for the server's connect hook: JSON on a JSON connection, any bytes on a Protobuf one
  std::string name = "cpp";
  std::string version;                         // of your program
  std::map<std::string, std::string> headers;  // in the connect command, for servers that emulate HTTP headers
  std::vector<std::pair<std::string, std::string>> http_headers;  // of the WebSocket handshake: Origin, Cookie, ...

  std::string tls_ca_file;                                                                // PEM; empty: the system's
  enum class TlsVerify : std::uint8_t { yes, no } tls_verify = TlsVerify::yes;            // no: for tests only
  enum class Compression : std::uint8_t { off, offered } compression = Compression::off;  // permessage-deflate

  std::chrono::milliseconds timeout{5000};                 // for the answer to each command
  std::chrono::milliseconds connect_timeout{10000};        // TCP, TLS and WebSocket handshake together
  std::chrono::milliseconds reconnect_delay_min{500};      // waits are min + a random part of 0 to min * 2^attempt,
  std::chrono::milliseconds reconnect_delay_max{20000};    // at most this
  std::chrono::milliseconds max_server_ping_delay{10000};  // later than the server's interval: it is taken for gone

  std::size_t message_bytes_max = std::size_t{64} << 20;  // of one frame of the server
  std::size_t pending_calls_max = 10000;                  // calls without an answer; further ones fail (queue_full)
  std::size_t pending_bytes_max = std::size_t{64} << 20;  // and the bytes of their data

  Executor executor;  // where callbacks run; none: on the client's own thread
};

struct SubscriptionOptions {
  std::string token;   // for this channel; empty: none
  GetToken get_token;  // as in ClientOptions
  std::string data;    // for the server's subscribe hook

  bool recoverable = false;  // ask for recovery where the channel does not force it
  bool positioned = false;   // ask for a checked position
  bool join_leave = false;   // ask for join and leave events
  enum class Delta : std::uint8_t { none, fossil } delta = Delta::none;
  std::optional<TagsFilter> tags_filter;  // not together with delta
  std::optional<StreamPosition> since;    // recover from here at the first subscribe

  std::chrono::milliseconds resubscribe_delay_min{500};
  std::chrono::milliseconds resubscribe_delay_max{20000};
};

}  // namespace wirebird
