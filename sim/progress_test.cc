// Mailboxes with room for one: whatever waits for whatever, everything is answered and everybody hears everything.
#include <gtest/gtest.h>

#include <memory>

#include "sim/clients/publisher.h"
#include "sim/clients/watcher.h"
#include "sim/ledger.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

struct Progress : testing::TestWithParam<std::uint64_t> {};

TEST_P(Progress, WithRoomForOneMailNothingWaitsForEver) {
  const std::uint64_t seed = GetParam();
  WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(2 + seed % 3)};
  options.mailbox = {.credits = 1, .consequences = 1};
  options.held_up_per_10000_turns = 100;
  options.server.dev = true;
  options.server.namespaces = {{.history_messages_max = 100'000, .history_bytes_max = 1 << 30}};
  World world(options);
  Crowd crowd(world);
  std::vector<std::string> channels;
  for (int i = 0; i < 6; ++i) channels.push_back("room " + std::to_string(i));
  Log log;
  std::vector<std::unique_ptr<Watcher>> watchers;
  std::vector<std::unique_ptr<HttpPublisher>> publishers;
  for (std::uint64_t i = 0; i < 12; ++i) {
    watchers.push_back(std::make_unique<Watcher>(crowd, i % 2 == 0 ? Door::ws : Door::sse,
                                                 std::vector<std::string>{channels[i % channels.size()]}, Link{},
                                                 seed + i));
  }
  ASSERT_TRUE(world.run_until(
      [&] {
        for (const auto& each : watchers) {
          if (!each->started()) return false;
        }
        return true;
      },
      10s));
  for (std::uint64_t i = 0; i < 4; ++i) {
    publishers.push_back(std::make_unique<HttpPublisher>(
        crowd, PublisherPlan{.channels = channels, .pipeline_max = 32, .cut_percent = 0}, log, seed * 10 + i));
  }
  ASSERT_TRUE(world.run_until([&] { return log.publications.size() > 2000; }, 60s));
  for (const auto& each : publishers) each->stop();
  const auto all_answered = [&] {
    for (const auto& each : publishers) {
      if (!each->finished()) return false;
    }
    return true;
  };
  ASSERT_TRUE(world.run_until(all_answered, 10s));
  std::map<std::string, std::uint64_t> heads;
  for (const Publication& each : log.publications) {
    heads[each.channel] = std::max(heads[each.channel], each.acknowledged->offset);
  }
  const auto all_heard = [&] {
    for (const auto& each : watchers) {
      if (each->places().front().offset != heads[each->visit().channels.front()]) return false;
    }
    return true;
  };
  ASSERT_TRUE(world.run_until(all_heard, 10s));
  for (const auto& each : watchers) EXPECT_TRUE(each->saw_everything(heads[each->visit().channels.front()]));
  watchers.clear();
  publishers.clear();
  world.run_for(1s);
  expect_nobody_left(world);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Progress, testing::Range<std::uint64_t>(1, 31));

}  // namespace
}  // namespace sim
