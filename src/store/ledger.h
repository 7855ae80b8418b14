// The ledger: the only writer of the database. Commands go in, are executed one after the other, and have their results
// when what they did is on stable storage: all commands that wait are executed in one transaction, and one sync of the
// write-ahead log is for all of them (group commit).
//
// It owns no thread. Calling order: submit() as long as it takes; step(); poll_result() until there is none; step()
// again at next_timeout(). Each submitted command has exactly one result. The results of a step are in the order of the
// commands, so in the order of the offsets of each stream.
//
// States. `open`: all is well. `full`: there is no room on the disk; what adds something is refused, what deletes is
// done, and when there is room again the state is `open`. `failed`: a write or a sync has failed; nothing is written
// any more, for good, because nobody knows what the disk holds. A new start reads back what it does hold. Readers go on
// in every state.
//
// Threads: one, but for new_reader(), state() and wal_bytes(). Lifetime: disk and entropy outlive it, and it outlives
// its readers.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "store/answers.h"
#include "store/backup.h"
#include "store/command.h"
#include "store/database.h"
#include "store/disk.h"
#include "store/identity.h"
#include "store/reader.h"
#include "store/reserve.h"
#include "store/rules.h"
#include "store/streams.h"
#include "store/vfs.h"

namespace store {

inline constexpr const char* kDatabaseFile = "ledger.db";

struct LedgerOptions {
  // Commands that wait; more are not taken. 64 MiB of small messages are some 200,000.
  std::size_t queue_commands_max = 65'536;
  std::size_t queue_bytes_max = 64 << 20;
  // The write-ahead log is copied into the database when it is as long as the first, and nothing is written before it
  // could be begun anew when it is as long as the second.
  std::uint64_t checkpoint_bytes = 8 << 20;
  std::uint64_t wal_bytes_max = 64 << 20;
  std::uint64_t reserve_bytes = 64 << 20;  // reserve.h
  std::uint64_t cache_bytes = 64 << 20;    // of pages of the database
};

class Ledger {
 public:
  // Opens the ledger of that disk, or makes one where there never was one. The error is a text for the operator.
  static std::expected<std::unique_ptr<Ledger>, std::string> open(Disk& disk, base::Entropy& entropy,
                                                                  LedgerOptions options,
                                                                  std::shared_ptr<const RetentionRules> rules);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  // Closes the database. What still waits has no result and will never be seen.
  ~Ledger();

  // False: it has too much to do; the command is as it was, and may be tried again later.
  bool submit(Command& command);
  // Executes what waits, as far as it fits one batch, and a slice of what has to be done anyway.
  void step(base::Instant now, base::WallTime wall);
  std::optional<Result> poll_result();
  // When step() has something to do without a new command: not later than now if there is something already.
  base::Instant next_timeout() const;

  void rules_changed(std::shared_ptr<const RetentionRules> rules) { rules_ = std::move(rules); }

  enum class State : std::uint8_t { open, full, failed };
  State state() const { return state_.load(std::memory_order_acquire); }
  std::uint64_t wal_bytes() const { return wal_bytes_.load(std::memory_order_relaxed); }
  std::size_t waiting() const { return queue_.size(); }
  std::size_t waiting_bytes() const { return queue_bytes_; }

  // How it was found when it was opened.
  struct Opening {
    bool created = false;
    std::int64_t upgraded_from = 0;  // version of the schema; 0: it was up to date
    std::string new_epochs;  // why the end of the logs may be missing, so that all epochs are new; empty: they are not
  };
  const Opening& opening() const { return opening_; }
  // For the hashes of Once: a secret that stays the same as long as the ledger lives.
  std::uint64_t hash_seed() const { return hash_seed_; }

  struct Counts {
    std::uint64_t batches = 0;
    std::uint64_t commands = 0;  // done
    std::uint64_t checkpoints = 0;
    std::uint64_t damaged = 0;  // commands and slices that met rows which are not what was written
  };
  const Counts& counts() const { return counts_; }

