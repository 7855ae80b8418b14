#include "store/backup.h"

#include <sqlite3.h>

#include <utility>

namespace store {
namespace {

// Synced while it goes on, so that the end is not one long wait: 4 MiB.
constexpr std::size_t kSyncPages = 1024;

}  // namespace

std::expected<std::unique_ptr<Backup>, std::string> Backup::begin(Connection& source, Disk& to, std::string name,
                                                                  base::Entropy& entropy) {
  std::unique_ptr<Backup> backup(new Backup(to, std::move(name), entropy));
  const std::string path = to.path_of(backup->name_);
  if (to.exists(backup->name_)) return std::unexpected(path + " is there already");
  to.remove(backup->part_);  // of one that was cut off
  auto copy = Connection::open(backup->part_, backup->vfs_.name(), Connection::Role::writer);
  if (!copy) return std::unexpected("cannot make " + path + ": " + std::string(to_string(copy.error())));
  backup->copy_ = std::move(*copy);
  // A copy that is cut off is thrown away, so it needs no journal and no syncs of SQLite's.
  if (backup->copy_.run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF") != Status::ok) {
    return std::unexpected("cannot make " + path + ": " + backup->copy_.last_message());
  }
  backup->backup_ = sqlite3_backup_init(backup->copy_.get(), "main", source.get(), "main");
  if (backup->backup_ == nullptr) {
    return std::unexpected("cannot make " + path + ": " + backup->copy_.last_message());
  }
  return backup;
}

Backup::~Backup() {
  sqlite3_backup_finish(backup_);
  copy_ = {};
  if (state_ != State::done) to_.remove(part_);
}

Backup::Progress Backup::progress() const {
  if (backup_ == nullptr) return {};
  const auto pages = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup_));
  return {pages, pages - static_cast<std::uint64_t>(sqlite3_backup_remaining(backup_))};
}

Backup::State Backup::fail(std::string why) {
  error_ = "the backup " + to_.path_of(name_) + " has failed: " + std::move(why);
  return state_ = State::failed;
}

Backup::State Backup::step(std::size_t pages) {
  if (state_ != State::running) return state_;
  const int code = sqlite3_backup_step(backup_, static_cast<int>(pages));
  if (code == SQLITE_DONE) return finish();
  const Status status = status_of(code);
  if (status != Status::ok && status != Status::busy) return fail(std::string(to_string(status)));
  unsynced_ += pages;
  if (unsynced_ < kSyncPages) return state_;
  unsynced_ = 0;
  const auto file = to_.open(part_, Disk::Mode::write);
  if (!file || (*file)->sync() != DiskError::none) return fail(std::string(to_string(DiskError::failed)));
  return state_;
}

// One file, without a log beside it, that says that it is a copy.
Backup::State Backup::finish() {
  const int code = sqlite3_backup_finish(std::exchange(backup_, nullptr));
  if (code != SQLITE_OK) return fail(std::string(to_string(status_of(code))));
  // SQLite knows the copy only as it was before; and as a database that has a log it can be marked safely.
  copy_ = {};
  auto copy = Connection::open(part_, vfs_.name(), Connection::Role::writer);
  if (!copy) return fail(std::string(to_string(copy.error())));
  copy_ = std::move(*copy);
  const Status status = copy_.run("UPDATE meta SET value=1 WHERE key='copied'; PRAGMA journal_mode=DELETE");
  if (status != Status::ok) return fail(copy_.last_message());
  copy_ = {};
  {
    const auto file = to_.open(part_, Disk::Mode::write);
    if (!file || (*file)->sync() != DiskError::none || vfs_.failed()) return fail("it could not be synced");
  }
  if (to_.rename(part_, name_) != DiskError::none || to_.sync_folder() != DiskError::none) {
    return fail("it could not be given its name");
  }
  return state_ = State::done;
}

}  // namespace store
