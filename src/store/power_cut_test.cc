// After any power cut at any moment the ledger opens, what was acknowledged is there, once and in its place, and what
// was refused is not. Each run snapshots the disk before every operation of it; from each snapshot the power is cut in
// several ways.
//
//     WIREBIRD_POWER_CUTS=100000 store_test --gtest_filter=PowerCut*     that many cuts instead of some thousand
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "sim/store_rig.h"

namespace store {
namespace {

using namespace std::chrono_literals;

struct Acknowledged {
  std::string payload;
  hub::Position position;
};

// What publishers know at one moment.
struct Knowledge {
  std::map<std::string, std::vector<Acknowledged>> acknowledged;  // by channel
  std::map<std::uint64_t, hub::Position> keyed;                   // answers, by key
  std::set<std::string> refused;                                  // payloads
};

struct Snapshot {
  std::unique_ptr<sim::Disk> disk;
  Knowledge known;
};

constexpr int kChannels = 3;

std::string channel(std::uint32_t number) { return "c" + std::to_string(number); }

// Commands of many kinds from one seed; calls `note` for each result.
class Workload {
 public:
  explicit Workload(std::uint64_t seed) : entropy_(seed) {}

  void run(Rig& rig, int batches, Knowledge& known) {
    for (int batch = 0; batch < batches; ++batch) {
      std::map<std::uint64_t, Sent> sent;
      for (std::uint32_t i = 0, commands = 1 + entropy_.below(6); i < commands; ++i) {
        Command command{.ticket = ++ticket_};
        Sent& each = sent[ticket_];
        for (std::uint32_t operations = 1 + entropy_.below(3); operations > 0; --operations) {
          each.payloads.push_back(std::to_string(++payload_) + std::string(entropy_.below(1500), '.'));
          command.operations.emplace_back(
              Append{channel(entropy_.below(kChannels)), text_message(each.payloads.back())});
        }
        if (entropy_.below(3) == 0) {
          each.key = ++key_;
          command.once = once(each.key, 1);
        }
        ASSERT_TRUE(rig.ledger->submit(command));
      }
      for (const Result& result : rig.run()) note(result, sent[result.ticket], known);
      if (entropy_.below(4) == 0) rig.idle(200ms);
    }
  }

 private:
  struct Sent {
    std::vector<std::string> payloads;
    std::uint64_t key = 0;
  };

  static void note(const Result& result, const Sent& sent, Knowledge& known) {
    if (result.outcome == Outcome::refused) known.refused.insert(sent.payloads.begin(), sent.payloads.end());
    if (result.outcome != Outcome::done) return;
    for (std::size_t i = 0; i < result.changes.size(); ++i) {
      known.acknowledged[result.changes[i].channel].push_back({sent.payloads[i], result.changes[i].position});
    }
    if (sent.key != 0) known.keyed[sent.key] = result.changes[0].position;
  }

