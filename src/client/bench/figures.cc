#include "client/bench/figures.h"

#include <fmt/format.h>

#include <array>

namespace client::bench {

double microseconds(base::Duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }
double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

double per_second(std::uint64_t count, base::Duration time) {
  return time <= base::Duration{0} ? 0 : static_cast<double>(count) / seconds(time);
}

std::string human_time(base::Duration duration) {
  const double us = microseconds(duration);
  if (us < 1000) return fmt::format("{:.1f} us", us);
  if (us < 1'000'000) return fmt::format("{:.2f} ms", us / 1000);
  return fmt::format("{:.2f} s", us / 1'000'000);
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

}  // namespace client::bench
