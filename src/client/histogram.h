// Latencies as counts in log-linear buckets: every power of two is cut into 1,024 equal parts, so a value read back is
// at most 0.1 % above the one recorded. That is HdrHistogram with 3 significant digits: the same buckets and the same
// error. Fixed size (about 270 KiB, touched only where values fall), no allocation per record. Not thread safe;
// histograms of several threads are added together.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace client {

class Histogram {
 public:
  // Values below zero count as zero, values of 2^42 ns (73 min) and more in the last bucket; max() stays exact.
  void record(base::Duration value) {
    auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.count()));
    ++buckets_[bucket_of(ns)];
    ++count_;
    sum_ns_ += static_cast<double>(ns);
    min_ns_ = std::min(min_ns_, ns);
    max_ns_ = std::max(max_ns_, ns);
  }

  void add(const Histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
    min_ns_ = std::min(min_ns_, other.min_ns_);
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  std::uint64_t count() const { return count_; }
  base::Duration min() const { return duration(count_ == 0 ? 0 : min_ns_); }
  base::Duration max() const { return duration(max_ns_); }
  base::Duration mean() const {
    return duration(count_ == 0 ? 0 : static_cast<std::uint64_t>(sum_ns_ / static_cast<double>(count_)));
  }

  // The smallest bucket end such that at least `percent` (0 to 100) of the values are not above it; 0 if empty.
  base::Duration percentile(double percent) const {
    if (count_ == 0) return base::Duration{0};
    // 99.9 is not exact in binary: without the tolerance it would ask for one value more of 20,000.
    const double wanted = percent / 100.0 * static_cast<double>(count_) * (1 - 1e-12);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return duration(std::min(last_of(i), max_ns_));
    }
    return max();
  }

 private:
  static constexpr unsigned kPartBits = 10;
  static constexpr unsigned kTopBit = 42;
  static constexpr std::size_t kBuckets = (kTopBit - kPartBits + 1) << kPartBits;

  // Values below 1,024 have a bucket each; above, the highest bit chooses the row and the next ten bits the part.
  static std::size_t bucket_of(std::uint64_t ns) {
    if (ns >= std::uint64_t{1} << kTopBit) return kBuckets - 1;
    if (ns < std::uint64_t{1} << kPartBits) return ns;
    auto row = static_cast<unsigned>(std::bit_width(ns)) - 1 - kPartBits;
    return (std::size_t{row} << kPartBits) + (ns >> row);
  }
  static std::uint64_t last_of(std::size_t bucket) {
    if (bucket == kBuckets - 1) return ~std::uint64_t{0};
    if (bucket < std::size_t{1} << kPartBits) return bucket;
    std::size_t row = (bucket >> kPartBits) - 1;
    std::uint64_t part = bucket - (row << kPartBits);
    return ((part + 1) << row) - 1;
  }
  static base::Duration duration(std::uint64_t ns) { return base::Duration{static_cast<std::int64_t>(ns)}; }

  std::vector<std::uint64_t> buckets_ = std::vector<std::uint64_t>(kBuckets);
  std::uint64_t count_ = 0;
  double sum_ns_ = 0;
  std::uint64_t min_ns_ = ~std::uint64_t{0};
  std::uint64_t max_ns_ = 0;
};

}  // namespace client