  base::SeededEntropy entropy_;
  std::uint64_t ticket_ = 0;
  std::uint64_t payload_ = 0;
  std::uint64_t key_ = 0;
};

void verify(Rig& rig, const Knowledge& known, const std::string& where) {
  ASSERT_EQ(rig.open(), "") << where;
  ASSERT_EQ(rig.ledger->opening().new_epochs, "") << where << ": nothing was lost, so epochs stay";
  ASSERT_EQ(rig.ledger->state(), Ledger::State::open) << where;
  std::set<std::string> seen;
  for (int number = 0; number < kChannels; ++number) {
    const StreamPage page =
        rig.page(channel(static_cast<std::uint32_t>(number)), {.messages_max = UINT32_MAX, .bytes_max = UINT32_MAX});
    ASSERT_TRUE(page.lost.empty()) << where;
    ASSERT_FALSE(page.more) << where;
    for (std::size_t i = 0; i < page.messages.size(); ++i) {
      ASSERT_EQ(page.messages[i]->offset(), i + 1) << where;
      const std::string payload(page.messages[i]->payload());
      ASSERT_TRUE(seen.insert(payload).second) << where << ": doubled";
      ASSERT_FALSE(known.refused.contains(payload)) << where << ": refused, and there";
    }
    const auto acknowledged = known.acknowledged.find(channel(static_cast<std::uint32_t>(number)));
    if (acknowledged == known.acknowledged.end()) continue;
    for (const Acknowledged& each : acknowledged->second) {
      ASSERT_EQ(each.position.epoch, page.stream.head.epoch) << where;
      ASSERT_LE(each.position.offset, page.messages.size()) << where << ": acknowledged, and lost";
      ASSERT_EQ(page.messages[each.position.offset - 1]->payload(), each.payload) << where;
    }
  }
  for (const auto& [key, position] : known.keyed) {
    Command command = append_command("other", "x");
    command.once = once(key, 2);
    ASSERT_EQ(rig.run(std::move(command)).error, Error::conflict) << where << ": the key is forgotten";
    break;
  }
  ASSERT_EQ(rig.append("c0", "after").outcome, Outcome::done) << where;
}

std::uint64_t cuts_wanted() {
  const char* const asked = std::getenv("WIREBIRD_POWER_CUTS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 3000;
}

LedgerOptions with_small_log() {
  LedgerOptions options = Rig::small_options();
  options.checkpoint_bytes = 96 * 1024;  // so that some batches checkpoint
  options.reserve_bytes = 4096;
  return options;
}

TEST(PowerCutTest, WhatWasAcknowledgedIsThere) {
  const std::uint64_t wanted = cuts_wanted();
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = 1; cuts < wanted; ++seed) {
    Rig rig(std::make_unique<sim::Disk>(seed), with_small_log());
    Knowledge known;
    std::vector<Snapshot> snapshots;
    rig.disk->before_operation = [&] { snapshots.push_back({rig.disk->copy(seed), known}); };
    ASSERT_EQ(rig.open(), "");
    Workload workload(seed);
    workload.run(rig, 5, known);
    if (seed % 2 == 0) rig.close();  // in order, while every operation of it is cut off too
    rig.disk->before_operation = nullptr;
    if (rig.ledger) rig.close();
    for (std::size_t at = 0; at < snapshots.size() && cuts < wanted; ++at) {
      for (std::uint64_t way = 0; way < 3; ++way, ++cuts) {
        Rig after(snapshots[at].disk->copy(seed * 1'000'003 + at * 17 + way), with_small_log());
        after.disk->cut_power();
        verify(after, snapshots[at].known,
               "seed " + std::to_string(seed) + " operation " + std::to_string(at) + " way " + std::to_string(way));
        if (HasFatalFailure()) return;
      }
    }
  }
}

// What is not synced is nobody's yet, but a process that is only killed leaves all of it to the kernel.
TEST(PowerCutTest, AKilledProcessLosesNothing) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Rig rig(std::make_unique<sim::Disk>(seed), with_small_log());
    Knowledge known;
    std::vector<Snapshot> snapshots;
    rig.disk->before_operation = [&] { snapshots.push_back({rig.disk->copy(seed), known}); };
    ASSERT_EQ(rig.open(), "");
    Workload(seed).run(rig, 5, known);
    rig.disk->before_operation = nullptr;
    rig.close();
    for (std::size_t at = 0; at < snapshots.size(); ++at) {
      Rig after(std::move(snapshots[at].disk), with_small_log());
      verify(after, snapshots[at].known, "seed " + std::to_string(seed) + " operation " + std::to_string(at));
      if (HasFatalFailure()) return;
    }
  }
}

// The second start meets what the first one left half done.
TEST(PowerCutTest, CutsWhileItRecovers) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Rig rig(std::make_unique<sim::Disk>(seed), with_small_log());
    Knowledge known;
    ASSERT_EQ(rig.open(), "");
    Workload workload(seed);
    workload.run(rig, 4, known);
    std::unique_ptr<sim::Disk> disk = rig.disk->copy(seed);  // as it is when the power goes
    rig.close();
    for (int again = 0; again < 10; ++again) {
      disk->cut_power();
      std::vector<std::unique_ptr<sim::Disk>> snapshots;
      Rig recovering(std::move(disk), with_small_log());
      recovering.disk->before_operation = [&] { snapshots.push_back(recovering.disk->copy(seed + snapshots.size())); };
      ASSERT_EQ(recovering.open(), "");
      recovering.disk->before_operation = nullptr;
      recovering.close();
      ASSERT_FALSE(snapshots.empty());
      disk = std::move(snapshots[(seed * 7 + static_cast<std::uint64_t>(again)) % snapshots.size()]);
    }
    disk->cut_power();
    Rig after(std::move(disk), with_small_log());
    verify(after, known, "seed " + std::to_string(seed));
    if (HasFatalFailure()) return;
  }
}

