#include "auth/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace auth {
namespace {

TEST(Pattern, TrailingStarIsAPrefixAndEverythingElseIsLiteral) {
  struct Case {
    std::string_view pattern;
    std::string_view channel;
    bool covered;
  };
  const Case cases[] = {
      {"news", "news", true},
      {"news", "newsroom", false},
      {"news", "new", false},
      {"news", "News", false},
      {"news*", "news", true},
      {"news*", "newsroom", true},
      {"news*", "news:eu", true},
      {"news*", "new", false},
      {"chat:*", "chat:1", true},
      {"chat:*", "chat:a:b", true},
      {"chat:*", "chat:", true},
      {"chat:*", "chat", false},
      {"*", "x", true},
      {"*", "a:b", true},
      {"a*b", "a*b", true},
      {"a*b", "axb", false},
      {"**", "*", true},
      {"**", "*x", true},
      {"**", "x", false},
      {"a*", "a*", true},
      {"", "", true},
      {"", "x", false},
      {"?", "x", false},
      {"[a]", "a", false},
  };
  for (const Case& c : cases) EXPECT_EQ(covers(c.pattern, c.channel), c.covered) << c.pattern << " " << c.channel;
}

TEST(Pattern, ValidIsWhatAChannelNameMayBe) {
  EXPECT_TRUE(valid_pattern("*"));
  EXPECT_TRUE(valid_pattern("caf\xc3\xa9 *"));
  EXPECT_TRUE(valid_pattern(std::string(255, 'a')));
  EXPECT_FALSE(valid_pattern(""));
  EXPECT_FALSE(valid_pattern(std::string(256, 'a')));
  EXPECT_FALSE(valid_pattern("a\nb"));
  EXPECT_FALSE(valid_pattern(std::string_view("a\0b", 3)));
  EXPECT_FALSE(valid_pattern("a\x7f"));
}

}  // namespace
}  // namespace auth
