// Clients that keep no rule, while others do (T20): no assertion, nothing left behind, and whoever behaves hears
// everything.
#include <gtest/gtest.h>

#include <memory>

#include "sim/clients/publisher.h"
#include "sim/clients/vandal.h"
#include "sim/clients/watcher.h"
#include "sim/ledger.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kScripts = 10'000;
constexpr std::uint64_t kVandals = 25;

struct Chaos : testing::TestWithParam<std::uint64_t> {};

TEST_P(Chaos, HarmsNobodyAndLeavesNothing) {
  const std::uint64_t seed = GetParam();
  WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(1 + seed % 4)};
  options.mailbox = {.credits = static_cast<std::uint32_t>(1 + seed % 7),
                     .consequences = static_cast<std::uint32_t>(1 + seed % 5)};
  options.server.dev = true;
  options.server.deflate_context_takeover = seed % 2 == 0;
  options.server.new_channels_per_s_max = 1'000'000;
  options.server.channel_idle = 2s;
  options.server.namespaces = {{.history_messages_max = 1'000'000,
                                .history_bytes_max = 1 << 30,
                                .history_age_max = 200s,
                                .max_delay = seed % 2 == 0 ? 3ms : 0ms}};
  World world(options);
  Crowd crowd(world);
  const std::vector<std::string> channels{"one", "two", "three"};

  Watcher ws(crowd, Door::ws, {"calm"}, {}, seed), sse(crowd, Door::sse, {"calm"}, {}, seed);
  ASSERT_TRUE(world.run_until([&] { return ws.started() && sse.started(); }, 5s));
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"calm"}, .pause_max = 5ms, .cut_percent = 0}, log, seed);
  std::vector<std::unique_ptr<Vandal>> vandals;
  for (std::uint64_t i = 0; i < kVandals; ++i) {
    vandals.push_back(std::make_unique<Vandal>(crowd, channels, kScripts / kVandals, seed * kVandals + i));
  }
  ASSERT_TRUE(world.run_until(
      [&] {
        for (const auto& each : vandals) {
          if (!each->finished()) return false;
        }
        return true;
      },
      1h));
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 10s));
  world.run_for(1s);
  EXPECT_TRUE(ws.saw_everything(log.publications.size()));
  EXPECT_TRUE(sse.saw_everything(log.publications.size()));

  ws.wire().close(loop::CloseMode::graceful);
  sse.wire().close(loop::CloseMode::graceful);
  publisher.close();
  world.run_for(150s);  // the last dark one is given up after 90 s, closing takes a few
  expect_nobody_left(world);
  world.run_for(60s);
  expect_no_channels(world);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Chaos, testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace sim
