// Issue 4: random publishes, ages, removals, cuts, epochs, slow readers on 1 to 4 workers, with clients of the
// Centrifuge protocol of two kinds. With histories that hold everything every reconnect is recovered; with small ones
// `recovered` is what an independent model says; never a silent gap or a double. 100,000 reconnects; a failure names
// its seed, and `sim_centrifuge_run --seed N --reconnects N` replays it.
#include <gtest/gtest.h>

#include <cstdio>

#include "sim/centrifuge/recovery_run.h"

namespace sim::centrifuge {
namespace {

// Sanitized builds are some ten times slower and look for other things.
#if defined(WIREBIRD_SLOW_ASSERTS) || defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSeedsPerShard = 6;
#else
constexpr std::uint64_t kSeedsPerShard = 50;
#endif
constexpr std::uint64_t kShards = 5;
constexpr std::uint64_t kReconnectsPerSeed = 400;  // 5 shards of 50 seeds: 100,000

using Number = unsigned long long;

struct Recovery : testing::TestWithParam<std::uint64_t> {};

TEST_P(Recovery, IsWhatTheHistoryMakesItAndLosesAndDoublesNothing) {
  Verdict all, kept, brief, forgetful;
  for (std::uint64_t i = 0; i < kSeedsPerShard; ++i) {
    const RunOptions options = options_of(GetParam() * kSeedsPerShard + i + 1, kReconnectsPerSeed);
    const RecoveryRun run = run_recovery(options);
    for (const std::string& problem : run.verdict.problems) {
      ADD_FAILURE() << problem << "\nworld: " << run.shape << "\nreplay: sim_centrifuge_run --seed " << options.seed
                    << " --reconnects " << kReconnectsPerSeed;
    }
    EXPECT_GE(run.verdict.reconnects, kReconnectsPerSeed) << "seed " << options.seed;
    all.add(run.verdict);
    Verdict& of_its_kind = options.world == RunOptions::World::keeps_all ? kept
                           : options.world == RunOptions::World::brief   ? brief
                                                                         : forgetful;
    of_its_kind.add(run.verdict);
  }
  // Who was never lied to recovers, where nothing is ever dropped.
  EXPECT_LE(kept.lost, kept.false_places);
  EXPECT_EQ(kept.either, 0U);
  if (kSeedsPerShard >= 50) {  // a few worlds say nothing about how frequent something is
    // The model is sharp: it hardly ever allows both answers.
    EXPECT_LT(all.either * 500, all.recovered + all.lost);
    EXPECT_GT(brief.lost, brief.reconnects / 20);
    EXPECT_GT(brief.recovered, brief.reconnects / 4);
    EXPECT_GT(forgetful.epochs, 100U);
    EXPECT_GT(all.refused, 50U);
    EXPECT_GT(all.dismissed, 20U);
    EXPECT_GT(all.slow, 20U);
    EXPECT_GT(all.joins, 1000U);
  }
  std::printf(
      "%llu reconnects, %llu messages; subscriptions: %llu recovered, %llu lost, either was right %llu; error 112 "
      "%llu, "
      "2500 %llu, 3008 %llu, 3010 %llu, new epochs %llu\n",
      Number{all.reconnects}, Number{all.messages}, Number{all.recovered}, Number{all.lost}, Number{all.either},
      Number{all.refused}, Number{all.dismissed}, Number{all.slow}, Number{all.broken}, Number{all.epochs});
}

INSTANTIATE_TEST_SUITE_P(Shards, Recovery, testing::Range<std::uint64_t>(0, kShards));

TEST(OneSeed, MakesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const RecoveryRun first = run_recovery(options_of(seed, 50));
    const RecoveryRun second = run_recovery(options_of(seed, 50));
    const RecoveryRun other = run_recovery(options_of(seed + 3, 50));
    EXPECT_EQ(first.trace, second.trace);
    EXPECT_EQ(first.turns, second.turns);
    EXPECT_EQ(first.verdict.messages, second.verdict.messages);
    EXPECT_NE(first.trace, other.trace);
  }
}

}  // namespace
}  // namespace sim::centrifuge
