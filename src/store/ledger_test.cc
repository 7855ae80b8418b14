#include "store/ledger.h"

#include <gtest/gtest.h>

#include "sim/store_rig.h"
#include "store/limits.h"

namespace store {
namespace {

using namespace std::chrono_literals;

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { EXPECT_EQ(rig.open(), ""); }
  Rig rig;
};

TEST_F(LedgerTest, NumbersTheMessagesOfEachStreamFromOne) {
  const Result first = rig.append("a", "1");
  EXPECT_EQ(first.outcome, Outcome::done);
  ASSERT_EQ(first.changes.size(), 1U);
  EXPECT_EQ(first.changes[0].position.offset, 1U);
  EXPECT_EQ(first.changes[0].time.ms, rig.clock.wall.ms);
  EXPECT_EQ(first.changes[0].message->offset(), 1U);
  EXPECT_EQ(first.changes[0].message->payload(), "1");
  EXPECT_EQ(rig.append("a", "2").changes[0].position, (hub::Position{first.changes[0].position.epoch, 2}));
  const Result other = rig.append("b", "1");
  EXPECT_EQ(other.changes[0].position.offset, 1U);
  EXPECT_NE(other.changes[0].position.epoch, first.changes[0].position.epoch);
  EXPECT_EQ(rig.payloads("a"), (std::vector<std::string>{"1", "2"}));
}

TEST_F(LedgerTest, NothingIsThereBeforeTheStepAndAllOfABatchAfterIt) {
  for (std::uint64_t i = 1; i <= 5; ++i) {
    Command command = append_command("a", std::to_string(i), i);
    ASSERT_TRUE(rig.ledger->submit(command));
  }
  EXPECT_FALSE(rig.ledger->poll_result());
  EXPECT_TRUE(rig.payloads("a").empty());
  const std::uint64_t batches = rig.ledger->counts().batches;
  const auto results = rig.run();
  EXPECT_EQ(rig.ledger->counts().batches, batches + 1);
  ASSERT_EQ(results.size(), 5U);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(results[i - 1].ticket, i);
    EXPECT_EQ(results[i - 1].changes[0].position.offset, i);
  }
  EXPECT_EQ(rig.payloads("a").size(), 5U);
}

TEST_F(LedgerTest, PositionsGoOnAfterARestart) {
  const hub::Position before = rig.append("a", "1").changes[0].position;
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.ledger->opening().new_epochs, "");
  const Result after = rig.append("a", "2");
  EXPECT_EQ(after.changes[0].position, (hub::Position{before.epoch, 2}));
  EXPECT_EQ(rig.payloads("a"), (std::vector<std::string>{"1", "2"}));
}

TEST_F(LedgerTest, NumbersOfCommitsRise) {
  const std::uint64_t first = rig.append("a", "1").commit;
  EXPECT_GT(rig.append("a", "2").commit, first);
  const std::uint64_t last = rig.append("b", "3").commit;
  ASSERT_EQ(rig.open(), "");
  EXPECT_GT(rig.append("a", "4").commit, last);
}

TEST_F(LedgerTest, TimesOfAStreamNeverGoBack) {
  const auto first = rig.append("a", "1").changes[0].time;
  rig.clock.wall.ms -= 5000;
  EXPECT_EQ(rig.append("a", "2").changes[0].time, first);
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.append("a", "3").changes[0].time, first);
}

