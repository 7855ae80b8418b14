#include "codec/utf8.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "sim/many_ways.h"

namespace codec {
namespace {

// The reference: Table 3-7 of the Unicode Standard, "well-formed UTF-8 byte sequences", row by row.
struct Range {
  unsigned low, high;
  bool has(char byte) const {
    const auto value = static_cast<unsigned char>(byte);
    return low <= value && value <= high;
  }
};
struct WellFormed {
  std::size_t size;
  std::array<Range, 4> bytes;
};
constexpr Range kAny{0x80, 0xbf};
constexpr std::array<WellFormed, 9> kTable37 = {{
    {1, {{{0x00, 0x7f}}}},
    {2, {{{0xc2, 0xdf}, kAny}}},
    {3, {{{0xe0, 0xe0}, {0xa0, 0xbf}, kAny}}},
    {3, {{{0xe1, 0xec}, kAny, kAny}}},
    {3, {{{0xed, 0xed}, {0x80, 0x9f}, kAny}}},
    {3, {{{0xee, 0xef}, kAny, kAny}}},
    {4, {{{0xf0, 0xf0}, {0x90, 0xbf}, kAny, kAny}}},
    {4, {{{0xf1, 0xf3}, kAny, kAny, kAny}}},
    {4, {{{0xf4, 0xf4}, {0x80, 0x8f}, kAny, kAny}}},
}};

enum class Verdict : std::uint8_t { valid, open, broken };  // open: a prefix of something valid

Verdict reference(std::string_view text) {
  while (!text.empty()) {
    std::size_t taken = 0;
    bool open = false;
    for (const WellFormed& row : kTable37) {
      std::size_t match = 0;
      while (match < row.size && match < text.size() && row.bytes[match].has(text[match])) ++match;
      if (match == row.size) taken = row.size;
      if (match < row.size && match == text.size()) open = true;
    }
    if (taken == 0) return open ? Verdict::open : Verdict::broken;
    text.remove_prefix(taken);
  }
  return Verdict::valid;
}

Verdict verdict_of(const Utf8Check& check, bool alive) {
  if (!alive) return Verdict::broken;
  return check.complete() ? Verdict::valid : Verdict::open;
}

Verdict fed(std::string_view text, std::size_t cut) {
  Utf8Check check;
  if (!check.feed(text.substr(0, cut))) return Verdict::broken;
  const bool alive = check.feed(text.substr(cut));
  return verdict_of(check, alive);
}

// Counts disagreements of every entry point on every split; 0 is expected.
int disagreements(std::string_view text) {
  const Verdict expected = reference(text);
  int wrong = 0;
  wrong += utf8_valid(text) != (expected == Verdict::valid);
  wrong += utf8_valid_scalar(text) != (expected == Verdict::valid);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) wrong += fed(text, cut) != expected;
  return wrong;
}

TEST(Utf8, EverySequenceOfThreeBytesAndEverySplit) {
  std::int64_t wrong = 0;
  std::array<char, 3> bytes;
  for (unsigned value = 0; value < 1U << 24; ++value) {
    bytes = {static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
    wrong += disagreements({bytes.data(), bytes.size()});
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Utf8, RandomSequencesOfFourBytesAndEverySplit) {
  base::SeededEntropy entropy(1);
  std::int64_t wrong = 0;
  for (int round = 0; round < 2'000'000; ++round) {
    const std::uint32_t random = entropy.next32();
    std::array<char, 4> bytes;
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(random >> (8 * i));
    // Half of them with a lead byte and continuations that are at least near the truth.
    if (round % 2 == 0) {
      bytes[0] = static_cast<char>(0xee + entropy.below(9));
      for (std::size_t i = 1; i < 4; ++i) bytes[i] = static_cast<char>(0x7c + entropy.below(0x48));
    }
    wrong += disagreements({bytes.data(), bytes.size()});
  }
  EXPECT_EQ(wrong, 0);
}

// Long enough for the wide steps and the SIMD routine, with one wrong sequence at every place.
TEST(Utf8, LongTextsWithOneWrongPlace) {
  const std::vector<std::string> wrongs = {"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xbd", "\xff"};
  for (const std::string_view unit : {"a", "é", "好", "😀"}) {
    std::string good;
    while (good.size() < 200) good += unit;
    EXPECT_TRUE(utf8_valid(good));
    EXPECT_EQ(disagreements(good), 0);
    for (const std::string& wrong : wrongs) {
      for (std::size_t at = 0; at <= good.size(); at += unit.size()) {
        std::string text = good;
        text.insert(at, wrong);
        if (wrong == "\xe4\xbd" && at == good.size()) text += "a";
        ASSERT_FALSE(utf8_valid(text)) << at;
        ASSERT_FALSE(utf8_valid_scalar(text)) << at;
        Utf8Check check;
        ASSERT_FALSE(check.feed(text)) << at;
      }
    }
  }
}

// Fail-fast: the verdict "broken" must come with the same byte however the text is cut.
TEST(Utf8, FailsAtTheSameByteInManyWays) {
  base::SeededEntropy entropy(2);
  const std::vector<std::string> units = {"a", "long ascii run of text ", "é", "好", "😀", "\xed", "\xa0", "\xf4\x8f"};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::string text;
    for (std::uint32_t i = 0; i < 40; ++i) text += units[entropy.below(seed % 3 == 0 ? 8 : 5)];
    std::size_t broken_at = std::string::npos;  // size of the shortest prefix that is broken
    for (std::size_t size = 0; size <= text.size() && broken_at == std::string::npos; ++size) {
      if (reference(std::string_view(text).substr(0, size)) == Verdict::broken) broken_at = size;
    }
    sim::many_ways(text, seed, [&](std::span<const std::string_view> pieces) {
      Utf8Check check;
      std::size_t fed_bytes = 0;
      bool alive = true;
      for (const std::string_view piece : pieces) {
        alive = check.feed(piece);
        fed_bytes += piece.size();
        EXPECT_EQ(alive, fed_bytes < broken_at);
      }
      return static_cast<int>(verdict_of(check, alive));
    });
  }
}

TEST(Utf8, StaysBroken) {
  Utf8Check check;
  EXPECT_FALSE(check.feed("\xff"));
  EXPECT_FALSE(check.feed("fine"));
  EXPECT_FALSE(check.feed(""));
  EXPECT_FALSE(check.complete());
}

TEST(Utf8, PrefixEndsAtACodePoint) {
  const std::string text = "aé好😀";  // 1 + 2 + 3 + 4 bytes
  const std::array<std::size_t, 12> sizes = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t max = 0; max < sizes.size(); ++max) EXPECT_EQ(utf8_prefix(text, max).size(), sizes[max]) << max;
}

}  // namespace
}  // namespace codec
