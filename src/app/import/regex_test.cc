#include "app/import/regex.h"

#include <gtest/gtest.h>

#include <random>
#include <regex>

#include "auth/name_pattern.h"

namespace app::import {
namespace {

TEST(ChannelPatternOf, WhatCanBeSaid) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"^news$", "news"},
      {"news", "*news*"},
      {"^news", "news*"},
      {"news$", "*news"},
      {"", "*"},
      {"^$", ""},
      {"^.*$", "*"},
      {"^.+$", "?*"},
      {"^.{3}$", "???"},
      {"^.{2,}$", "??*"},
      {"^a.c$", "a?c"},
      {"^[a-z]+$", "[a-z]+"},
      {"^[a-z]*$", "[a-z]{0,}"},
      {"^[a-z]?$", "[a-z]{0,1}"},
      {"^[a-zA-Z0-9_-]{1,32}$", "[0-9A-Z_a-z-]{1,32}"},
      {"^[a-z]{2}$", "[a-z]{2}"},
      {"^[^/]+$", "[^/]+"},
      {"^\\d+$", "[0-9]+"},
      {"^[\\w-]+$", "[0-9A-Z_a-z-]+"},
      {"^\\w+$", "[0-9A-Z_a-z]+"},
      {"^user_\\d{1,8}$", "user_[0-9]{1,8}"},
      {"^a\\.b$", "a.b"},
      {"^a\\*b$", "a[*]b"},
      {"^a+b$", "[a]+b"},
      {"^a+?$", "[a]+"},
      {"^[]a]$", "[]a]"},
      {"^[a^]$", "[a^]"},
      {"^[\\]\\-]$", "[]-]"},
      {"^{$", ""},
  };
  for (const auto& [regex, pattern] : rows) {
    const auto made = channel_pattern_of(regex);
    if (regex == "^{$") {
      EXPECT_FALSE(made);
      continue;
    }
    EXPECT_EQ(made, pattern) << regex << ": " << (made ? "" : made.error());
  }
}

TEST(ChannelPatternOf, WhatCannot) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"^(a|b)$", "has groups or alternatives"},
      {"^a|b$", "has groups or alternatives"},
      {"(?i)^a$", "has groups or alternatives"},
      {"^.{1,5}$", "has a bounded repeat of ."},
      {"^.?$", "has a bounded repeat of ."},
      {"^a$b", "has an anchor inside"},
      {"^\\bword$", "has \\b"},
      {"^\\S+$", "has \\S"},
      {"^\\p{L}+$", "has \\p"},
      {"^[[:alpha:]]+$", "has a class with a name"},
      {"^[\xc3\xa9]$", "not ASCII"},
      {"^\xc3\xa9+$", "repeats a character that is not ASCII"},
      {"^[a$", "has a [ without ]"},
      {"^a\\", "ends in a backslash"},
      {"^[z-a]$", "backwards"},
      {"^\\^+$", "repeats ^"},
      {"^*$", "repeats nothing"},
      {"^[a]{1000}$", "has a repeat that is not"},
      {"^a{x}$", "has a repeat that is not understood"},
      {"^[a-\\d]$", "has a range with a backslash"},
  };
  for (const auto& [regex, why] : rows) {
    const auto made = channel_pattern_of(regex);
    ASSERT_FALSE(made) << regex << " " << *made;
    EXPECT_TRUE(made.error().contains(why)) << regex << ": " << made.error();
  }
}

// The pattern matches the same names as the expression does, by another reader of expressions.
TEST(ChannelPatternOf, MatchesTheSameNames) {
  std::mt19937 random(11);
  const std::string_view atoms[] = {"a", "b", ".", "[ab]", "[^a]", "\\d", "-", "[a-c1]"};
  const std::string_view repeats[] = {"", "", "*", "+", "?", "{2}", "{1,2}", "{1,}"};
  int matched = 0;
  int made_patterns = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string regex = random() % 4 == 0 ? "" : "^";
    for (auto i = random() % 4 + 1; i > 0; --i) {
      regex += atoms[random() % std::size(atoms)];
      regex += repeats[random() % std::size(repeats)];
    }
    if (random() % 4 != 0) regex += '$';
    const auto made = channel_pattern_of(regex);
    if (!made) continue;
    ++made_patterns;
    const auto pattern = auth::NamePattern::parse(*made);
    ASSERT_TRUE(pattern) << *made;
    const std::regex reference(regex);
    for (int k = 0; k < 8; ++k) {
      std::string name;
      for (auto i = random() % 5; i > 0; --i) name += "abc1-"[random() % 5];
      const bool expected = std::regex_search(name, reference);
      matched += expected ? 1 : 0;
      ASSERT_EQ(pattern->matches(name), expected) << regex << " " << *made << " " << name;
    }
  }
  EXPECT_GT(made_patterns, 1500);
  EXPECT_GT(matched, 2000);
}

}  // namespace
}  // namespace app::import
