// Time as values. The pure rooms never read a clock; they are handed `Instant now` (monotonic) and, where a
// person or another machine must understand the time, `WallTime` (milliseconds since 1970, UTC).
// Durations are nanoseconds. All types are plain values, usable from any thread.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace base {

using Duration = std::chrono::nanoseconds;

// A tag clock: it has no now(). Instants come from loop::Clock only.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;

inline constexpr Instant kNever = Instant::max();

struct WallTime {
  std::int64_t ms = 0;  // since 1970-01-01T00:00:00Z
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

using namespace std::chrono_literals;  // NOLINT: 10s, 250ms read better than any alternative

}  // namespace base
