#include "store/backup.h"

#include <gtest/gtest.h>

#include "sim/store_rig.h"

namespace store {
namespace {

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    EXPECT_EQ(rig.open(), "");
    fill(6000);
  }
  void fill(int messages) {
    for (int i = 0; i < messages; ++i) {
      Command command = append_command("a", std::to_string(++written) + std::string(500, '.'));
      ASSERT_TRUE(rig.ledger->submit(command));
    }
    rig.run();
  }
  // Steps until the backup has ended, with commits between them.
  int finish() {
    int steps = 0;
    while (rig.ledger->backup()->state() == Backup::State::running && steps < 10'000) {
      EXPECT_LE(rig.ledger->next_timeout(), rig.clock.instant);
      if (steps++ % 2 == 0) {
        rig.append("a", std::to_string(++written));
      } else {
        rig.ledger->step(rig.clock.instant, rig.clock.wall);
      }
    }
    return steps;
  }
  // A ledger of the copy alone.
  std::unique_ptr<Rig> restored(const std::string& name = "copy.db") {
    auto made = std::make_unique<Rig>(std::make_unique<sim::Disk>(9));
    auto file = made->disk->open(kDatabaseFile, Disk::Mode::create);
    EXPECT_TRUE(file);
    EXPECT_EQ((*file)->write(0, *target.content(name)), DiskError::none);
    EXPECT_EQ(made->open(), "");
    return made;
  }
  static std::size_t messages(Rig& of) {
    std::size_t count = 0;
    hub::Offset from = 0;
    for (bool more = true; more;) {
      const StreamPage page = of.page("a", {.from = from, .messages_max = 4096, .bytes_max = UINT32_MAX});
      EXPECT_TRUE(page.lost.empty());
      for (const auto& message : page.messages) {
        EXPECT_EQ(message->offset(), ++count);
        EXPECT_TRUE(message->payload().starts_with(std::to_string(count)));
      }
      from = count;
      more = page.more;
    }
    return count;
  }

  Rig rig;
  sim::Disk target{3};
  std::uint64_t written = 0;
};

TEST_F(BackupTest, HoldsWhatWasCommittedUntilItWasDone) {
  const std::uint64_t before = written;
  ASSERT_TRUE(rig.ledger->begin_backup(target, "copy.db"));
  EXPECT_FALSE(target.exists("copy.db"));
  EXPECT_GT(finish(), 3) << "in slices";
  ASSERT_EQ(rig.ledger->backup()->state(), Backup::State::done) << rig.ledger->backup()->error();
  EXPECT_FALSE(target.exists("copy.db.part"));
  EXPECT_FALSE(target.exists("copy.db-wal"));
  const auto copy = restored();
  const std::size_t held = messages(*copy);
  EXPECT_GT(held, before) << "what came meanwhile too";
  EXPECT_LE(held, written);
  EXPECT_EQ(messages(rig), written);
}

TEST_F(BackupTest, ARestoredOneHasNewEpochsAndTheOriginalKeepsIts) {
  const hub::Epoch epoch = rig.page("a", {}).stream.head.epoch;
  ASSERT_TRUE(rig.ledger->begin_backup(target, "copy.db"));
  finish();
  const auto copy = restored();
  EXPECT_EQ(copy->ledger->opening().new_epochs, "it was restored from a backup");
  const hub::Position head = copy->page("a", {}).stream.head;
  EXPECT_NE(head.epoch, epoch);
  EXPECT_EQ(copy->append("a", "on").changes[0].position, (hub::Position{head.epoch, head.offset + 1}));
  const auto again = restored();
  EXPECT_NE(again->page("a", {}).stream.head.epoch, epoch);
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.ledger->opening().new_epochs, "");
  EXPECT_EQ(rig.page("a", {}).stream.head.epoch, epoch);
}

TEST_F(BackupTest, KeysAreInTheCopy) {
  rig.append_once("b", "1", once(1, 1));
  ASSERT_TRUE(rig.ledger->begin_backup(target, "copy.db"));
  finish();
  const auto copy = restored();
  EXPECT_EQ(copy->append_once("b", "1", once(1, 1)).outcome, Outcome::repeated);
}

TEST_F(BackupTest, OneAtATimeAndNeverOverAFile) {
  ASSERT_TRUE(rig.ledger->begin_backup(target, "copy.db"));
  EXPECT_EQ(rig.ledger->begin_backup(target, "other.db").error(), "a backup is being made already");
  finish();
  EXPECT_EQ(rig.ledger->begin_backup(target, "copy.db").error(), "data/copy.db is there already");
  ASSERT_TRUE(rig.ledger->begin_backup(target, "other.db"));
  finish();
  EXPECT_EQ(messages(*restored("other.db")), messages(*restored("other.db")));
}

TEST_F(BackupTest, WithoutRoomItFailsAndTheLedgerDoesNot) {
  target.set_capacity(512 * 1024);
  ASSERT_TRUE(rig.ledger->begin_backup(target, "copy.db"));
  finish();
  EXPECT_EQ(rig.ledger->backup()->state(), Backup::State::failed);
  EXPECT_NE(rig.ledger->backup()->error().find("data/copy.db has failed: the disk is full"), std::string::npos)
      << rig.ledger->backup()->error();
  EXPECT_EQ(rig.ledger->state(), Ledger::State::open);
  EXPECT_EQ(rig.append("a", std::to_string(++written)).outcome, Outcome::done);
  rig.close();
  EXPECT_FALSE(target.exists("copy.db.part")) << "nothing is left of it";
}

TEST_F(BackupTest, EveryOperationOfTheTargetFailsOnce) {
  for (std::uint64_t at = 0;; at += at < 20 ? 1 : 37) {
    const std::string name = "copy-" + std::to_string(at) + ".db";
    target.fail_after(at, sim::Disk::Fault::failed);
    if (rig.ledger->begin_backup(target, name)) finish();
    const bool hit = !target.fault_pending();
    target.fail_after(0, sim::Disk::Fault::none);
    ASSERT_EQ(rig.ledger->state(), Ledger::State::open);
    if (target.exists(name)) {
      ASSERT_EQ(messages(*restored(name)), messages(*restored(name)));
      target.remove(name);
    }
    if (!hit) break;
  }
}

// A copy that has its name is whole.
TEST_F(BackupTest, ThePowerGoesWhileItIsMade) {
  std::vector<std::unique_ptr<sim::Disk>> snapshots;
  std::uint64_t operations = 0;
  target.before_operation = [&] {
    if (++operations % 100 == 0) snapshots.push_back(target.copy(operations));
  };
  ASSERT_TRUE(rig.ledger->begin_backup(target, "copy.db"));
  finish();
  target.before_operation = nullptr;
  snapshots.push_back(target.copy(1));
  bool found = false;
  for (const auto& each : snapshots) {
    each->cut_power();
    if (!each->exists("copy.db")) continue;
    found = true;
    *target.content("copy.db") = *each->content("copy.db");
    EXPECT_GE(messages(*restored()), 6000U);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace store
