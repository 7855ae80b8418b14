#include "auth/name_pattern.h"

#include <gtest/gtest.h>

#include <random>

namespace auth {
namespace {

bool match(std::string_view pattern, std::string_view name) {
  const auto parsed = NamePattern::parse(pattern);
  EXPECT_TRUE(parsed) << pattern << " " << parsed.error();
  return parsed && parsed->matches(name);
}

struct Row {
  std::string_view pattern;
  std::vector<std::string_view> yes;
  std::vector<std::string_view> no;
};

TEST(NamePattern, MatchesAsItsHeaderSays) {
  const Row rows[] = {
      {"", {""}, {"a"}},
      {"news", {"news"}, {"", "new", "newss", "News"}},
      {"*", {"", "a", "\xc3\xa9", "a*b"}, {}},
      {"?", {"a", "\xc3"}, {"", "ab"}},
      {"a?*", {"ab", "abc"}, {"a", "b"}},
      {"[?]", {"?"}, {"a"}},
      {"a*", {"a", "abc"}, {"", "ba"}},
      {"*a", {"a", "bca"}, {"", "ab"}},
      {"a*b*c", {"abc", "axxbyyc", "abbc", "abcbc"}, {"ac", "abcd"}},
      {"room-[0-9]+", {"room-7", "room-42"}, {"room-", "room-x", "room-7x", "xroom-7"}},
      {"[a-z]{2,3}", {"ab", "abc"}, {"a", "abcd", "aB"}},
      {"[a-z]{2}", {"ab"}, {"a", "abc"}},
      {"[a-z]{2,}", {"ab", "abcdefgh"}, {"a", "", "ab1"}},
      {"[a-z]{0,}1", {"1", "a1", "ab1"}, {"", "a"}},
      {"[a-z]{0,2}1", {"1", "a1", "ab1"}, {"abc1"}},
      {"[a]{1}[b]{0,1}c", {"abc", "ac"}, {"bc", "abbc"}},
      {"[^/]+", {"a", "\xc3\xa9"}, {"", "a/b"}},
      {"[a-zA-Z0-9_-]+", {"a_B-9"}, {"a b", "\xc3\xa9"}},
      {"[]]", {"]"}, {"a", ""}},
      {"[^]]", {"a"}, {"]"}},
      {"[*+{}[]x", {"*x", "+x", "{x", "[x", "}x"}, {"ax"}},
      {"[a-]", {"a", "-"}, {"b"}},
      {"\xc3\xa9", {"\xc3\xa9"}, {"\xc3", "e"}},
      {"[0-9]+:*", {"1:", "12:x"}, {":x", "a:x"}},
      {".", {"."}, {"a"}},  // no meaning of regular expressions
      {"a\\d", {"a\\d"}, {"a1"}},
      {"(a|b)", {"(a|b)"}, {"a"}},
  };
  for (const Row& row : rows) {
    for (const std::string_view name : row.yes) EXPECT_TRUE(match(row.pattern, name)) << row.pattern << " " << name;
    for (const std::string_view name : row.no) EXPECT_FALSE(match(row.pattern, name)) << row.pattern << " " << name;
  }
}

TEST(NamePattern, SaysWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"[a-z", "has a [ without ]"},
      {"[", "has a [ without ]"},
      {"[]", "has a [ without ]"},
      {"[^]", "has a [ without ]"},
      {"a]", "has a ] where none can stand; for the character itself write []]"},
      {"a+", "has a + where none can stand"},
      {"*+", "has a + where none can stand"},
      {"a{2}", "has a { where none can stand"},
      {"[a]{2}{3}", "has a { where none can stand"},
      {"a}", "has a } where none can stand"},
      {"[z-a]", "has a range in [] that goes backwards"},
      {"[\xc3\xa9]", "is not ASCII"},
      {"[a]{}", "has a repeat that is not"},
      {"[a]{x}", "has a repeat that is not"},
      {"[a]{1", "has a repeat that is not"},
      {"[a]{1,", "has a repeat that is not"},
      {"[a]{,2}", "has a repeat that is not"},
      {"[a]{2,1}", "has a repeat that is not"},
      {"[a]{0}", "has a repeat that is not"},
      {"[a]{256}", "has a repeat that is not"},
      {"[a]{1,99999999999999999999999}", "has a repeat that is not"},
      {"[a]{-1}", "has a repeat that is not"},
      {"[a]{255}[a]{2}", "is too long"},
  };
  for (const auto& [pattern, expected] : rows) {
    const auto parsed = NamePattern::parse(pattern);
    ASSERT_FALSE(parsed) << pattern;
    EXPECT_TRUE(parsed.error().contains(expected)) << pattern << ": " << parsed.error();
  }
}

TEST(NamePattern, TheLongestIsTaken) {
  const std::string longest(255, 'a');
  EXPECT_TRUE(match("[a]{255}", longest));
  EXPECT_FALSE(match("[a]{255}", longest.substr(1)));
  EXPECT_TRUE(match("[a]{255,255}", longest));
  EXPECT_TRUE(match("[a]{255,}", longest + longest));
  EXPECT_TRUE(match(std::string(256, 'x'), std::string(256, 'x')));
  EXPECT_FALSE(NamePattern::parse(std::string(257, 'x')));
}

// A matcher by definition: tries everything. For short names only.
bool slow_match(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= name.size(); ++i) {
      if (slow_match(pattern.substr(1), name.substr(i))) return true;
    }
    return false;
  }
  if (pattern.starts_with("[ab]+")) {
    for (std::size_t i = 1; i <= name.size() && (name[i - 1] == 'a' || name[i - 1] == 'b'); ++i) {
      if (slow_match(pattern.substr(5), name.substr(i))) return true;
    }
    return false;
  }
  if (pattern.starts_with("[b]{0,2}")) {
    for (std::size_t i = 0; i <= 2 && i <= name.size() && (i == 0 || name[i - 1] == 'b'); ++i) {
      if (slow_match(pattern.substr(8), name.substr(i))) return true;
    }
    return false;
  }
  return !name.empty() && name[0] == pattern[0] && slow_match(pattern.substr(1), name.substr(1));
}

TEST(NamePattern, AgreesWithTheDefinition) {
  std::mt19937 random(4);
  const std::string_view pieces[] = {"a", "b", "c", "*", "[ab]+", "[b]{0,2}"};
  int matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    for (std::size_t i = random() % 5; i > 0; --i) pattern += pieces[random() % std::size(pieces)];
    std::string name;
    for (std::size_t i = random() % 6; i > 0; --i) name += "aabbc"[random() % 5];
    const bool expected = slow_match(pattern, name);
    matched += expected ? 1 : 0;
    ASSERT_EQ(match(pattern, name), expected) << pattern << " " << name;
  }
  EXPECT_GT(matched, 1000);
}

// What makes backtracking matchers explode costs no more than its length times the pattern's.
TEST(NamePattern, NoPatternIsSlow) {
  std::string pattern;
  for (int i = 0; i < 127; ++i) pattern += "*a";
  pattern += "*c";
  EXPECT_FALSE(match(pattern, std::string(255, 'a')));
  pattern.clear();
  for (int i = 0; i < 100; ++i) pattern += "[a]{0,1}";
  for (int i = 0; i < 100; ++i) pattern += "[a]";
  EXPECT_TRUE(match(pattern, std::string(100, 'a')));
  EXPECT_TRUE(match(pattern, std::string(200, 'a')));
  EXPECT_FALSE(match(pattern, std::string(201, 'a')));
}

}  // namespace
}  // namespace auth
