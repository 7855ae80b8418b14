#include "hub/channel_log.h"

#include <algorithm>
#include <ranges>

#include "base/assert.h"

namespace hub {

void ChannelLog::append(MessageRef message, const LogLimits& limits) {
  ASSERT(message->offset() == head_ + 1);
  head_ = message->offset();
  bytes_ += message->charged_bytes();
  messages_.push_back(std::move(message));
  trim(limits);
}

void ChannelLog::trim(const LogLimits& limits) {
  while (messages_.size() > limits.messages_max || (bytes_ > limits.bytes_max && messages_.size() > 1)) drop_first();
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
  dropped_time_ = std::max(dropped_time_, first->time());
  messages_.pop_front();
}

ChannelLog::Start ChannelLog::find(const Since& since) const {
  const Offset live = head_ + 1;
  switch (since.kind) {
    case Since::Kind::now:
      return {live, std::nullopt};
    case Since::Kind::last:
      return {live - std::min<Offset>(since.count, messages_.size()), std::nullopt};
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
