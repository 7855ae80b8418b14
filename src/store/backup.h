// A copy of a ledger's database while the ledger is written to: some pages at a time, on the ledger's thread, through
// its own connection, so that what it changes meanwhile is changed in the copy too and nothing has to be held back
// (sqlite.org/c3ref/backup_finish.html). When it is done the copy is one file, synced, that holds everything committed
// until then.
//
// The copy says that it is one: whoever opens it as a ledger has new epochs, because what came after it is lost to him.
//
// Threads: the ledger's. Lifetime: not longer than the source and the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "base/entropy.h"
#include "store/database.h"
#include "store/disk.h"
#include "store/vfs.h"

struct sqlite3_backup;

namespace store {

class Backup {
 public:
  // The file must not be there. Until the copy is done it has another name. The error is a text for the operator.
  static std::expected<std::unique_ptr<Backup>, std::string> begin(Connection& source, Disk& to, std::string name,
                                                                   base::Entropy& entropy);
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;
  ~Backup();  // one that is not done leaves nothing

  enum class State : std::uint8_t { running, done, failed };
  // Copies so many pages, while the source is not in a transaction.
  State step(std::size_t pages);
  State state() const { return state_; }
  const std::string& error() const { return error_; }  // of a failed one

  struct Progress {
    std::uint64_t pages = 0;
    std::uint64_t copied = 0;
  };
  Progress progress() const;

 private:
  Backup(Disk& to, std::string name, base::Entropy& entropy)
      : to_(to), name_(std::move(name)), part_(name_ + ".part"), vfs_(to, entropy.next()) {}

  State fail(std::string why);
  State finish();

  Disk& to_;
  std::string name_;
  std::string part_;
  Vfs vfs_;
  Connection copy_;
  sqlite3_backup* backup_ = nullptr;
  std::size_t unsynced_ = 0;  // pages
  State state_ = State::running;
  std::string error_;
};

}  // namespace store
