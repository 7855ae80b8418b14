#include "door/hook/event_queue.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace door::hook {
namespace {

// Full jitter: uniform between nothing and a bound that doubles.
base::Duration backoff(unsigned failures, base::Entropy& entropy) {
  base::Duration bound = EventQueue::kBackoffFirst;
  for (unsigned i = 1; i < failures && bound < EventQueue::kBackoffMax; ++i) bound *= 2;
  bound = std::min(bound, EventQueue::kBackoffMax);
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(bound).count();
  return std::chrono::microseconds(entropy.below(static_cast<std::uint32_t>(us) + 1));
}

}  // namespace

void EventQueue::add(const Event& event, base::Instant now) {
  // One place is kept for the record of what was dropped.
  if (waiting_.size() + 1 >= kEventsMax || bytes_ >= kBytesMax) return drop(1);
  if (dropped_ > 0) {
    std::string record;
    append_dropped(record, next_id(), event.time, std::exchange(dropped_, 0));
    push(std::move(record), now);
  }
  std::string json;
  append_event(json, next_id(), event);
  push(std::move(json), now);
}

void EventQueue::push(std::string json, base::Instant since) {
  bytes_ += json.size();
  waiting_.push_back({std::move(json), since});
}

void EventQueue::drop(std::uint64_t count) {
  dropped_ += count;
  dropped_total_ += count;
}

base::Instant EventQueue::due() const {
  if (on_its_way_) return base::kNever;
  if (batch_ > 0) return retry_at_;
  if (waiting_.empty()) return dropped_ > 0 ? base::Instant::min() : base::kNever;
  return waiting_.size() >= kBatchMax ? base::Instant::min() : waiting_.front().since + delay_;
}

std::optional<std::string> EventQueue::take(base::Instant now, base::WallTime wall) {
  if (now < due() || on_its_way_) return std::nullopt;
  if (waiting_.empty()) {
    std::string record;
    append_dropped(record, next_id(), wall, std::exchange(dropped_, 0));
    push(std::move(record), now);
  }
  if (batch_ == 0) {
    batch_ = std::min(waiting_.size(), kBatchMax);
    first_try_ = now;
    failures_ = 0;
  }
  std::string body = "[";
  for (std::size_t i = 0; i < batch_; ++i) {
    if (i > 0) body += ',';
    body += waiting_[i].json;
  }
  body += ']';
  on_its_way_ = true;
  return body;
}

void EventQueue::sent(Fate fate, base::Instant now, base::Entropy& entropy) {
  ASSERT(on_its_way_);
  on_its_way_ = false;
  if (fate == Fate::failed) {
    ++failures_;
    retry_at_ = now + backoff(failures_, entropy);
    if (now - first_try_ < kTriesTime) return;
    drop(batch_);
  }
  for (; batch_ > 0; --batch_) {
    bytes_ -= waiting_.front().json.size();
    waiting_.pop_front();
  }
}

}  // namespace door::hook
