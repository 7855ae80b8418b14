#include "client/histogram.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/entropy.h"

namespace client {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, EmptyIsZero) {
  Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_EQ(histogram.percentile(99), 0ns);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (int i = 0; i < 1024; ++i) histogram.record(std::chrono::nanoseconds(i));
  EXPECT_EQ(histogram.percentile(0), 0ns);
  EXPECT_EQ(histogram.percentile(50), 511ns);
  EXPECT_EQ(histogram.percentile(100), 1023ns);
}

TEST(Histogram, PercentilesAgreeWithASortedListWithinAThousandth) {
  base::SeededEntropy entropy(11);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20000; ++i) {
    // Spread over all powers of two up to 2^42.
    auto value = static_cast<std::int64_t>(entropy.next() >> (22 + entropy.below(42)));
    values.push_back(value);
    histogram.record(base::Duration{value});
  }
  std::sort(values.begin(), values.end());
  for (double percent : {0.1, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    auto rank = static_cast<std::size_t>(percent / 100.0 * static_cast<double>(values.size()) + 0.999999) - 1;
    auto exact = static_cast<double>(values[rank]);
    auto read = static_cast<double>(histogram.percentile(percent).count());
    EXPECT_GE(read, exact) << percent;
    EXPECT_LE(read, exact * 1.001) << percent;
  }
  EXPECT_EQ(histogram.min().count(), values.front());
  EXPECT_EQ(histogram.max().count(), values.back());
}

TEST(Histogram, OddValuesAndAddition) {
  auto a = std::make_unique<Histogram>();
  a->record(-5ns);
  a->record(2h);
  EXPECT_EQ(a->min(), 0ns);
  EXPECT_EQ(a->percentile(100), 2h);
  Histogram b;
  b.record(10ns);
  b.add(*a);
  EXPECT_EQ(b.count(), 3u);
  EXPECT_EQ(b.max(), 2h);
  EXPECT_EQ(b.percentile(50), 10ns);
  EXPECT_EQ(b.mean(), (2h + 10ns) / 3);
}

}  // namespace
}  // namespace client
