#include "door/hook/event_queue.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "codec/json_in.h"

namespace door::hook {
namespace {

using namespace std::chrono_literals;
using Fate = EventQueue::Fate;

struct Told {
  std::string id;
  std::string type;
  std::string client;
  std::uint64_t count = 0;
};

std::vector<Told> read(const std::string& body) {
  std::vector<Told> told;
  const auto value = codec::JsonValue::parse(body);
  EXPECT_TRUE(value) << body;
  if (!value) return told;
  codec::JsonElements events(*value);
  while (const auto event = events.next()) {
    const auto text = [&](const char* name) {
      const auto found = event->find(name);
      return found ? found->string().value_or("?") : "";
    };
    const auto count = event->find("count");
    told.push_back({text("id"), text("type"), text("client"), count ? *count->unsigned_integer() : 0});
  }
  return told;
}

struct EventQueueTest : testing::Test {
  EventQueue queue{"w-"};
  base::SeededEntropy entropy{7};
  base::Instant now{1h};
  int added = 0;

  void add(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string client = std::to_string(added++);
      queue.add({.type = EventType::connected, .time = {1}, .client = client}, now);
    }
  }
  std::vector<Told> take() {
    const auto body = queue.take(now, {2});
    return body ? read(*body) : std::vector<Told>();
  }
};

TEST_F(EventQueueTest, WaitsALittleForOthers) {
  EXPECT_EQ(queue.due(), base::kNever);
  add();
  now += 400ms;
  add();
  EXPECT_EQ(queue.due(), now + 600ms);
  EXPECT_TRUE(take().empty());
  now += 600ms;
  const auto told = take();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].id, "w-1");
  EXPECT_EQ(told[1].client, "1");
  EXPECT_EQ(queue.due(), base::kNever);
  add(EventQueue::kBatchMax);
  EXPECT_TRUE(take().empty()) << "one batch at a time";
  queue.sent(Fate::arrived, now, entropy);
  EXPECT_EQ(queue.size(), EventQueue::kBatchMax);
  EXPECT_LE(queue.due(), now) << "a full batch does not wait";
}

TEST_F(EventQueueTest, InAHurryNothingWaits) {
  queue.hurry();
  add();
  EXPECT_EQ(take().size(), 1U);
  EXPECT_TRUE(queue.on_its_way());
}

TEST_F(EventQueueTest, TheSameBatchUntilItArrives) {
  add(3);
  now += 1s;
  const auto first = take();
  for (int i = 0; i < 5; ++i) {
    add();
    queue.sent(Fate::failed, now, entropy);
    ASSERT_GE(queue.due(), now);
    ASSERT_LE(queue.due(), now + EventQueue::kBackoffMax);
    now = queue.due();
    const auto again = take();
    ASSERT_EQ(again.size(), 3U);
    EXPECT_EQ(again[0].id, first[0].id);
  }
  queue.sent(Fate::arrived, now, entropy);
  now += 1s;
  const auto rest = take();
  ASSERT_EQ(rest.size(), 5U);
  EXPECT_EQ(rest[0].client, "3") << "in order";
}

TEST_F(EventQueueTest, BackoffGrowsAndIsCapped) {
  add();
  now += 1s;
  base::Duration longest{0};
  while (!take().empty()) {
    queue.sent(Fate::failed, now, entropy);
    if (queue.due() == base::Instant::min()) break;  // given up
    longest = std::max(longest, queue.due() - now);
    now = queue.due();
  }
  EXPECT_GT(longest, 20s);
  EXPECT_LE(longest, 60s);
  EXPECT_EQ(queue.dropped(), 1U);
  const auto record = take();
  ASSERT_EQ(record.size(), 1U);
  EXPECT_EQ(record[0].type, "dropped");
  EXPECT_EQ(record[0].count, 1U);
}

TEST_F(EventQueueTest, WhatFindsNoRoomIsCountedWhereItWas) {
  add(EventQueue::kEventsMax + 100);
  EXPECT_LE(queue.size(), EventQueue::kEventsMax);
  const std::uint64_t lost = queue.dropped();
  EXPECT_GE(lost, 100U);
  std::vector<Told> all;
  bool more_added = false;
  for (auto told = take(); !told.empty(); told = take()) {
    queue.sent(Fate::arrived, now, entropy);
    all.insert(all.end(), told.begin(), told.end());
    if (!std::exchange(more_added, true)) add(2);
    now += 1s;
  }
  std::set<std::string> ids;
  std::uint64_t counted = 0;
  int next = 0;
  for (const Told& each : all) {
    EXPECT_TRUE(ids.insert(each.id).second);
    if (each.type == "dropped") {
      counted += each.count;
      next += static_cast<int>(each.count);
    } else {
      ASSERT_EQ(each.client, std::to_string(next));
      ++next;
    }
  }
  EXPECT_EQ(counted, lost);
  EXPECT_EQ(next, added) << "each event was told or counted, in its place";
}

TEST_F(EventQueueTest, BytesCount) {
  const std::string long_text(64 << 10, 'x');
  for (int i = 0; i < 200; ++i) queue.add({.channel = long_text}, now);
  EXPECT_LE(queue.size(), 129U);
  EXPECT_GE(queue.dropped(), 71U);
}

// Whatever happens in whatever order: each event is told or counted exactly once.
TEST_F(EventQueueTest, NothingIsLostSilently) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    EventQueue each("s-");
    base::SeededEntropy random(seed);
    base::Instant time{1h};
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    std::uint64_t lost = 0;
    std::optional<std::string> body;
    const auto arrive = [&] {
      for (const Told& told : read(*body)) told.type == "dropped" ? lost += told.count : ++out;
      each.sent(Fate::arrived, time, random);
      body.reset();
    };
    for (int step = 0; step < 3000; ++step) {
      const std::uint32_t what = random.below(10);
      if (what < 6) {
        each.add({.time = {1}}, time);
        ++in;
      } else if (!body) {
        body = each.take(time, {1});
      } else if (random.below(3) == 0) {
        arrive();
      } else {
        each.sent(Fate::failed, time, random);
        body.reset();
      }
      time += std::chrono::milliseconds(random.below(4000));
    }
    for (int i = 0; i < 2000; ++i) {
      if (!body) body = each.take(time, {1});
      if (body) arrive();
      time += 10s;
    }
    EXPECT_EQ(each.size(), 0U);
    EXPECT_EQ(out + lost, in) << "seed " << seed;
  }
}

}  // namespace
}  // namespace door::hook
