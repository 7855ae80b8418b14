#include "client/core/position.h"

#include <charconv>

namespace client {

std::string to_string(const Position& position) { return position.epoch + ":" + std::to_string(position.offset); }

std::optional<Position> parse_position(std::string_view text) {
  constexpr std::size_t kEpochBytes = 8;
  if (text.size() < kEpochBytes + 2 || text[kEpochBytes] != ':') return std::nullopt;
  std::string_view epoch = text.substr(0, kEpochBytes);
  for (char c : epoch) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) return std::nullopt;
  }
  std::string_view digits = text.substr(kEpochBytes + 1);
  std::uint64_t offset = 0;
  auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Position{std::string(epoch), offset};
}

std::string to_string(const Cursor& cursor) {
  std::string out;
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    if (i > 0) out += ',';
    if (cursor[i]) out += to_string(*cursor[i]);
  }
  return out;
}

std::optional<Cursor> parse_cursor(std::string_view text, std::size_t channels) {
  Cursor cursor;
  while (true) {
    auto comma = text.find(',');
    std::string_view element = text.substr(0, comma);
    if (element.empty()) {
      cursor.emplace_back();
    } else {
      auto position = parse_position(element);
      if (!position) return std::nullopt;
      cursor.push_back(std::move(position));
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (cursor.size() != channels) return std::nullopt;
  return cursor;
}

}  // namespace client
