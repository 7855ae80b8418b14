#include "server/overload.h"

#include <array>

namespace server {
namespace {

constexpr std::size_t kLevels = static_cast<std::size_t>(Overload::Level::count);
constexpr std::array<unsigned, kLevels> kBeginsAtPercent = {0, 80, 90, 92, 95};
constexpr unsigned kHysteresisPercent = 5;

}  // namespace

bool Overload::measure(std::uint64_t bytes, std::uint64_t limit_bytes) {
  const double percent = 100.0 * static_cast<double>(bytes) / static_cast<double>(limit_bytes);
  const auto old = static_cast<std::size_t>(level());
  std::size_t now = 0;
  for (std::size_t each = 1; each < kLevels; ++each) {
    const unsigned begins = kBeginsAtPercent[each];
    const bool holds = percent >= begins || (each <= old && percent >= begins - kHysteresisPercent);
    if (holds) now = each;
  }
  level_.store(static_cast<Level>(now), std::memory_order_relaxed);
  return now != old;
}

std::string_view to_string(Overload::Level level) {
  static constexpr std::array<std::string_view, kLevels> kNames = {"none", "no_compression", "no_connections",
                                                                   "close_slow", "no_publishing"};
  return kNames[static_cast<std::size_t>(level)];
}

}  // namespace server
