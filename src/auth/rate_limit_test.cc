#include "auth/rate_limit.h"

#include <gtest/gtest.h>

#include <map>

#include "base/entropy.h"

namespace auth {
namespace {

using namespace std::chrono_literals;

base::Instant at(base::Duration since_start) { return base::Instant{} + since_start; }

TEST(TokenBucket, GrantsTheBurstThenTheRate) {
  const Rate rate = per_second(10, 3);
  TokenBucket bucket;
  EXPECT_TRUE(bucket.take(rate, at(0s)));
  EXPECT_TRUE(bucket.take(rate, at(0s)));
  EXPECT_TRUE(bucket.take(rate, at(0s)));
  EXPECT_FALSE(bucket.take(rate, at(0s)));
  EXPECT_EQ(bucket.wait(rate, at(0s)), 100ms);
  EXPECT_FALSE(bucket.take(rate, at(99ms)));
  EXPECT_TRUE(bucket.take(rate, at(100ms)));
  EXPECT_FALSE(bucket.take(rate, at(100ms)));
}

TEST(TokenBucket, SavesNoMoreThanTheBurst) {
  const Rate rate = per_second(1000, 2);
  TokenBucket bucket;
  EXPECT_TRUE(bucket.take(rate, at(0s)));
  EXPECT_TRUE(bucket.full(at(1h)));
  EXPECT_TRUE(bucket.take(rate, at(1h), 2));
  EXPECT_FALSE(bucket.full(at(1h)));
  EXPECT_FALSE(bucket.take(rate, at(1h)));
}

TEST(TokenBucket, RefusesACostAboveTheBurstForEver) {
  const Rate rate = per_second(1, 5);
  TokenBucket bucket;
  EXPECT_FALSE(bucket.take(rate, at(100h), 6));
  EXPECT_EQ(bucket.wait(rate, at(100h), 6), base::Duration::max());
  EXPECT_TRUE(bucket.take(rate, at(100h), 5));
}

TEST(TokenBucket, TakesAClockThatGoesBack) {
  const Rate rate = per_second(1, 1);
  TokenBucket bucket;
  EXPECT_TRUE(bucket.take(rate, at(10s)));
  EXPECT_FALSE(bucket.take(rate, at(5s)));
  EXPECT_EQ(bucket.wait(rate, at(5s)), 6s);
  EXPECT_TRUE(bucket.take(rate, at(11s)));
}

TEST(TokenBucket, WaitIsExact) {
  base::SeededEntropy entropy(1);
  const Rate rate{base::Duration{333}, 7};
  TokenBucket bucket;
  base::Instant now{};
  for (int i = 0; i < 10'000; ++i) {
    now += base::Duration{entropy.below(700)};
    const std::uint32_t cost = 1 + entropy.below(7);
    const base::Duration wait = bucket.wait(rate, now, cost);
    TokenBucket copy = bucket;
    if (wait > 0s) {
      ASSERT_FALSE(copy.take(rate, now + wait - 1ns, cost));
    }
    ASSERT_TRUE(copy.take(rate, now + wait, cost));
    ASSERT_EQ(bucket.take(rate, now, cost), wait == 0s);
  }
}

std::array<std::uint8_t, 16> v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

TEST(AddressPrefix, IsASlash24OrASlash56) {
  EXPECT_EQ(address_prefix(v4(192, 0, 2, 1)), address_prefix(v4(192, 0, 2, 254)));
  EXPECT_NE(address_prefix(v4(192, 0, 2, 1)), address_prefix(v4(192, 0, 3, 1)));

  std::array<std::uint8_t, 16> a = {0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::array<std::uint8_t, 16> b = a;
  b[7] = 200;
  EXPECT_EQ(address_prefix(a), address_prefix(b));
  b[6] = 200;
  EXPECT_NE(address_prefix(a), address_prefix(b));
}

TEST(AddressPrefix, KeepsIpv4ApartFromIpv6AndTheUpperByteFree) {
  const std::array<std::uint8_t, 16> loopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_NE(address_prefix(v4(0, 0, 0, 0)), address_prefix(loopback));
  std::array<std::uint8_t, 16> all;
  all.fill(0xff);
  EXPECT_LT(address_prefix(all), std::uint64_t{1} << 56);
  EXPECT_LT(address_prefix(v4(255, 255, 255, 255)), std::uint64_t{1} << 56);
}

TEST(RateTable, LimitsEachKeyAlone) {
  RateTable table(per_second(1, 2), 100, 7);
  EXPECT_TRUE(table.take(1, at(0s)));
  EXPECT_TRUE(table.take(1, at(0s)));
  EXPECT_FALSE(table.take(1, at(0s)));
  EXPECT_EQ(table.wait(1, at(0s)), 1s);
  EXPECT_TRUE(table.take(2, at(0s)));
  EXPECT_EQ(table.wait(3, at(0s)), 0s);
  EXPECT_EQ(table.size(), 2U);
}

TEST(RateTable, ForgetsTheLeastRecentlyUsed) {
  RateTable table(per_second(1, 1), 2, 7);
  EXPECT_TRUE(table.take(1, at(0s)));
  EXPECT_TRUE(table.take(2, at(0s)));
  EXPECT_FALSE(table.take(1, at(0s)));  // uses 1, so 2 is the oldest
  EXPECT_TRUE(table.take(3, at(0s)));
  EXPECT_EQ(table.size(), 2U);
  EXPECT_FALSE(table.take(1, at(0s)));
  EXPECT_TRUE(table.take(2, at(0s)));  // was forgotten
}

// Against a plain model: a map of buckets with the instant of last use.
TEST(RateTable, EqualsTheModelOnRandomUse) {
  constexpr std::uint32_t kEntries = 16;
  base::SeededEntropy entropy(42);
  const Rate rate = per_second(10, 3);
  RateTable table(rate, kEntries, 99);
  std::map<std::uint64_t, std::pair<TokenBucket, int>> model;
  base::Instant now{};
  for (int step = 0; step < 20'000; ++step) {
    now += std::chrono::milliseconds{entropy.below(20)};
    const std::uint64_t key = entropy.below(24);
    if (!model.contains(key) && model.size() == kEntries) {
      auto oldest = model.begin();
      for (auto it = model.begin(); it != model.end(); ++it) {
        if (it->second.second < oldest->second.second) oldest = it;
      }
      model.erase(oldest);
    }
    auto& [bucket, used] = model[key];
    used = step;
    ASSERT_EQ(table.take(key, now), bucket.take(rate, now)) << step;
    ASSERT_EQ(table.size(), model.size());
  }
}

TEST(RateTable, NewRateKeepsWhatIsSpent) {
  RateTable table(per_second(1, 1), 4, 0);
  EXPECT_TRUE(table.take(1, at(0s)));
  table.set_rate(per_second(1, 2));
  EXPECT_TRUE(table.take(1, at(0s)));
  EXPECT_FALSE(table.take(1, at(0s)));
}

}  // namespace
}  // namespace auth
