// The promise of the product: clients that are cut off and resume, through any door, get every message exactly once and
// in order, or are told exactly what they missed. 100,000 reconnects over many worlds; a failure names its seed, and
// `sim_run --seed N --reconnects N` replays it.
#include <gtest/gtest.h>

#include <cstdio>

#include "sim/reconnect_run.h"

namespace sim {
namespace {

// Sanitized builds are some ten times slower and look for other things.
#if defined(WIREBIRD_SLOW_ASSERTS) || defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSeedsPerShard = 4;
#else
constexpr std::uint64_t kSeedsPerShard = 50;
#endif
constexpr std::uint64_t kShards = 5;
constexpr std::uint64_t kReconnectsPerSeed = 400;  // 5 shards of 50 seeds: 100,000

struct Reconnect : testing::TestWithParam<std::uint64_t> {};

TEST_P(Reconnect, LosesDoublesAndReordersNothingAndAnnouncesEveryGap) {
  Verdict all, brief;
  for (std::uint64_t i = 0; i < kSeedsPerShard; ++i) {
    const std::uint64_t seed = GetParam() * kSeedsPerShard + i + 1;
    const ReconnectRun run = run_reconnects(options_of(seed, kReconnectsPerSeed));
    for (const std::string& problem : run.verdict.problems) {
      ADD_FAILURE() << problem << "\nworld: " << run.shape << "\nreplay: sim_run --seed " << seed << " --reconnects "
                    << kReconnectsPerSeed;
    }
    EXPECT_GE(run.verdict.reconnects, kReconnectsPerSeed) << "seed " << seed;
    all.add(run.verdict);
    if (!run.history.keeps_all()) brief.add(run.verdict);
  }
  // The model is sharp: it hardly ever allows both answers; about one in a hundred, since deliveries that wait make it
  // less sure what a client could have known when. And both answers are frequent.
  if (kSeedsPerShard >= 50) {  // a few worlds say nothing about how frequent something is
    EXPECT_LT(brief.either * 50, brief.recovered + brief.gaps);
    EXPECT_GT(brief.recovered, brief.reconnects / 4);
    EXPECT_GT(brief.gaps, brief.reconnects / 4);
    EXPECT_LT(all.slow * 1000, all.reconnects);
  }
  std::printf(
      "%llu reconnects, %llu messages; %llu resumed, %llu gaps, either was right %llu, live gaps %llu, slow %llu\n",
      static_cast<unsigned long long>(all.reconnects), static_cast<unsigned long long>(all.messages),
      static_cast<unsigned long long>(all.recovered), static_cast<unsigned long long>(all.gaps),
      static_cast<unsigned long long>(all.either), static_cast<unsigned long long>(all.live_gaps),
      static_cast<unsigned long long>(all.slow));
}

INSTANTIATE_TEST_SUITE_P(Shards, Reconnect, testing::Range<std::uint64_t>(0, kShards));

TEST(ReconnectRun, IsTheSameForTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const ReconnectRun first = run_reconnects(options_of(seed, 50));
    const ReconnectRun second = run_reconnects(options_of(seed, 50));
    const ReconnectRun other = run_reconnects(options_of(seed + 2, 50));
    EXPECT_EQ(first.trace, second.trace);
    EXPECT_EQ(first.turns, second.turns);
    EXPECT_EQ(first.verdict.messages, second.verdict.messages);
    EXPECT_NE(first.trace, other.trace);
  }
}

}  // namespace
}  // namespace sim