TEST_F(LedgerTest, OneCommandMayChangeSeveralStreams) {
  Command command{.cause = "because"};
  command.operations.emplace_back(Append{"a", text_message("1")});
  command.operations.emplace_back(Append{"b", text_message("2")});
  command.operations.emplace_back(Append{"a", text_message("3")});
  const Result result = rig.run(std::move(command));
  ASSERT_EQ(result.changes.size(), 3U);
  EXPECT_EQ(result.changes[2].channel, "a");
  EXPECT_EQ(result.changes[2].position.offset, 2U);
  EXPECT_EQ(rig.payloads("a"), (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(rig.payloads("b"), (std::vector<std::string>{"2"}));
}

TEST_F(LedgerTest, WhatCannotBeIsRefusedAsAWhole) {
  const auto refused = [&](Command command, Error error) {
    const Result result = rig.run(std::move(command));
    EXPECT_EQ(result.outcome, Outcome::refused);
    EXPECT_EQ(result.error, error);
    EXPECT_TRUE(result.changes.empty());
  };
  refused({}, Error::too_many);
  Command many;
  for (std::size_t i = 0; i <= kOperationsMax; ++i) many.operations.emplace_back(Append{"a", text_message("x")});
  refused(std::move(many), Error::too_many);
  refused(append_command("", "x"), Error::channel);
  refused(append_command(std::string(256, 'c'), "x"), Error::channel);
  refused(append_command("a", std::string(kPayloadBytesMax + 1, 'x')), Error::too_large);
  Command long_cause = append_command("a", "x");
  long_cause.cause = std::string(kCauseBytesMax + 1, 'c');
  refused(std::move(long_cause), Error::too_large);
  Command half = append_command("a", "x");
  half.operations.emplace_back(Append{"", text_message("y")});
  refused(std::move(half), Error::channel);
  EXPECT_TRUE(rig.payloads("a").empty());
}

TEST_F(LedgerTest, ARepeatHasTheAnswerOfTheFirstTime) {
  const Result first = rig.append_once("a", "1", once(1, 1));
  EXPECT_EQ(first.outcome, Outcome::done);
  rig.append("a", "2");
  const auto same = [&](const Result& again) {
    EXPECT_EQ(again.outcome, Outcome::repeated);
    EXPECT_EQ(again.commit, first.commit);
    ASSERT_EQ(again.changes.size(), 1U);
    EXPECT_EQ(again.changes[0].position, first.changes[0].position);
    EXPECT_EQ(again.changes[0].time, first.changes[0].time);
    EXPECT_EQ(again.changes[0].channel, "a");
  };
  same(rig.append_once("a", "1", once(1, 1)));
  ASSERT_EQ(rig.open(), "");
  same(rig.append_once("a", "1", once(1, 1)));
  EXPECT_EQ(rig.payloads("a"), (std::vector<std::string>{"1", "2"}));
}

TEST_F(LedgerTest, ARepeatInTheSameBatchIsOneToo) {
  for (int i = 0; i < 2; ++i) {
    Command command = append_command("a", "1");
    command.once = once(1, 1);
    ASSERT_TRUE(rig.ledger->submit(command));
  }
  const auto results = rig.run();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].outcome, Outcome::repeated);
  EXPECT_EQ(results[1].changes[0].position, results[0].changes[0].position);
  EXPECT_EQ(rig.payloads("a").size(), 1U);
}

TEST_F(LedgerTest, TheSameKeyWithOtherContentIsRefused) {
  rig.append_once("a", "1", once(1, 1));
  const Result other = rig.append_once("a", "2", once(1, 2));
  EXPECT_EQ(other.outcome, Outcome::refused);
  EXPECT_EQ(other.error, Error::conflict);
  Command more = append_command("a", "1");
  more.operations.emplace_back(Append{"a", text_message("1")});
  more.once = once(1, 1);
  EXPECT_EQ(rig.run(std::move(more)).error, Error::conflict) << "it would need an answer for each operation";
  EXPECT_EQ(rig.payloads("a").size(), 1U);
}

TEST_F(LedgerTest, KeysAreKeptADayAndNotForever) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Command command = append_command("a", "1");
    command.once = once(i, 1);
    ASSERT_TRUE(rig.ledger->submit(command));
  }
  rig.run();
  rig.clock.advance(24h);
  rig.idle(1s);
  EXPECT_EQ(rig.append_once("a", "1", once(999, 1)).outcome, Outcome::repeated);
  rig.clock.advance(13h);
  rig.idle(1s);
  EXPECT_EQ(rig.append_once("a", "1", once(999, 1)).outcome, Outcome::done);
  rig.clock.wall.ms -= std::chrono::milliseconds(36h).count();
  EXPECT_EQ(rig.append_once("a", "1", once(0, 1)).outcome, Outcome::done) << "its row is gone, whatever the time";
}

