#include "hub/channel_log.h"

#include <algorithm>
#include <ranges>

#include "base/assert.h"
#include "hub/limits.h"

namespace hub {

void ChannelLog::append(MessageRef message, const LogLimits& limits) {
  ASSERT(message->offset() == head_ + 1);
  head_ = message->offset();
  bytes_ += message->charged_bytes();
  if (message->has(Mark::transient)) ++transient_;
  messages_.push_back(std::move(message));
  trim(limits);
}

void ChannelLog::trim(const LogLimits& limits) {
  const auto too_many = [&] {
    if (limits.messages_max == 0) return !messages_.empty();
    return messages_.size() - transient_ > limits.messages_max || transient_ > kTransientMessagesMax;
  };
  while (too_many() || (bytes_ > limits.bytes_max && messages_.size() > 1)) drop_first();
}

void ChannelLog::expire(base::Instant now, const LogLimits& limits) {
  while (!messages_.empty() && now - messages_.front()->numbered() > limits.age_max) drop_first();
}

void ChannelLog::drop_through(Offset offset) {
  while (!messages_.empty() && messages_.front()->offset() <= offset) drop_first();
}

void ChannelLog::drop_first() {
  const MessageRef& first = messages_.front();
  bytes_ -= first->charged_bytes();
  if (first->has(Mark::transient)) --transient_;
  dropped_time_ = std::max(dropped_time_, first->time());
  messages_.pop_front();
}

ChannelLog::Start ChannelLog::find(const Since& since) const {
  const Offset live = head_ + 1;
  switch (since.kind) {
    case Since::Kind::now:
      return {live, std::nullopt};
    case Since::Kind::last:
      return {last_start(since.count), std::nullopt};
    case Since::Kind::position: {
      const Offset next = since.position.offset + 1;
      if (since.position.offset > head_) return {live, Gap{live, head_, GapReason::too_far}};
      // What is missed is not all held: nothing is replayed, one gap up to the head (robustness.md promise b).
      if (next < first_held()) return {live, Gap{next, head_, GapReason::expired}};
      return {next, std::nullopt};
    }
    case Since::Kind::time: {
      const auto places = std::views::iota(std::size_t{0}, messages_.size());
      const auto older = [&](std::size_t place) { return messages_[place]->time() < since.time; };
      const auto from =
          first_held() + static_cast<Offset>(std::ranges::partition_point(places, older) - places.begin());
      // Dropped messages may belong to the answer: say so, with the widest range it can be, and give what is held.
      if (dropped_time_ >= since.time) return {from, Gap{1, from - 1, GapReason::expired}};
      return {from, std::nullopt};
    }
  }
  ASSERT(false);
  return {live, std::nullopt};
}

Offset ChannelLog::last_start(std::uint64_t count) const {
  if (transient_ == 0) return head_ + 1 - std::min<Offset>(count, messages_.size());
  Offset from = head_ + 1;
  for (Offset each = head_; count > 0 && each >= first_held(); --each) {
    if (at(each)->has(Mark::transient)) continue;
    from = each;
    --count;
  }
  return from;
}

std::vector<MessageRef> ChannelLog::page(Offset from, std::uint32_t messages_max, std::uint32_t bytes_max) const {
  std::vector<MessageRef> result;
  if (from > head_) return result;
  ASSERT(from >= first_held());
  std::uint64_t bytes = 0;
  for (std::size_t place = from - first_held(); place < messages_.size() && result.size() < messages_max; ++place) {
    bytes += messages_[place]->payload().size();
    if (!result.empty() && bytes > bytes_max) break;
    result.push_back(messages_[place]);
  }
  return result;
}

}  // namespace hub
