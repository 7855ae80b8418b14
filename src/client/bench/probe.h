// One WebSocket connection of the bench: opens it and takes the times of each step. Many live in one thread and share
// one Rig.
//
// Calling order: start(); on readiness handle_ready(), then next() until it returns nothing; send_text() once open.
// What next() returns is valid until the next call on any probe of the rig; read all of one probe before the next
// probe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/link.h"
#include "http/response_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace client::bench {

// What all probes of a run have in common. Outlives them.
struct Rig {
  Rig(System& system_, Destination destination_)
      : system(system_), destination(std::move(destination_)), scratch(system_.entropy), outgoing(system_.entropy) {}

  System& system;
  Destination destination;
  ws::Limits session_limits;
  http::ResponseLimits response_limits;
  ws::Scratch scratch;   // of what is received
  ws::Scratch outgoing;  // of what is sent, while events of the other are still being read
  std::string buffer = std::string(256 * 1024, '\0');
  std::span<char> unread;  // of the buffer: read from the socket, not yet taken by the session
};

class Probe {
 public:
  // `target` is the path and query of the handshake.
  Probe(Rig& rig, std::uint64_t token, std::string target)
      : rig_(rig), target_(std::move(target)), link_(rig.system, token) {}

  enum class State : std::uint8_t {
    unopened,
    opening,
    open,
    failed,   // never became open
    dropped,  // was open, and the other side or the network ended it
    closed,   // by finish()
  };
  State state() const { return state_; }

  void start(base::Instant now);
  void handle_ready();
  // What has come, a piece at a time; nothing: that was all for this readiness. Messages are events text and binary;
  // the others are already taken care of.
  std::optional<std::span<const ws::Event>> next();
  void send_text(std::string_view text);
  void give_up(std::string_view why);  // while opening: it took too long
  void finish();

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
  std::span<const ws::Event> receive();
  bool receive_answer(std::span<char>& bytes);
  void end(std::string_view why);

  struct Opening {
    explicit Opening(const http::ResponseLimits& limits) : response(limits) {}
    ws::ClientOptions options;
    ws::ClientHandshake handshake;
    http::ResponseReader response;
  };

  Rig& rig_;
  std::string target_;
  Link link_;
  State state_ = State::unopened;
  std::unique_ptr<Opening> opening_;
  std::optional<ws::Session> session_;
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
