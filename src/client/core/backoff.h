// How long to wait before the next attempt: exponential with full jitter (uniform between zero and a bound that
// doubles), so that clients that were cut together do not come back together. A value.
#pragma once

#include <algorithm>

#include "base/entropy.h"
#include "base/time.h"

namespace client {

struct BackoffLimits {
  base::Duration first = std::chrono::milliseconds(500);  // bound of the first wait
  base::Duration cap = std::chrono::seconds(60);          // bound of the longest
  // A connection must have lasted so long before failures are forgotten: one that is accepted and dropped at once
  // (a server that dies while it starts) must not be tried at full speed for ever.
  base::Duration stable = std::chrono::seconds(30);
};

class Backoff {
 public:
  explicit Backoff(BackoffLimits limits) : limits_(limits) {}

  // Uniform in [0, bound()]; the bound doubles for the next call.
  base::Duration next(base::Entropy& entropy) {
    base::Duration wait = uniform(entropy, bound());
    if (bound() < limits_.cap) ++failures_;
    return wait;
  }
  base::Duration bound() const {
    base::Duration bound = limits_.first;
    for (unsigned i = 0; i < failures_ && bound < limits_.cap; ++i) bound *= 2;
    return std::min(bound, limits_.cap);
  }
  // Tell how long the last connection was up.
  void connection_lasted(base::Duration up) {
    if (up >= limits_.stable) failures_ = 0;
  }
  void forget() { failures_ = 0; }

  static base::Duration uniform(base::Entropy& entropy, base::Duration most) {
    // Microseconds fit below(): an hour is 3.6e9, so coarser steps serve longer bounds.
    auto us = std::chrono::duration_cast<std::chrono::microseconds>(most).count();
    std::int64_t step = us / 4'000'000'000 + 1;
    return std::chrono::microseconds(step * entropy.below(static_cast<std::uint32_t>(us / step) + 1));
  }

 private:
  BackoffLimits limits_;
  unsigned failures_ = 0;
};

}  // namespace client
