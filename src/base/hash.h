// Seeded hash for keys that attackers choose (channel names, addresses, idempotency keys): XXH3 with a secret seed.
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) noexcept;

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

Hash128 hash128(std::string_view bytes, std::uint64_t seed) noexcept;

// For unordered containers keyed by string: transparent, so that a string_view looks up without a copy.
struct StringHash {
  using is_transparent = void;
  std::uint64_t seed = 0;
  std::size_t operator()(std::string_view text) const noexcept { return hash64(text, seed); }
};

struct Hash128Hash {
  std::size_t operator()(const Hash128& hash) const noexcept { return hash.low; }
};

}  // namespace base
