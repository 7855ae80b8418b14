// Clients that stop reading, on channels whose slow readers are not closed: every message comes or lies in an announced
// gap, in order; once they read again they stand at the head without another publish, and a conflated channel shows its
// newest message; the counters are what the clients saw.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "sim/clients/publisher.h"
#include "sim/clients/watcher.h"

namespace sim {
namespace {

using namespace std::chrono_literals;
using hub::GapReason;
using hub::SlowReader;

enum class Line : std::uint8_t { ws, ws_compressed, sse, sse_of_two };

// What a visit was told of each channel, and whether nothing is missing in it.
struct Story {
  std::uint64_t messages = 0, missed = 0;
  std::vector<std::uint64_t> next;     // by channel
  std::vector<bool> ends_with_newest;  // the last it was told of the channel is a message
};

Story read(const Visit& visit, GapReason expected) {
  Story story{.next = std::vector<std::uint64_t>(visit.channels.size()),
              .ends_with_newest = std::vector<bool>(visit.channels.size())};
  std::string reason = expected == GapReason::conflated ? "conflated" : "slow_reader";
  for (const Told& told : visit.told) {
    std::uint64_t& next = story.next[told.channel];
    switch (told.kind) {
      case Told::Kind::start:
        next = told.place.offset + 1;
        break;
      case Told::Kind::message:
        EXPECT_TRUE(next == 0 || next == told.place.offset);  // 0: a start is told by the first cursor
        next = told.place.offset + 1;
        ++story.messages;
        break;
      case Told::Kind::gap:
        EXPECT_TRUE(next == 0 || next == told.gap_from);
        EXPECT_LE(told.gap_from, told.place.offset);
        EXPECT_EQ(told.gap_reason, reason);
        next = told.place.offset + 1;
        story.missed += told.place.offset + 1 - told.gap_from;
        break;
      case Told::Kind::cursor:
        for (std::size_t channel = 0; channel < told.cursor.size(); ++channel) {
          EXPECT_TRUE(story.next[channel] == 0 || story.next[channel] == told.cursor[channel].offset + 1);
          story.next[channel] = told.cursor[channel].offset + 1;
        }
        continue;
    }
    story.ends_with_newest[told.channel] = told.kind == Told::Kind::message;
    for (std::size_t channel = 0; channel < told.cursor.size(); ++channel) {
      EXPECT_TRUE(told.cursor[channel].epoch.empty() || story.next[channel] == told.cursor[channel].offset + 1);
    }
  }
  return story;
}

struct SlowPolicy : testing::TestWithParam<std::tuple<SlowReader, Line, std::uint64_t>> {};

TEST_P(SlowPolicy, EverythingComesOrIsAnnounced) {
  const auto [policy, line, seed] = GetParam();
  WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(1 + seed % 3)};
  options.mailbox = {.credits = 4, .consequences = 2};
  options.server.dev = true;
  options.server.queue_bytes_max = 32 * 1024;
  options.server.queue_messages_max = 256;
  options.server.deflate_context_takeover = true;
  options.server.namespaces = {{.slow_reader = policy}};
  World world(options);
  Crowd crowd(world);
  const std::vector<std::string> channels =
      line == Line::sse_of_two ? std::vector<std::string>{"news", "more"} : std::vector<std::string>{"news"};
  const Door door = line == Line::sse || line == Line::sse_of_two ? Door::sse : Door::ws;
  const DoorOptions door_options{.deflate = line == Line::ws_compressed};
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (std::uint64_t i = 0; i < 6; ++i) {
    // The last two are never deaf, but can read little at a time.
    const Link link =
        i < 4 ? Link{.window_bytes = 8 * 1024} : Link{.latency_min = 5ms, .latency_max = 20ms, .window_bytes = 1500};
    watchers.push_back(
        std::make_unique<Watcher>(crowd, door, channels, link, seed * 100 + i, std::vector<Place>{}, door_options));
  }
  const auto all_started = [&] {
    return std::all_of(watchers.begin(), watchers.end(), [](const auto& each) { return each->started(); });
  };
  ASSERT_TRUE(world.run_until(all_started, 10s));
  Log log;
  HttpPublisher publisher(crowd, {.channels = channels, .payload_bytes_max = 6000, .pause_max = 2ms, .cut_percent = 0},
                          log, seed);
  for (int round = 0; round < 12; ++round) {
    for (std::size_t i = 0; i < 3; ++i) watchers[i]->be_deaf(world.entropy().below(2) == 0);
    world.run_for(std::chrono::milliseconds(world.entropy().below(500)));
  }
  for (std::size_t i = 0; i < 2; ++i) watchers[i]->be_deaf(true);
  world.run_for(2s);
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 10s));
  for (const auto& each : watchers) each->be_deaf(false);
  world.run_for(5s);

  EXPECT_EQ(world.errors(base::Error::slow_consumer), 0U);
  const GapReason reason = policy == SlowReader::conflate ? GapReason::conflated : GapReason::slow_reader;
  std::uint64_t messages = 0, missed = 0;
  for (std::size_t i = 0; i < watchers.size(); ++i) {
    ASSERT_FALSE(watchers[i]->over());
    const Story story = read(watchers[i]->visit(), reason);
    for (std::size_t channel = 0; channel < channels.size(); ++channel) {
      const auto head = static_cast<std::uint64_t>(
          std::count_if(log.publications.begin(), log.publications.end(),
                        [&](const Publication& each) { return each.channel == channels[channel]; }));
      EXPECT_EQ(story.next[channel], head + 1) << "watcher " << i;
      if (policy == SlowReader::conflate) {
        EXPECT_TRUE(story.ends_with_newest[channel]) << "watcher " << i;
      }
    }
    if (i < 2) {
      EXPECT_GT(story.missed, 0U);
    }
    messages += story.messages;
    missed += story.missed;
  }
  EXPECT_EQ(world.count([](const server::Counters& each) -> auto& { return each.messages_out; }), messages);
  EXPECT_EQ(
      world.count([&](const server::Counters& each) -> auto& { return each.missed[static_cast<std::size_t>(reason)]; }),
      missed);
  for (const auto& worker : world.workers()) EXPECT_EQ(worker->fan_out().lagging(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Policies, SlowPolicy,
                         testing::Combine(testing::Values(SlowReader::drop, SlowReader::conflate),
                                          testing::Values(Line::ws, Line::ws_compressed, Line::sse, Line::sse_of_two),
                                          testing::Range<std::uint64_t>(1, 9)));

struct SlowPolicyEnds : testing::TestWithParam<SlowReader> {
  WorldOptions options{.seed = 5, .workers = 1};
  void SetUp() override {
    options.server.dev = true;
    options.server.queue_bytes_max = 32 * 1024;
    options.server.namespaces = {{.slow_reader = GetParam()}};
  }
};

// Who reads nothing at all is closed whatever the policy, and until then its queue stays within its cap.
TEST_P(SlowPolicyEnds, WhoReadsNothingIsClosedAllTheSame) {
  World world(options);
  Crowd crowd(world);
  Watcher slow(crowd, Door::ws, {"news"}, {.window_bytes = 1000}, 1);
  ASSERT_TRUE(world.run_until([&] { return slow.started(); }, 10s));
  slow.be_deaf(true);
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .payload_bytes_max = 3000, .pause_max = 10ms, .cut_percent = 0},
                          log, 1);
  const auto queued = [&] {
    return world.count([](const server::Counters& each) -> auto& { return each.queue_bytes; });
  };
  ASSERT_TRUE(world.run_until([&] { return queued() > 0; }, 60s));
  const base::Instant full = world.now();
  std::uint64_t most = 0;
  ASSERT_TRUE(world.run_until(
      [&] {
        most = std::max(most, queued());
        return world.errors(base::Error::slow_consumer) == 1;
      },
      20s));
  EXPECT_GE(world.now() - full, 9s);
  EXPECT_LE(world.now() - full, 11s);
  EXPECT_LE(most, GetParam() == SlowReader::conflate ? 16U * 1024 : 32U * 1024);
}

// A raw WebSocket has no words for a gap: it is closed when its queue is full.
TEST_P(SlowPolicyEnds, RawReadersAreClosed) {
  World world(options);
  Crowd crowd(world);
  Watcher raw(crowd, Door::ws_raw, {"news"}, {.window_bytes = 1000}, 1);
  Watcher told(crowd, Door::sse, {"news"}, {}, 2);
  ASSERT_TRUE(world.run_until([&] { return told.started(); }, 10s));
  world.run_for(1s);
  raw.be_deaf(true);
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .payload_bytes_max = 3000, .cut_percent = 0}, log, 1);
  ASSERT_TRUE(world.run_until([&] { return world.errors(base::Error::slow_consumer) == 1; }, 5s));
  raw.be_deaf(false);
  ASSERT_TRUE(world.run_until([&] { return raw.lost(); }, 10s));
  EXPECT_EQ(raw.visit().code, 4408);
}

INSTANTIATE_TEST_SUITE_P(Policies, SlowPolicyEnds, testing::Values(SlowReader::drop, SlowReader::conflate));

}  // namespace
}  // namespace sim
