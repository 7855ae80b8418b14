#include "hub/tag_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "hub/limits.h"
#include "hub/tag_filter_reference.h"

namespace hub {
namespace {

Tags tags_of(std::vector<Tag> tags) {
  auto made = Tags::make(std::move(tags));
  EXPECT_TRUE(made.has_value());
  return made ? *std::move(made) : Tags();
}

FilterNode leaf(std::string_view key, std::string_view cmp, std::string_view val = {}) {
  return {.op = {}, .key = key, .cmp = cmp, .val = val, .vals = {}, .nodes = 0};
}
FilterNode list(std::string_view key, std::string_view cmp, std::span<const std::string_view> vals) {
  return {.op = {}, .key = key, .cmp = cmp, .val = {}, .vals = vals, .nodes = 0};
}
FilterNode inner(std::string_view op, std::uint32_t nodes) {
  return {.op = op, .key = {}, .cmp = {}, .val = {}, .vals = {}, .nodes = nodes};
}

TagFilter compiled(std::vector<FilterNode> nodes) {
  auto filter = TagFilter::compile(nodes);
  EXPECT_TRUE(filter.has_value()) << (filter ? "" : to_string(filter.error()));
  return *std::move(filter);
}
std::string_view refused(std::vector<FilterNode> nodes) {
  const auto filter = TagFilter::compile(nodes);
  return filter ? "compiles" : to_string(filter.error());
}

// --- leaves ----------------------------------------------------------------------------------------------------------

struct Truth {
  std::string_view cmp, val, value;
  bool holds;
};

constexpr Truth kTruths[] = {
    {"eq", "a", "a", true},
    {"eq", "a", "A", false},
    {"eq", "a", "", false},
    {"eq", "1", "1.0", false},  // text
    {"neq", "a", "a", false},
    {"neq", "a", "b", true},
    {"neq", "a", "", true},
    {"sw", "ab", "abc", true},
    {"sw", "ab", "ab", true},
    {"sw", "ab", "a", false},
    {"sw", "ab", "cab", false},
    {"ew", "bc", "abc", true},
    {"ew", "bc", "bc", true},
    {"ew", "bc", "c", false},
    {"ew", "bc", "bca", false},
    {"ct", "b", "abc", true},
    {"ct", "abc", "abc", true},
    {"ct", "abcd", "abc", false},
    {"ct", "ac", "abc", false},
    {"ct", "aab", "aaaab", true},
    {"ct", "x", "", false},
    {"lt", "10", "9", true},
    {"lt", "10", "10", false},
    {"lt", "10", "11", false},
    {"lte", "10", "9", true},
    {"lte", "10", "10", true},
    {"lte", "10", "11", false},
    {"gt", "10", "9", false},
    {"gt", "10", "10", false},
    {"gt", "10", "11", true},
    {"gte", "10", "9", false},
    {"gte", "10", "10", true},
    {"gte", "10", "11", true},
    // Numbers, not text; exactly, not as doubles.
    {"gt", "9", "10", true},
    {"gte", "1", "1.000", true},
    {"lte", "1", "+1.0", true},
    {"lt", "-1", "-2", true},
    {"gt", "-1", "-2", false},
    {"gt", "-2", "1", true},
    {"lt", "1", "-2", true},
    {"gte", "0", "-0", true},
    {"lte", "0", "-0.00", true},
    {"gt", "0.1", "0.1000000000000000001", true},
    {"lt", "0.3", "0.25", true},
    {"gt", "0.09", "0.1", true},
    {"gt", "0.1", "0.10", false},
    {"gt", "007", "8", true},
    {"gt", "9007199254740992", "9007199254740993", true},
    {"lt", "-0.5", "-0.51", true},
    {"gt", "99999999999999999999999999999999999999", "100000000000000000000000000000000000000", true},
    // What is not a number is neither less nor more.
    {"lt", "10", "", false},
    {"lt", "10", "x", false},
    {"lt", "10", " 9", false},
    {"lt", "10", "9 ", false},
    {"lt", "10", ".9", false},
    {"lt", "10", "9.", false},
    {"lt", "10", "1e0", false},
    {"lt", "10", "0x1", false},
    {"lt", "10", "-", false},
    {"lt", "10", "+", false},
    {"lt", "10", "--1", false},
    {"lt", "10", "1.2.3", false},
    {"lt", "10", "NaN", false},
    {"lt", "10", "-inf", false},
    {"lt", "10", "1,5", false},
    {"lt", "10", "0.00000000000000000001", false},  // 20 digits
    {"lt", "10", "0.0000000000000000001", true},
    {"gte", "x", "1", false},
    {"lte", "x", "1", false},
    {"gte", "x", "x", false},
    {"gt", "1e3", "2000", false},
};

TEST(TagFilter, Truths) {
  for (const Truth& each : kTruths) {
    const Tags tags = tags_of({{"key", std::string(each.value)}, {"other", "1"}});
    EXPECT_EQ(compiled({leaf("key", each.cmp, each.val)}).matches(tags), each.holds)
        << each.value << ' ' << each.cmp << ' ' << each.val;
  }
}

TEST(TagFilter, Lists) {
  const std::string_view vals[] = {"b", "a", "a", "c"};
  const std::string_view empty[] = {""};
  for (const std::string_view value : {"a", "b", "c"}) {
    const Tags tags = tags_of({{"key", std::string(value)}});
    EXPECT_TRUE(compiled({list("key", "in", vals)}).matches(tags));
    EXPECT_FALSE(compiled({list("key", "nin", vals)}).matches(tags));
  }
  for (const std::string_view value : {"", "d", "ab"}) {
    const Tags tags = tags_of({{"key", std::string(value)}});
    EXPECT_FALSE(compiled({list("key", "in", vals)}).matches(tags));
    EXPECT_TRUE(compiled({list("key", "nin", vals)}).matches(tags));
    EXPECT_EQ(compiled({list("key", "in", empty)}).matches(tags), value.empty());
  }
}

TEST(TagFilter, AMissingKey) {
  const std::string_view vals[] = {"a", "b"};
  const std::string_view with_empty[] = {"a", ""};
  for (const Tags& tags : {tags_of({}), tags_of({{"other", "a"}})}) {
    for (const std::string_view cmp : {"eq", "sw", "ew", "ct", "lt", "lte", "gt", "gte"}) {
      EXPECT_FALSE(compiled({leaf("key", cmp, "1")}).matches(tags)) << cmp;
    }
    EXPECT_TRUE(compiled({leaf("key", "neq", "1")}).matches(tags));
    EXPECT_FALSE(compiled({leaf("key", "ex")}).matches(tags));
    EXPECT_TRUE(compiled({leaf("key", "nex")}).matches(tags));
    EXPECT_FALSE(compiled({list("key", "in", vals)}).matches(tags));
    EXPECT_TRUE(compiled({list("key", "nin", vals)}).matches(tags));
    EXPECT_TRUE(compiled({list("key", "in", with_empty)}).matches(tags));  // reads as empty
    EXPECT_FALSE(compiled({list("key", "nin", with_empty)}).matches(tags));
  }
  const Tags there = tags_of({{"key", ""}});
  EXPECT_TRUE(compiled({leaf("key", "ex")}).matches(there));
  EXPECT_FALSE(compiled({leaf("key", "nex")}).matches(there));
  EXPECT_FALSE(compiled({leaf("", "ex")}).matches(there));
}

// --- trees -----------------------------------------------------------------------------------------------------------

TEST(TagFilter, Junctions) {
  for (int bits = 0; bits < 8; ++bits) {
    const bool a = (bits & 1) != 0;
    const bool b = (bits & 2) != 0;
    const bool c = (bits & 4) != 0;
    std::vector<Tag> tags;
    if (a) tags.push_back({"a", ""});
    if (b) tags.push_back({"b", ""});
    if (c) tags.push_back({"c", ""});
    const Tags all = tags_of(std::move(tags));
    const FilterNode is_a = leaf("a", "ex");
    const FilterNode is_b = leaf("b", "ex");
    const FilterNode is_c = leaf("c", "ex");
    const auto matches = [&](std::vector<FilterNode> nodes) { return compiled(std::move(nodes)).matches(all); };
    EXPECT_EQ(matches({inner("and", 1), is_a}), a);
    EXPECT_EQ(matches({inner("or", 1), is_a}), a);
    EXPECT_EQ(matches({inner("not", 1), is_a}), !a);
    EXPECT_EQ(matches({inner("not", 1), inner("not", 1), is_a}), a);
    EXPECT_EQ(matches({inner("and", 3), is_a, is_b, is_c}), a && b && c);
    EXPECT_EQ(matches({inner("or", 3), is_a, is_b, is_c}), a || b || c);
    EXPECT_EQ(matches({inner("and", 2), inner("or", 2), is_a, is_b, is_c}), (a || b) && c);
    EXPECT_EQ(matches({inner("or", 2), inner("and", 2), is_a, is_b, is_c}), (a && b) || c);
    EXPECT_EQ(matches({inner("and", 2), is_a, inner("or", 2), is_b, is_c}), a && (b || c));
    EXPECT_EQ(matches({inner("not", 1), inner("and", 2), is_a, inner("not", 1), inner("or", 2), is_b, is_c}),
              !(a && !(b || c)));
  }
}

TEST(TagFilter, RefusedByName) {
  const std::string_view vals[] = {"a"};
  const FilterNode good = leaf("k", "ex");
  EXPECT_EQ(refused({}), "shape");
  EXPECT_EQ(refused({good, good}), "shape");
  EXPECT_EQ(refused({inner("and", 2), good}), "shape");
  EXPECT_EQ(refused({inner("and", 1), good, good}), "shape");
  EXPECT_EQ(refused({inner("and", 0xffffffff), good}), "shape");
  EXPECT_EQ(refused({inner("and", 0)}), "children");
  EXPECT_EQ(refused({inner("or", 0)}), "children");
  EXPECT_EQ(refused({inner("not", 0)}), "children");
  EXPECT_EQ(refused({inner("not", 2), good, good}), "children");
  FilterNode parent = good;
  parent.nodes = 1;
  EXPECT_EQ(refused({parent, good}), "children");
  for (const std::string_view op : {"AND", "xor", "leaf", " "}) EXPECT_EQ(refused({inner(op, 1), good}), "op");
  for (const std::string_view cmp : {"", "EQ", "ne", "exists", "re"}) EXPECT_EQ(refused({leaf("k", cmp, "v")}), "cmp");
  for (const std::string_view cmp : {"eq", "neq", "sw", "ew", "ct", "lt", "lte", "gt", "gte"}) {
    EXPECT_EQ(refused({leaf("", cmp, "v")}), "key_missing") << cmp;
    EXPECT_EQ(refused({leaf("k", cmp)}), "value_missing") << cmp;
    FilterNode both = leaf("k", cmp, "v");
    both.vals = vals;
    EXPECT_EQ(refused({both}), "value_unexpected") << cmp;
  }
  for (const std::string_view cmp : {"in", "nin"}) {
    EXPECT_EQ(refused({list("", cmp, vals)}), "key_missing") << cmp;
    EXPECT_EQ(refused({leaf("k", cmp)}), "value_missing") << cmp;
    EXPECT_EQ(refused({leaf("k", cmp, "v")}), "value_unexpected") << cmp;
  }
  for (const std::string_view cmp : {"ex", "nex"}) {
    EXPECT_EQ(refused({leaf("k", cmp, "v")}), "value_unexpected") << cmp;
    EXPECT_EQ(refused({list("k", cmp, vals)}), "value_unexpected") << cmp;
  }
}

TEST(TagFilter, Limits) {
  const FilterNode good = leaf("k", "ex");
  std::vector<FilterNode> wide(kFilterNodesMax, good);
  wide[0] = inner("or", kFilterNodesMax - 1);
  EXPECT_EQ(refused(wide), "compiles");
  wide.push_back(good);
  ++wide[0].nodes;
  EXPECT_EQ(refused(wide), "too_many_nodes");

  std::vector<FilterNode> deep(kFilterDepthMax, inner("not", 1));
  deep.push_back(good);
  EXPECT_EQ(refused(deep), "compiles");
  EXPECT_EQ(compiled(deep).matches(tags_of({{"k", ""}})), kFilterDepthMax % 2 == 0);
  deep.insert(deep.begin(), inner("not", 1));
  EXPECT_EQ(refused(deep), "too_deep");

  std::deque<std::string> texts;
  std::vector<std::string_view> vals;
  for (std::size_t i = 0; i < kFilterValuesMax; ++i) vals.push_back(texts.emplace_back(std::to_string(i)));
  EXPECT_EQ(refused({list("k", "in", vals)}), "compiles");
  EXPECT_EQ(refused({inner("and", 2), list("k", "in", vals), leaf("k", "eq", "1")}), "too_many_values");
  vals.push_back("more");
  EXPECT_EQ(refused({list("k", "in", vals)}), "too_many_values");

  std::vector<FilterNode> searches(1 + kFilterContainsMax, leaf("k", "ct", "v"));
  searches[0] = inner("or", kFilterContainsMax);
  EXPECT_EQ(refused(searches), "compiles");
  searches.push_back(searches.back());
  ++searches[0].nodes;
  EXPECT_EQ(refused(searches), "too_many_ct");

  std::string text(kFilterBytesMax - 1, 'x');
  EXPECT_EQ(refused({leaf("k", "eq", text)}), "compiles");
  text += 'x';
  EXPECT_EQ(refused({leaf("k", "eq", text)}), "too_many_bytes");
  EXPECT_EQ(refused({leaf(text + text, "eq", "v")}), "too_many_bytes");
}

TEST(TagFilter, EveryErrorHasAName) {
  std::vector<std::string_view> names;
  for (int value = 1; value <= 12; ++value) names.push_back(to_string(static_cast<FilterError>(value)));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(TagFilter, EqualFiltersAreTold) {
  const std::string_view one[] = {"a", "b", "c"};
  const std::string_view other[] = {"c", "a", "b", "a"};
  const std::string_view fewer[] = {"a", "b"};
  const TagFilter filter = compiled({inner("and", 2), list("k", "in", one), leaf("l", "lt", "5")});
  const TagFilter same = compiled({inner("and", 2), list("k", "in", other), leaf("l", "lt", "5")});
  EXPECT_EQ(filter, same);
  EXPECT_EQ(filter.hash(7), same.hash(7));
  EXPECT_NE(filter.hash(7), filter.hash(8));
  const TagFilter others[] = {
      compiled({inner("or", 2), list("k", "in", one), leaf("l", "lt", "5")}),
      compiled({inner("and", 2), list("k", "nin", one), leaf("l", "lt", "5")}),
      compiled({inner("and", 2), list("k", "in", fewer), leaf("l", "lt", "5")}),
      compiled({inner("and", 2), list("k", "in", one), leaf("l", "lt", "6")}),
      compiled({inner("and", 2), list("k", "in", one), leaf("m", "lt", "5")}),
      compiled({inner("and", 2), list("k", "in", one), leaf("l", "lte", "5")}),
      compiled({inner("not", 1), inner("and", 2), list("k", "in", one), leaf("l", "lt", "5")}),
      compiled({list("k", "in", one)}),
      compiled({leaf("ab", "eq", "c")}),
      compiled({leaf("a", "eq", "bc")}),
  };
  for (const TagFilter& each : others) {
    EXPECT_NE(filter, each);
    EXPECT_NE(filter.hash(7), each.hash(7));
  }
  EXPECT_NE(others[8], others[9]);
  EXPECT_NE(others[8].hash(7), others[9].hash(7));
}

// --- against the reference
// ---------------------------------------------------------------------------------------------

class RandomFilters {
 public:
  explicit RandomFilters(std::uint64_t seed) : entropy_(seed) {}

  std::uint32_t below(std::uint32_t bound) { return entropy_.below(bound); }

  void add(std::vector<FilterNode>& nodes, std::uint32_t depth) {
    static constexpr std::string_view kOps[] = {"and", "or", "not"};
    if (depth > 0 && below(3) > 0) {
      const std::string_view op = kOps[below(3)];
      nodes.push_back(inner(op, op == "not" ? 1 : 1 + below(3)));
      for (std::uint32_t children = nodes.back().nodes; children > 0; --children) add(nodes, depth - 1);
      return;
    }
    static constexpr std::string_view kCmps[] = {"eq", "neq", "in", "nin", "ex", "nex", "sw",
                                                 "ew", "ct",  "lt", "lte", "gt", "gte"};
    const std::string_view cmp = kCmps[below(13)];
    FilterNode node = leaf(key(), cmp);
    if (cmp == "in" || cmp == "nin") {
      std::vector<std::string_view>& vals = lists_.emplace_back();
      for (std::uint32_t count = 1 + below(5); count > 0; --count) vals.push_back(value());
      node.vals = vals;
    } else if (cmp != "ex" && cmp != "nex") {
      do node.val = value();
      while (node.val.empty());
    }
    nodes.push_back(node);
  }

  std::map<std::string, std::string> tags() {
    std::map<std::string, std::string> made;
    for (std::uint32_t count = below(6); count > 0; --count) made[std::string(key())] = value();
    return made;
  }

 private:
  std::string_view key() {
    static constexpr std::string_view kKeys[] = {"a", "b", "c", "ab", "price"};
    return kKeys[below(5)];
  }
  std::string_view value() {
    static constexpr std::string_view kValues[] = {"",    "a",   "ab",   "b",     "ba",     "aab", "0",  "-0",  "1",
                                                   "1.0", "+1",  "01",   "-1",    "-1.5",   "10",  "9",  "0.5", ".5",
                                                   "5.",  "1e1", "0.05", "0.050", "100000", "x1",  "1x", "-x",  "κ"};
    return kValues[below(27)];
  }

  base::SeededEntropy entropy_;
  std::deque<std::vector<std::string_view>> lists_;  // stay where they are
};

TEST(TagFilter, MatchesLikeTheReference) {
  RandomFilters random(1);
  int compared = 0;
  int matched = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<FilterNode> nodes;
    random.add(nodes, random.below(6));
    const auto filter = TagFilter::compile(nodes);
    if (!filter) {
      ASSERT_TRUE(filter.error() == FilterError::too_many_nodes || filter.error() == FilterError::too_many_ct);
      continue;
    }
    for (int message = 0; message < 8; ++message) {
      const std::map<std::string, std::string> map = random.tags();
      std::vector<Tag> list;
      for (const auto& [key, value] : map) list.push_back({key, value});
      const bool expected = FilterReference(nodes, map).matches();
      ASSERT_EQ(filter->matches(tags_of(std::move(list))), expected) << round;
      ++compared;
      matched += expected ? 1 : 0;
    }
  }
  EXPECT_GT(compared, 30'000);
  EXPECT_GT(matched, compared / 5);
  EXPECT_LT(matched, compared * 4 / 5);
}

}  // namespace
}  // namespace hub
