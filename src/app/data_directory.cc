#include "app/data_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "server/retention.h"

namespace app {
namespace {

// How long a thread sleeps at most: it looks whether it is to end.
constexpr base::Duration kSleepMax = std::chrono::seconds(1);

constexpr base::Duration kLastWorkMax = std::chrono::seconds(2);

}  // namespace

bool ThreadWakeup::wake() {
  const std::lock_guard lock(mutex_);
  called_ = true;
  if (!sleeps_) return false;
  woken_.notify_one();
  return true;
}

void ThreadWakeup::wait_until(base::Instant at, loop::Clock& clock) {
  std::unique_lock lock(mutex_);
  const base::Instant now = clock.now();
  if (!called_ && at > now) {
    sleeps_ = true;
    woken_.wait_for(lock, at == base::kNever ? kSleepMax : std::min<base::Duration>(at - now, kSleepMax),
                    [&] { return called_; });
    sleeps_ = false;
  }
  called_ = false;
}

std::expected<std::unique_ptr<DataDirectory>, std::string> DataDirectory::open(const std::string& path,
                                                                               server::SnapshotRef snapshot) {
  std::unique_ptr<DataDirectory> opened(new DataDirectory());
  auto disk = store::KernelDisk::open_folder(path);
  if (!disk) return std::unexpected(std::move(disk.error()));
  opened->disk_ = *std::move(disk);
  const std::string& listener =
      snapshot->options().listeners.empty() ? std::string() : snapshot->options().listeners.front().address;
  auto lock = store::FolderLock::take(path, fmt::format("wirebird, process {}, listening on {}", getpid(), listener));
  if (!lock) return std::unexpected(std::move(lock.error()));
  opened->lock_ = *std::move(lock);
  auto ledger = store::Ledger::open(*opened->disk_, opened->entropy_, {},
                                    std::make_shared<server::NamespaceRetention>(std::move(snapshot)));
  if (!ledger) return std::unexpected(std::move(ledger.error()));
  opened->ledger_ = *std::move(ledger);
  auto reader = opened->ledger_->new_reader();
  if (!reader) {
    return std::unexpected(fmt::format("{} cannot be read: {}", path, store::to_string(reader.error())));
  }
  opened->reader_ = *std::move(reader);
  return opened;
}

void DataDirectory::start(server::Shared& shared, server::Mailboxes& mailboxes,
                          std::span<loop::Wakeup* const> wakeups) {
  ledger_station_ = std::make_unique<server::LedgerStation>(shared, *ledger_, mailboxes, wakeups);
  reader_station_ = std::make_unique<server::ReaderStation>(shared.workers(), *reader_, mailboxes, wakeups);
  ledger_thread_ = std::thread([this] { run(*ledger_station_, ledger_wakeup_); });
  reader_thread_ = std::thread([this] { run(*reader_station_, reader_wakeup_); });
}

template <class Station>
void DataDirectory::run(Station& station, ThreadWakeup& wakeup) {
  loop::KernelClock clock;
  while (!stop_.load(std::memory_order_acquire)) {
    station.turn({clock.now(), clock.wall()});
    wakeup.wait_until(station.next_deadline(), clock);
  }
  // The workers have ended: what they have asked for last.
  const base::Instant end = clock.now() + kLastWorkMax;
  do {
    station.turn({clock.now(), clock.wall()});
  } while (station.busy() && clock.now() < end);
}

void DataDirectory::stop() {
  stop_.store(true, std::memory_order_release);
  for (ThreadWakeup* const each : {&ledger_wakeup_, &reader_wakeup_}) each->wake();
  for (std::thread* const each : {&ledger_thread_, &reader_thread_}) {
    if (each->joinable()) each->join();
  }
}

DataDirectory::~DataDirectory() { stop(); }

}  // namespace app
