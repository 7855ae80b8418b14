#include "hub/glob.h"

#include <gtest/gtest.h>

#include <string>

#include "base/entropy.h"

namespace hub {
namespace {

TEST(Glob, Matches) {
  const struct {
    const char* pattern;
    const char* name;
    bool matches;
  } table[] = {
      {"", "", true},          {"", "a", false},          {"a", "a", true},           {"a", "ab", false},
      {"*", "", true},         {"*", "chat:1/2.x", true}, {"chat:*", "chat:1", true}, {"chat:*", "chat", false},
      {"*:1", "chat:1", true}, {"*:1", "chat:12", false}, {"a*b*c", "axxbyyc", true}, {"a*b*c", "axxcyyb", false},
      {"**", "x", true},       {"*a*a*b", "aaaab", true}, {"a?c", "abc", true},       {"a?c", "a新c", true},
      {"a?c", "ac", false},    {"?", "", false},          {"[abc]1", "b1", true},     {"[abc]1", "d1", false},
      {"[a-c]", "b", true},    {"[a-c]", "-", false},     {"[!a-c]", "d", true},      {"[!a-c]", "a", false},
      {"[a-]", "-", true},     {"[]]", "]", true},        {"[!]]", "]", false},       {"\\*", "*", true},
      {"\\*", "a", false},     {"\\\\", "\\", true},      {"*[0-9]", "room9", true},  {"*[0-9]", "room", false},
      {"新*", "新闻", true},   {"[新]", "新", false},     {"a\\?b*", "a?bc", true},   {"*x", "yx", true},
  };
  for (const auto& each : table) {
    ASSERT_TRUE(is_valid_glob(each.pattern)) << each.pattern;
    EXPECT_EQ(matches_glob(each.pattern, each.name), each.matches) << each.pattern << " " << each.name;
  }
}

TEST(Glob, Invalid) {
  for (const std::string& pattern : {std::string("["), std::string("[]"), std::string("[a"), std::string("a\\"),
                                     std::string("[!]"), std::string(256, 'a')}) {
    EXPECT_FALSE(is_valid_glob(pattern)) << pattern;
  }
  EXPECT_TRUE(is_valid_glob(std::string(255, '*')));
}

// By the definition, one character of either at a time.
bool slow(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    return slow(pattern.substr(1), name) || (!name.empty() && slow(pattern, name.substr(1)));
  }
  if (name.empty() || (pattern.front() != '?' && pattern.front() != name.front())) return false;
  return slow(pattern.substr(1), name.substr(1));
}

TEST(Glob, IsAsSlowlyDefined) {
  base::SeededEntropy entropy(1);
  std::size_t matches = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern, name;
    for (std::uint32_t i = entropy.below(8); i > 0; --i) pattern += std::string_view("ab*?")[entropy.below(4)];
    for (std::uint32_t i = entropy.below(8); i > 0; --i) name += std::string_view("ab")[entropy.below(2)];
    ASSERT_EQ(matches_glob(pattern, name), slow(pattern, name)) << pattern << " " << name;
    if (matches_glob(pattern, name)) ++matches;
  }
  EXPECT_GT(matches, 1000U);
}

// What takes other matchers minutes.
TEST(Glob, ManyStarsAreNotSlow) {
  std::string pattern;
  for (int i = 0; i < 126; ++i) pattern += "*a";
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(matches_glob(pattern + "*b", std::string(255, 'a')));
}

}  // namespace
}  // namespace hub
