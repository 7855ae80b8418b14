#include "server/events.h"

#include <gtest/gtest.h>

#include "server/test_outside.h"

namespace server {
namespace {

using namespace std::chrono_literals;
using door::hook::EventType;

struct EventsTest : testing::Test {
  EventsTest() {
    options.memory_bytes_max = 1 << 30;
    options.events_url = "http://backend/events?key=very-secret";
    options.events_signing_keys.emplace_back("0123456789abcdef0123456789abcdef");
    options.events_headers.emplace_back("Authorization: Bearer hidden");
    configure();
  }
  void configure() { snapshot = *Snapshot::make(options, 1, loop::TicketKeys{}); }
  void add(EventType type, std::string_view client = "c") { events.add({.type = type, .client = client}); }
  void step(base::Duration later = 0s) {
    clock.time += later;
    clock.wall_ms += std::chrono::duration_cast<std::chrono::milliseconds>(later).count();
    events.step();
  }

  Options options;
  SnapshotRef snapshot;
  Counters counters;
  test::LinesLog log;
  test::Clock clock;
  base::SeededEntropy entropy{1};
  test::Outside outside;
  test::Wakeup wakeup;
  Events events{snapshot, 3, counters, log, clock, entropy, outside, wakeup};
};

TEST_F(EventsTest, ABatchThatIsSigned) {
  add(EventType::connected);
  add(EventType::disconnected);
  step();
  EXPECT_TRUE(outside.sent.empty());
  EXPECT_EQ(events.next_deadline(), clock.time + 1s);
  step(1s);
  auto sent = outside.take();
  EXPECT_EQ(sent.request.url, options.events_url);
  EXPECT_EQ(sent.header("Authorization"), "Bearer hidden");
  EXPECT_EQ(sent.header("Content-Type"), "application/json");
  EXPECT_EQ(sent.header("Wirebird-Signature"),
            door::hook::signature_of(options.events_signing_keys, {clock.wall_ms}, sent.request.body));
  EXPECT_NE(sent.request.body.find(R"(-3-1","time":1700000000000,"type":"connected","client":"c"},{"id":")"),
            std::string::npos)
      << sent.request.body;
  EXPECT_FALSE(events.idle());
  sent.answer(204, "");
  step();
  EXPECT_TRUE(events.idle());
  EXPECT_EQ(counters.events.get(), 2U);
  EXPECT_EQ(counters.event_batches.get(), 1U);
}

TEST_F(EventsTest, OnlyWhatIsWanted) {
  options.events_types = {"connected"};
  configure();
  EXPECT_FALSE(events.wants(EventType::subscribed));
  add(EventType::subscribed);
  EXPECT_TRUE(events.idle());
  add(EventType::connected);
  EXPECT_FALSE(events.idle());
  options.events_url.clear();
  configure();
  EXPECT_FALSE(events.wants_any());
  add(EventType::connected);
  step(1s);
  EXPECT_TRUE(outside.sent.empty());
  EXPECT_TRUE(events.idle()) << "nobody wants what is left";
}

// The same events again, with a signature of their own time; secrets stay out of the log.
TEST_F(EventsTest, TriesAgain) {
  add(EventType::connected);
  step(1s);
  auto sent = outside.take();
  const std::string body = sent.request.body;
  const std::string signature = sent.header("Wirebird-Signature");
  sent.answer(500, "");
  step();
  for (int i = 0; i < 100 && outside.sent.empty(); ++i) step(1s);
  auto again = outside.take();
  EXPECT_EQ(again.request.body, body);
  EXPECT_NE(again.header("Wirebird-Signature"), signature);
  again.fail(egress::Failure::unreachable);
  step();
  for (int i = 0; i < 100 && outside.sent.empty(); ++i) step(1s);
  outside.full = true;  // whoever asks now is told busy at once
  outside.take().fail(egress::Failure::timeout);
  step();
  step(1h);
  outside.full = false;
  EXPECT_TRUE(outside.sent.empty());
  EXPECT_EQ(counters.event_failures.get(), 4U);
  EXPECT_EQ(counters.events_dropped.get(), 1U) << "an hour is too long";
  step(1min);
  auto last = outside.take();
  EXPECT_NE(last.request.body.find(R"("type":"dropped","count":1)"), std::string::npos) << last.request.body;
  last.answer(200, "ignored");
  step();
  EXPECT_TRUE(events.idle());
  EXPECT_EQ(log.count("events_not_told reason=\"HTTP status 500\""), 1U);
  EXPECT_EQ(log.count("events_not_told"), 1U) << "once, until it works again";
  EXPECT_EQ(log.count("events_told"), 1U);
  for (const std::string& line : log.lines) {
    EXPECT_EQ(line.find("secret"), std::string::npos);
    EXPECT_EQ(line.find("hidden"), std::string::npos);
  }
}

TEST_F(EventsTest, ABatchOnItsWayWhenNobodyWantsThemAnyMore) {
  add(EventType::connected);
  step(1s);
  auto sent = outside.take();
  options.events_url.clear();
  configure();
  step(1s);
  EXPECT_FALSE(events.idle());
  sent.fail(egress::Failure::timeout);
  step();
  EXPECT_TRUE(events.idle());
}

TEST_F(EventsTest, TheEndWaitsForNothing) {
  events.hurry();
  add(EventType::disconnected);
  EXPECT_LE(events.next_deadline(), clock.time);
  step();
  EXPECT_EQ(outside.sent.size(), 1U);
}

}  // namespace
}  // namespace server
