// A judge that cannot say no is no use: logs of real runs, falsified in every way that the promise forbids.
#include "sim/checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "sim/clock.h"
#include "sim/reconnect_run.h"
#include "sim/timeline.h"

namespace sim {
namespace {

using Kind = Told::Kind;

// A place in the log, for falsifying: a message with one before and one after it, all of the same channel.
struct Middle {
  Visit* visit = nullptr;
  std::size_t told = 0;
  Told& message() const { return visit->told[told]; }
};

Middle find_middle(Log& log, std::size_t nth) {
  for (Visit& visit : log.visits) {
    if (visit.channels.size() != 1 || visit.door != Door::ws) continue;
    for (std::size_t i = 1; i + 1 < visit.told.size(); ++i) {
      const bool inside = visit.told[i - 1].kind == Kind::message && visit.told[i].kind == Kind::message &&
                          visit.told[i + 1].kind == Kind::message;
      if (inside && nth-- == 0) return {&visit, i};
    }
  }
  ADD_FAILURE() << "the run has too few messages";
  return {};
}

struct Falsified : testing::Test {
  static ReconnectRun run(ReconnectOptions::Kept kept) {
    return run_reconnects({.seed = 12, .reconnects = 300, .kept = kept});
  }
  // Each change, made to a copy of the log, must be found.
  static void expect_found(const ReconnectRun& run, const std::string& what, const std::function<void(Log&)>& falsify) {
    Log log = run.log;
    falsify(log);
    EXPECT_FALSE(check(log, run.history).problems.empty()) << "not found: " << what;
  }
};

TEST_F(Falsified, MessagesAreMissed) {
  const ReconnectRun all = run(ReconnectOptions::Kept::all);
  ASSERT_TRUE(check(all.log, all.history).problems.empty());
  for (const std::size_t nth : {0U, 10U, 40U}) {
    expect_found(all, "a lost message", [&](Log& log) {
      const Middle at = find_middle(log, nth);
      at.visit->told.erase(at.visit->told.begin() + static_cast<std::ptrdiff_t>(at.told));
    });
    expect_found(all, "a doubled message", [&](Log& log) {
      const Middle at = find_middle(log, nth);
      at.visit->told.insert(at.visit->told.begin() + static_cast<std::ptrdiff_t>(at.told), Told(at.message()));
    });
    expect_found(all, "two messages in the wrong order", [&](Log& log) {
      const Middle at = find_middle(log, nth);
      std::swap(at.visit->told[at.told], at.visit->told[at.told - 1]);
    });
    expect_found(all, "two payloads exchanged", [&](Log& log) {
      const Middle at = find_middle(log, nth);
      std::swap(at.message().payload, at.visit->told[at.told - 1].payload);
      std::swap(at.message().payload_kind, at.visit->told[at.told - 1].payload_kind);
    });
    expect_found(all, "a payload that nobody has published",
                 [&](Log& log) { find_middle(log, nth).message().payload += ' '; });
    expect_found(all, "text that was published as binary", [&](Log& log) {
      PayloadKind& kind = find_middle(log, nth).message().payload_kind;
      kind = kind == PayloadKind::binary ? PayloadKind::text : PayloadKind::binary;
    });
    expect_found(all, "another epoch", [&](Log& log) { find_middle(log, nth).message().place.epoch = "aaaaaaaa"; });
    expect_found(all, "another time", [&](Log& log) { ++find_middle(log, nth).message().time_ms; });
    expect_found(all, "a gap where the history holds everything", [&](Log& log) {
      const Middle at = find_middle(log, nth);
      Told& told = at.message();
      told.kind = Kind::gap;
      told.gap_from = told.place.offset;
      told.gap_reason = "expired";
    });
  }
  expect_found(all, "a client that stopped early", [](Log& log) {
    const std::uint32_t client = log.visits.front().client;
    const auto last = std::find_if(log.visits.rbegin(), log.visits.rend(), [&](const Visit& each) {
      return each.client == client && std::any_of(each.told.begin(), each.told.end(),
                                                  [](const Told& told) { return told.kind == Kind::message; });
    });
    log.visits.erase(std::prev(last.base()), log.visits.end());
  });
  expect_found(all, "a message acknowledged at another offset", [](Log& log) {
    for (Publication& each : log.publications) {
      if (each.acknowledged) return static_cast<void>(++each.acknowledged->offset);
    }
  });
  expect_found(all, "a message that was never acknowledged", [](Log& log) {
    for (Publication& each : log.publications) {
      if (each.resent_until_acknowledged) return each.acknowledged.reset();
    }
  });
  expect_found(all, "a head that lies elsewhere", [](Log& log) { ++log.heads.front().place.offset; });
  expect_found(all, "a subscription from now that starts in the past", [](Log& log) {
    for (Visit& visit : log.visits) {
      if (visit.door != Door::ws || !visit.since.front().epoch.empty() || visit.told.empty()) continue;
      if (visit.told.front().place.offset < 50) continue;
      visit.told.front().place.offset -= 20;
      visit.told.resize(1);
      return;
    }
    log.heads.clear();
  });
}

TEST_F(Falsified, GapsAreMissed) {
  const ReconnectRun brief = run(ReconnectOptions::Kept::brief);
  ASSERT_TRUE(check(brief.log, brief.history).problems.empty());
  const auto with_gap = [](Log& log) -> std::pair<Visit*, Told*> {
    for (Visit& visit : log.visits) {
      for (Told& told : visit.told) {
        if (told.kind == Kind::gap) return {&visit, &told};
      }
    }
    ADD_FAILURE() << "the run has no gap";
    return {};
  };
  expect_found(brief, "a gap that is longer", [&](Log& log) { ++with_gap(log).second->place.offset; });
  expect_found(brief, "a gap that begins later", [&](Log& log) { ++with_gap(log).second->gap_from; });
  expect_found(brief, "a gap that was not announced", [&](Log& log) {
    const auto [visit, gap] = with_gap(log);
    visit->told.erase(visit->told.begin() + (gap - visit->told.data()));
  });
  expect_found(brief, "another reason", [&](Log& log) { with_gap(log).second->gap_reason = "too_far"; });

  // The model itself: a run must be judged by the history that it had.
  const auto found = [&](const History& history) { return !check(brief.log, history).problems.empty(); };
  EXPECT_TRUE(found({.messages = 500, .age_ms = brief.history.age_ms * 10}));
  EXPECT_TRUE(found({.messages = 20, .age_ms = brief.history.age_ms}));
  EXPECT_TRUE(found({.messages = brief.history.messages, .age_ms = 20}));
}

TEST(Timeline, KnowsOnlyWhatItWasTold) {
  const auto at = [](std::int64_t us) { return Clock::kStart + std::chrono::microseconds(us); };
  const std::int64_t wall = Clock::wall_at(Clock::kStart).ms;
  Timeline timeline;
  timeline.learn(1, wall + 1);
  timeline.learn(2, wall + 2);
  timeline.learn(4, wall + 10);
  ASSERT_TRUE(timeline.finish(5));  // 3 lies between 2 and 10, 5 after 10
  EXPECT_EQ(timeline.count_surely(at(500)), 0U);
  EXPECT_EQ(timeline.count_perhaps(at(500)), 0U);
  EXPECT_EQ(timeline.count_surely(at(1500)), 0U);
  EXPECT_EQ(timeline.count_perhaps(at(1500)), 1U);
  EXPECT_EQ(timeline.count_surely(at(5000)), 2U);
  EXPECT_EQ(timeline.count_perhaps(at(5000)), 3U);
  EXPECT_EQ(timeline.count_surely(at(11000)), 4U);
  EXPECT_EQ(timeline.count_perhaps(at(11000)), 5U);

  // Two messages and 5 ms. Message 1 (ms 1) is too old after ms 6, and too many from the third on.
  EXPECT_TRUE(timeline.surely_held(0, at(1500), 2, 5));
  EXPECT_FALSE(timeline.surely_held(0, at(3500), 2, 5));  // 3 may be there
  EXPECT_FALSE(timeline.surely_lost(0, at(3500), 2, 5));
  EXPECT_FALSE(timeline.surely_lost(0, at(6999), 2, 5));
  EXPECT_TRUE(timeline.surely_lost(0, at(7000), 2, 5));
  EXPECT_TRUE(timeline.surely_lost(0, at(11000), 2, 500));
  EXPECT_TRUE(timeline.surely_held(5, at(99000), 2, 5));  // nothing after it can be missed

  using Answer = Timeline::Answer;
  EXPECT_EQ(timeline.judge(0, 3, at(0), at(11000), 2, 500), Answer::lost);  // too many
  EXPECT_EQ(timeline.judge(0, 2, at(0), at(5999), 2, 5), Answer::held);
  EXPECT_EQ(timeline.judge(0, 2, at(0), at(6000), 2, 5), Answer::either);  // perhaps too old by the end
  EXPECT_EQ(timeline.judge(0, 2, at(7000), at(9000), 2, 5), Answer::lost);
  EXPECT_EQ(timeline.judge(3, 4, at(0), at(99000), 2, 500), Answer::held);
  EXPECT_EQ(timeline.judge(5, 5, at(0), at(99000), 2, 5), Answer::held);  // nothing is missed

  Timeline stepped;
  stepped.learn(1, wall + 1);
  stepped.learn(2, wall + 99'000);
  ASSERT_TRUE(stepped.finish(2, Timeline::WallClock::stepped));  // says nothing of instants
  EXPECT_EQ(stepped.count_surely(at(500'000)), 0U);
  EXPECT_EQ(stepped.count_perhaps(at(500)), 2U);
  EXPECT_TRUE(stepped.surely_held(0, at(500), History{}.messages, History{}.age_ms));

  Timeline backwards;
  backwards.learn(1, wall + 5);
  backwards.learn(2, wall + 4);
  EXPECT_FALSE(backwards.finish(2));
  Timeline beyond;
  beyond.learn(3, wall);
  EXPECT_FALSE(beyond.finish(2));
}

}  // namespace
}  // namespace sim
