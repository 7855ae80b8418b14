// Where a subscription wants to start. A value.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "hub/position.h"

namespace hub {

struct Since {
  enum class Kind : std::uint8_t {
    now,       // only what comes from now on
    position,  // everything after `position`, or an announced gap
    last,      // the last `count` messages that are held, never a gap
    time,      // everything numbered at or after `time`, or an announced gap
  };
  Kind kind = Kind::now;
  Position position;
  std::uint64_t count = 0;
  base::WallTime time;
  bool any_epoch = false;  // position: its offset counts in whatever epoch the channel has
};

enum class GapReason : std::uint8_t {
  expired,        // the log no longer holds the messages
  epoch_changed,  // the channel was born again since
  too_far,        // the position lies in the future of this epoch
  overload,       // the subscriber could not be brought up to date in bounded time
  slow_reader,    // it did not read, and the channel's policy is to drop
  conflated,      // it did not read, and the channel's policy is that only the newest message counts
  damaged,        // the disk does not hold what was written there
};

inline constexpr std::size_t kGapReasons = 7;

// Offsets from..to of the current epoch will not be delivered; from > to says only that continuity was lost.
struct Gap {
  Offset from = 0;
  Offset to = 0;
  GapReason reason = GapReason::expired;
  std::uint64_t messages() const { return to >= from ? to - from + 1 : 0; }
  friend bool operator==(const Gap&, const Gap&) = default;
};

}  // namespace hub