// Every write and every sync fails once, and everything after it works as if nothing had happened: the ledger must not
// be taken in by that. Then the power is cut, or the process ends, and it starts again.
void fail_everywhere(sim::Disk::Fault fault, bool cut) {
  std::uint64_t failed_states = 0;
  for (std::uint64_t at = 0;; ++at) {
    const std::string where = "operation " + std::to_string(at);
    Rig rig(std::make_unique<sim::Disk>(at + 1), with_small_log());
    Knowledge known;
    ASSERT_EQ(rig.open(), "");
    rig.disk->fail_after(at, fault);
    Workload workload(3);
    workload.run(rig, 8, known);
    const bool hit = !rig.disk->fault_pending();
    ASSERT_TRUE(fault != sim::Disk::Fault::failed || !hit || rig.ledger->state() == Ledger::State::failed) << where;
    if (rig.ledger->state() == Ledger::State::failed) {
      ++failed_states;
      const std::uint64_t operations = rig.disk->operations();
      const Result refused = rig.append("c0", "too late");
      ASSERT_EQ(refused.outcome, Outcome::refused) << where;
      ASSERT_EQ(refused.error, Error::read_only) << where;
      ASSERT_EQ(rig.disk->operations(), operations) << where << ": nothing is written any more";
      known.refused.insert("too late");
      for (const auto& [name, acknowledged] : known.acknowledged) {
        ASSERT_GE(rig.payloads(name).size(), acknowledged.size()) << where << ": reading goes on";
      }
    }
    std::unique_ptr<sim::Disk> disk = rig.disk->copy(at + 2);
    rig.close();
    if (cut) disk->cut_power();
    Rig after(std::move(disk), with_small_log());
    verify(after, known, where);
    // Once more: what the second start has read back must be on the disk by now.
    std::unique_ptr<sim::Disk> again = after.disk->copy(at + 3);
    after.close();
    again->cut_power();
    Rig last(std::move(again), with_small_log());
    verify(last, known, where + ", again");
    if (testing::Test::HasFatalFailure() || !hit) break;
  }
  EXPECT_GT(failed_states, fault == sim::Disk::Fault::failed ? 20U : 5U) << "a sync that finds no room has failed too";
}

TEST(DiskFaultTest, EveryOperationFailsOnceAndThePowerIsCut) { fail_everywhere(sim::Disk::Fault::failed, true); }
TEST(DiskFaultTest, EveryOperationFailsOnceAndTheProcessEnds) { fail_everywhere(sim::Disk::Fault::failed, false); }
TEST(DiskFaultTest, EveryOperationFindsNoRoomOnceAndThePowerIsCut) { fail_everywhere(sim::Disk::Fault::full, true); }
TEST(DiskFaultTest, EveryOperationFindsNoRoomOnceAndTheProcessEnds) { fail_everywhere(sim::Disk::Fault::full, false); }

TEST(DiskFaultTest, WhenASyncFailsTheBatchIsUnknownAndARepeatStaysSo) {
  Rig rig;
  ASSERT_EQ(rig.open(), "");
  ASSERT_EQ(rig.append_once("a", "1", once(1, 1)).outcome, Outcome::done);
  Command command = append_command("a", "2");
  command.once = once(2, 1);
  rig.disk->fail_next_sync();
  const Result result = rig.run(std::move(command));
  EXPECT_EQ(result.outcome, Outcome::unknown);
  EXPECT_EQ(result.error, Error::read_only);
  EXPECT_TRUE(result.changes.empty());
  EXPECT_EQ(rig.ledger->state(), Ledger::State::failed);
  EXPECT_EQ(rig.append_once("a", "2", once(2, 1)).outcome, Outcome::unknown) << "nobody knows";
  EXPECT_EQ(rig.append_once("a", "3", once(3, 1)).outcome, Outcome::refused) << "this one was never tried";
  EXPECT_EQ(rig.append_once("a", "1", once(1, 1)).outcome, Outcome::repeated) << "this is known";
  EXPECT_EQ(rig.ledger->next_timeout(), base::kNever);
}

