// One connection of the bench, a WebSocket or one for POST requests: opens it and takes the times of each step. Many
// live in one thread and share one Rig.
//
// Calling order: start(); on readiness handle_ready(), then next() until it returns nothing; send() while may_send().
// After cut() it may be started again.
// What next() returns is valid until the next call on any probe of the rig; read all of one probe before the next
// probe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "client/bench/dialect.h"
#include "client/bench/post_session.h"
#include "client/link.h"
#include "http/response_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace client::bench {

// What all probes of a run have in common. Outlives them.
struct Rig {
  Rig(System& system_, Destination destination_, Dialect dialect_)
      : system(system_),
        destination(std::move(destination_)),
        dialect(std::move(dialect_)),
        scratch(system_.entropy),
        outgoing(system_.entropy) {}

  System& system;
  Destination destination;
  Dialect dialect;
  ws::Limits session_limits;
  http::ResponseLimits response_limits;
  ws::Scratch scratch;   // of what is received
  ws::Scratch outgoing;  // of what is sent, while events of the other are still being read
  std::string request;   // the same for POST
  std::string buffer = std::string(256 * 1024, '\0');
  std::span<char> unread;  // of the buffer: read from the socket, not yet taken by the session
};

class Probe {
 public:
  enum class Kind : std::uint8_t { websocket, post };
  // `target` is the path and query.
  Probe(Rig& rig, std::uint64_t token, Kind kind, std::string target)
      : rig_(rig), kind_(kind), target_(std::move(target)), link_(rig.system, token) {}

  enum class State : std::uint8_t {
    unopened,
    opening,
    open,
    failed,   // never became open
    dropped,  // was open, and the other side or the network ended it
    closed,   // by finish() or cut()
  };
  State state() const { return state_; }
  Kind kind() const { return kind_; }

  void start(base::Instant now);
  void handle_ready();
  // What has come, a piece at a time; nothing: that was all for this readiness. Messages are events text and binary;
  // the others are already taken care of.
  std::optional<std::span<const ws::Event>> next();
  // One message, or one request. Only while may_send().
  void send(std::string_view message);
  // Open, not waiting for an answer to a request, and no more than `queued_bytes_max` not yet taken by the socket.
  bool may_send(std::size_t queued_bytes_max) const;
  bool waits_for_answer() const { return post_ && post_->waiting(); }
  // How long the answer to the request took that the last next() completed.
  std::optional<base::Duration> take_answer_time() { return std::exchange(answer_time_, std::nullopt); }
  void give_up(std::string_view why);  // while opening: it took too long
  void finish();                       // with a Close
  void cut();                          // without a word, as if the cable was pulled

  // Of the last next(): when the read that brought its events returned, and when the one that brought the first byte of
  // its first message did (earlier, if the message came in pieces).
  base::Instant read_at() const { return read_at_; }
  base::Instant first_byte() const { return first_byte_; }
  std::size_t queued_bytes() const { return link_.queued_bytes(); }
  const std::string& why() const { return why_; }

  // Moments of the opening; valid once open.
  base::Instant started() const { return started_; }
  base::Instant tcp_established() const { return link_.tcp_established(); }
  base::Instant asked() const { return asked_; }  // TLS is done, the request for the upgrade is on its way
  base::Instant opened() const { return opened_; }

 private:
  void ask_for_upgrade();
  std::string header_fields() const;
  std::span<const ws::Event> receive();
  void receive_post(std::string_view bytes);
  bool receive_answer(std::span<char>& bytes);
  void end(std::string_view why);

  struct Opening {
    explicit Opening(const http::ResponseLimits& limits) : response(limits) {}
    ws::ClientOptions options;
    ws::ClientHandshake handshake;
    http::ResponseReader response;
  };

  Rig& rig_;
  const Kind kind_;
  std::string target_;
  Link link_;
  State state_ = State::unopened;
  std::unique_ptr<Opening> opening_;
  std::optional<ws::Session> session_;
  std::unique_ptr<PostSession> post_;
  std::optional<base::Duration> answer_time_;
  bool may_read_ = false;  // the socket was reported ready and not yet read empty
  base::Instant read_at_{};
  base::Instant first_byte_{};
  base::Instant partial_since_{};
  base::Instant started_{};
  base::Instant asked_{};
  base::Instant opened_{};
  std::string why_;
};

}  // namespace client::bench