  // Copies the database into a file of that disk, some pages with each step; the disk outlives the copying. One at a
  // time. The error is a text for the operator.
  std::expected<void, std::string> begin_backup(Disk& to, std::string name);
  const Backup* backup() const { return backup_.get(); }  // the last that was begun; null: none was

  // A connection of its own, for one thread at a time. Any thread.
  std::expected<std::unique_ptr<Reader>, Status> new_reader();
  const char* vfs_name() const { return vfs_.name(); }

 private:
  struct Running {  // a command of the batch
    Command command;
    Result result;
    std::vector<Mark> marks;  // of each operation
  };
  Ledger(Disk& disk, base::Entropy& entropy, LedgerOptions options, std::shared_ptr<const RetentionRules> rules)
      : disk_(disk), options_(options), rules_(std::move(rules)), vfs_(disk, entropy.next()), entropy_(entropy) {}

  std::expected<void, std::string> start();
  std::expected<void, std::string> open_database();
  std::expected<std::optional<Identity>, std::string> read_identity();
  std::expected<void, std::string> check_identity(const std::optional<Identity>& beside, bool log_was_there);
  std::string text(std::string_view what) const;  // about the database, for the operator
  std::string why(Status status) const;

  void write(base::Instant now, base::WallTime wall);
  void take_batch();
  void run_batch(base::Instant now, base::WallTime wall);
  // Savepoints cost as much as the commands in them, and are needed only by a batch of which some command fails.
  enum class Savepoints : std::uint8_t { no, yes };
  Status execute_all(Savepoints savepoints, base::WallTime wall);
  Status execute_alone(Running& running, base::WallTime wall);
  Status execute(Running& running, base::WallTime wall);
  Status apply(Running& running, base::WallTime wall);
  void finish(Running& running, base::Instant now);
  std::expected<bool, Status> answer_if_repeated(Running& running, base::WallTime wall);
  void refuse_all(std::vector<Running>& batch, Status status, bool committing);
  void fail();
  Status sweep(base::WallTime wall);
  void roll_back();
  bool undo_savepoint(Status why);
  bool background_due(base::Instant now);
  void checkpoint();
  void look_at_room(base::Instant now);
  bool backup_runs() const { return backup_ != nullptr && backup_->state() == Backup::State::running; }
  void answer_without_writing(base::WallTime wall, Error error);
  std::string cause_of(const Running& running) const;

  Disk& disk_;
  LedgerOptions options_;
  std::shared_ptr<const RetentionRules> rules_;
  Vfs vfs_;
  base::Entropy& entropy_;
  Connection connection_;
  Statement begin_, commit_, rollback_, savepoint_, release_, rollback_to_;
  std::unique_ptr<Streams> streams_;
  std::unique_ptr<Answers> answers_;
  std::unique_ptr<Reserve> reserve_;
  std::unique_ptr<Backup> backup_;
  Identity identity_;
  Opening opening_;
  std::uint64_t salt_ = 0;
  std::uint64_t hash_seed_ = 0;
  std::uint64_t next_commit_ = 0;
  std::uint64_t batch_first_commit_ = 0;

  std::atomic<State> state_{State::open};
  std::atomic<std::uint64_t> wal_bytes_{0};
  std::deque<Command> queue_;
  std::size_t queue_bytes_ = 0;
  std::deque<Result> results_;
  std::vector<Running> batch_;
  std::size_t appended_ = 0;                                           // by the batch
  std::unordered_set<base::Hash128, base::Hash128Hash> unknown_keys_;  // of the batch that failed
  bool more_to_sweep_ = false;
  bool must_restart_log_ = false;    // before anything is written
  std::uint64_t checkpoint_at_ = 0;  // bytes of the log
  std::uint64_t log_seen_ = 0;       // its bytes after the batch before
  bool started_ = false;
  base::Instant look_around_at_;
  base::Instant look_at_room_at_;
  base::Instant restart_log_at_;
  Counts counts_;
};

}  // namespace store
