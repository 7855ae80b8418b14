// Times of one kind, all kept: what a percentile of them is, exactly. A value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

class Latencies {
 public:
  void add(std::uint64_t nanoseconds) { all_.push_back(nanoseconds); }

  // The smallest of them that is not below `share` (0 to 1) of all; 0 if there are none. In microseconds.
  double percentile_us(double share) {
    if (all_.empty()) return 0;
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(all_.size()));
    const auto at = all_.begin() + static_cast<std::ptrdiff_t>(std::min(rank, all_.size() - 1));
    std::nth_element(all_.begin(), at, all_.end());
    return static_cast<double>(*at) / 1e3;
  }

 private:
  std::vector<std::uint64_t> all_;
};

}  // namespace bench
