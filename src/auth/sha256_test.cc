#include "auth/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace auth {
namespace {

std::string hex(const Digest& digest) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

// FIPS 180-4 examples.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4231 test cases 2, 6 (a key longer than a block).
TEST(HmacSha256, KnownAnswers) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, EmptyKeyIsAKeyOfItsOwnAndNotTheLastOne) {
  const Digest after_nothing = hmac_sha256("", "x");
  hmac_sha256("another", "x");
  EXPECT_EQ(hmac_sha256({}, "x"), after_nothing);
}

TEST(EqualDigests, LooksAtEveryByte) {
  const Digest a = sha256("a");
  EXPECT_TRUE(equal_digests(a, a));
  for (std::size_t i = 0; i < a.size(); ++i) {
    Digest b = a;
    b[i] ^= 0x80;
    EXPECT_FALSE(equal_digests(a, b));
  }
}

}  // namespace
}  // namespace auth
