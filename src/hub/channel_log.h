// The log of one stream channel in memory: messages with contiguous offsets, the newest at the head, trimmed by count,
// bytes and age. Not the sequencer: it numbers nothing. A value owned by one home.
//
// Transient messages do not count as history: `messages_max` is of the others, which they do not push out. They lie
// between them so that whoever is on his way to the live end finds every offset, at most kTransientMessagesMax.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "base/time.h"
#include "hub/message.h"
#include "hub/since.h"

namespace hub {

struct LogLimits {
  std::uint32_t messages_max = 1000;  // 0: nothing is kept
  std::uint32_t bytes_max = 1 << 20;  // by Message::charged_bytes; the newest message is kept whatever its size
  base::Duration age_max = std::chrono::hours(1);
};

class ChannelLog {
 public:
  // Offset of the newest message ever appended, and of the oldest still held (head + 1 if none is).
  Offset head() const { return head_; }
  Offset first_held() const { return head_ + 1 - messages_.size(); }
  std::size_t size() const { return messages_.size(); }
  std::size_t history() const { return messages_.size() - transient_; }  // of them: all but the transient ones
  std::uint64_t bytes() const { return bytes_; }
  // `offset` is held.
  const MessageRef& at(Offset offset) const { return messages_[static_cast<std::size_t>(offset - first_held())]; }

  // When the newest message ever appended was numbered; INT64_MIN ms if none was.
  base::WallTime newest_time() const { return messages_.empty() ? dropped_time_ : messages_.back()->time(); }

  // Goes on behind messages that are no longer held, of which `newest` is the time of the last; only while empty.
  void start_after(Offset head, base::WallTime newest) {
    head_ = head;
    dropped_time_ = newest;
  }
  // message.offset() == head() + 1.
  void append(MessageRef message, const LogLimits& limits);
  // Drops what is too old at `now`; a message of exactly age_max is still held.
  void expire(base::Instant now, const LogLimits& limits);
  void trim(const LogLimits& limits);
  // Drops everything up to and including `offset`.
  void drop_through(Offset offset);

  // The offset of the first message to replay for `since` (position of this epoch only: the caller compares epochs),
  // and the gap, if what was asked for is no longer held.
  struct Start {
    Offset from;
    std::optional<Gap> gap;
  };
  Start find(const Since& since) const;

  // Messages from `from` on, at most that many and that many payload bytes, at least one if there is one.
  std::vector<MessageRef> page(Offset from, std::uint32_t messages_max, std::uint32_t bytes_max) const;

 private:
  void drop_first();
  Offset last_start(std::uint64_t count) const;

  base::Ring<MessageRef> messages_;
  Offset head_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t transient_ = 0;
  base::WallTime dropped_time_{INT64_MIN};  // of the newest message that was dropped: decides gaps of Kind::time
};

}  // namespace hub
