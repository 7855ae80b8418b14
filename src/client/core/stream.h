// A subscription to one or several channels of a Wirebird server over one WebSocket, without I/O: it makes the
// handshake, reads the envelope, keeps the cursor, checks that nothing is missing or doubled, and says when to connect
// again and from where. What it is not: it opens no socket, resolves no name and reads no clock; the owner does
// (client/link.h, or a simulator). Publishing is client/core/publish_session.h.
//
// Calling order. After start() and after every other verb the owner, in this order,
//   1. takes scratch.events(), queues scratch.output() on the transport it has, and calls scratch.clear();
//   2. looks at transport(): `open` and it has none: opens one, then calls connected() or receive_eof();
//      `closed` and it has one: writes what is queued, as far as that goes at once, and closes it;
//   3. calls handle_timeout() not later than next_timeout().
// What arrives on the transport goes into receive(), its end (or failure) into receive_eof().
//
// The promise: for every channel the messages come in the order of their offsets, none twice, also over reconnects;
// what is missing is told by a GapEvent before the next message.
//
// Threads: one Stream and its Scratch belong to one thread. Entropy must outlive both.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "client/core/backoff.h"
#include "client/core/position.h"
#include "client/core/record.h"
#include "http/response_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace client {

struct StreamOptions {
  std::string authority;              // Host header
  std::string path;                   // prefix before /ws; usually empty
  std::vector<std::string> channels;  // at least one, each once
  std::string since;                  // cursor, -N or time; empty: from now
  std::string token;                  // empty: none
  enum class Deflate : std::uint8_t { no, offer } deflate = Deflate::no;
  enum class Retry : std::uint8_t { forever, never } retry = Retry::forever;
  BackoffLimits backoff;
  base::Duration connect_time_max = std::chrono::seconds(15);  // from "open a transport" to the end of the handshake
  // The server pings every 25 s (+-20 %), so half a minute of silence is suspicious and the answer to a ping of our
  // own is overdue after another 15 s.
  base::Duration silence_max = std::chrono::seconds(35);
  base::Duration pong_time_max = std::chrono::seconds(15);
  base::Duration close_time_max = std::chrono::seconds(2);
};

// `channel` is always an index into StreamOptions::channels.
struct MessageEvent {
  std::size_t channel = 0;
  MessageRecord message;
};

struct GapEvent {
  std::size_t channel = 0;
  std::uint64_t from = 0;  // from > to: the position was lost, and nothing is known to be missing
  std::uint64_t to = 0;
  std::string reason;  // as the server said, or kUnannounced
  Position position;   // what comes next is the offset after it
};
// The server skipped offsets without a word (a defect of the server or of something in between).
inline constexpr std::string_view kUnannounced = "unannounced";

// The subscription to a channel has started on this connection.
struct PositionEvent {
  std::size_t channel = 0;
  Position position;
};

// The server refuses this channel; the others go on.
struct RefusedEvent {
  std::size_t channel = 0;
  std::string code;
  std::string message;
};

struct ConnectedEvent {
  std::uint32_t connection = 0;  // 1 for the first, 2 for the first reconnect, ...
};

struct DisconnectedEvent {
  // A WebSocket close code (1006: cut without one), the HTTP status of a refusal before the upgrade (400 to 599), or 0
  // if no connection came about at all.
  std::uint16_t code = 0;
  std::string reason;                         // for a person, beginning with the server's E_ code if it gave one
  std::optional<base::Duration> retry_after;  // nullopt: it is over, there will be no further attempt
};

using StreamEvent =
    std::variant<MessageEvent, GapEvent, PositionEvent, RefusedEvent, ConnectedEvent, DisconnectedEvent>;

class Scratch {
 public:
  explicit Scratch(base::Entropy& entropy) : session_(entropy) {}

  void clear();
  std::span<StreamEvent> events() { return events_; }  // the owner may move them away
  std::string_view output() const { return output_; }

 private:
  friend class Stream;
  ws::Scratch session_;
  std::vector<StreamEvent> events_;
  std::string output_;
};

class Stream {
 public:
  Stream(StreamOptions options, base::Entropy& entropy);

  enum class Transport : std::uint8_t { closed, open };
  Transport transport() const;
  // Over for good: closed by close(), refused, or Retry::never.
  bool finished() const { return state_ == State::finished; }

  void start(base::Instant now);
  void connected(Scratch& scratch, base::Instant now);
  void receive(Scratch& scratch, std::span<char> bytes, base::Instant now);  // unmasks and inflates in place
  // `why` is a remark for people, e.g. "Connection refused".
  void receive_eof(Scratch& scratch, base::Instant now, std::string_view why = {});
  void handle_timeout(Scratch& scratch, base::Instant now);
  base::Instant next_timeout() const;
  void close(Scratch& scratch, base::Instant now);  // tells the server, then finishes

  // What a new Stream needs as `since` to go on where this one stands; the original `since` until every
  // channel has a position.
  std::string cursor() const;
  const StreamOptions& options() const { return options_; }
  std::uint64_t duplicates() const { return duplicates_; }  // messages that came again and were dropped

 private:
  enum class State : std::uint8_t {
    idle,         // -> connecting
    waiting,      // for the next attempt -> connecting
    connecting,   // the owner opens a transport -> handshaking, waiting
    handshaking,  // -> open, waiting, finished
    open,         // -> closing, waiting, finished
    closing,      // our Close is sent -> finished
    finished,
  };
  enum class Timer : std::uint8_t { attempt, retry, silence, close, count };

  void set_timer(Timer timer, base::Instant when) { timers_[static_cast<std::size_t>(timer)] = when; }
  base::Instant timer(Timer timer) const { return timers_[static_cast<std::size_t>(timer)]; }
  void begin_attempt(base::Instant now);
  void receive_handshake(Scratch& scratch, std::span<char> bytes, base::Instant now);
  void refused_before_upgrade(Scratch& scratch, base::Instant now);
  void receive_frames(Scratch& scratch, std::span<char> bytes, base::Instant now);
  void take_session(Scratch& scratch, base::Instant now);
  void fail_session(Scratch& scratch);
  bool take_record(Scratch& scratch, std::string_view json);
  void take_message(Scratch& scratch, std::size_t channel, MessageRecord message);
  void take_gap(Scratch& scratch, std::size_t channel, GapRecord gap);
  void disconnected(Scratch& scratch, base::Instant now, DisconnectedEvent event);
  base::Duration wait_before_retry(std::string_view reason, base::Duration asked);
  std::string target() const;
  std::optional<std::size_t> channel_index(std::string_view name) const;

  StreamOptions options_;
  base::Entropy& entropy_;
  ws::Limits session_limits_;
  http::ResponseLimits response_limits_;
  Backoff backoff_;
  State state_ = State::idle;
  std::uint32_t connections_ = 0;
  bool ping_sent_ = false;
  std::array<base::Instant, static_cast<std::size_t>(Timer::count)> timers_;
  base::Instant established_{};
  Cursor cursor_;
  std::uint64_t duplicates_ = 0;
  ws::ClientOptions handshake_options_;
  ws::ClientHandshake handshake_;
  std::optional<http::ResponseReader> response_;
  std::optional<ws::Session> session_;
};

}  // namespace client
