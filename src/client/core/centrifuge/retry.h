// The waits of the Centrifuge client libraries: min + a random part of 0 to min * 2^attempt, together at most max. So
// clients that were cut together do not come back together, and none comes back at once. A value.
#pragma once

#include <algorithm>

#include "base/entropy.h"
#include "base/time.h"
#include "client/core/backoff.h"

namespace client::centrifuge {

class Retry {
 public:
  Retry(base::Duration min, base::Duration max) : min_(min), max_(max), backoff_({.first = min, .cap = max}) {}

  base::Duration next(base::Entropy& entropy) { return std::min(max_, min_ + backoff_.next(entropy)); }
  void forget() { backoff_.forget(); }

 private:
  base::Duration min_;
  base::Duration max_;
  Backoff backoff_;
};

}  // namespace client::centrifuge
