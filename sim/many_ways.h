// The many-ways base: whoever decodes a byte stream must see the same thing however the network cuts it. Feeds one
// input whole, byte by byte, cut once at every place and cut at seeded random places, each time to a fresh subject, and
// expects equal transcripts. For tests of decoders; single thread.
//
//   many_ways(bytes, seed, [](std::span<const std::string_view> pieces) {
//     Decoder decoder;                       // fresh for every way
//     Transcript t;                          // anything with == and <<: std::string, std::vector<std::string>
//     for (auto piece : pieces) t += decoder.receive(piece);
//     return t;
//   });
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"

namespace sim {

// Every single cut of a long input would take quadratic time: beyond this size, places are drawn instead, so many that
// about kBytesFed bytes are fed.
inline constexpr std::size_t kEverySingleCutMax = 2048;
inline constexpr std::size_t kBytesFed = 4 << 20;
inline constexpr int kRandomWays = 16;

// `cuts` are places inside the input; they may repeat, which makes an empty piece.
inline std::vector<std::string_view> cut_at(std::string_view input, std::vector<std::size_t> cuts) {
  std::sort(cuts.begin(), cuts.end());
  std::vector<std::string_view> pieces;
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    pieces.push_back(input.substr(from, cut - from));
    from = cut;
  }
  pieces.push_back(input.substr(from));
  return pieces;
}

inline std::vector<std::string_view> byte_by_byte(std::string_view input) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < input.size(); ++at) pieces.push_back(input.substr(at, 1));
  return pieces;
}

inline std::vector<std::size_t> random_cuts(std::size_t size, base::Entropy& entropy) {
  const std::uint32_t count = 1 + entropy.below(8);
  std::vector<std::size_t> cuts;
  for (std::uint32_t i = 0; i < count; ++i) cuts.push_back(entropy.below(static_cast<std::uint32_t>(size + 1)));
  return cuts;
}

// Returns the transcript of the whole input, for the test to look at.
template <typename Run>
auto many_ways(std::string_view input, std::uint64_t seed, Run run) {
  const auto expected = run(std::span<const std::string_view>(&input, 1));
  const auto same = [&](const std::vector<std::string_view>& pieces, const std::string& way) {
    const auto actual = run(std::span<const std::string_view>(pieces));
    EXPECT_EQ(actual, expected) << way << ", seed " << seed;
    return actual == expected;
  };
  if (!same(byte_by_byte(input), "byte by byte")) return expected;

  base::SeededEntropy entropy(seed);
  const bool every = input.size() <= kEverySingleCutMax;
  const std::size_t singles = every ? input.size() + 1 : kBytesFed / input.size();
  for (std::size_t i = 0; i < singles; ++i) {
    const std::size_t cut = every ? i : entropy.below(static_cast<std::uint32_t>(input.size() + 1));
    if (!same(cut_at(input, {cut}), "cut at " + std::to_string(cut))) return expected;
  }
  for (int way = 0; way < kRandomWays; ++way) {
    const std::vector<std::size_t> cuts = random_cuts(input.size(), entropy);
    std::string name = "cut at";
    for (const std::size_t cut : cuts) name += " " + std::to_string(cut);
    if (!same(cut_at(input, cuts), name)) return expected;
  }
  return expected;
}

}  // namespace sim
