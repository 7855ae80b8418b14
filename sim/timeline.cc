#include "sim/timeline.h"

#include <algorithm>
#include <limits>

#include "sim/clock.h"

namespace sim {

void Timeline::learn(std::uint64_t offset, std::int64_t time_ms) {
  if (known_.size() <= offset) known_.resize(offset + 1);
  if (known_[offset] != 0 && known_[offset] != time_ms) contradiction_ = true;
  known_[offset] = time_ms;
}

bool Timeline::finish(std::uint64_t head, WallClock clock) {
  if (known_.size() > head + 1) contradiction_ = true;
  known_.resize(head + 1);
  earliest_ = latest_ = known_;
  for (std::size_t i = 1; i < known_.size(); ++i) {
    if (known_[i] == 0) {
      earliest_[i] = earliest_[i - 1];
    } else if (known_[i] < earliest_[i - 1]) {
      contradiction_ = true;
    }
  }
  for (std::size_t i = known_.size(); i-- > 1;) {
    if (known_[i] != 0) continue;
    latest_[i] = i + 1 < latest_.size() ? latest_[i + 1] : std::numeric_limits<std::int64_t>::max();
  }
  if (clock == WallClock::stepped) {
    std::fill(earliest_.begin(), earliest_.end(), 0);
    std::fill(latest_.begin(), latest_.end(), std::numeric_limits<std::int64_t>::max());
  }
  return !contradiction_;
}

// Ages count from the instant that a time of a message names only in milliseconds: one whose age is age_ms, to the
// millisecond, may be held or not.

// A message of the millisecond that `at` lies in may have been numbered before or after it.
std::uint64_t Timeline::count_surely(base::Instant at) const {
  const auto end = std::lower_bound(latest_.begin() + 1, latest_.end(), Clock::wall_at(at).ms);
  return static_cast<std::uint64_t>(end - latest_.begin() - 1);
}

std::uint64_t Timeline::count_perhaps(base::Instant at) const {
  const auto end = std::upper_bound(earliest_.begin() + 1, earliest_.end(), Clock::wall_at(at).ms);
  return static_cast<std::uint64_t>(end - earliest_.begin() - 1);
}

bool Timeline::surely_held(std::uint64_t position, base::Instant until, std::uint64_t messages,
                           std::int64_t age_ms) const {
  const std::uint64_t head = count_perhaps(until);
  if (position >= head) return true;
  return head - position <= messages && Clock::wall_at(until).ms - earliest_[position + 1] < age_ms;
}

bool Timeline::surely_lost(std::uint64_t position, base::Instant from, std::uint64_t messages,
                           std::int64_t age_ms) const {
  const std::uint64_t head = count_surely(from);
  if (position >= head) return false;
  return head - position > messages || Clock::wall_at(from).ms - latest_[position + 1] > age_ms;
}

Timeline::Answer Timeline::judge(std::uint64_t position, std::uint64_t head, base::Instant from, base::Instant until,
                                 std::uint64_t messages, std::int64_t age_ms) const {
  if (position >= head) return Answer::held;
  if (head - position > messages) return Answer::lost;
  const std::int64_t next = head + 1 < latest_.size() ? latest_[head + 1] : std::numeric_limits<std::int64_t>::max();
  const std::int64_t first_ms = std::max(Clock::wall_at(from).ms, earliest_[head]);
  const std::int64_t last_ms = std::min(Clock::wall_at(until).ms, next);
  if (first_ms - latest_[position + 1] > age_ms) return Answer::lost;
  return last_ms - earliest_[position + 1] < age_ms ? Answer::held : Answer::either;
}

}  // namespace sim
