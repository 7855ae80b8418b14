// Draining: whoever is connected is told to come back, with everything that was queued for it delivered; requests under
// way are answered; nobody new gets in; and it is over in time even if somebody does not read.
#include <gtest/gtest.h>

#include <memory>

#include "sim/clients/publisher.h"
#include "sim/clients/watcher.h"
#include "sim/ledger.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

struct Drain : testing::TestWithParam<std::uint64_t> {
  static bool drained(World& world) {
    for (const auto& worker : world.workers()) {
      if (!worker->drained()) return false;
    }
    return true;
  }
};

TEST_P(Drain, TellsEverybodyAndLosesNothing) {
  const std::uint64_t seed = GetParam();
  WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(1 + seed % 4)};
  options.server.dev = true;
  World world(options);
  Crowd crowd(world);
  std::vector<std::unique_ptr<Watcher>> watchers;
  const int count = seed % 3 == 0 ? 100 : 10;
  for (int i = 0; i < count; ++i) {
    const Door door = std::array{Door::ws, Door::ws_raw, Door::sse}[static_cast<std::size_t>(i) % 3];
    watchers.push_back(std::make_unique<Watcher>(crowd, door, std::vector<std::string>{"news"}, Link{},
                                                 seed * 1000 + static_cast<std::uint64_t>(i)));
  }
  world.run_for(1s);
  Watcher asking(crowd, Door::poll, {"news"}, {}, seed);
  ASSERT_TRUE(world.run_until([&] { return asking.over(); }, 1s));
  Watcher poll(crowd, Door::poll, {"news"}, {}, seed, asking.places());
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .cut_percent = 0}, log, seed);
  ASSERT_TRUE(world.run_until([&] { return log.publications.size() > 50; }, 10s));

  const base::Instant begin = world.now();
  world.shared().drain();
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 1s)) << "a request was not answered";
  const std::uint64_t head = log.publications.size();
  ASSERT_TRUE(world.run_until([&] { return drained(world); }, 5s + 200ms));
  EXPECT_LT(world.now() - begin, 5s) << "everybody reads, so it is over before its time";
  world.run_for(1s);
  for (const auto& each : watchers) {
    EXPECT_TRUE(each->lost());
    // Those who were closed last have seen everything; nobody has a hole before its end.
    EXPECT_TRUE(each->messages() == 0 || each->saw_everything(each->visit().told.back().place.offset));
    EXPECT_LE(each->messages(), head);
    if (each->visit().door == Door::sse) {
      EXPECT_EQ(each->visit().end, Visit::End::by_server);
    } else {
      EXPECT_EQ(each->visit().code, 1012);
      EXPECT_TRUE(each->visit().reason.starts_with("E_DRAINING {")) << each->visit().reason;
    }
  }
  EXPECT_EQ(poll.visit().end, Visit::End::answered);
  Watcher late(crowd, Door::ws, {"news"}, {}, seed);
  world.run_for(1s);
  EXPECT_TRUE(late.lost());
  EXPECT_FALSE(late.started());
}

TEST_P(Drain, IsOverInTimeWhoeverDoesNotRead) {
  const std::uint64_t seed = GetParam();
  WorldOptions options{.seed = seed, .workers = 2};
  options.server.dev = true;
  World world(options);
  Crowd crowd(world);
  const Link thin{.window_bytes = 2000};
  Watcher deaf(crowd, Door::ws, {"news"}, thin, seed), dark(crowd, Door::sse, {"news"}, thin, seed);
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .cut_percent = 0}, log, seed);
  world.run_until([&] { return deaf.started() && dark.started(); }, 1s);
  deaf.be_deaf(true);
  dark.wire().go_dark();
  world.run_for(1s);
  world.shared().drain();
  ASSERT_TRUE(world.run_until([&] { return drained(world); }, 5s + 200ms));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Drain, testing::Range<std::uint64_t>(1, 31));

}  // namespace
}  // namespace sim
