// What the connections of this process to one database share besides its files: SQLite's file locks and the index of
// its write-ahead log (sqlite.org/walformat.html, section 2). Other processes are kept out by the database file's own
// lock (vfs.cc), so all of it can live in memory: nothing of it has to survive us, and no file can be torn.
//
// Threads: any; each connection is one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace store {

// Locks on the database file: one of SQLITE_LOCK_NONE ... SQLITE_LOCK_EXCLUSIVE per connection.
class FileLocks {
 public:
  using Owner = const void*;  // names a connection

  // As sqlite3_io_methods.xLock: from `held` up to `wanted`. What is held afterwards, also when it is busy.
  struct Taken {
    bool busy = false;
    int held = 0;
  };
  Taken lock(Owner owner, int held, int wanted);
  void unlock(Owner owner, int held, int wanted);
  bool reserved() const;

 private:
  mutable std::mutex mutex_;
  std::uint32_t shared_ = 0;   // connections with at least a shared lock
  Owner reserved_ = nullptr;   // one of them wants to write,
  Owner pending_ = nullptr;    // waits for the others to leave,
  Owner exclusive_ = nullptr;  // is alone
};

class WalIndex {
 public:
  static constexpr std::size_t kLocks = 8;  // SQLITE_SHM_NLOCK

  // Null: there is no such region and none was asked for, or no memory for it. It stays where it is as long as anybody
  // is attached.
  volatile void* region(std::size_t number, std::size_t bytes, bool extend);

  struct Held {  // by one connection: bits
    std::uint8_t shared = 0;
    std::uint8_t exclusive = 0;
  };
  bool lock_shared(Held& held, unsigned first, unsigned count);
  bool lock_exclusive(Held& held, unsigned first, unsigned count);
  void unlock(Held& held, unsigned first, unsigned count);
  void barrier();

  void attach();
  void detach(Held& held);  // the last one takes the index with it

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<std::uint64_t[]>> regions_;  // aligned for what SQLite keeps in them
  std::array<std::uint32_t, kLocks> shared_{};
  std::array<bool, kLocks> exclusive_{};
  std::uint32_t attached_ = 0;
};

}  // namespace store
