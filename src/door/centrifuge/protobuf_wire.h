// The wire format of Protobuf, as far as this protocol needs it (protobuf.dev/programming-guides/encoding): a message
// is fields, a field is a varint (number << 3 | wire type) and a value. Values only; any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace door::centrifuge {

// The groups of old (3 and 4) are not among them.
enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, prefixed = 2, fixed32 = 5 };

inline constexpr std::uint64_t kFieldNumberMax = (1U << 29) - 1;
inline constexpr unsigned kVarintBytesMax = 10;

constexpr std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// sint64: small numbers stay small whatever their sign.
constexpr std::uint64_t to_zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t from_zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

}  // namespace door::centrifuge
