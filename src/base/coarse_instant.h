// An Instant in four bytes, for what many connections keep and nobody needs exactly: deadlines, "last heard at".
// In ticks of 2^26 ns (67 ms) since the clock's zero, rounded up, so that a deadline is never early. Reaches 9 years
// after the zero of the monotonic clock (the machine's start); later instants become kNever. A plain value.
#pragma once

#include <compare>
#include <cstdint>

#include "base/time.h"

namespace base {

class CoarseInstant {
 public:
  constexpr CoarseInstant() = default;                           // the clock's zero
  constexpr CoarseInstant(Instant at) : ticks_(ticks_of(at)) {}  // NOLINT: stands where an Instant stands
  constexpr operator Instant() const {                           // NOLINT
    return ticks_ == kNeverTicks ? kNever : Instant(Duration(std::int64_t{ticks_} << kTickBits));
  }
  friend constexpr auto operator<=>(CoarseInstant, CoarseInstant) = default;
  friend constexpr auto operator<=>(CoarseInstant a, Instant b) { return Instant(a) <=> b; }
  friend constexpr bool operator==(CoarseInstant a, Instant b) { return Instant(a) == b; }
  friend constexpr Duration operator-(Instant a, CoarseInstant b) { return a - Instant(b); }
  friend constexpr Instant operator-(CoarseInstant a, Duration b) { return Instant(a) - b; }
  friend constexpr Instant operator+(CoarseInstant a, Duration b) { return Instant(a) + b; }

 private:
  static constexpr unsigned kTickBits = 26;
  static constexpr std::uint32_t kNeverTicks = 0xffff'ffff;

  static constexpr std::uint32_t ticks_of(Instant at) {
    const std::int64_t ns = at.time_since_epoch().count();
    if (ns <= 0) return 0;
    const std::uint64_t ticks = ((static_cast<std::uint64_t>(ns) - 1) >> kTickBits) + 1;
    return ticks >= kNeverTicks ? kNeverTicks : static_cast<std::uint32_t>(ticks);
  }

  std::uint32_t ticks_ = 0;
};

}  // namespace base