// After the sync that failed the process ends, and the next one reads from the kernel's memory what the disk does not
// hold. If it trusted that, copied it into the database and lost power before the log is begun anew, the disk's own,
// shorter log would be played back over the newer pages.
TEST(DiskFaultTest, WhatASyncHasLostIsWrittenAgainBeforeItIsUsed) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rig rig(std::make_unique<sim::Disk>(seed), with_small_log());
    Knowledge known;
    ASSERT_EQ(rig.open(), "");
    Workload workload(seed);
    workload.run(rig, 3, known);
    rig.disk->fail_next_sync();
    workload.run(rig, 1, known);
    ASSERT_EQ(rig.ledger->state(), Ledger::State::failed);
    std::unique_ptr<sim::Disk> disk = rig.disk->copy(seed);
    rig.close();
    Rig next(std::move(disk), with_small_log());
    std::vector<Snapshot> snapshots;
    next.disk->before_operation = [&] { snapshots.push_back({next.disk->copy(seed), known}); };
    ASSERT_EQ(next.open(), "");
    workload.run(next, 2, known);
    next.disk->before_operation = nullptr;
    next.close();
    for (std::size_t at = 0; at < snapshots.size(); ++at) {
      Rig after(std::move(snapshots[at].disk), with_small_log());
      after.disk->cut_power();
      verify(after, snapshots[at].known, "seed " + std::to_string(seed) + " operation " + std::to_string(at));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(DiskFullTest, ItRefusesInTimeAndGoesOnWhenThereIsRoom) {
  LedgerOptions options = Rig::small_options();
  options.reserve_bytes = 256 * 1024;
  options.checkpoint_bytes = 64 * 1024;
  Rig rig(std::make_unique<sim::Disk>(1, 4 << 20), options);
  ASSERT_EQ(rig.open(), "");
  EXPECT_TRUE(rig.disk->exists(kReserveFile));
  std::uint64_t done = 0;
  Result result;
  for (int i = 0; i < 2000; ++i) {
    rig.clock.advance(1s);
    result = rig.append("a", std::string(4000, 'x'));
    if (result.outcome != Outcome::done) break;
    ++done;
  }
  EXPECT_EQ(result.outcome, Outcome::refused);
  EXPECT_EQ(result.error, Error::disk_full);
  EXPECT_EQ(rig.ledger->state(), Ledger::State::full);
  EXPECT_GT(done, 300U);
  EXPECT_FALSE(rig.disk->exists(kReserveFile));
  EXPECT_EQ(rig.page("a", {}).stream.head.offset, done);
  EXPECT_EQ(rig.clear("a").outcome, Outcome::done) << "what makes room goes on";
  rig.idle(5s);
  // What was deleted is room for new messages, but the file does not shrink.
  EXPECT_EQ(rig.ledger->state(), Ledger::State::full);
  rig.disk->set_capacity(8 << 20);
  rig.idle(2s);
  EXPECT_EQ(rig.ledger->state(), Ledger::State::open);
  EXPECT_TRUE(rig.disk->exists(kReserveFile));
  EXPECT_EQ(rig.append("a", "again").changes[0].position.offset, done + 1);
}

TEST(DiskFullTest, WithoutAReserveNothingThatWasAcknowledgedIsLost) {
  for (std::uint64_t kib = 40; kib < 400; kib += 3) {
    Rig rig(std::make_unique<sim::Disk>(kib, 4 << 20), Rig::small_options());
    ASSERT_EQ(rig.open(), "");
    rig.disk->set_capacity(kib * 1024);
    Knowledge known;
    Workload(kib).run(rig, 8, known);
    ASSERT_NE(rig.ledger->state(), Ledger::State::failed);
    std::unique_ptr<sim::Disk> disk = rig.disk->copy(kib);
    rig.close();
    disk->set_capacity(4 << 20);
    disk->cut_power();
    Rig after(std::move(disk));
    verify(after, known, std::to_string(kib) + " KiB");
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace store
