// The delta format of Fossil (https://fossil-scm.org/fossil/doc/trunk/www/delta_format.wiki).
#include "sim/centrifuge/heard.h"

namespace sim::centrifuge {
namespace {

std::optional<std::uint64_t> take_number(std::string_view& delta) {
  static constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
  std::uint64_t number = 0;
  std::size_t digits = 0;
  while (!delta.empty()) {
    const std::size_t digit = kDigits.find(delta.front());
    if (digit == std::string_view::npos) break;
    number = number * 64 + digit;
    delta.remove_prefix(1);
    ++digits;
  }
  return digits > 0 && digits <= 6 ? std::optional(number) : std::nullopt;
}

std::optional<char> take_mark(std::string_view& delta) {
  if (delta.empty()) return std::nullopt;
  const char mark = delta.front();
  delta.remove_prefix(1);
  return mark;
}

std::uint32_t checksum(std::string_view text) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    sum += std::uint32_t{static_cast<unsigned char>(text[i])} << (24 - 8 * (i % 4));
  }
  return sum;
}

}  // namespace

std::optional<std::string> patched(std::string_view source, std::string_view delta) {
  const auto size = take_number(delta);
  if (!size || take_mark(delta) != '\n') return std::nullopt;
  std::string target;
  for (;;) {
    const auto number = take_number(delta);
    const auto mark = take_mark(delta);
    if (!number || !mark) return std::nullopt;
    if (*mark == ';') {
      if (!delta.empty() || target.size() != *size || checksum(target) != *number) return std::nullopt;
      return target;
    }
    if (*mark == ':') {
      if (*number > delta.size()) return std::nullopt;
      target += delta.substr(0, *number);
      delta.remove_prefix(*number);
    } else {
      const auto from = take_number(delta);
      if (*mark != '@' || !from || take_mark(delta) != ',') return std::nullopt;
      if (*from > source.size() || *number > source.size() - *from) return std::nullopt;
      target += source.substr(*from, *number);
    }
  }
}

}  // namespace sim::centrifuge
