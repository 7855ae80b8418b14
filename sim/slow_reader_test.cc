// Clients that do not read: closed within the caps of their queue, in bytes and in time, with the reason; whoever reads
// loses nothing by it (T11, T14, F23).
#include <gtest/gtest.h>

#include <memory>

#include "sim/clients/publisher.h"
#include "sim/clients/watcher.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

struct SlowReader : testing::TestWithParam<std::tuple<Door, std::uint64_t>> {
  Door door() const { return std::get<0>(GetParam()); }
  std::uint64_t seed() const { return std::get<1>(GetParam()); }

  static WorldOptions options(std::uint64_t seed) {
    WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(1 + seed % 4)};
    options.mailbox = {.credits = 4, .consequences = 2};
    options.server.dev = true;
    options.server.queue_bytes_max = 64 * 1024;
    options.server.namespaces = {{.history_messages_max = 1'000'000, .history_bytes_max = 1 << 30}};
    return options;
  }
  std::vector<std::unique_ptr<Watcher>> watch(Crowd& crowd, int count, const Link& link) {
    std::vector<std::unique_ptr<Watcher>> watchers;
    for (int i = 0; i < count; ++i) {
      watchers.push_back(std::make_unique<Watcher>(crowd, door(), std::vector<std::string>{"news"}, link,
                                                   seed() + static_cast<std::uint64_t>(i)));
    }
    return watchers;
  }
  static bool all_started(const std::vector<std::unique_ptr<Watcher>>& watchers) {
    for (const auto& each : watchers) {
      if (!each->started()) return false;
    }
    return true;
  }
  static std::uint64_t slow_ones(const World& world) { return world.errors(base::Error::slow_consumer); }
  void expect_told_why(const Watcher& slow) const {
    if (door() == Door::ws) {
      EXPECT_EQ(slow.visit().code, 4408);
      EXPECT_TRUE(slow.visit().reason.starts_with("E_SLOW_CONSUMER"));
    }
  }
};

TEST_P(SlowReader, IsClosedWhenItsQueueIsFullAndOthersLoseNothing) {
  World world(options(seed()));
  Crowd crowd(world);
  const Link link{.window_bytes = 16 * 1024};
  auto healthy = watch(crowd, 4, link);
  auto slow = watch(crowd, 2, link);
  ASSERT_TRUE(world.run_until([&] { return all_started(healthy) && all_started(slow); }, 10s));
  for (const auto& each : slow) each->be_deaf(true);

  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .link = link, .payload_bytes_max = 4000, .cut_percent = 0}, log,
                          seed());
  std::uint64_t queued_max = 0;
  ASSERT_TRUE(world.run_until(
      [&] {
        queued_max =
            std::max(queued_max, world.count([](const server::Counters& each) -> auto& { return each.queue_bytes; }));
        return slow_ones(world) == slow.size();
      },
      60s));
  EXPECT_LE(queued_max, (slow.size() + healthy.size()) * 64 * 1024);

  // Who begins to read in time hears why, after the messages that were under way.
  for (const auto& each : slow) each->be_deaf(false);
  ASSERT_TRUE(world.run_until([&] { return slow[0]->lost() && slow[1]->lost(); }, 10s));
  for (const auto& each : slow) {
    expect_told_why(*each);
    EXPECT_TRUE(each->messages() == 0 || each->saw_everything(each->places().front().offset));
    EXPECT_LT(each->places().front().offset, log.publications.size());
  }
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 10s));
  world.run_for(1s);
  for (const auto& each : healthy) {
    EXPECT_FALSE(each->over());
    EXPECT_TRUE(each->saw_everything(log.publications.size()));
  }
  EXPECT_EQ(slow_ones(world), slow.size());

  // The position it was left at is good for going on without a hole.
  Watcher again(crowd, Door::ws, {"news"}, link, seed(), {slow[0]->places()});
  world.run_for(2s);
  EXPECT_TRUE(again.saw_everything(log.publications.size()));
}

TEST_P(SlowReader, IsClosedWhenNothingCouldBeWrittenForTooLong) {
  World world(options(seed()));
  Crowd crowd(world);
  auto slow = watch(crowd, 1, {.window_bytes = 1000});
  auto healthy = watch(crowd, 1, {});
  ASSERT_TRUE(world.run_until([&] { return all_started(slow) && all_started(healthy); }, 10s));
  slow[0]->be_deaf(true);
  Log log;
  HttpPublisher publisher(
      crowd, {.channels = {"news"}, .link = {}, .payload_bytes_max = 2000, .pause_max = 2s, .cut_percent = 0}, log,
      seed());
  // From the moment that its window is full.
  ASSERT_TRUE(world.run_until(
      [&] { return world.count([](const server::Counters& each) -> auto& { return each.queue_bytes; }) > 0; }, 60s));
  const base::Instant full = world.now();
  ASSERT_TRUE(world.run_until([&] { return slow_ones(world) == 1; }, 20s));
  EXPECT_GE(world.now() - full, 9s);
  EXPECT_LE(world.now() - full, 11s);
  // It never reads: the connection is gone soon after, Close or not.
  ASSERT_TRUE(world.run_until([&] { return world.shared().admission.connections() == 2; }, 6s));
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 10s));
  world.run_for(1s);
  EXPECT_TRUE(healthy[0]->saw_everything(log.publications.size()));
}

INSTANTIATE_TEST_SUITE_P(Doors, SlowReader,
                         testing::Combine(testing::Values(Door::ws, Door::sse), testing::Range<std::uint64_t>(1, 21)));

// Catch-up is paced by the reader and never counts as slow, however long it takes.
TEST(SlowReplay, IsNotSlowReading) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    World world(SlowReader::options(seed));
    Crowd crowd(world);
    Log log;
    HttpPublisher publisher(crowd, {.channels = {"news"}, .payload_bytes_max = 3000, .cut_percent = 0}, log, seed);
    world.run_until([&] { return log.publications.size() == 2000; }, 60s);
    publisher.stop();
    ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 10s));
    const Place beginning{log.publications.front().acknowledged->epoch, 0};
    const Link thin{.latency_min = 1ms, .latency_max = 5ms, .window_bytes = 2000};
    Watcher ws(crowd, Door::ws, {"news"}, thin, seed, {beginning});
    Watcher sse(crowd, Door::sse, {"news"}, thin, seed, {beginning});
    EXPECT_TRUE(world.run_until(
        [&] { return ws.places().front().offset == 2000 && sse.places().front().offset == 2000; }, 120s));
    EXPECT_TRUE(ws.saw_everything(2000));
    EXPECT_TRUE(sse.saw_everything(2000));
    EXPECT_EQ(SlowReader::slow_ones(world), 0U);
  }
}

}  // namespace
}  // namespace sim
