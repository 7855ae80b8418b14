// What stands in the way of a ledger, or has happened to its files, is found out and said (robustness.md F09-F11, F35).
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sim/store_rig.h"
#include "store/kernel_disk.h"
#include "store/schema.h"

namespace store {
namespace {

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

class LedgerOpenTest : public testing::Test {
 protected:
  LedgerOpenTest() {
    EXPECT_EQ(rig.open(), "");
    position = rig.append("a", "1").changes[0].position;
  }
  void run_sql(const char* sql) {
    rig.close();
    Vfs vfs(*rig.disk, 1);
    auto connection = Connection::open(kDatabaseFile, vfs.name(), Connection::Role::writer);
    ASSERT_TRUE(connection);
    ASSERT_EQ(connection->run(sql), Status::ok) << connection->last_message();
  }
  hub::Epoch epoch() { return rig.page("a", {}).stream.head.epoch; }

  Rig rig;
  hub::Position position;
};

TEST_F(LedgerOpenTest, AMissingDatabaseIsNotReplacedByAnEmptyOne) {
  rig.close();
  rig.disk->remove(kDatabaseFile);
  const std::string error = rig.open();
  EXPECT_TRUE(says(error, "data/ledger.db is missing, but data/identity says that there was one")) << error;
  EXPECT_FALSE(rig.disk->exists(kDatabaseFile));
  rig.disk->remove(kIdentityFile);
  EXPECT_EQ(rig.open(), "");
  EXPECT_TRUE(rig.ledger->opening().created);
}

TEST_F(LedgerOpenTest, AnotherLedgersDatabaseIsRefused) {
  rig.close();
  Rig other(std::make_unique<sim::Disk>(2));
  other.entropy = base::SeededEntropy(99);
  ASSERT_EQ(other.open(), "");
  other.close();
  *rig.disk->content(kDatabaseFile) = *other.disk->content(kDatabaseFile);
  const std::string before = *rig.disk->content(kIdentityFile);
  EXPECT_TRUE(says(rig.open(), "it is not the ledger that data/identity names"));
  EXPECT_EQ(*rig.disk->content(kIdentityFile), before);
}

TEST_F(LedgerOpenTest, ALostIdentityIsWrittenAgain) {
  rig.close();
  rig.disk->remove(kIdentityFile);
  ASSERT_EQ(rig.open(), "");
  EXPECT_TRUE(rig.disk->exists(kIdentityFile));
  EXPECT_EQ(epoch(), position.epoch);
}

TEST_F(LedgerOpenTest, AnIdentityThatIsNoneIsSaid) {
  rig.close();
  *rig.disk->content(kIdentityFile) = "nonsense";
  EXPECT_TRUE(says(rig.open(), "data/identity is not what a ledger writes there"));
}

TEST_F(LedgerOpenTest, AnOlderCopyOfTheDatabaseHasNewEpochs) {
  rig.close();
  const std::string copy = *rig.disk->content(kDatabaseFile);
  ASSERT_EQ(rig.open(), "");
  const Result later = rig.append("a", "2");
  EXPECT_EQ(later.changes[0].position, (hub::Position{position.epoch, 2}));
  rig.close();
  *rig.disk->content(kDatabaseFile) = copy;
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.ledger->opening().new_epochs, "it is an older copy of itself");
  EXPECT_NE(epoch(), position.epoch);
  const hub::Epoch changed = epoch();
  EXPECT_GT(rig.append("a", "3").commit, later.commit);
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.ledger->opening().new_epochs, "");
  EXPECT_EQ(epoch(), changed) << "once";
}

TEST_F(LedgerOpenTest, AMissingLogHasNewEpochs) {
  auto crashed = rig.disk->copy(1);
  rig.close();
  crashed->remove("ledger.db-wal");
  Rig after(std::move(crashed));
  ASSERT_EQ(after.open(), "");
  EXPECT_EQ(after.ledger->opening().new_epochs, "its write-ahead log is missing");
  EXPECT_TRUE(after.payloads("a").empty());
  EXPECT_NE(after.append("a", "1").changes[0].position.epoch, position.epoch);
}

TEST_F(LedgerOpenTest, ANewerFormatIsRefused) {
  run_sql("PRAGMA user_version=99");
  const std::string error = rig.open();
  EXPECT_TRUE(says(error, "written by a newer version of Wirebird (format 99")) << error;
  run_sql(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str());
  EXPECT_EQ(rig.open(), "");
  EXPECT_EQ(rig.payloads("a").size(), 1U);
}

TEST_F(LedgerOpenTest, AnotherProgramsDatabaseIsRefusedAndLeftAsItIs) {
  Rig other(std::make_unique<sim::Disk>(5));
  {
    Vfs vfs(*other.disk, 1);
    auto connection = Connection::open(kDatabaseFile, vfs.name(), Connection::Role::writer);
    ASSERT_TRUE(connection);
    ASSERT_EQ(connection->run("CREATE TABLE theirs(x)"), Status::ok);
  }
  const std::string before = *other.disk->content(kDatabaseFile);
  EXPECT_TRUE(says(other.open(), "it is a database of another program"));
  EXPECT_EQ(*other.disk->content(kDatabaseFile), before);
}

