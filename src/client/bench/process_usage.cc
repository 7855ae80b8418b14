#include "client/bench/process_usage.h"

#include <algorithm>
#include <charconv>

namespace client::bench {
namespace {

// The number that `text` begins with, after spaces.
std::optional<std::uint64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> resident_bytes(std::string_view status) {
  constexpr std::string_view kName = "\nVmRSS:";  // never the first line
  const std::size_t at = status.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  auto kib = leading_number(status.substr(at + kName.size()));
  if (!kib) return std::nullopt;
  return *kib * 1024;
}

}  // namespace

std::optional<ProcessUsage> read_process_usage(std::string_view stat, std::string_view status,
                                               std::uint64_t ticks_per_s) {
  // "pid (name) state ppid ...": the name may hold spaces and parentheses, so the fields are counted from its end.
  // After it comes field 3; user time is field 14, system time 15.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(name_end + 1);
  for (int field = 3; field <= 14; ++field) {
    const std::size_t space = stat.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    stat.remove_prefix(space + 1);
  }
  const auto user = leading_number(stat);
  const auto system = leading_number(stat.substr(std::min(stat.find(' '), stat.size())));
  const auto resident = resident_bytes(status);
  if (!user || !system || !resident || ticks_per_s == 0) return std::nullopt;
  const auto time = [ticks_per_s](std::uint64_t ticks) {
    return base::Duration(static_cast<std::int64_t>(ticks * (1'000'000'000 / ticks_per_s)));
  };
  return ProcessUsage{time(*user), time(*system), *resident};
}

}  // namespace client::bench
