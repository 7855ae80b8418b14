// What happened when: counts in slots of 100 ms from the start of a run. A value; 24 hours take 21 MB.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace client::bench {

struct Slot {
  std::uint32_t opened = 0;
  std::uint32_t failed = 0;
  std::uint32_t dropped = 0;
  std::uint32_t open = 0;  // at its end
  std::uint64_t messages = 0;
};

inline constexpr base::Duration kSlot = std::chrono::milliseconds(100);

class Timeline {
 public:
  Timeline() = default;
  explicit Timeline(base::Instant start) : start_(start) {}

  base::Instant start() const { return start_; }
  // The slot of `now` >= start(); valid until the next call.
  Slot& at(base::Instant now);
  // `width` is a multiple of kSlot; the last slot may be shorter than the others.
  std::vector<Slot> grouped(base::Duration width) const;

 private:
  base::Instant start_{};
  std::vector<Slot> slots_;
};

}  // namespace client::bench
