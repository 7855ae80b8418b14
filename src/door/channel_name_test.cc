#include "door/channel_name.h"

#include <gtest/gtest.h>

#include <string>

namespace door {
namespace {

TEST(ChannelName, Valid) {
  for (const std::string& name :
       {std::string("a"), std::string("chat:room/1"), std::string("新闻"), std::string("a b"), std::string("..."),
        std::string("a/.b/..c/d..e/f."), std::string("a:.."), std::string("\xc2\xa0"), std::string("😀"),
        std::string(255, 'x'), std::string("$#*+?&=%")}) {
    EXPECT_TRUE(check_channel_name(name)) << name;
  }
}

TEST(ChannelName, Invalid) {
  for (const std::string& name :
       {std::string(), std::string(256, 'x'), std::string("a\nb"), std::string("\0", 1), std::string("a\x7f"),
        std::string("\xc2\x80"), std::string("a\xc2\x9f"), std::string("\xff"), std::string("\xc2"),
        std::string("\xed\xa0\x80"), std::string("\t"), std::string("."), std::string(".."), std::string("../a"),
        std::string("a/.."), std::string("a/./b")}) {
    ASSERT_FALSE(check_channel_name(name)) << name;
    EXPECT_EQ(check_channel_name(name).error(), base::Error::bad_channel);
    EXPECT_FALSE(check_channel_name(name).error().hint.empty());
  }
}

TEST(ChannelName, FromAPathIsDecodedOnce) {
  EXPECT_EQ(channel_from_path("news"), "news");
  EXPECT_EQ(channel_from_path("a/b/c"), "a/b/c");
  EXPECT_EQ(channel_from_path("a%2Fb"), "a/b");
  EXPECT_EQ(channel_from_path("a%252Fb"), "a%2Fb");
  EXPECT_EQ(channel_from_path("a+b%20c"), "a+b c");
  EXPECT_EQ(channel_from_path("%E6%96%B0"), "新");
  EXPECT_EQ(channel_from_path("a..b/...c"), "a..b/...c");
  EXPECT_EQ(channel_from_path("%252e%252e"), "%2e%2e");
}

TEST(ChannelName, FromAPathInvalid) {
  for (const std::string& rest :
       {std::string(), std::string("."), std::string("a/./b"), std::string("%2e"), std::string(".."),
        std::string("../a"), std::string("a/.."), std::string("a/../b"), std::string("%2e%2e"),
        std::string("a%2f..%2fb"), std::string("%2E./a"), std::string("a%"), std::string("%00"),
        std::string("a%0d%0ab"), std::string("%ff"), std::string("%c2%85"), std::string(256, 'a')}) {
    const auto channel = channel_from_path(rest);
    ASSERT_FALSE(channel) << rest;
    EXPECT_EQ(channel.error(), base::Error::bad_channel);
  }
}

}  // namespace
}  // namespace door
