#include "loop/kernel_clock.h"

#include <ctime>

namespace loop {

base::Instant KernelClock::now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return base::Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

base::WallTime KernelClock::wall() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return {std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000};
}

}  // namespace loop