TEST_F(LedgerTest, AClockThatWentBackDoesNotForgetKeys) {
  rig.append_once("a", "1", once(1, 1));
  rig.clock.wall.ms -= std::chrono::milliseconds(1h).count();
  EXPECT_EQ(rig.append_once("a", "1", once(1, 1)).outcome, Outcome::repeated);
  rig.clock.wall.ms -= std::chrono::milliseconds(11h).count();
  EXPECT_EQ(rig.append_once("a", "1", once(1, 1)).outcome, Outcome::repeated);
}

TEST_F(LedgerTest, AClearedStreamGoesOnInItsEpoch) {
  rig.append("a", "1");
  const hub::Position before = rig.append("a", "2").changes[0].position;
  const Result cleared = rig.clear("a");
  EXPECT_EQ(cleared.outcome, Outcome::done);
  EXPECT_EQ(cleared.changes[0].position, before);
  EXPECT_TRUE(rig.payloads("a").empty());
  EXPECT_EQ(rig.append("a", "3").changes[0].position, (hub::Position{before.epoch, 3}));
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.payloads("a"), (std::vector<std::string>{"3"}));
  rig.clear("a");
  rig.idle(1s);
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.append("a", "4").changes[0].position, (hub::Position{before.epoch, 4}));
}

TEST_F(LedgerTest, ACommandThatIsTooMuchIsGivenBack) {
  rig.close();
  rig.options.queue_commands_max = 3;
  ASSERT_EQ(rig.open(), "");
  for (int i = 0; i < 3; ++i) {
    Command command = append_command("a", "x");
    ASSERT_TRUE(rig.ledger->submit(command));
  }
  Command fourth = append_command("a", "y");
  EXPECT_FALSE(rig.ledger->submit(fourth));
  EXPECT_EQ(std::get<Append>(fourth.operations[0]).message->payload(), "y");
  EXPECT_EQ(rig.run().size(), 3U);
  EXPECT_EQ(rig.ledger->waiting_bytes(), 0U);
  EXPECT_TRUE(rig.ledger->submit(fourth));
}

TEST_F(LedgerTest, BytesThatWaitAreCappedToo) {
  rig.close();
  rig.options.queue_bytes_max = 3000;
  ASSERT_EQ(rig.open(), "");
  Command large = append_command("a", std::string(2000, 'x'));
  EXPECT_TRUE(rig.ledger->submit(large));
  Command second = append_command("a", std::string(2000, 'x'));
  EXPECT_FALSE(rig.ledger->submit(second));
}

TEST_F(LedgerTest, AStreamIsKeptByCountWithSomeSlack) {
  rig.rules->retention.messages_max = 100;
  for (int i = 1; i <= 1000; ++i) {
    rig.append("a", std::to_string(i));
    const auto view = rig.page("a", {}).stream;
    ASSERT_LE(view.head.offset - view.base, 100U + kSlackRows + 1);
    ASSERT_GE(view.head.offset - view.base, std::min(i, 100));
  }
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.payloads("a").back(), "1000");
}

