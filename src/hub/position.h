// Positions in a channel: epoch:offset (architecture section 1 rule 1). Values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hub {

using Offset = std::uint64_t;  // counts 1, 2, 3, ...; 0 is "before the first message"

// 8 characters of [a-z0-9]; all zero bytes means "no epoch yet".
struct Epoch {
  std::array<char, 8> text{};
  std::string_view view() const { return {text.data(), text[0] == 0 ? 0U : text.size()}; }
  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};

struct Position {
  Epoch epoch;
  Offset offset = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

std::optional<Position> parse_position(std::string_view text);  // "k3j9x0ab:17"; canonical decimal only
void append_position(std::string& out, const Position& position);

}  // namespace hub
