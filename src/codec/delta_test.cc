#include "codec/delta.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "codec/utf8.h"

namespace codec {
namespace {

constexpr std::size_t kSizeMax = 1 << 20;

std::string applied(std::string_view source, std::string_view delta) {
  const auto target = apply_delta(source, delta, kSizeMax);
  return target ? *target : "error: " + std::string(to_string(target.error()));
}

struct Example {
  std::string_view source, delta, target;
};

// The numbers are worked out by hand from the document of the format; those of "hello world" and below were also made
// by the library that conformance/test_delta.py compares with.
constexpr Example kExamples[] = {
    {"", "0\n0;", ""},
    {"anything", "0\n0;", ""},
    {"", "1\n1:a1X0000;", "a"},
    {"", "2\n2:ab1XOW00;", "ab"},
    {"", "3\n3:abc1XObC0;", "abc"},
    {"", "4\n4:abcd1XObD_;", "abcd"},
    {"", "5\n5:abcde36ObD_;", "abcde"},
    {"abcde", "5\n5@0,36ObD_;", "abcde"},
    {"xxabcde", "5\n3@2,2:de36ObD_;", "abcde"},
    {"eabcd", "5\n4@1,1@0,36ObD_;", "abcde"},
    {"", "0005\n005:abcde036ObD_;", "abcde"},
    {"", "5\n0:5:abcde0:36ObD_;", "abcde"},
    {"",
     "8\n8:\xff\xff\xff\xff\xff\xff\xff\xff"
     "3~~~~z;",
     "\xff\xff\xff\xff\xff\xff\xff\xff"},
    {"", "A\nA:κόσμε1hxuu8;", "κόσμε"},
    {"hello world", "B\nB@0,19x_VR;", "hello world"},
    {"{\"price\":101.25,\"symbol\":\"ABCDEFGH\",\"volume\":1000}", "n\nF:{\"price\":101.50X@F,2:1}2Q3xZn;",
     "{\"price\":101.50,\"symbol\":\"ABCDEFGH\",\"volume\":1001}"},
    {"0123456789abcdefghijklmnopqrstuvwxyz", "_\nK@G,G:0123456789abcdefiDbPh;", "ghijklmnopqrstuvwxyz0123456789abcdef"},
};

TEST(Delta, AppliesExamples) {
  for (const Example& each : kExamples) EXPECT_EQ(applied(each.source, each.delta), each.target) << each.delta;
}

TEST(Delta, MakesExamples) {
  EXPECT_EQ(make_delta("", ""), "0\n0;");
  EXPECT_EQ(make_delta("", "abcde"), "5\n5:abcde36ObD_;");
  EXPECT_EQ(make_delta("abcde", "abcde"), "5\n5@0,36ObD_;");
  EXPECT_EQ(make_delta("abcd", "abcd"), "4\n4:abcd1XObD_;");  // its copy takes four bytes too
  EXPECT_EQ(make_delta("hello world, hello", "hello world"), "B\nB@0,19x_VR;");
  EXPECT_EQ(make_delta("0123456789abcdefghijklmnopqrstuvwxyz", "ghijklmnopqrstuvwxyz0123456789abcdef"),
            "_\nK@G,G@0,iDbPh;");
  EXPECT_EQ(make_delta("{\"price\":101.25,\"symbol\":\"ABCDEFGH\",\"volume\":1000}",
                       "{\"price\":101.50,\"symbol\":\"ABCDEFGH\",\"volume\":1001}"),
            "n\nD@0,2:50X@F,2:1}2Q3xZn;");
}

struct Refused {
  std::string_view delta;
  DeltaError error;
};

// Against the source "0123456789".
constexpr Refused kRefused[] = {
    {"", DeltaError::syntax},
    {"\n", DeltaError::syntax},
    {"0", DeltaError::syntax},
    {"0\n", DeltaError::syntax},
    {"0\n0", DeltaError::syntax},
    {"0\n;", DeltaError::syntax},
    {"0;0;", DeltaError::syntax},
    {"0\n0;0", DeltaError::syntax},
    {"0\n0;\n", DeltaError::syntax},
    {" 0\n0;", DeltaError::syntax},
    {"-1\n0;", DeltaError::syntax},
    {"4\n4!0;", DeltaError::syntax},
    {"4\n4@0", DeltaError::syntax},
    {"4\n4@", DeltaError::syntax},
    {"4\n4@,", DeltaError::syntax},
    {"4\n4@0;0;", DeltaError::syntax},
    {"4\n@0,0;", DeltaError::syntax},
    {"4\n:abcd0;", DeltaError::syntax},
    {"4\n4:abcd", DeltaError::syntax},
    {"400000\n0;", DeltaError::number},  // 2^32
    {"~~~~~~\n0;", DeltaError::number},
    {"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n0;", DeltaError::number},
    {"4\n400000@0,0;", DeltaError::number},
    {"4\n1@400000,0;", DeltaError::number},
    {"4\n4:abcd400000;", DeltaError::number},
    {"3~~~~~\n0;", DeltaError::too_big},
    {"~~~~\n~~~~@0,0;", DeltaError::too_big},
    {"4\n4@7,0;", DeltaError::copy_outside},
    {"4\n4@B,0;", DeltaError::copy_outside},
    {"4\n4@3~~~~~,0;", DeltaError::copy_outside},  // the sum has more than 32 bits
    {"4\n4@3~~~~z,0;", DeltaError::copy_outside},
    {"0\n0@B,0;", DeltaError::copy_outside},
    {"4\n5@0,0;", DeltaError::wrong_size},
    {"4\n3~~~~~@0,0;", DeltaError::wrong_size},
    {"4\n3@0,2@0,0;", DeltaError::wrong_size},
    {"4\n5:abcde0;", DeltaError::wrong_size},
    {"4\n3:abc1XObC0;", DeltaError::wrong_size},
    {"4\n0;", DeltaError::wrong_size},
    {"4\n4:abc", DeltaError::insert_outside},
    {"1000\n1000:abc", DeltaError::insert_outside},
    {"4\n4:abce1XObD_;", DeltaError::checksum},
    {"4\n4:abcd0;", DeltaError::checksum},
    {"0\n1;", DeltaError::checksum},
};

TEST(Delta, RefusesWhatIsWrongByName) {
  for (const Refused& each : kRefused) {
    const auto target = apply_delta("0123456789", each.delta, kSizeMax);
    ASSERT_FALSE(target.has_value()) << each.delta;
    EXPECT_EQ(to_string(target.error()), to_string(each.error)) << each.delta;
  }
}

TEST(Delta, EveryErrorHasAName) {
  std::vector<std::string_view> names;
  for (int value = 1; value <= 7; ++value) names.push_back(to_string(static_cast<DeltaError>(value)));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Delta, OutputOfExactlyTheLargestSize) {
  EXPECT_TRUE(apply_delta("", "5\n5:abcde36ObD_;", 5).has_value());
  EXPECT_EQ(apply_delta("", "5\n5:abcde36ObD_;", 4).error(), DeltaError::too_big);
}

TEST(Delta, NoPrefixOfADeltaIsADelta) {
  const std::string source = "the quick brown fox jumps over the lazy dog";
  const std::string delta = make_delta(source, "the quick red fox jumps over the lazy cat");
  for (std::size_t size = 0; size < delta.size(); ++size) {
    EXPECT_FALSE(apply_delta(source, delta.substr(0, size), kSizeMax).has_value()) << size;
  }
}

// --- pairs -----------------------------------------------------------------------------------------------------------

// Texts as channels carry them: JSON of some members, some of them not ASCII, and what became of it.
class Pairs {
 public:
  explicit Pairs(std::uint64_t seed) : entropy_(seed) {}