TEST_F(LedgerTest, AStreamIsKeptByBytes) {
  rig.rules->retention.bytes_max = 10'000;
  for (int i = 1; i <= 300; ++i) {
    rig.append("a", std::string(200, 'x'));
    const auto view = rig.page("a", {}).stream;
    ASSERT_LE(view.bytes, 11'250U + 256);
    ASSERT_GE(view.bytes, std::min(i * 212, 10'000 - 256));
  }
  rig.append("a", std::string(50'000, 'y'));
  rig.append("b", std::string(50'000, 'y'));
  EXPECT_EQ(rig.payloads("a").size(), 1U) << "the newest stays, however large";
  EXPECT_EQ(rig.payloads("b").size(), 1U);
}

TEST_F(LedgerTest, AStreamIsKeptByAgeAlsoWhenNobodyPublishes) {
  rig.rules->retention.age_max = 1h;
  rig.append("a", "1");
  rig.clock.advance(30min);
  const hub::Position last = rig.append("a", "2").changes[0].position;
  rig.clock.advance(30min);
  rig.idle(1s);
  EXPECT_EQ(rig.payloads("a"), (std::vector<std::string>{"2"}));
  rig.clock.advance(30min);
  rig.idle(1s);
  EXPECT_TRUE(rig.payloads("a").empty());
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.append("a", "3").changes[0].position, (hub::Position{last.epoch, 3}));
}

TEST_F(LedgerTest, AStreamThatNobodyUsedForLongIsForgottenAndBornInANewEpoch) {
  rig.rules->retention.age_max = 1h;
  rig.rules->retention.forgotten_after = 24h;
  const hub::Position before = rig.append("a", "1").changes[0].position;
  rig.clock.advance(23h);
  rig.idle(1s);
  auto reader = rig.ledger->new_reader();
  ASSERT_TRUE(reader);
  EXPECT_TRUE(*(*reader)->look("a"));
  rig.clock.advance(2h);
  rig.idle(1s);
  EXPECT_FALSE(*(*reader)->look("a"));
  const hub::Position after = rig.append("a", "2").changes[0].position;
  EXPECT_NE(after.epoch, before.epoch);
  EXPECT_EQ(after.offset, 1U);
}

TEST_F(LedgerTest, AGreatManyRowsGoInSlices) {
  for (int i = 0; i < 5000; ++i) {
    Command command = append_command("a", "x");
    ASSERT_TRUE(rig.ledger->submit(command));
  }
  rig.run();
  rig.clear("a");
  int steps = 0;
  for (rig.clock.advance(100ms); steps < 100 && rig.ledger->next_timeout() <= rig.clock.instant; ++steps) {
    rig.ledger->step(rig.clock.instant, rig.clock.wall);
  }
  EXPECT_GT(steps, 10);
  EXPECT_LT(steps, 100);
  EXPECT_TRUE(rig.payloads("a").empty());
}

TEST_F(LedgerTest, TheLogIsCopiedIntoTheDatabaseAndBegunAnew) {
  rig.close();
  rig.options.checkpoint_bytes = 64 * 1024;
  ASSERT_EQ(rig.open(), "");
  for (int i = 0; i < 500; ++i) rig.append("a", std::string(1000, 'x'));
  EXPECT_GT(rig.ledger->counts().checkpoints, 10U);
  EXPECT_LT(rig.disk->content("ledger.db-wal")->size(), 128U * 1024);
}

TEST_F(LedgerTest, AReaderThatStaysHoldsTheLogAtItsCapAndNoLonger) {
  rig.close();
  rig.options.checkpoint_bytes = 32 * 1024;
  rig.options.wal_bytes_max = 256 * 1024;
  ASSERT_EQ(rig.open(), "");
  rig.append("a", "first");
  auto reader = Connection::open(kDatabaseFile, rig.ledger->vfs_name(), Connection::Role::reader);
  ASSERT_TRUE(reader);
  ASSERT_EQ(reader->run("BEGIN; SELECT * FROM streams"), Status::ok);
  Command command = append_command("a", std::string(10'000, 'x'));
  for (int i = 0; i < 200; ++i) {
    if (rig.ledger->waiting() == 0) {
      command = append_command("a", std::string(10'000, 'x'));
      ASSERT_TRUE(rig.ledger->submit(command));
    }
    rig.ledger->step(rig.clock.instant, rig.clock.wall);
  }
  EXPECT_LT(rig.disk->content("ledger.db-wal")->size(), 300U * 1024);
  EXPECT_EQ(rig.ledger->waiting(), 1U) << "it waits for the reader";
  EXPECT_GT(rig.ledger->next_timeout(), rig.clock.instant) << "without turning round and round";
  ASSERT_EQ(reader->run("COMMIT"), Status::ok);
  rig.clock.advance(1ms);
  EXPECT_LE(rig.ledger->next_timeout(), rig.clock.instant);
  rig.ledger->step(rig.clock.instant, rig.clock.wall);
  EXPECT_EQ(rig.ledger->waiting(), 0U);
}

}  // namespace
}  // namespace store
