// SQLite's view of a Disk: its files, locks, shared memory, randomness and time go through here and nowhere else
// (sqlite.org/vfs.html), so that the simulator runs the code that production runs.
//
// It is also where a disk that fails is found out: after one write or sync that failed every later one fails without
// being tried (PostgreSQL's fsync lesson of 2018: what was dirty is gone, and a second fsync says that all is well).
// Reads go on. A full disk is not a failed one: the write that found no room may be tried again once there is some, but
// a sync that finds none has failed.
//
// Threads: connections on several; the disk must be able to. Lifetime: outlives every connection opened
// with name().
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/entropy.h"
#include "store/disk.h"
#include "store/vfs_locks.h"

struct sqlite3_vfs;

namespace store {

class Vfs {
 public:
  // The disk must outlive it. `seed`: of what SQLite draws.
  Vfs(Disk& disk, std::uint64_t seed);
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;
  ~Vfs();

  // To be given to sqlite3_open_v2. Names of databases are names of files of the disk.
  const char* name() const { return name_.c_str(); }

  // A write, truncation or sync has failed; from then on all of them do.
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  // How often a write found no room.
  std::uint64_t times_full() const { return times_full_.load(std::memory_order_relaxed); }

 private:
  friend struct VfsMethods;
  struct Shared {  // by the connections to one database
    FileLocks locks;
    WalIndex index;
  };
  struct OpenFile;

  Shared& shared_of(const std::string& name);
  int refused(DiskError error, int code);  // remembers that the disk has failed

  Disk& disk_;
  base::SeededEntropy entropy_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> methods_;
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> times_full_{0};
  std::mutex mutex_;  // of entropy_ and shared_
  std::map<std::string, std::unique_ptr<Shared>> shared_;
};

}  // namespace store