  std::size_t below(std::size_t bound) { return entropy_.below(static_cast<std::uint32_t>(bound)); }

  std::string word() {
    static constexpr std::string_view kWords[] = {"price", "κόσμε",    "日本語",  "name", "🙂🙃",
                                                  "x",     "ABCDEFGH", "ünïcödé", ""};
    return std::string(kWords[below(std::size(kWords))]);
  }

  std::string json(std::size_t members) {
    std::string text = "{";
    for (std::size_t i = 0; i < members; ++i) {
      text += '"' + word() + std::to_string(below(20)) + "\":" + std::to_string(below(100'000)) + ",\"" + word() +
              "\":\"" + word() + word() + "\",";
    }
    return text + "\"end\":true}";
  }

  std::string bytes(std::size_t size, unsigned letters) {
    std::string text(size, '\0');
    for (char& each : text) each = static_cast<char>(below(letters));
    return text;
  }

  // At code points, if the text is UTF-8.
  std::string changed(std::string text) {
    const auto at = [&](std::size_t bound) {
      std::size_t place = below(bound + 1);
      while (place > 0 && place < text.size() && (static_cast<unsigned char>(text[place]) & 0xc0) == 0x80) --place;
      return place;
    };
    for (std::size_t changes = 1 + below(6); changes > 0; --changes) {
      const std::size_t from = at(text.size());
      const std::size_t to = std::max(from, at(std::min(text.size(), from + below(200))));
      switch (below(4)) {
        case 0:
          text.replace(from, to - from, word());
          break;
        case 1:
          text.erase(from, to - from);
          break;
        case 2:
          text.insert(at(text.size()), text.substr(from, to - from));
          break;
        case 3:
          text.insert(from, std::to_string(below(1'000'000)));
          break;
      }
    }
    return text;
  }

 private:
  base::SeededEntropy entropy_;
};

void expect_round_trip(std::string_view source, std::string_view target) {
  const std::string delta = make_delta(source, target);
  EXPECT_EQ(applied(source, delta), target);
  EXPECT_LE(delta.size(), target.size() + 21);
  if (!utf8_valid(target)) return;
  const std::string text = make_delta(source, target, Utf8::whole_code_points);
  EXPECT_EQ(applied(source, text), target);
  EXPECT_LE(text.size(), target.size() + 21);
  EXPECT_TRUE(utf8_valid(text)) << text;
}

TEST(Delta, RandomPairsComeBack) {
  Pairs pairs(1);
  for (int round = 0; round < 3000; ++round) {
    const std::string source = pairs.json(pairs.below(40));
    expect_round_trip(source, pairs.changed(source));
    expect_round_trip(source, pairs.json(pairs.below(40)));
  }
}

TEST(Delta, BytesOfFewAndOfAllKindsComeBack) {
  Pairs pairs(2);
  for (int round = 0; round < 1500; ++round) {
    const unsigned letters = round % 3 == 0 ? 2 : round % 3 == 1 ? 128 : 256;
    const std::string source = pairs.bytes(pairs.below(600), letters);
    expect_round_trip(source, pairs.changed(source));
    expect_round_trip(source, pairs.bytes(pairs.below(600), letters));
  }
}

TEST(Delta, EverySizeAroundABlock) {
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (std::size_t source = 0; source < 40; ++source) {
    for (std::size_t target = 0; target < 40; ++target) {
      for (std::size_t skipped = 0; skipped < 20; ++skipped) {
        expect_round_trip(text.substr(0, source), text.substr(skipped, target));
        expect_round_trip(text.substr(skipped, source), text.substr(0, target));
      }
    }
  }
}

// A cut at every byte of texts whose code points share bytes: neighbours of U+65E5 begin with the same two.
TEST(Delta, InsertsAreWholeCodePoints) {
  std::string source;
  for (int i = 0; i < 40; ++i) source += i % 3 == 0 ? "日" : i % 3 == 1 ? "🙂" : "é";
  const std::string_view others[] = {"旤", "🙃", "è", "x", ""};
  int differ = 0;
  for (std::size_t at = 0; at < source.size(); ++at) {
    if ((static_cast<unsigned char>(source[at]) & 0xc0) == 0x80) continue;
    std::size_t end = at + 1;
    while (end < source.size() && (static_cast<unsigned char>(source[end]) & 0xc0) == 0x80) ++end;
    for (const std::string_view other : others) {
      std::string target = source;
      target.replace(at, end - at, other);
      expect_round_trip(source, target);
      if (!utf8_valid(make_delta(source, target))) ++differ;
    }
  }
  EXPECT_GT(differ, 20);  // or the option would have had nothing to do
}

TEST(Delta, SourcesThatAreNotUtf8MayStillBeCopied) {
  const std::string source =
      "\x82\xac"
      "0123456789 0123456789 0123456789\xe2\x82";
  const std::string target = "€0123456789 0123456789 0123456789€";
  expect_round_trip(source, target);
  EXPECT_LT(make_delta(source, target, Utf8::whole_code_points).size(), target.size());
}

// A target that is not UTF-8 has no delta that is; what comes out is still a delta, and still in linear time.
TEST(Delta, TargetsThatAreNotUtf8AreStillDeltas) {
  const std::string source(100'000, '\x80');
  std::string target = source;
  for (std::size_t at = 50; at < target.size(); at += 100) target[at] = 'x';
  EXPECT_EQ(applied(source, make_delta(source, target, Utf8::whole_code_points)), target);
}

TEST(Delta, IsSmallWhereLittleChanged) {
  Pairs pairs(3);
  std::string source = pairs.json(1000);
  std::string target = source;
  for (std::size_t at = 500; at < target.size(); at += 1000) target.insert(at, "new");
  EXPECT_LT(make_delta(source, target).size(), target.size() / 30);
  target = source.substr(source.size() / 2) + source.substr(0, source.size() / 2);  // moved
  EXPECT_LT(make_delta(source, target).size(), 60U);
}

// The bound of the header, on what is worst for it: one bucket for everything, places that match nearly to the end of
// what is worth a copy, and a wealth of long matches. A quadratic search would need minutes for each.
TEST(Delta, HostilePairsStayLinear) {
  constexpr std::size_t kSize = 1 << 20;
  const std::string zeros(kSize, '\0');
  std::string dotted = zeros;
  for (std::size_t at = 24; at < kSize; at += 24) dotted[at] = '\1';
  std::string period(kSize, '\0');
  for (std::size_t at = 0; at < kSize; ++at) period[at] = static_cast<char>(at % 17);
  std::string late = zeros;
  late.back() = late.front() = '\1';
  const std::string_view all[] = {zeros, dotted, period, late};
  for (const std::string_view source : all) {
    for (const std::string_view target : all) expect_round_trip(source, target);
  }
}

}  // namespace
}  // namespace codec
