// Publishes one message after the other by POST /pub over one kept-alive connection, without I/O. Every message carries
// an Idempotency-Key, so an attempt that ended without an answer is repeated with the same key and never doubles.
//
// Calling order: publish(); then, as for a Stream (stream.h): queue `output` on the transport, look at transport(),
// call connected(), receive(), receive_eof() and handle_timeout() as things happen, until outcome() has a value. Then
// the next publish(). Between two messages the transport may stay open; its end must be told then too.
//
// Threads: one PublishSession belongs to one thread; entropy must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/time.h"
#include "client/core/backoff.h"
#include "client/core/position.h"
#include "client/core/record.h"
#include "http/response_reader.h"

namespace client {

struct PublishOptions {
  std::string authority;  // Host header
  std::string path;       // prefix before /pub
  std::string token;      // empty: none
  BackoffLimits backoff{.first = std::chrono::milliseconds(100), .cap = std::chrono::seconds(5)};
  base::Duration attempt_time_max = std::chrono::seconds(10);  // from "open a transport" or the request to its answer
  base::Duration message_time_max = std::chrono::seconds(30);  // of one message with its retries; at most kRetryMax
};

// The server forgets a key after 5 minutes; a retry must not come near that.
inline constexpr base::Duration kRetryMax = std::chrono::minutes(4);

struct Publication {
  std::string_view channel;
  Kind kind = Kind::text;
  std::string_view payload;
  std::string_view key;  // Idempotency-Key: 1 to 255 visible ASCII characters; empty: a random one
};

// How a publish ended (docs/protocol.md).
struct Outcome {
  enum class Result : std::uint8_t {
    accepted,   // the server has it, at `position`
    refused,    // it will never appear; `code` and `message` say why
    unreached,  // it was never sent: the server could not be reached
    unknown,    // it was sent and no answer came in time: it may or may not appear
  };
  Result result = Result::unknown;
  Position position;
  std::string level;          // what the message survives: "accepted"
  std::uint64_t workers = 0;  // of the server, that had subscribers of the channel
  std::string code;           // "E_FORBIDDEN", or "HTTP 502"
  std::string message;        // for a person
  std::string answer;         // the body of the last answer, as it came
  std::uint32_t attempts = 0;
};

class PublishSession {
 public:
  PublishSession(PublishOptions options, base::Entropy& entropy);

  enum class Transport : std::uint8_t { closed, open };
  Transport transport() const;

  // Copies what it needs. No other message may be under way.
  void publish(std::string& output, const Publication& publication, base::Instant now);
  void connected(std::string& output, base::Instant now);
  void receive(std::string_view bytes, base::Instant now);
  void receive_eof(base::Instant now, std::string_view why = {});
  void handle_timeout(base::Instant now);
  base::Instant next_timeout() const;

  // Ends the message under way as what is known of it now; the transport is closed.
  void give_up();

  // Of the last publish(); nullopt while it is under way.
  const std::optional<Outcome>& outcome() const { return outcome_; }

 private:
  enum class State : std::uint8_t {
    closed,      // nothing to do, no transport
    waiting,     // for the next attempt
    connecting,  // the owner opens a transport
    asking,      // the request is on its way
    ready,       // nothing to do, the transport is kept
  };

  void begin_attempt(base::Instant now);
  void ask(std::string& output, base::Instant now);
  void take_answer(base::Instant now);
  void retry(base::Instant now, base::Duration at_least);
  void finish_without_answer();
  void finish(Outcome::Result result);

  PublishOptions options_;
  base::Entropy& entropy_;
  Backoff backoff_;
  State state_ = State::closed;
  http::ResponseLimits response_limits_;
  std::string request_;                    // head and body, as sent in every attempt
  base::Instant deadline_ = base::kNever;  // of the message
  base::Instant timer_ = base::kNever;     // of the attempt, or when to begin the next
  bool reused_ = false;                    // this transport has carried an answer before
  bool unanswered_ = false;                // some attempt may have been taken without our knowing
  Outcome pending_;
  std::optional<Outcome> outcome_;
  std::optional<http::ResponseReader> response_;
};

}  // namespace client
