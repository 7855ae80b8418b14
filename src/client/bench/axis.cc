#include "client/bench/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace client::bench {
namespace {

constexpr std::array kRound = {1.0, 2.0, 5.0};

// The smallest 1, 2 or 5 times a power of ten that is not below `value` > 0.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : kRound) {
    if (factor * power >= value * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

double round_down(double value) {
  const double power = std::pow(10, std::floor(std::log10(value) + 1e-9));
  double found = power;
  for (const double factor : kRound) {
    if (factor * power <= value * (1 + 1e-9)) found = factor * power;
  }
  return found;
}

std::string count_label(double value) {
  if (value >= 1e6) return fmt::format("{:.6g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.6g}k", value / 1e3);
  return fmt::format("{:.6g}", value);
}

std::string latency_label(double us) {
  if (us < 1) return fmt::format("{:.6g} ns", us * 1e3);
  if (us < 1e3) return fmt::format("{:.6g} µs", us);
  if (us < 1e6) return fmt::format("{:.6g} ms", us / 1e3);
  return fmt::format("{:.6g} s", us / 1e6);
}

}  // namespace

double Axis::place(double value) const {
  const double inside = std::clamp(value, low, high);
  if (scale == Scale::linear) return (inside - low) / (high - low);
  return (std::log(inside) - std::log(low)) / (std::log(high) - std::log(low));
}

Axis count_axis(double high) {
  Axis axis;
  const double step = std::max(1.0, round_up(std::max(high, 1.0) / 5));
  const double steps = std::ceil(std::max(high, 1.0) / step * (1 - 1e-9));
  axis.high = step * steps;
  for (double i = 0; i <= steps; ++i) axis.ticks.push_back({i * step, count_label(i * step)});
  return axis;
}

Axis time_axis(double high_s) {
  Axis axis{.high = std::max(high_s, 0.1)};
  const double step = round_up(axis.high / 10);
  for (double i = 0; i * step <= axis.high * (1 + 1e-9); ++i) {
    axis.ticks.push_back({i * step, fmt::format("{:.6g}", i * step)});
  }
  return axis;
}

Axis latency_axis(double low_us, double high_us) {
  Axis axis{.scale = Axis::Scale::logarithmic};
  axis.low = round_down(std::max(low_us, 0.001));
  axis.high = std::max(round_up(std::max(high_us, 0.001)), 10 * axis.low);
  const bool labels_all = axis.high / axis.low <= 2000;
  for (double power = std::pow(10, std::floor(std::log10(axis.low) + 1e-9)); power <= axis.high * (1 + 1e-9);
       power *= 10) {
    for (const double factor : kRound) {
      const double value = factor * power;
      if (value < axis.low * (1 - 1e-9) || value > axis.high * (1 + 1e-9)) continue;
      axis.ticks.push_back({value, labels_all || factor == 1 ? latency_label(value) : ""});
    }
  }
  return axis;
}

double rarity(double share) { return -std::log10(1 - std::min(share, 1 - 1e-9)); }

Axis percentile_axis(std::uint64_t count) {
  Axis axis;
  axis.high = std::clamp(std::log10(static_cast<double>(std::max<std::uint64_t>(count, 1))), 1.0, 7.0);
  axis.ticks = {{0, "0 %"}, {rarity(0.5), "50 %"}, {1, "90 %"}};
  std::string label = "99";
  for (int nines = 2; nines <= axis.high; ++nines) {
    axis.ticks.push_back({static_cast<double>(nines), label + " %"});
    label += nines == 2 ? ".9" : "9";
  }
  return axis;
}

}  // namespace client::bench
