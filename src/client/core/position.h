// Where a reader stands in a channel, as clients know it (docs/protocol.md). A value.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace client {

struct Position {
  std::string epoch;  // 8 characters of [a-z0-9]; short enough to live inside the string object
  std::uint64_t offset = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

std::string to_string(const Position& position);  // "k3j9x0ab:17"
std::optional<Position> parse_position(std::string_view text);

// One element per channel, in their order; nullopt is "from now".
using Cursor = std::vector<std::optional<Position>>;
std::string to_string(const Cursor& cursor);  // "k3j9x0ab:17,,a0b1c2d3:4"
// nullopt if it is not a cursor of so many channels (so it may be -N or a time).
std::optional<Cursor> parse_cursor(std::string_view text, std::size_t channels);

}  // namespace client
