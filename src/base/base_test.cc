#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/coarse_instant.h"
#include "base/entropy.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/shared_bytes.h"

namespace base {
namespace {

TEST(SharedBytes, CopiesShareOneBlock) {
  const SharedBytes first = SharedBytes::concat("ab", "cd");
  const SharedBytes second = first;
  EXPECT_EQ(second.view(), "abcd");
  EXPECT_EQ(first.view().data(), second.view().data());
}

TEST(SharedBytes, EmptyIsTheNullHandle) {
  EXPECT_TRUE(SharedBytes::copy("").empty());
  EXPECT_EQ(SharedBytes::copy("").view(), "");
}

TEST(SharedBytes, OutlivesTheFirstHandle) {
  SharedBytes second;
  {
    const SharedBytes first = SharedBytes::copy("kept");
    second = first;
  }
  EXPECT_EQ(second.view(), "kept");
}

TEST(CoarseInstant, IsNeverEarlyAndAtMostOneTickLate) {
  SeededEntropy entropy(3);
  for (int i = 0; i < 10000; ++i) {
    const Instant exact(Duration(static_cast<std::int64_t>(entropy.next() >> 6)));
    const Instant coarse = CoarseInstant(exact);
    if (coarse == kNever) {
      EXPECT_GT(exact.time_since_epoch(), std::chrono::hours(9 * 365 * 24));
    } else {
      EXPECT_GE(coarse, exact);
      EXPECT_LT(coarse - exact, 68ms);
    }
  }
  EXPECT_EQ(Instant(CoarseInstant(kNever)), kNever);
  EXPECT_EQ(Instant(CoarseInstant(Instant{})), Instant{});
}

TEST(Error, EveryEntryIsCompleteAndUnique) {
  std::set<std::string_view> codes;
  std::uint8_t expected = 1;
  for (const ErrorEntry& each : all_errors()) {
    EXPECT_EQ(static_cast<std::uint8_t>(each.error), expected++);
    EXPECT_TRUE(codes.insert(each.code).second) << each.code;
    EXPECT_TRUE(each.code.starts_with("E_"));
    EXPECT_GE(each.http_status, 400);
    EXPECT_LE(each.http_status, 599);
    EXPECT_GE(each.close_code, 1000);
    EXPECT_LE(each.close_code, 4999);
    // A close reason is at most 123 bytes (RFC 6455 section 5.5): the code, a space and the text must fit.
    EXPECT_LE(each.code.size() + 1 + each.text.size(), 123U) << each.code;
    EXPECT_EQ(&entry(each.error), &each);
  }
}

TEST(Entropy, SameSeedSameNumbers) {
  SeededEntropy a(7), b(7), c(8);
  const auto first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(10), 10U);
}

TEST(Hash, TheSeedChangesTheHash) {
  EXPECT_NE(hash64("news", 1), hash64("news", 2));
  EXPECT_EQ(hash64("news", 1), hash64("news", 1));
  EXPECT_FALSE(hash128("news", 1) == hash128("news", 2));
}

}  // namespace
}  // namespace base
