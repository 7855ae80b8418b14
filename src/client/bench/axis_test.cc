#include "client/bench/axis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace client::bench {
namespace {

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> found(axis.ticks.size());
  std::ranges::transform(axis.ticks, found.begin(), &Tick::label);
  return found;
}

using Labels = std::vector<std::string>;

TEST(Axis, Counts) {
  EXPECT_EQ(labels(count_axis(0)), (Labels{"0", "1"}));
  EXPECT_EQ(labels(count_axis(5)), (Labels{"0", "1", "2", "3", "4", "5"}));
  EXPECT_EQ(labels(count_axis(1000)), (Labels{"0", "200", "400", "600", "800", "1000"}));
  EXPECT_EQ(labels(count_axis(200'001)), (Labels{"0", "50k", "100k", "150k", "200k", "250k"}));
  EXPECT_EQ(labels(count_axis(2.1e6)), (Labels{"0", "500k", "1M", "1.5M", "2M", "2.5M"}));
}

TEST(Axis, TimeEndsWhereTheRunEnds) {
  const Axis axis = time_axis(11.3);
  EXPECT_EQ(axis.high, 11.3);
  EXPECT_EQ(labels(axis), (Labels{"0", "2", "4", "6", "8", "10"}));
  EXPECT_EQ(labels(time_axis(0.3)).front(), "0");
  EXPECT_EQ(labels(time_axis(3600)).back(), "3500");
}

TEST(Axis, LatenciesAreLogarithmicWithUnits) {
  const Axis axis = latency_axis(60, 1900);
  EXPECT_EQ(labels(axis), (Labels{"50 µs", "100 µs", "200 µs", "500 µs", "1 ms", "2 ms"}));
  EXPECT_NEAR(axis.place(std::sqrt(50.0 * 2000.0)), 0.5, 1e-9);
  EXPECT_EQ(axis.place(1), 0);
  EXPECT_EQ(axis.place(1e9), 1);
  EXPECT_EQ(labels(latency_axis(100, 100)), (Labels{"100 µs", "200 µs", "500 µs", "1 ms"}));
  const Axis wide = latency_axis(1, 3e6);  // labels only at powers of ten
  EXPECT_EQ(wide.ticks[0].label, "1 µs");
  EXPECT_EQ(wide.ticks[1].label, "");
  EXPECT_EQ(wide.ticks[18].label, "1 s");
  EXPECT_EQ(latency_axis(0.5, 3).ticks[0].label, "500 ns");
}

TEST(Axis, PercentilesReachAsFarAsTheValues) {
  EXPECT_EQ(labels(percentile_axis(0)), (Labels{"0 %", "50 %", "90 %"}));
  EXPECT_EQ(labels(percentile_axis(1'000)), (Labels{"0 %", "50 %", "90 %", "99 %", "99.9 %"}));
  EXPECT_EQ(labels(percentile_axis(1'000'000'000)).back(), "99.99999 %");
  EXPECT_EQ(rarity(0), 0);
  EXPECT_NEAR(rarity(0.999), 3, 1e-9);
  EXPECT_LT(rarity(1), 10);
}

TEST(Axis, TicksLieInside) {
  for (double high = 0.11; high < 1e9; high *= 1.7) {
    for (const Axis& axis : {count_axis(high), time_axis(high), latency_axis(high / 30, high)}) {
      EXPECT_GE(axis.ticks.size(), 2U) << high;
      EXPECT_LE(axis.ticks.size(), 13U) << high;
      EXPECT_GE(axis.high, high * 0.999);
      for (const Tick& tick : axis.ticks) {
        EXPECT_GE(tick.value, axis.low * 0.999);
        EXPECT_LE(tick.value, axis.high * 1.001);
      }
    }
  }
}

}  // namespace
}  // namespace client::bench
