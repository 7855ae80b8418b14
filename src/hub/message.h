// A message: bytes, their kind, and where they stand in their channel. Made by the worker that took the publish,
// numbered by the channel's home while the home is its only owner, immutable and shared by all workers from then on.
//
// Few messages have extras (extras.h). They lie behind the message in the same allocation, and a number that fits where
// alignment leaves room says that they are there: a message without extras is as small as if there were none.
//
// Threads: MessageRef is an atomic reference count; the content never changes after number().
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "base/shared_bytes.h"
#include "base/time.h"
#include "hub/extras.h"
#include "hub/position.h"

namespace hub {

enum class Kind : std::uint8_t { json, text, binary };

// What its publisher asks for a message, or-ed.
enum class Mark : std::uint8_t {
  transient = 1,  // for those who watch now: who reads history or catches up does not get it, and its place is no gap
  delta = 2,      // subscribers that take deltas may get the difference to the message before it
  not_to_sender = 4,  // the connection that published it (Extras::publisher) does not get it
};

class Message {
 public:
  Message(Kind kind, std::string_view payload, base::Instant ingested)
      : kind_(kind), payload_(base::SharedBytes::copy(payload)), numbered_(ingested) {}
  Message(Kind kind, base::SharedBytes payload, base::Instant ingested)
      : kind_(kind), payload_(std::move(payload)), numbered_(ingested) {}
  // Without extras, if they are empty.
  static std::unique_ptr<Message> make(Kind kind, std::string_view payload, base::Instant ingested, Extras extras);
  // The same without a copy of the payload.
  static std::unique_ptr<Message> sharing(Kind kind, base::SharedBytes payload, base::Instant ingested, Extras extras);
  // A copy of this part alone would claim extras that it does not have.
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  // `delete` ends what make() made as a whole, by that number instead of a pointer to virtual functions.
  static void operator delete(Message* message, std::destroying_delete_t) noexcept;

  Kind kind() const { return kind_; }
  std::string_view payload() const { return payload_.view(); }
  const base::SharedBytes& shared_payload() const { return payload_; }
  // Null if there are none.
  const Extras* extras() const { return extras_units_ == 0 ? nullptr : &extras_behind(); }
  bool has(Mark mark) const { return (marks_ & static_cast<unsigned>(mark)) != 0; }
  Offset offset() const { return offset_; }
  // When the home numbered it: as people are told, and by the clock that never steps, from which its age counts.
  base::WallTime time() const { return time_; }
  base::Instant numbered() const { return numbered_; }
  // When the server had read it; for the latency metric.
  base::Instant ingested() const { return numbered_ - std::chrono::microseconds(waited_us_); }
  std::size_t charged_bytes() const {
    return sizeof(Message) + payload_.size() + 32 + extras_units_ * kExtrasUnit;  // 32: allocator and log slot
  }

  // Before it is numbered.
  void set(Mark mark) { marks_ |= static_cast<std::uint8_t>(mark); }
  // Once.
  void number(Offset offset, base::WallTime time, base::Instant now) {
    using Wait = std::numeric_limits<std::int32_t>;
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - numbered_).count();
    waited_us_ = static_cast<std::int32_t>(std::clamp<std::int64_t>(waited, Wait::min(), Wait::max()));
    offset_ = offset;
    time_ = time;
    numbered_ = now;
  }

 private:
  friend class MessageWithExtras;
  static constexpr std::size_t kExtrasUnit = 16;

  const Extras& extras_behind() const;

  Kind kind_;
  std::uint8_t marks_ = 0;          // where alignment leaves room
  std::uint16_t extras_units_ = 0;  // their charged bytes, in units of kExtrasUnit; 0: none
  // From ingested to numbered. It lies where alignment leaves room; below zero if the home's turn began earlier.
  std::int32_t waited_us_ = 0;
  Offset offset_ = 0;
  base::WallTime time_;
  base::SharedBytes payload_;
  base::Instant numbered_;  // ingested, until number()
};
static_assert(sizeof(Message) == 40);  // the server holds millions

using MessageRef = std::shared_ptr<const Message>;

}  // namespace hub
