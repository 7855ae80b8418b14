#include "server/counters.h"

#include <algorithm>

namespace server {

void DurationHistogram::observe(base::Duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bound = std::lower_bound(kDurationBounds.begin(), kDurationBounds.end(), seconds);
  buckets_[static_cast<std::size_t>(bound - kDurationBounds.begin())].add();
  sum_ns_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

}  // namespace server
