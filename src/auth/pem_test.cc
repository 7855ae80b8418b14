#include "auth/pem.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

TEST(Pem, TakesBlocksAndIgnoresWhatStandsBetween) {
  const auto blocks = parse_pem(
      "the key of 2025\n-----BEGIN PUBLIC KEY-----\r\nAQI=\r\n-----END PUBLIC KEY-----\r\n\nremark\n"
      "-----BEGIN X-----\nAAEC\nAwQF \n-----END X-----");
  ASSERT_TRUE(blocks);
  ASSERT_EQ(blocks->size(), 2U);
  EXPECT_EQ((*blocks)[0].label, "PUBLIC KEY");
  EXPECT_EQ((*blocks)[0].bytes, "\x01\x02");
  EXPECT_EQ((*blocks)[1].bytes, std::string("\0\x01\x02\x03\x04\x05", 6));
}

TEST(Pem, WithoutBlocksThereAreNone) {
  for (const std::string_view text : {"", "\n", "nothing here", "-----END X-----", "-----BEGIN -----\nAAAA\n"}) {
    const auto blocks = parse_pem(text);
    ASSERT_TRUE(blocks) << text;
    EXPECT_TRUE(blocks->empty()) << text;
  }
}

TEST(Pem, RefusesHalfBlocks) {
  for (const std::string_view text :
       {"-----BEGIN X-----", "-----BEGIN X-----\nAAAA\n", "-----BEGIN X-----\n-----END X-----",
        "-----BEGIN X-----\nAAAA\n-----END Y-----", "-----BEGIN X-----\nA\n-----END X-----",
        "-----BEGIN X-----\nAAAA====\n-----END X-----", "-----BEGIN X-----\nAA AA\n-----END X-----",
        "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----",
        "-----BEGIN X-----\n-----BEGIN X-----\nAAAA\n-----END X-----"}) {
    EXPECT_FALSE(parse_pem(text)) << text;
  }
}

}  // namespace
}  // namespace auth
