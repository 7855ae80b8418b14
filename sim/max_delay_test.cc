// Channels whose deliveries may wait for each other: they leave at the deadline and not later, together, and none is
// lost when the wait is cut short by a reload or by the end of the server.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "sim/clients/publisher.h"
#include "sim/clients/watcher.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

struct MaxDelay : testing::TestWithParam<std::uint64_t> {
  static WorldOptions options(base::Duration max_delay) {
    WorldOptions options{.seed = GetParam(), .workers = static_cast<std::uint16_t>(1 + GetParam() % 4)};
    options.held_up_per_10000_turns = 0;
    options.server.dev = true;
    options.server.namespaces = {{.history_messages_max = 0, .max_delay = max_delay}};
    return options;
  }
};

// Some watchers of "news" through every door that stays open.
class Audience {
 public:
  Audience(World& world, Crowd& crowd, std::size_t count) : world_(world) {
    for (std::size_t i = 0; i < count; ++i) {
      const Door door = std::array{Door::ws, Door::ws_raw, Door::sse}[i % 3];
      watchers_.push_back(
          std::make_unique<Watcher>(crowd, door, std::vector<std::string>{"news"}, kLink, world.seed() * 1000 + i));
    }
    world.run_for(1s);  // raw ones are not told that they have started
  }
  bool saw(std::uint64_t head) const {
    for (const auto& each : watchers_) {
      if (!each->saw_everything(head)) return false;
    }
    return true;
  }
  std::uint64_t messages() const {
    std::uint64_t sum = 0;
    for (const auto& each : watchers_) sum += each->messages();
    return sum;
  }
  std::uint64_t mails() const {
    return world_.count([](const server::Counters& each) -> auto& { return each.mail_deliveries; });
  }
  std::uint64_t blocks() const {
    return world_.count([](const server::Counters& each) -> auto& { return each.fan_out_blocks; });
  }

  static constexpr Link kLink{};

 private:
  World& world_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
};

TEST_P(MaxDelay, MessagesLeaveTogetherAndNotLate) {
  World world(options(20ms));
  Crowd crowd(world);
  Audience audience(world, crowd, 12);
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .pause_max = 1ms, .cut_percent = 0}, log, GetParam());
  ASSERT_TRUE(world.run_until([&] { return !log.publications.empty() && log.publications[0].acknowledged; }, 1s));
  const base::Instant answered = log.publications[0].answered;
  EXPECT_LT(answered - log.publications[0].sent, 10ms) << "an answer does not wait";
  ASSERT_TRUE(world.run_until([&] { return audience.messages() > 0; }, 1s));
  EXPECT_GT(world.now() - log.publications[0].sent, 20ms);
  EXPECT_LT(world.now() - answered, 20ms + 5ms) << "the deadline of the first, and the way to the client";
  world.run_for(400ms);
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 1s));
  const std::uint64_t head = log.publications.size();
  ASSERT_GT(head, 100U);
  ASSERT_TRUE(world.run_until([&] { return audience.saw(head); }, 100ms));
  // One per window and interested worker; three wire formats at most in each.
  const std::uint64_t windows = 500 / 20 + head / 64 + 1;
  EXPECT_LE(audience.mails(), windows * (world.workers().size() - 1));
  EXPECT_LE(audience.blocks(), windows * world.workers().size() * 3);
}

TEST_P(MaxDelay, AReloadEndsTheWait) {
  World world(options(1s));
  Crowd crowd(world);
  Audience audience(world, crowd, 6);
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .cut_percent = 0}, log, GetParam());
  ASSERT_TRUE(world.run_until([&] { return log.publications.size() >= 10; }, 1s));
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 1s));
  EXPECT_EQ(audience.messages(), 0U);
  auto snapshot = server::Snapshot::make(options(0s).server, 2, loop::TicketKeys{});
  ASSERT_TRUE(snapshot);
  world.shared().replace(*std::move(snapshot));
  EXPECT_TRUE(world.run_until([&] { return audience.saw(log.publications.size()); }, 200ms));
}

// What was accepted before the end is delivered before anybody is told to go, though it waits on another worker.
TEST_P(MaxDelay, TheEndOfTheServerEndsTheWait) {
  World world(options(1s));
  Crowd crowd(world);
  Audience audience(world, crowd, 9);
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .cut_percent = 0}, log, GetParam());
  ASSERT_TRUE(world.run_until([&] { return log.publications.size() >= 30; }, 1s));
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 1s));
  EXPECT_EQ(audience.messages(), 0U);
  world.shared().drain();
  EXPECT_TRUE(world.run_until([&] { return audience.saw(log.publications.size()); }, 500ms));
  const auto drained = [&] {
    for (const auto& worker : world.workers()) {
      if (!worker->drained()) return false;
    }
    return true;
  };
  EXPECT_TRUE(world.run_until(drained, 5s + 200ms));
}

INSTANTIATE_TEST_SUITE_P(Seeds, MaxDelay, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace sim
