#include "hub/channel_log.h"

#include <gtest/gtest.h>

namespace hub {
namespace {

base::Instant instant(std::int64_t ms) { return base::Instant{} + std::chrono::milliseconds(ms); }

MessageRef message(Offset offset, std::int64_t time_ms, std::string_view payload = "x") {
  auto made = std::make_shared<Message>(Kind::text, payload, base::Instant{});
  made->number(offset, {time_ms}, instant(time_ms));
  return made;
}

Since after(Offset offset) { return {.kind = Since::Kind::position, .position = {{}, offset}}; }
Since last(std::uint64_t count) { return {.kind = Since::Kind::last, .count = count}; }
Since at(std::int64_t ms) { return {.kind = Since::Kind::time, .time = {ms}}; }

class ChannelLogTest : public testing::Test {
 protected:
  // Offsets 1..10 at times 100, 200, ..., 1000; the first five are dropped by count.
  ChannelLogTest() {
    for (Offset offset = 1; offset <= 10; ++offset) {
      log.append(message(offset, static_cast<std::int64_t>(offset) * 100), limits);
    }
  }
  LogLimits limits{.messages_max = 5};
  ChannelLog log;
};

TEST_F(ChannelLogTest, KeepsTheNewestByCount) {
  EXPECT_EQ(log.size(), 5U);
  EXPECT_EQ(log.first_held(), 6U);
  EXPECT_EQ(log.head(), 10U);
}

TEST_F(ChannelLogTest, PositionInTheLogReplaysFromTheNextOffset) {
  const auto start = log.find(after(7));
  EXPECT_EQ(start.from, 8U);
  EXPECT_FALSE(start.gap);
}

TEST_F(ChannelLogTest, TheOldestRecoverablePositionIsOneBeforeTheFirstHeld) {
  EXPECT_FALSE(log.find(after(5)).gap);
  EXPECT_EQ(log.find(after(5)).from, 6U);
  const auto lost = log.find(after(4));
  EXPECT_EQ(lost.gap, (Gap{5, 10, GapReason::expired}));
  EXPECT_EQ(lost.from, 11U) << "a recovery that cannot be complete replays nothing";
}

TEST_F(ChannelLogTest, PositionAtTheHeadMissesNothing) {
  EXPECT_FALSE(log.find(after(10)).gap);
  EXPECT_EQ(log.find(after(10)).from, 11U);
}

TEST_F(ChannelLogTest, PositionInTheFutureIsSaid) {
  EXPECT_EQ(log.find(after(11)).gap, (Gap{11, 10, GapReason::too_far}));
  EXPECT_EQ(log.find(after(UINT64_MAX)).gap, (Gap{11, 10, GapReason::too_far}));
}

TEST_F(ChannelLogTest, LastNeverHasAGap) {
  EXPECT_EQ(log.find(last(2)).from, 9U);
  EXPECT_EQ(log.find(last(0)).from, 11U);
  EXPECT_EQ(log.find(last(1000)).from, 6U);
  EXPECT_FALSE(log.find(last(1000)).gap);
}

TEST_F(ChannelLogTest, TimeStartsAtTheFirstMessageNotOlder) {
  EXPECT_EQ(log.find(at(750)).from, 8U);
  EXPECT_EQ(log.find(at(800)).from, 8U);
  EXPECT_EQ(log.find(at(5000)).from, 11U);
  EXPECT_FALSE(log.find(at(501)).gap);
  EXPECT_EQ(log.find(at(500)).gap, (Gap{1, 5, GapReason::expired})) << "offset 5 was dropped and belongs to the answer";
}

TEST_F(ChannelLogTest, ExpiryKeepsAMessageOfExactlyTheAge) {
  limits.age_max = std::chrono::milliseconds(300);
  log.expire(instant(1000), limits);
  EXPECT_EQ(log.first_held(), 7U);
  log.expire(instant(1301), limits);
  EXPECT_EQ(log.size(), 0U);
  EXPECT_EQ(log.first_held(), 11U);
  EXPECT_EQ(log.bytes(), 0U);
}

TEST_F(ChannelLogTest, GoesOnBehindWhatIsNotHeld) {
  EXPECT_EQ(log.newest_time(), base::WallTime{1000});
  ChannelLog next;
  next.start_after(10, log.newest_time());
  EXPECT_EQ(next.newest_time(), base::WallTime{1000});
  EXPECT_EQ(next.find(at(1000)).gap, (Gap{1, 10, GapReason::expired}));
  EXPECT_FALSE(next.find(at(1001)).gap);
  next.append(message(11, 1100), limits);
  EXPECT_EQ(next.find(at(1000)).from, 11U);
  EXPECT_EQ(next.find(at(1000)).gap, (Gap{1, 10, GapReason::expired}));
  EXPECT_FALSE(next.find(at(1001)).gap);
}

TEST(Message, RemembersWhenItWasIngested) {
  Message made(Kind::text, "x", instant(100));
  EXPECT_EQ(made.ingested(), instant(100));
  made.number(1, {5}, instant(140));
  EXPECT_EQ(made.ingested(), instant(100));
  EXPECT_EQ(made.numbered(), instant(140));
  Message late(Kind::text, "x", instant(100));
  late.number(1, {5}, instant(99));  // the home's turn began before
  EXPECT_EQ(late.ingested(), instant(100));
  Message parked(Kind::text, "x", instant(0));
  parked.number(1, {5}, instant(24 * 3600 * 1000));
  EXPECT_EQ(parked.numbered(), instant(24 * 3600 * 1000));
}

TEST_F(ChannelLogTest, BytesAreCapped) {
  limits = {.messages_max = 100, .bytes_max = 1000};
  for (Offset offset = 11; offset <= 50; ++offset) {
    log.append(message(offset, 1000, std::string(100, 'b')), limits);
    EXPECT_LE(log.bytes(), 1000U);
  }
  EXPECT_GT(log.size(), 2U);
}

TEST_F(ChannelLogTest, TheNewestMessageIsKeptHoweverLarge) {
  limits = {.messages_max = 100, .bytes_max = 1000};
  log.append(message(11, 1000, std::string(5000, 'b')), limits);
  EXPECT_EQ(log.size(), 1U);
  EXPECT_EQ(log.first_held(), 11U);
  log.append(message(12, 1000, std::string(5000, 'c')), limits);
  EXPECT_EQ(log.size(), 1U);
  EXPECT_EQ(log.first_held(), 12U);
  log.append(message(13, 1000), limits);
  EXPECT_EQ(log.first_held(), 13U);
}

TEST_F(ChannelLogTest, WithoutHistoryNothingIsKept) {
  limits = {.messages_max = 0, .bytes_max = 1000};
  log.append(message(11, 1000), limits);
  EXPECT_EQ(log.size(), 0U);
  EXPECT_EQ(log.head(), 11U);
}

TEST_F(ChannelLogTest, PagesEndByCountOrBytesButHoldAtLeastOne) {
  EXPECT_EQ(log.page(6, 3, 1000).size(), 3U);
  EXPECT_EQ(log.page(6, 100, 2).size(), 2U);
  EXPECT_EQ(log.page(6, 100, 0).size(), 1U);
  EXPECT_EQ(log.page(11, 100, 100).size(), 0U);
  EXPECT_EQ(log.page(9, 100, 100).front()->offset(), 9U);
}

}  // namespace
}  // namespace hub
