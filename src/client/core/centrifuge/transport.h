// One WebSocket connection of the Centrifuge client, without I/O: the opening handshake and frames, again for every
// attempt. It knows nothing of what the frames say.
//
// Calling order: begin(); the owner opens a byte transport and calls connected() or receive_eof(); then receive() for
// what arrives, and send() once opened. Every verb leaves events and output: the owner takes both after each of them.
// After a `closed` event, or drop(), the attempt is over and begin() may be called again.
//
// One thread; entropy must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "http/response_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace client::centrifuge {

struct TransportOptions {
  std::string authority;     // Host header
  std::string target = "/";  // path and query
  std::vector<std::pair<std::string, std::string>> headers;
  enum class Frames : std::uint8_t { text, binary } frames = Frames::text;  // what we send, and what may come
  std::string subprotocol;  // empty: none; otherwise the server must agree to it
  enum class Deflate : std::uint8_t { no, offer } deflate = Deflate::no;
  std::uint32_t message_bytes_max = 64 << 20;
};

class Transport {
 public:
  struct Event {
    enum class Type : std::uint8_t { opened, message, closed } type;
    std::string_view message = {};  // valid until the next receive(), also after drop()
    // Of closed: the WebSocket close code; 1006: cut; 0: it never opened.
    std::uint16_t code = 0;
    std::string reason = {};  // of closed: the peer's, or a remark for people
  };

  Transport(TransportOptions options, base::Entropy& entropy);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // The owner should have a byte transport for it.
  bool wanted() const { return state_ != State::closed; }
  bool open() const { return state_ == State::open; }

  void begin();
  void connected();
  // Takes at least one byte, and maybe not all; unmasks and inflates in place. Replaces the events.
  [[nodiscard]] std::size_t receive(std::span<char> bytes, base::Instant now);
  void receive_eof(std::string_view why);  // replaces the events
  void handle_timeout(base::Instant now);  // replaces the events
  base::Instant next_timeout() const { return open() ? session_->next_timeout() : base::kNever; }
  void send(std::string_view frame);  // only while open()
  // Says good-bye where there is somebody to say it to, and is closed at once. No event.
  void drop(std::uint16_t code = 1000);

  std::span<const Event> events() const { return events_; }
  std::string take_output() { return std::exchange(output_, {}); }

 private:
  enum class State : std::uint8_t { closed, connecting, handshaking, open };

  std::size_t receive_handshake(std::span<char> bytes);
  void refuse();
  void take_frames();
  void collect();
  void end(std::uint16_t code, std::string reason);

  TransportOptions options_;
  base::Entropy& entropy_;
  ws::Limits limits_;
  http::ResponseLimits response_limits_;
  State state_ = State::closed;
  ws::ClientOptions handshake_options_;
  ws::ClientHandshake handshake_;
  std::optional<http::ResponseReader> response_;
  ws::Scratch scratch_;
  std::size_t collected_ = 0;  // of scratch_'s output
  std::optional<ws::Session> session_;
  std::vector<Event> events_;
  std::string output_;
};

}  // namespace client::centrifuge
