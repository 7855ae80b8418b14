// The signature algorithms of tokens (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` is no algorithm. Which of
// them a key is good for is the key's property (key_set.h), never the token's (threat T33). Plain values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace auth {

enum class Algorithm : std::uint8_t {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,
};

inline constexpr std::size_t kAlgorithmCount = 13;

std::string_view to_string(Algorithm algorithm);  // "HS256": the value of `alg`

// Exactly as registered, in that case; "Ed25519" (RFC 9864) is eddsa, the only curve of it that is known here.
std::optional<Algorithm> algorithm_named(std::string_view name);

// The size of its hash: 32, 48 or 64. Ed25519 hashes inside: 64.
std::size_t hash_bytes(Algorithm algorithm);

class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> algorithms) {
    for (const Algorithm each : algorithms) bits_ = static_cast<std::uint16_t>(bits_ | bit(each));
  }

  constexpr bool contains(Algorithm algorithm) const { return (bits_ & bit(algorithm)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr AlgorithmSet operator&(AlgorithmSet a, AlgorithmSet b) {
    a.bits_ &= b.bits_;
    return a;
  }
  friend constexpr bool operator==(AlgorithmSet, AlgorithmSet) = default;

 private:
  static constexpr std::uint16_t bit(Algorithm algorithm) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(algorithm));
  }
  std::uint16_t bits_ = 0;
};

inline constexpr AlgorithmSet kHmacAlgorithms{Algorithm::hs256, Algorithm::hs384, Algorithm::hs512};

}  // namespace auth
