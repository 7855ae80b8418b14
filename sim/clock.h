// Virtual time of a simulated world: it stands still until the world moves it. The wall clock goes with it until
// somebody steps it, as NTP or an operator does. One thread.
#pragma once

#include "base/assert.h"
#include "base/time.h"
#include "loop/io.h"

namespace sim {

class Clock final : public loop::Clock {
 public:
  base::Instant now() override { return now_; }
  base::WallTime wall() override { return {wall_at(now_).ms + stepped_ms_}; }
  void advance_to(base::Instant at) {
    ASSERT(at >= now_);
    now_ = at;
  }

  void step_wall(std::chrono::milliseconds by) { stepped_ms_ += by.count(); }

  // What wall() says, or said, at that instant, if it was never stepped.
  static base::WallTime wall_at(base::Instant at) {
    return {kWallStartMs + std::chrono::duration_cast<std::chrono::milliseconds>(at - kStart).count()};
  }

  static constexpr base::Instant kStart{std::chrono::hours(1)};

 private:
  static constexpr std::int64_t kWallStartMs = 1'763'640'000'000;  // a day in November 2025
  base::Instant now_ = kStart;
  std::int64_t stepped_ms_ = 0;
};

}  // namespace sim
