#include "codec/mask.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/entropy.h"

namespace codec {
namespace {

std::string random_bytes(std::size_t size, base::Entropy& entropy) {
  std::string bytes(size, '\0');
  for (char& each : bytes) each = static_cast<char>(entropy.next32());
  return bytes;
}

MaskKey random_key(base::Entropy& entropy) {
  const std::uint32_t bits = entropy.next32();
  return {static_cast<char>(bits), static_cast<char>(bits >> 8), static_cast<char>(bits >> 16),
          static_cast<char>(bits >> 24)};
}

// T22: an unrolled XOR once wrote outside its buffer. Every offset and length, and nothing around them may change.
TEST(Mask, EveryOffsetLengthAndPhaseEqualsTheDefinition) {
  base::SeededEntropy entropy(22);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    for (std::size_t length = 0; length <= 300; ++length) {
      const MaskKey key = random_key(entropy);
      for (std::size_t phase = 0; phase < 4; ++phase) {
        const std::string before = random_bytes(64 + 300 + 64, entropy);
        std::string expected = before;
        std::string actual = before;
        apply_mask_scalar(std::span(expected).subspan(offset, length), key, phase);
        apply_mask(std::span(actual).subspan(offset, length), key, phase);
        ASSERT_EQ(actual, expected) << offset << ' ' << length << ' ' << phase;
      }
    }
  }
}

TEST(Mask, SaysWhetherAllIsAsciiWhereverTheOneByteStands) {
  base::SeededEntropy entropy(24);
  for (std::size_t length = 0; length <= 200; ++length) {
    const MaskKey key = random_key(entropy);
    std::string text = random_bytes(length, entropy);
    for (char& each : text) each = static_cast<char>(each & 0x7f);
    for (std::size_t other = 0; other <= length; ++other) {  // == length: none
      std::string expected = text;
      if (other < length) expected[other] = static_cast<char>(expected[other] | 0x80);
      std::string masked = expected;
      apply_mask_scalar(masked, key, 3);
      std::string again = masked;
      ASSERT_EQ(apply_mask(masked, key, 3), other == length) << length << ' ' << other;
      ASSERT_EQ(apply_mask_scalar(again, key, 3), other == length);
      ASSERT_EQ(masked, expected);
    }
  }
}

TEST(Mask, ResumesAtEveryCut) {
  base::SeededEntropy entropy(23);
  const std::string before = random_bytes(150, entropy);
  const MaskKey key = random_key(entropy);
  std::string expected = before;
  apply_mask_scalar(expected, key, 0);
  for (std::size_t first = 0; first <= before.size(); ++first) {
    for (std::size_t second = first; second <= before.size(); ++second) {
      std::string actual = before;
      const std::span<char> bytes(actual);
      apply_mask(bytes.subspan(0, first), key, 0);
      apply_mask(bytes.subspan(first, second - first), key, first);
      apply_mask(bytes.subspan(second), key, second);
      ASSERT_EQ(actual, expected) << first << ' ' << second;
    }
  }
}

// A page without access before and after the buffer turns any stray read or write into a crash.
TEST(Mask, StaysInsideGuardPages) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char* middle = static_cast<char*>(memory) + page;
  ASSERT_EQ(mprotect(middle, page, PROT_READ | PROT_WRITE), 0);
  const MaskKey key = {1, 2, 3, 4};
  for (std::size_t length = 0; length <= 300; ++length) {
    for (std::size_t phase = 0; phase < 4; ++phase) {
      apply_mask({middle, length}, key, phase);
      apply_mask({middle + page - length, length}, key, phase);
    }
  }
  EXPECT_EQ(munmap(memory, 3 * page), 0);
}

// The example of RFC 6455 section 5.7.
TEST(Mask, ExampleOfTheStandard) {
  std::string bytes = "\x7f\x9f\x4d\x51\x58";
  apply_mask(bytes, {'\x37', '\xfa', '\x21', '\x3d'}, 0);
  EXPECT_EQ(bytes, "Hello");
}

}  // namespace
}  // namespace codec
