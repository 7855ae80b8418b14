#include "app/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace app {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 7> kDurationUnits = {{{"d", 86'400'000'000'000},
                                                 {"h", 3'600'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"ms", 1'000'000},
                                                 {"us", 1'000},
                                                 {"ns", 1}}};

constexpr std::array<Unit, 9> kSizeUnits = {{{"tib", std::uint64_t{1} << 40},
                                             {"gib", std::uint64_t{1} << 30},
                                             {"mib", std::uint64_t{1} << 20},
                                             {"kib", std::uint64_t{1} << 10},
                                             {"tb", 1'000'000'000'000},
                                             {"gb", 1'000'000'000},
                                             {"mb", 1'000'000},
                                             {"kb", 1'000},
                                             {"b", 1}}};

constexpr std::uint64_t kDurationMax = std::numeric_limits<base::Duration::rep>::max();

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Takes the digits at the front of `text`; nullopt if there are none or the number does not fit.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return number;
}

template <std::size_t N>
std::optional<std::uint64_t> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  const auto found = std::ranges::find(units, name, &Unit::name);
  return found == units.end() ? std::nullopt : std::optional{found->factor};
}

}  // namespace

std::expected<base::Duration, std::string> parse_duration(std::string_view text) {
  const auto refusal = [] {
    return std::unexpected("is not a duration; write a number with a unit (ms, s, m, h or d), for example \"10s\"");
  };
  if (text.empty()) return refusal();
  std::uint64_t total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return refusal();
    const std::string_view unit = text.substr(0, text.find_first_of("0123456789"));
    const auto factor = factor_of(kDurationUnits, unit);
    if (!factor) return refusal();
    if (*number > (kDurationMax - total) / *factor) return std::unexpected("is too long");
    total += *number * *factor;
    text.remove_prefix(unit.size());
  }
  return base::Duration{static_cast<base::Duration::rep>(total)};
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto refusal = [] {
    return std::unexpected(
        "is not a size; write a number of bytes or one with a unit, for example \"64KiB\" or \"1MiB\"");
  };
  const auto number = take_number(text);
  if (!number) return refusal();
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty()) return *number;
  std::string unit(text);
  std::ranges::transform(unit, unit.begin(), lower);
  const auto factor = factor_of(kSizeUnits, unit);
  if (!factor) return refusal();
  if (*number > std::numeric_limits<std::uint64_t>::max() / *factor) return std::unexpected("is too large");
  return *number * *factor;
}

std::expected<std::uint64_t, std::string> parse_count(std::string_view text) {
  const auto number = take_number(text);
  if (!number || !text.empty()) return std::unexpected("is not a whole number");
  return *number;
}

std::expected<bool, std::string> parse_switch(std::string_view text) {
  std::string word(text);
  std::ranges::transform(word, word.begin(), lower);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::unexpected("is neither true nor false");
}

std::string format_duration(base::Duration duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) return "0s";
  // One exact unit ("90s" and not "1m30s"), but days only from two on: "24h" says more than "1d".
  const auto exact = std::ranges::find_if(kDurationUnits, [count](const Unit& unit) {
    return count % unit.factor == 0 && (unit.name != "d" || count / unit.factor > 1);
  });
  return fmt::format("{}{}", count / exact->factor, exact->name);
}

std::string format_size(std::uint64_t bytes) {
  for (std::size_t i = 0; i < 4; ++i) {
    constexpr std::array<std::string_view, 4> kNames = {"TiB", "GiB", "MiB", "KiB"};
    if (bytes != 0 && bytes % kSizeUnits[i].factor == 0) {
      return fmt::format("{}{}", bytes / kSizeUnits[i].factor, kNames[i]);
    }
  }
  return fmt::format("{}B", bytes);
}

}  // namespace app