TEST_F(LedgerOpenTest, WhatIsNoDatabaseIsSaid) {
  rig.close();
  *rig.disk->content(kDatabaseFile) = std::string(8192, 'x');
  EXPECT_TRUE(says(rig.open(), "the database is damaged")) << rig.open();
}

TEST_F(LedgerOpenTest, ADamagedMessageIsTheOnlyOneThatIsLost) {
  rig.append("a", "a message that can be found in the file");
  rig.append("a", "3");
  rig.close();
  std::string& file = *rig.disk->content(kDatabaseFile);
  const std::size_t at = file.find("that can be found");
  ASSERT_NE(at, std::string::npos);
  file[at] = static_cast<char>(file[at] ^ 1);
  ASSERT_EQ(rig.open(), "");
  const StreamPage page = rig.page("a", {.messages_max = 10, .bytes_max = 10'000});
  EXPECT_EQ(page.lost, (std::vector<hub::Offset>{2}));
  ASSERT_EQ(page.messages.size(), 2U);
  EXPECT_EQ(page.messages[1]->offset(), 3U);
  EXPECT_EQ(rig.append("a", "4").changes[0].position.offset, 4U);
}

TEST_F(LedgerOpenTest, AMissingRowIsLost) {
  rig.append("a", "2");
  rig.append("a", "3");
  run_sql("DELETE FROM messages WHERE offset=2");
  ASSERT_EQ(rig.open(), "");
  for (const auto order : {PageRequest::Order::oldest_first, PageRequest::Order::newest_first}) {
    const StreamPage page = rig.page("a", {.order = order, .messages_max = 10, .bytes_max = 10'000});
    EXPECT_EQ(page.lost, (std::vector<hub::Offset>{2}));
    EXPECT_EQ(page.messages.size(), 2U);
  }
}

class KernelFolder : public testing::Test {
 protected:
  KernelFolder() {
    std::string name = testing::TempDir() + "/store-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~KernelFolder() override { std::filesystem::remove_all(path); }
  std::string path;
};

TEST_F(KernelFolder, TheSecondServerIsToldWhoTheFirstIs) {
  auto first = FolderLock::take(path, "process 4711 on host.example since 2026-11-21T20:59:00Z");
  ASSERT_TRUE(first);
  const auto second = FolderLock::take(path, "process 4712");
  ASSERT_FALSE(second);
  EXPECT_TRUE(says(second.error(),
                   "in use by another server (process 4711 on host.example since"
                   " 2026-11-21T20:59:00Z)"))
      << second.error();
  first->reset();
  EXPECT_TRUE(FolderLock::take(path, "process 4712"));
}

TEST_F(KernelFolder, ALedgerOnAKernelsDisk) {
  auto disk = KernelDisk::open_folder(path + "/data");
  ASSERT_TRUE(disk) << disk.error();
  base::SeededEntropy entropy(1);
  const auto rules = std::make_shared<FixedRules>();
  for (std::uint64_t start = 0; start < 3; ++start) {
    auto ledger = Ledger::open(**disk, entropy, {.reserve_bytes = 1 << 20}, rules);
    ASSERT_TRUE(ledger) << ledger.error();
    EXPECT_EQ(std::filesystem::file_size(path + "/data/reserve"), 1U << 20);
    Command command = append_command("a", "x");
    ASSERT_TRUE((*ledger)->submit(command));
    (*ledger)->step(base::Instant{}, {1});
    const auto result = (*ledger)->poll_result();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->changes[0].position.offset, start + 1);
  }
  EXPECT_FALSE(std::filesystem::exists(path + "/data/ledger.db-wal")) << "closed in order: all is in the database";
  struct stat status{};
  ASSERT_EQ(::stat((path + "/data/ledger.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

// Another program that opened the database would take our log for one that a crash has left, and remove it.
TEST_F(KernelFolder, OtherProgramsAreKeptOutWhileItIsOpen) {
  auto disk = KernelDisk::open_folder(path);
  ASSERT_TRUE(disk);
  base::SeededEntropy entropy(1);
  auto ledger = Ledger::open(**disk, entropy, {.reserve_bytes = 0}, std::make_shared<FixedRules>());
  ASSERT_TRUE(ledger) << ledger.error();
  const auto read = [&] {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open_v2((path + "/ledger.db").c_str(), &database, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    const int code = sqlite3_exec(database, "SELECT * FROM streams", nullptr, nullptr, nullptr);
    sqlite3_close(database);
    return code;
  };
  EXPECT_EQ(read(), SQLITE_BUSY);
  auto reader = (*ledger)->new_reader();
  ASSERT_TRUE(reader) << "our own";
  reader->reset();
  EXPECT_EQ(read(), SQLITE_BUSY) << "a reader that is closed does not let others in";
  ledger->reset();
  EXPECT_EQ(read(), SQLITE_OK);
}

TEST_F(KernelFolder, AFolderThatCannotBeWrittenToIsSaid) {
  const auto nowhere = KernelDisk::open_folder(path + "/no/such/parent");
  ASSERT_FALSE(nowhere);
  EXPECT_TRUE(says(nowhere.error(), "cannot make the data directory"));
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ::chmod(path.c_str(), 0500);
  const auto denied = KernelDisk::open_folder(path);
  ASSERT_FALSE(denied);
  EXPECT_TRUE(says(denied.error(), "its owner must be the user that the server runs as"));
  ::chmod(path.c_str(), 0700);
}

}  // namespace
}  // namespace store
