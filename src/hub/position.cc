#include "hub/position.h"

#include <charconv>

namespace hub {

std::optional<Position> parse_position(std::string_view text) {
  Position position;
  const std::size_t epoch_bytes = position.epoch.text.size();
  if (text.size() < epoch_bytes + 2 || text[epoch_bytes] != ':') return std::nullopt;
  for (std::size_t i = 0; i < epoch_bytes; ++i) {
    const char each = text[i];
    if (!((each >= 'a' && each <= 'z') || (each >= '0' && each <= '9'))) return std::nullopt;
    position.epoch.text[i] = each;
  }
  const std::string_view digits = text.substr(epoch_bytes + 1);
  if (digits[0] < '0' || digits[0] > '9' || (digits[0] == '0' && digits.size() > 1)) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), position.offset);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return position;
}

void append_position(std::string& out, const Position& position) {
  out += position.epoch.view();
  out += ':';
  out += std::to_string(position.offset);
}

}  // namespace hub
