// An axis of a chart: where a value lies, and the round values that get a line and a label. Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace client::bench {

struct Tick {
  double value = 0;
  std::string label;  // empty: a line only
};

struct Axis {
  enum class Scale : std::uint8_t { linear, logarithmic } scale = Scale::linear;
  double low = 0;
  double high = 1;
  std::vector<Tick> ticks;  // within [low, high], rising

  // 0 at low, 1 at high; values outside stop at the ends.
  double place(double value) const;
};

// From 0 to a round value >= `high`, with about five ticks: "0", "250", "1.5k", "20M".
Axis count_axis(double high);
// 0 to `high` exactly.
Axis time_axis(double high_s);
// Logarithmic, from a round value <= `low_us` to one >= `high_us`: "50 µs", "1 ms", "2 s".
Axis latency_axis(double low_us, double high_us);
// By how rare a value is: 0 %, 50 %, 90 %, 99 %, 99.9 %, ... each a step to the right as in HdrHistogram's plots. Place
// a share p (0 to 1) by rarity(p). Reaches as far as `count` values tell something.
Axis percentile_axis(std::uint64_t count);
double rarity(double share);

}  // namespace client::bench
