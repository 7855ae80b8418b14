// A process that writes to a ledger on the kernel's disk, as fast as it can, and is killed: what it had told us of is
// there when it starts again (robustness.md F01).
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "sim/store_rig.h"
#include "store/kernel_disk.h"

namespace store {
namespace {

constexpr LedgerOptions kOptions{.checkpoint_bytes = 256 * 1024, .reserve_bytes = 1 << 20};

std::string payload(std::uint64_t offset) { return std::to_string(offset) + std::string(offset % 700, '.'); }

// In the child: appends the next messages for ever, and writes the last offset that is durable to the pipe.
[[noreturn]] void write_until_killed(const std::string& folder, int pipe, std::uint64_t seed) {
  auto disk = KernelDisk::open_folder(folder);
  base::SeededEntropy entropy(seed);
  if (!disk) ::_exit(1);
  auto ledger = Ledger::open(**disk, entropy, kOptions, std::make_shared<FixedRules>());
  if (!ledger) ::_exit(2);
  std::uint64_t next = 1;
  {
    auto reader = (*ledger)->new_reader();
    if (!reader) ::_exit(3);
    const auto view = (*reader)->look("a");
    if (view && *view) next = (*view)->head.offset + 1;
  }
  Clock clock;
  while (true) {
    for (std::uint32_t i = 0, group = 1 + entropy.below(16); i < group; ++i, ++next) {
      Command command = append_command("a", payload(next));
      if (!(*ledger)->submit(command)) ::_exit(4);
    }
    clock.advance(std::chrono::milliseconds(1));
    (*ledger)->step(clock.instant, clock.wall);
    std::uint64_t acknowledged = 0;
    while (auto result = (*ledger)->poll_result()) {
      if (result->outcome != Outcome::done) ::_exit(5);
      acknowledged = result->changes[0].position.offset;
    }
    if (::write(pipe, &acknowledged, sizeof(acknowledged)) != sizeof(acknowledged)) ::_exit(6);
  }
}

TEST(KillTest, WhatWasAcknowledgedOutlivesTheProcess) {
  const char* const asked = std::getenv("WIREBIRD_KILLS");
  const int kills = asked != nullptr ? std::atoi(asked) : 12;
  std::string folder = testing::TempDir() + "/store-kill-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  base::SeededEntropy entropy(1);
  std::uint64_t acknowledged = 0;
  hub::Epoch epoch;
  for (int kill = 0; kill < kills; ++kill) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(folder, pipe[1], static_cast<std::uint64_t>(kill) + 1);
    ::close(pipe[1]);
    for (std::uint32_t i = 0, reports = 1 + entropy.below(25); i < reports; ++i) {
      std::uint64_t told = 0;
      ASSERT_EQ(::read(pipe[0], &told, sizeof(told)), static_cast<ssize_t>(sizeof(told))) << "the child gave up";
      acknowledged = told;
    }
    ::kill(child, SIGKILL);
    // What it had said before it died counts too.
    std::uint64_t told = 0;
    while (::read(pipe[0], &told, sizeof(told)) == static_cast<ssize_t>(sizeof(told))) acknowledged = told;
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);

    auto disk = KernelDisk::open_folder(folder);
    ASSERT_TRUE(disk);
    auto ledger = Ledger::open(**disk, entropy, kOptions, std::make_shared<FixedRules>());
    ASSERT_TRUE(ledger) << ledger.error();
    ASSERT_EQ((*ledger)->opening().new_epochs, "");
    auto reader = (*ledger)->new_reader();
    ASSERT_TRUE(reader);
    hub::Offset at = 0;
    for (bool more = true; more;) {
      const auto page = (*reader)->read("a", {.from = at, .messages_max = 1000, .bytes_max = 1 << 20}, {}, {1});
      ASSERT_TRUE(page && *page);
      ASSERT_TRUE((*page)->lost.empty());
      if (epoch.view().empty()) epoch = (*page)->stream.head.epoch;
      ASSERT_EQ((*page)->stream.head.epoch, epoch);
      for (const auto& message : (*page)->messages) {
        ASSERT_EQ(message->offset(), ++at);
        ASSERT_EQ(message->payload(), payload(at));
      }
      more = (*page)->more;
    }
    ASSERT_GE(at, acknowledged) << "kill " << kill;
  }
  EXPECT_GT(acknowledged, static_cast<std::uint64_t>(kills));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace store
