// The data directory of a running server: its lock, the ledger in it, and the threads of the ledger and its reader.
//
// Calling order: open(); start() once there are mailboxes; stop() after the workers have ended. Threads: the main one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <expected>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "loop/io.h"
#include "loop/kernel_clock.h"
#include "loop/kernel_entropy.h"
#include "server/ledger_station.h"
#include "server/reader_station.h"
#include "store/kernel_disk.h"
#include "store/ledger.h"

namespace app {

// Ends the sleep of a thread that waits for mail and nothing else.
class ThreadWakeup final : public loop::Wakeup {
 public:
  bool wake() override;
  // Until wake() was called since the last wait, or that time.
  void wait_until(base::Instant at, loop::Clock& clock);

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  bool called_ = false;
  bool sleeps_ = false;
};

class DataDirectory {
 public:
  // Makes the directory if only its last part is missing. The error is a text for the operator.
  static std::expected<std::unique_ptr<DataDirectory>, std::string> open(const std::string& path,
                                                                         server::SnapshotRef snapshot);
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;
  ~DataDirectory();

  const store::Ledger& ledger() const { return *ledger_; }
  // Of the ledger and of its reader, behind those of the workers.
  loop::Wakeup* ledger_wakeup() { return &ledger_wakeup_; }
  loop::Wakeup* reader_wakeup() { return &reader_wakeup_; }

  // All must outlive this. `wakeups` are of all stations.
  void start(server::Shared& shared, server::Mailboxes& mailboxes, std::span<loop::Wakeup* const> wakeups);
  void stop();

 private:
  DataDirectory() = default;
  template <class Station>
  void run(Station& station, ThreadWakeup& wakeup);

  std::unique_ptr<store::KernelDisk> disk_;
  std::unique_ptr<store::FolderLock> lock_;
  loop::KernelEntropy entropy_;
  std::unique_ptr<store::Ledger> ledger_;
  std::unique_ptr<store::Reader> reader_;
  ThreadWakeup ledger_wakeup_;
  ThreadWakeup reader_wakeup_;
  std::unique_ptr<server::LedgerStation> ledger_station_;
  std::unique_ptr<server::ReaderStation> reader_station_;
  std::thread ledger_thread_;
  std::thread reader_thread_;
  std::atomic<bool> stop_{false};
};

}  // namespace app
