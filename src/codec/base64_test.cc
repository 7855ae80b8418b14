#include "codec/base64.h"

#include <gtest/gtest.h>

#include <string>

#include "base/entropy.h"

namespace codec {
namespace {

struct Example {
  std::string_view bytes, standard, url;
};

// RFC 4648 section 10, and bytes that need both special digits.
constexpr Example kExamples[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

TEST(Base64, Examples) {
  for (const Example& each : kExamples) {
    EXPECT_EQ(base64_encode(each.bytes), each.standard);
    EXPECT_EQ(base64_decode(each.standard), each.bytes);
    EXPECT_EQ(base64url_encode(each.bytes), each.url);
    EXPECT_EQ(base64url_decode(each.url), each.bytes);
  }
}

TEST(Base64, RefusesEveryOtherSpelling) {
  for (const std::string_view text : {"Zg", "Zg=", "Zg===", "Zm8", "Zm9v====", "=", "==", "====", "Z", "Z===",
                                      "Zg==Zg==", "Z g==", "Zm9v\n", "Zm9*", "-__-", "Zh==", "Zm9=", "Zg=A", "Z=g="}) {
    EXPECT_FALSE(base64_decode(text).has_value()) << text;
  }
  for (const std::string_view text : {"Zg==", "Z", "Zm9vY", "+//+", "Zh", "Zm9", "Zm 9", "\xff\xff\xff\xff"}) {
    EXPECT_FALSE(base64url_decode(text).has_value()) << text;
  }
}

// Of all texts of two digits exactly those that the encoder makes are taken: one spelling per value.
TEST(Base64, OneSpellingPerValue) {
  int taken = 0;
  for (unsigned pair = 0; pair < 1U << 16; ++pair) {
    const std::string text = {static_cast<char>(pair >> 8), static_cast<char>(pair)};
    const auto bytes = base64url_decode(text);
    if (!bytes) continue;
    ++taken;
    EXPECT_EQ(base64url_encode(*bytes), text);
  }
  EXPECT_EQ(taken, 256);
}

TEST(Base64, RandomBytesComeBack) {
  base::SeededEntropy entropy(64);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& each : bytes) each = static_cast<char>(entropy.next32());
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
}

}  // namespace
}  // namespace codec
