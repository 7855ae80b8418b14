// Where a subscription starts, through every door: the last so many, from a time on, a position of an epoch that is
// gone.
#include <gtest/gtest.h>

#include <memory>

#include "sim/clients/caller.h"
#include "sim/clients/watcher.h"
#include "sim/ledger.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

struct Since : testing::TestWithParam<std::tuple<Door, std::uint64_t>> {
  Door door() const { return std::get<0>(GetParam()); }
  std::uint64_t seed() const { return std::get<1>(GetParam()); }

  WorldOptions options() const {
    WorldOptions options{.seed = seed(), .workers = static_cast<std::uint16_t>(1 + seed() % 4)};
    options.mailbox = {.credits = 2, .consequences = 1};
    options.server.dev = true;
    options.server.namespaces = {{}};
    return options;
  }

  // Publishes, 10 ms apart, texts that say which they are: "1", "2", ...
  static void publish(World& world, Crowd& crowd, const std::string& channel, int from, int to) {
    for (int each = from; each <= to; ++each) {
      const std::string body = std::to_string(each);
      Caller caller(crowd, {},
                    "POST /pub/" + channel + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
      ASSERT_TRUE(world.run_until([&] { return caller.answered(); }, 5s));
      ASSERT_EQ(caller.status(), 200);
      world.run_for(10ms);
    }
  }

  // What a new client is told until nothing more comes: payloads and gaps, by channel.
  std::vector<std::string> told(World& world, Crowd& crowd, const std::vector<std::string>& channels,
                                const std::string& since, const std::vector<Place>& places = {}) const {
    Watcher watcher(crowd, door(), channels, {}, seed(), places, {.since = since});
    if (door() == Door::poll) {
      EXPECT_TRUE(world.run_until([&] { return watcher.over(); }, 5s));
    } else {
      world.run_for(1s);
    }
    std::vector<std::string> lines(channels.size());
    for (const Told& each : watcher.visit().told) {
      std::string& line = lines[each.channel];
      if (each.kind == Told::Kind::message) line += each.payload + ' ';
      if (each.kind == Told::Kind::gap) {
        line += "gap " + std::to_string(each.gap_from) + ".." + std::to_string(each.place.offset) + ' ' +
                each.gap_reason + ' ';
      }
    }
    for (std::size_t i = 0; i < channels.size(); ++i) {
      lines[i] += "at " + std::to_string(watcher.places()[i].offset);
    }
    return lines;
  }
};

using Lines = std::vector<std::string>;

TEST_P(Since, TheLastSoMany) {
  World world(options());
  Crowd crowd(world);
  publish(world, crowd, "a", 1, 7);
  publish(world, crowd, "b", 1, 2);
  EXPECT_EQ(told(world, crowd, {"a"}, "-3"), Lines{"5 6 7 at 7"});
  EXPECT_EQ(told(world, crowd, {"a"}, "-100"), Lines{"1 2 3 4 5 6 7 at 7"});
  if (door() == Door::sse_raw) return;  // takes one channel
  if (door() == Door::poll) return;     // answers as soon as one channel has something, perhaps before the other
  EXPECT_EQ(told(world, crowd, {"a", "b"}, "-3"), (Lines{"5 6 7 at 7", "1 2 at 2"}));
}

TEST_P(Since, FromATimeOn) {
  World world(options());
  Crowd crowd(world);
  publish(world, crowd, "a", 1, 5);
  world.run_for(1s);
  const std::string time = std::to_string(world.clock().wall().ms);
  world.run_for(1s);
  publish(world, crowd, "a", 6, 8);
  EXPECT_EQ(told(world, crowd, {"a"}, time), Lines{"6 7 8 at 8"});
  EXPECT_EQ(told(world, crowd, {"a"}, "1000"), Lines{"1 2 3 4 5 6 7 8 at 8"});
  EXPECT_EQ(told(world, crowd, {"a"}, "2099-01-01T00:00:00Z"), Lines{"at 8"});
}

// A channel that nobody used for long is forgotten. With its tombstone it goes on counting where it was.
TEST_P(Since, ATombstoneKeepsThePosition) {
  WorldOptions with = options();
  with.server.channel_idle = 2s;
  with.server.namespaces[0].history_age_max = 1s;
  World world(with);
  Crowd crowd(world);
  publish(world, crowd, "a", 1, 5);
  Watcher first(crowd, Door::ws, {"a"}, {}, seed(), {}, {.since = "-1"});
  ASSERT_TRUE(world.run_until([&] { return first.messages() == 1; }, 1s));
  const Place at = first.places().front();
  first.wire().close(loop::CloseMode::graceful);
  world.run_for(10s);
  expect_nobody_left(world);
  expect_no_channels(world);
  EXPECT_EQ(told(world, crowd, {"a"}, {}, {at}), Lines{"at 5"});
  world.run_for(10s);
  publish(world, crowd, "a", 6, 7);
  EXPECT_EQ(told(world, crowd, {"a"}, {}, {at}), Lines{"6 7 at 7"});
  EXPECT_EQ(told(world, crowd, {"a"}, {}, {{at.epoch, 3}}), Lines{"gap 4..7 expired at 7"});
  EXPECT_EQ(told(world, crowd, {"a"}, {}, {{at.epoch, 8}}), Lines{"gap 8..7 too_far at 7"});
}

// Without it a new epoch begins, and whoever comes with the old one is told so.
TEST_P(Since, ANewEpochIsAnnounced) {
  WorldOptions without = options();
  without.server.channel_idle = 2s;
  without.server.tombstones_max = 0;
  without.server.namespaces[0].history_age_max = 1s;
  World world(without);
  Crowd crowd(world);
  publish(world, crowd, "a", 1, 5);
  Watcher first(crowd, Door::ws, {"a"}, {}, seed(), {}, {.since = "-1"});
  ASSERT_TRUE(world.run_until([&] { return first.messages() == 1; }, 1s));
  const Place at = first.places().front();
  first.wire().close(loop::CloseMode::graceful);
  world.run_for(10s);
  expect_no_channels(world);
  EXPECT_EQ(told(world, crowd, {"a"}, {}, {at}), Lines{"gap 1..0 epoch_changed at 0"});
  world.run_for(10s);
  publish(world, crowd, "a", 6, 7);
  EXPECT_EQ(told(world, crowd, {"a"}, {}, {at}), Lines{"gap 1..2 epoch_changed at 2"});
}

INSTANTIATE_TEST_SUITE_P(Doors, Since,
                         testing::Combine(testing::Values(Door::ws, Door::sse, Door::sse_raw, Door::poll),
                                          testing::Range<std::uint64_t>(1, 9)),
                         [](const auto& each) {
                           return std::string(name_of(std::get<0>(each.param))) + "_" +
                                  std::to_string(std::get<1>(each.param));
                         });

}  // namespace
}  // namespace sim
