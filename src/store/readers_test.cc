// Readers on threads of their own while the ledger commits and checkpoints, on the kernel's disk.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "sim/store_rig.h"
#include "store/kernel_disk.h"

namespace store {
namespace {

TEST(ReadersTest, SeeWholeBatchesAndNothingElse) {
  std::string folder = testing::TempDir() + "/store-readers-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  {
    auto disk = KernelDisk::open_folder(folder);
    ASSERT_TRUE(disk);
    base::SeededEntropy entropy(1);
    // A log that is begun anew all the time, and sometimes has to wait for a reader.
    auto ledger =
        Ledger::open(**disk, entropy, {.checkpoint_bytes = 64 * 1024, .wal_bytes_max = 128 * 1024, .reserve_bytes = 0},
                     std::make_shared<FixedRules>());
    ASSERT_TRUE(ledger) << ledger.error();
    constexpr std::uint64_t kBatch = 8;
    constexpr std::uint64_t kBatches = 150;
    std::atomic<std::uint64_t> committed{0};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> pages{0};
    const auto read = [&](Reader& reader) {
      hub::Offset at = 0;
      while (!stop.load()) {
        const std::uint64_t least = committed.load();
        const auto page = reader.read("a", {.from = at, .messages_max = 100, .bytes_max = 1 << 20}, {}, {1});
        if (!page || !*page) {
          ASSERT_TRUE(page) << to_string(page.error());
          continue;
        }
        const hub::Offset head = (*page)->stream.head.offset;
        ASSERT_GE(head, least) << "what was committed before is seen";
        ASSERT_EQ(head % kBatch, 0U) << "half of a batch";
        ASSERT_TRUE((*page)->lost.empty());
        for (const auto& message : (*page)->messages) {
          ASSERT_EQ(message->offset(), ++at);
          ASSERT_TRUE(message->payload().starts_with(std::to_string(at)));
        }
        if (!(*page)->more) at = 0;
        ++pages;
      }
    };
    std::vector<std::unique_ptr<Reader>> readers;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      auto reader = (*ledger)->new_reader();
      ASSERT_TRUE(reader);
      readers.push_back(std::move(*reader));
    }
    for (const auto& reader : readers) threads.emplace_back([&, one = reader.get()] { read(*one); });
    std::uint64_t written = 0;
    Clock clock;
    for (std::uint64_t batch = 0; batch < kBatches; ++batch) {
      for (std::uint64_t i = 0; i < kBatch; ++i) {
        ++written;
        Command command = append_command("a", std::to_string(written) + std::string(written % 3000, '.'));
        EXPECT_TRUE((*ledger)->submit(command));
      }
      std::size_t results = 0;
      while (results < kBatch && (*ledger)->state() == Ledger::State::open) {
        clock.advance(std::chrono::milliseconds(1));
        (*ledger)->step(clock.instant, clock.wall);
        while ((*ledger)->poll_result()) ++results;
      }
      committed.store(written);
    }
    // At least some pages while everything is there, however slow the machine is.
    const std::uint64_t seen = pages.load();
    while (pages.load() < seen + 4 && !HasFailure()) std::this_thread::yield();
    stop.store(true);
    for (std::thread& each : threads) each.join();
    EXPECT_EQ((*ledger)->state(), Ledger::State::open);
    EXPECT_GT((*ledger)->counts().checkpoints, 10U);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace store
