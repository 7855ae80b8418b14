#include "client/core/backoff.h"

#include <gtest/gtest.h>

namespace client {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, FullJitterStaysBelowADoublingBoundAndUsesAllOfIt) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    base::SeededEntropy entropy(seed);
    Backoff backoff({});
    base::Duration bound = 500ms;
    for (int attempt = 0; attempt < 20; ++attempt) {
      EXPECT_EQ(backoff.bound(), bound);
      base::Duration wait = backoff.next(entropy);
      EXPECT_GE(wait, 0ns);
      EXPECT_LE(wait, bound);
      bound = std::min<base::Duration>(2 * bound, 60s);
    }
  }
  base::SeededEntropy entropy(1);
  base::Duration least = 60s, most = 0s;
  for (int i = 0; i < 1000; ++i) {
    base::Duration wait = Backoff::uniform(entropy, 60s);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_LT(least, 1s);
  EXPECT_GT(most, 59s);
}

TEST(Backoff, OnlyAStableConnectionForgetsFailures) {
  base::SeededEntropy entropy(7);
  Backoff backoff({});
  for (int i = 0; i < 10; ++i) backoff.next(entropy);
  backoff.connection_lasted(29s);
  EXPECT_EQ(backoff.bound(), 60s);
  backoff.connection_lasted(30s);
  EXPECT_EQ(backoff.bound(), 500ms);
}

TEST(Backoff, LongBoundsDoNotOverflow) {
  base::SeededEntropy entropy(3);
  base::Duration most = 0s;
  for (int i = 0; i < 1000; ++i) {
    base::Duration wait = Backoff::uniform(entropy, 24h);
    EXPECT_LE(wait, 24h);
    most = std::max(most, wait);
  }
  EXPECT_GT(most, 23h);
  EXPECT_EQ(Backoff::uniform(entropy, 0s), 0ns);
}

}  // namespace
}  // namespace client
