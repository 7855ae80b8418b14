#include "codec/mask.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "codec/clones.h"

namespace codec {
namespace {

// The compiler turns this into two 16-byte operations on any x86-64 and arm64, one with AVX2.
using Lanes [[gnu::vector_size(32)]] = std::uint64_t;

// The key as it lies over eight payload bytes that start at `phase`.
std::uint64_t widen(MaskKey key, std::size_t phase) noexcept {
  std::array<char, 8> pattern;
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = key[(phase + i) % 4];
  return std::bit_cast<std::uint64_t>(pattern);
}

}  // namespace

bool apply_mask_scalar(std::span<char> bytes, MaskKey key, std::size_t phase) noexcept {
  unsigned seen = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(bytes[i] ^ key[(phase + i) % 4]);
    seen |= static_cast<unsigned char>(bytes[i]);
  }
  return seen < 0x80;
}

CODEC_CLONES
bool apply_mask(std::span<char> bytes, MaskKey key, std::size_t phase) noexcept {
  phase %= 4;
  const std::uint64_t wide = widen(key, phase);
  char* at = bytes.data();
  std::size_t left = bytes.size();
  const Lanes lanes = {wide, wide, wide, wide};
  Lanes seen{};
  const auto step = [&](char* block_at) {
    Lanes block;
    std::memcpy(&block, block_at, sizeof(block));
    block ^= lanes;
    seen |= block;
    std::memcpy(block_at, &block, sizeof(block));
  };
  for (; left >= 4 * sizeof(Lanes); at += 4 * sizeof(Lanes), left -= 4 * sizeof(Lanes)) {
    step(at);
    step(at + sizeof(Lanes));
    step(at + 2 * sizeof(Lanes));
    step(at + 3 * sizeof(Lanes));
  }
  for (; left >= sizeof(Lanes); at += sizeof(Lanes), left -= sizeof(Lanes)) step(at);
  std::uint64_t all = (seen[0] | seen[1]) | (seen[2] | seen[3]);
  for (; left >= sizeof(wide); at += sizeof(wide), left -= sizeof(wide)) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    word ^= wide;
    all |= word;
    std::memcpy(at, &word, sizeof(word));
  }
  // Whole words are multiples of the key, so the phase of the tail is the phase of the start.
  return apply_mask_scalar({at, left}, key, phase) && (all & 0x8080808080808080ULL) == 0;
}

}  // namespace codec
