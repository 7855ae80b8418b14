// How a ledger is opened and closed, and its write-ahead log.
#include <sqlite3.h>

#include <utility>

#include "base/assert.h"
#include "store/ledger.h"
#include "store/limits.h"
#include "store/schema.h"

namespace store {
namespace {

constexpr std::string_view kLogFile = "ledger.db-wal";
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kFrameBytes = kPageBytes + 24;  // sqlite.org/fileformat2.html section 4.1

// Starts of one ledger times commits of one start: a million starts, a trillion commits each.
constexpr unsigned kCommitBits = 40;

// After a sync that failed the kernel reads from its memory what the disk does not hold, and will not write it again:
// it takes it for clean. If a new process copied that into the database and lost power before the log is begun anew,
// the disk's own, shorter log would be played back over newer pages. Written once more and synced, the log on the disk
// is the one that is read.
DiskError write_again(Disk& disk, std::string_view name) {
  auto file = disk.open(name, Disk::Mode::write);
  if (!file) return file.error();
  std::string buffer(1 << 20, '\0');
  for (std::uint64_t at = 0;;) {
    const auto bytes = (*file)->read(at, buffer);
    if (!bytes) return bytes.error();
    if (*bytes == 0) return (*file)->sync();
    const DiskError error = (*file)->write(at, std::string_view(buffer).substr(0, *bytes));
    if (error != DiskError::none) return error;
    at += *bytes;
  }
}

}  // namespace

std::expected<std::unique_ptr<Ledger>, std::string> Ledger::open(Disk& disk, base::Entropy& entropy,
                                                                 LedgerOptions options,
                                                                 std::shared_ptr<const RetentionRules> rules) {
  std::unique_ptr<Ledger> ledger(new Ledger(disk, entropy, options, std::move(rules)));
  if (auto started = ledger->start(); !started) return std::unexpected(std::move(started.error()));
  return ledger;
}

std::string Ledger::text(std::string_view what) const {
  return "cannot open " + disk_.path_of(kDatabaseFile) + ": " + std::string(what);
}

std::string Ledger::why(Status status) const {
  return std::string(to_string(status)) + " (" + connection_.last_message() + ")";
}

std::expected<std::optional<Identity>, std::string> Ledger::read_identity() {
  const auto content = read_file(disk_, kIdentityFile, kIdentityBytesMax);
  if (!content && content.error() == DiskError::missing) return std::nullopt;
  const std::string path = disk_.path_of(kIdentityFile);
  if (!content) return std::unexpected("cannot read " + path + ": " + std::string(to_string(content.error())));
  const auto identity = parse_identity(*content);
  if (!identity) {
    return std::unexpected(path + " is not what a ledger writes there; if " + disk_.path_of(kDatabaseFile) +
                           " is the right one, remove " + path + " and start again");
  }
  return identity;
}

std::expected<void, std::string> Ledger::open_database() {
  auto connection = Connection::open(kDatabaseFile, vfs_.name(), Connection::Role::writer);
  if (!connection) return std::unexpected(text(to_string(connection.error())));
  connection_ = std::move(*connection);
  const auto version = schema_version(connection_);  // before anything is changed
  if (!version) return std::unexpected(text(version.error()));
  const std::string settings = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-" +
                               std::to_string(options_.cache_bytes / 1024) +
                               "; PRAGMA journal_size_limit=" + std::to_string(options_.wal_bytes_max);
  Status status = connection_.run(settings.c_str());
  if (status == Status::ok) status = upgrade_schema(connection_, *version);
  if (status != Status::ok) return std::unexpected(text(why(status)));
  opening_.created = *version == 0;
  opening_.upgraded_from = *version == kSchemaVersion ? 0 : *version;
  return {};
}

std::expected<void, std::string> Ledger::start() {
  reserve_ = std::make_unique<Reserve>(disk_, options_.reserve_bytes);
  checkpoint_at_ = options_.checkpoint_bytes;
  const auto beside = read_identity();
  if (!beside) return std::unexpected(beside.error());
  const bool log_was_there = disk_.exists(kLogFile);
  if (!disk_.exists(kDatabaseFile)) {
    // Never a fresh and empty ledger where there was one.
    if (*beside || log_was_there) {
      return std::unexpected(disk_.path_of(kDatabaseFile) + " is missing, but " +
                             disk_.path_of(*beside ? kIdentityFile : kLogFile) +
                             " says that there was one; put it back or restore a backup; to begin with an empty "
                             "ledger, remove that file too");
    }
    // First of all files, so that none is ever there without it.
    const bool made = disk_.open(kDatabaseFile, Disk::Mode::create).has_value();
    if (!made || disk_.sync_folder() != DiskError::none) return std::unexpected(text("it cannot be made"));
  }
  if (log_was_there) {
    const DiskError error = write_again(disk_, kLogFile);
    if (error != DiskError::none) return std::unexpected(text("its write-ahead log: " + std::string(to_string(error))));
  }
  if (auto opened = open_database(); !opened) return opened;
  if (auto checked = check_identity(*beside, log_was_there); !checked) return checked;
  sqlite3_wal_hook(
      connection_.get(),
      [](void* self, sqlite3*, const char*, int frames) {
        static_cast<Ledger*>(self)->wal_bytes_.store(static_cast<std::uint64_t>(frames) * kFrameBytes,
                                                     std::memory_order_relaxed);
        return SQLITE_OK;
      },
      this);
  const std::pair<Statement*, std::string_view> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"}, {&commit_, "COMMIT"},     {&rollback_, "ROLLBACK"},
      {&savepoint_, "SAVEPOINT s"}, {&release_, "RELEASE s"}, {&rollback_to_, "ROLLBACK TO s"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = Statement::prepare(connection_, sql);
    if (!prepared) return std::unexpected(text(connection_.last_message()));
    *statement = std::move(*prepared);
  }
  auto streams = Streams::prepare(connection_, entropy_);
  if (!streams) return std::unexpected(text(connection_.last_message()));
  streams_ = std::move(*streams);
  auto answers = Answers::prepare(connection_);
  if (!answers) return std::unexpected(text(connection_.last_message()));
  answers_ = std::move(*answers);

  next_commit_ = identity_.starts << kCommitBits;
  if (reserve_->nearly_full()) state_.store(State::full, std::memory_order_release);
  started_ = true;
  return {};
}

// What the database says of itself and what the file beside it says; afterwards both say that it was started once more.
std::expected<void, std::string> Ledger::check_identity(const std::optional<Identity>& beside, bool log_was_there) {
  const auto value = [&](const char* key) {
    return connection_.number(("SELECT value FROM meta WHERE key='" + std::string(key) + "'").c_str());
  };
  const auto set = [&](const char* key, std::uint64_t number) {
    return connection_.run(("INSERT OR REPLACE INTO meta(key, value) VALUES('" + std::string(key) + "', " +
                            std::to_string(static_cast<std::int64_t>(number)) + ")")
                               .c_str());
  };
  const auto id = value("id"), starts = value("starts"), salt = value("salt"), seed = value("hash_seed"),
             copied = value("copied");
  for (const auto& each : {id, starts, salt, seed, copied}) {
    if (!each) return std::unexpected(text(why(each.error())));
  }
  identity_ = {.id = static_cast<std::uint64_t>(*id), .starts = static_cast<std::uint64_t>(*starts)};
  salt_ = static_cast<std::uint64_t>(*salt);
  hash_seed_ = static_cast<std::uint64_t>(*seed);
  // Its first start never got as far as here, also if its tables are there.
  const bool is_new = identity_.id == 0;
  if (is_new) {
    while (identity_.id == 0) identity_.id = entropy_.next();
    salt_ = entropy_.next();
    hash_seed_ = entropy_.next();
  }
  if (beside && beside->id != identity_.id) {
    return std::unexpected(
        text("it is not the ledger that " + disk_.path_of(kIdentityFile) +
             " names; put the right one back, or remove that file if this is the one to go on with"));
  }
  if (*copied != 0) {
    opening_.new_epochs = "it was restored from a backup";
  } else if (beside && identity_.starts < beside->starts) {
    opening_.new_epochs = "it is an older copy of itself";
  } else if (beside && !beside->closed && !log_was_there) {
    opening_.new_epochs = "its write-ahead log is missing";
  }
  if (!opening_.new_epochs.empty()) {
    salt_ = entropy_.next();
    // Numbers of commits are not used twice either.
    if (beside) identity_.starts = std::max(identity_.starts, beside->starts);
  }
  ++identity_.starts;
  Status status = connection_.run("BEGIN IMMEDIATE");
  for (const auto& [key, number] : {std::pair{"id", identity_.id},
                                    {"starts", identity_.starts},
                                    {"salt", salt_},
                                    {"hash_seed", hash_seed_},
                                    {"copied", std::uint64_t{0}}}) {
    if (status == Status::ok) status = set(key, number);
  }
  if (status == Status::ok) status = connection_.run("COMMIT");
  // All that the log holds: pages of the database that a sync has lost are among them. Readers are not there yet.
  if (status == Status::ok) {
    status =
        status_of(sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr));
  }
  if (status != Status::ok) return std::unexpected(text(why(status)));
  if (const DiskError error = replace_file(disk_, kIdentityFile, identity_text(identity_)); error != DiskError::none) {
    return std::unexpected("cannot write " + disk_.path_of(kIdentityFile) + ": " + std::string(to_string(error)));
  }
  return {};
}

// Copies the log into the database, as far as no reader needs what is there now. Once all of it is copied and nobody
// reads from it the next commit begins it anew. Readers that come while nothing is written read from the database
// alone, so when the log is at its cap it is enough to write nothing until those that were there are done.
void Ledger::checkpoint() {
  const int mode = wal_bytes() >= options_.wal_bytes_max ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, mode, nullptr, nullptr);
  ++counts_.checkpoints;
  if (vfs_.failed()) {
    fail();
    return;
  }
  checkpoint_at_ = wal_bytes() + options_.checkpoint_bytes;
  if (mode == SQLITE_CHECKPOINT_RESTART) {
    must_restart_log_ = code != SQLITE_OK;
    if (!must_restart_log_) wal_bytes_.store(0, std::memory_order_relaxed);
  }
  if (status_of(code) == Status::full) {
    reserve_->give_up();
    state_.store(State::full, std::memory_order_release);
  }
}

Ledger::~Ledger() {
  if (!started_ || state() == State::failed) return;
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return;  // the next start does it
  identity_.closed = true;
  replace_file(disk_, kIdentityFile, identity_text(identity_));
}

}  // namespace store
