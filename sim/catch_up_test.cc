// Catch-up on a quiet server goes at the speed of the reader: no page waits for something else to happen.
#include <gtest/gtest.h>

#include "sim/clients/publisher.h"
#include "sim/clients/watcher.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

struct CatchUp : testing::TestWithParam<std::uint64_t> {};

TEST_P(CatchUp, NoPageWaitsForSomethingElseToHappen) {
  const std::uint64_t seed = GetParam();
  WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(1 + seed % 3)};
  options.server.dev = true;
  options.server.queue_bytes_max = 64 * 1024;  // pages of 16 KiB
  options.server.namespaces = {{.history_messages_max = 1'000'000, .history_bytes_max = 1 << 30}};
  options.held_up_per_10000_turns = 0;
  World world(options);
  Crowd crowd(world);
  Log log;
  const Link wide{.latency_max = 100us, .window_bytes = 1 << 20, .short_percent = 0};
  HttpPublisher publisher(
      crowd, {.channels = {"news"}, .link = wide, .payload_bytes_max = 8000, .pipeline_max = 8, .cut_percent = 0}, log,
      seed);
  ASSERT_TRUE(world.run_until([&] { return log.publications.size() >= 5000; }, 60s));
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 10s));
  publisher.close();
  world.run_for(1s);

  const Place beginning{log.publications.front().acknowledged->epoch, 0};
  for (const Door door : {Door::ws, Door::sse, Door::ws_raw}) {
    Watcher watcher(crowd, door, {"news"}, wide, seed, {beginning});
    const base::Instant begin = world.now();
    ASSERT_TRUE(world.run_until([&] { return watcher.places().front().offset == log.publications.size(); }, 60s));
    EXPECT_TRUE(watcher.saw_everything(log.publications.size()));
    EXPECT_LT(world.now() - begin, 100ms) << name_of(door);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CatchUp, testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace sim
