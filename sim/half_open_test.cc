// Peers that vanish without a word: found by pings, heartbeats and the kernel, in virtual time (T15).
#include <gtest/gtest.h>

#include <memory>

#include "sim/clients/watcher.h"
#include "sim/ledger.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

WorldOptions options(std::uint64_t seed) {
  WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(1 + seed % 4)};
  options.server.dev = true;
  return options;
}

// Our pings alone, as behind a proxy that keeps its side of the connection open.
TEST(HalfOpen, AWebSocketIsGoneWithinAMinute) {
  const Link link{.unacknowledged_max = base::Duration::max(), .silence_max = base::Duration::max()};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(options(seed));
    Crowd crowd(world);
    std::vector<std::unique_ptr<Watcher>> watchers;
    for (std::uint64_t i = 0; i < 8; ++i) {
      const Door door = i % 2 == 0 ? Door::ws : Door::ws_raw;
      watchers.push_back(
          std::make_unique<Watcher>(crowd, door, std::vector<std::string>{"news"}, link, seed * 100 + i));
    }
    world.run_for(std::chrono::seconds(1 + seed * 3));
    EXPECT_EQ(world.shared().admission.connections(), 8U);
    for (std::size_t i = 0; i < 4; ++i) watchers[i]->wire().go_dark();
    world.run_for(60s);
    EXPECT_EQ(world.shared().admission.connections(), 4U) << "seed " << seed;
    EXPECT_EQ(world.errors(base::Error::dead_peer), 4U);
    // Who answers pings stays.
    world.run_for(10min);
    EXPECT_EQ(world.shared().admission.connections(), 4U);
    for (std::size_t i = 4; i < 8; ++i) watchers[i]->wire().close(loop::CloseMode::graceful);
    world.run_for(10s);
    expect_nobody_left(world);
  }
}

// An event stream has no pings; its heartbeats meet a kernel that waits 30 s for their acknowledgement.
TEST(HalfOpen, AnEventStreamIsGoneWithinAMinute) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(options(seed));
    Crowd crowd(world);
    Watcher watcher(crowd, Door::sse, {"news"}, {}, seed);
    world.run_for(std::chrono::seconds(1 + seed * 3));
    watcher.wire().go_dark();
    world.run_for(60s);
    expect_nobody_left(world);
  }
}

// A poll is answered at its timeout at the latest; the answer meets the same kernel.
TEST(HalfOpen, ALongPollIsGoneAfterItsTimeout) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(options(seed));
    Crowd crowd(world);
    Watcher first(crowd, Door::poll, {"news"}, {}, seed);
    ASSERT_TRUE(world.run_until([&] { return first.over(); }, 1s));
    Watcher watcher(crowd, Door::poll, {"news"}, {}, seed, first.places(), {.poll_timeout_s = 20});
    first.wire().close(loop::CloseMode::graceful);
    world.run_for(std::chrono::seconds(seed % 15));
    watcher.wire().go_dark();
    world.run_for(51s);
    expect_nobody_left(world);
  }
}

}  // namespace
}  // namespace sim
