// One WebSocket connection after the handshake (RFC 6455, RFC 7692), server or client side, without I/O.
//
// At rest a Session is a few bytes (static_assert below): events, output and inflater live in a Scratch that the
// worker lends for each call; a partial frame or message lives in a spill that exists only until it is complete.
//
// Calling order, for every call that takes a Scratch: the owner calls scratch.clear() (or has taken everything of the
// previous call), calls one verb, then reads scratch.events() in order and queues scratch.output() on the wire.
// receive() unmasks in place, so `bytes` is changed; payloads of events point into `bytes` or the scratch and are valid
// until the next receive() or clear(). Commands may be called while events are read (an echo): without a clear()
// between they only append output.
//
// One call makes a bounded number of events and puts together and inflates a bounded amount (T03: a read buffer full of
// small bombs must not become hundreds of messages of full size), so receive() may leave a rest for the next call:
//
//   while (!bytes.empty()) {
//     scratch.clear();
//     bytes = bytes.subspan(session.receive(scratch, bytes, now));
//     ... scratch.events(), scratch.output() ...
//   }
//
// The session answers pings (the newest one per receive() call, RFC 6455 5.5.3), echoes closes and turns every
// protocol error into one Close frame; after the first error or a received Close it discards all further input.
//
// Threads: a value owned by one worker; nothing is shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/error.h"
#include "base/time.h"
#include "ws/deflate_params.h"
#include "ws/frame.h"
#include "ws/shelf.h"

namespace ws {

struct Limits {
  std::uint32_t message_bytes_max = 1 << 20;                   // after inflate; 1 MiB
  std::uint16_t fragments_max = 64;                            // T01
  base::Duration message_time_max = std::chrono::seconds(10);  // first byte of a message to its last (T14)
  std::uint16_t control_frames_max = 200;                      // pings+pongs per second, then 1008 E_CONTROL_RATE (T12)
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Event {
  enum class Type : std::uint8_t {
    text,  // payload is valid UTF-8
    binary,
    ping,  // already answered
    pong,
    close,  // the connection is over: the peer closed (error none) or we failed it (error says why)
  };
  Type type;
  base::Error error = base::Error::none;
  // For close. Received: its code, 1005 if it had none. Failed: the code we sent. Lost without a Close: 1006.
  std::uint16_t close_code = 0;
  std::string_view payload;  // for close: the reason
};

class Inflater;
class Deflater;
class PartialMessage;
struct Contexts;
struct FrameHeader;
struct Spill;

// Per-worker working memory; never shared between threads. Keeps its capacity from call to call.
class Scratch {
 public:
  explicit Scratch(base::Entropy& entropy);  // for client masks; must outlive the scratch
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void clear();
  std::span<const Event> events() const { return events_; }
  std::string_view output() const { return output_; }

 private:
  friend class Session;
  base::Entropy& entropy_;
  std::vector<Event> events_;
  std::string output_;
  Shelf shelf_;
  std::optional<std::string_view> ping_;  // the newest one of this call, not yet answered
  std::string deflated_;
  std::unique_ptr<Inflater> inflater_;  // shared by all sessions without context takeover
  std::unique_ptr<Deflater> deflater_;  // of the window size used last
};

class Session {
 public:
  // No session: the others are put into its place.
  Session();
  // `deflate` is the outcome of the handshake (deflate_params.h); limits must outlive the session.
  Session(Role role, const Limits& limits, DeflateParams deflate = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  bool exists() const { return limits_ != nullptr; }

  // Returns how many bytes it took; fewer than given only if the call made as much output as one call may.
  [[nodiscard]] std::size_t receive(Scratch& scratch, std::span<char> bytes, base::Instant now);
  void receive_eof(Scratch& scratch);  // an event close 1006 unless one was given before
  void handle_timeout(Scratch& scratch, base::Instant now);
  base::Instant next_timeout() const;  // kNever when no message is incomplete

  // Commands append one frame each to scratch.output(); after close() they append nothing.
  void send_text(Scratch& scratch, std::string_view utf8);
  void send_binary(Scratch& scratch, std::string_view bytes);
  void send_ping(Scratch& scratch, std::string_view payload);                 // at most 125 bytes
  void close(Scratch& scratch, std::uint16_t code, std::string_view reason);  // reason cut to 123 bytes at a code point
  void close(Scratch& scratch, base::Error error);  // code and "E_CODE text" from the registry

  // True once frames made elsewhere (encode once, frame.h) must no longer be sent on this connection.
  bool closing() const { return bits_.close_sent || bits_.over; }
  // True once both Close frames have passed (or the peer failed): the owner may close the socket.
  bool closed() const { return bits_.over; }
  bool deflate_enabled() const { return bits_.deflate; }
  // Window bits up to which frames of messages compressed alone (deflate.h) may be sent on this connection; 0: none,
  // because the peer did not agree to it, or because our own messages have a context that such a frame would break.
  std::uint8_t shared_deflate_bits() const;
  // A window is kept between messages, ours or the peer's: kContextBytes at most.
  bool keeps_context() const { return bits_.send_context || bits_.receive_context; }
  // Bytes this session holds beyond sizeof(Session): spill and compression contexts.
  std::size_t held_bytes() const;

 private:
  struct Bits {
    bool client : 1;
    bool close_sent : 1;
    bool over : 1;  // the close event was given
    bool deflate : 1;
    bool send_context : 1;
    bool receive_context : 1;
    std::uint8_t send_window_bits : 4;  // 0: we never compress
    std::uint8_t receive_window_bits : 4;
  };

  Role role() const { return bits_.client ? Role::client : Role::server; }

  // Receiving: session.cc.
  Spill& spill();
  std::size_t start_frame(Scratch& scratch, std::span<char> bytes, base::Instant now);
  std::size_t continue_frame(Scratch& scratch, std::span<char> bytes, base::Instant now);
  base::Error admit(const FrameHeader& header) const;
  void take_whole_frame(Scratch& scratch, const FrameHeader& header, std::string_view payload, bool ascii,
                        base::Instant now);
  void enter_message(const FrameHeader& header);
  void leave_frame();
  void take_piece(Scratch& scratch, std::string_view piece, Fin fin);
  void take_single(Scratch& scratch, const FrameHeader& header, std::string_view payload, bool ascii);
  void take_control(Scratch& scratch, Opcode opcode, std::string_view payload, base::Instant now);
  void take_close(Scratch& scratch, std::string_view payload);
  bool control_rate_exceeded(base::Instant now);
  void deliver(Scratch& scratch, Opcode opcode, std::string_view payload);
  base::Error inflate(Scratch& scratch, PartialMessage& message, std::string_view last_piece);
  Inflater& ready_inflater(Scratch& scratch);
  void settle(base::Instant now);
  void fail(Scratch& scratch, base::Error error);

  // Sending: session_send.cc.
  void answer_ping(Scratch& scratch);
  void append_close(Scratch& scratch, std::string_view payload);
  void append_message(Scratch& scratch, Opcode opcode, std::string_view payload);
  void append_frame(Scratch& scratch, Opcode opcode, std::string_view payload, Compressed compressed = Compressed::no);
  bool deflate(Scratch& scratch, std::string_view payload);

  const Limits* limits_ = nullptr;
  std::unique_ptr<Spill> spill_;
  std::unique_ptr<Contexts> contexts_;
  std::uint32_t control_second_ = 0;  // which second control_frames_ counts
  std::uint16_t control_frames_ = 0;
  Bits bits_{};
};
static_assert(sizeof(Session) <= 32);

}  // namespace ws
