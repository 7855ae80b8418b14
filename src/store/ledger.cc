#include "store/ledger.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "hub/limits.h"
#include "store/limits.h"
#include "store/record.h"

namespace store {
namespace {

constexpr base::Duration kLookAround = std::chrono::milliseconds(100);
constexpr base::Duration kLookAtRoom = std::chrono::seconds(1);
constexpr base::Duration kRestartLogAgain = std::chrono::milliseconds(1);

std::size_t charged_bytes(const Command& command) {
  std::size_t bytes = sizeof(Command) + command.cause.size();
  for (const Operation& operation : command.operations) {
    bytes += sizeof(Operation);
    if (const auto* const append = std::get_if<Append>(&operation)) {
      bytes += append->channel.size() + append->message->charged_bytes();
    } else {
      bytes += std::visit([](const auto& each) { return each.channel.size(); }, operation);
    }
  }
  return bytes;
}

const std::string& channel_of(const Operation& operation) {
  return std::visit([](const auto& each) -> const std::string& { return each.channel; }, operation);
}

Error valid(const Command& command) {
  if (command.operations.empty() || command.operations.size() > kOperationsMax) return Error::too_many;
  if (command.cause.size() > kCauseBytesMax) return Error::too_large;
  for (const Operation& operation : command.operations) {
    const std::string& channel = channel_of(operation);
    if (channel.empty() || channel.size() > hub::kChannelNameBytesMax) return Error::channel;
    const auto* const append = std::get_if<Append>(&operation);
    if (append != nullptr && append->message->payload().size() > kPayloadBytesMax) return Error::too_large;
  }
  return Error::none;
}

bool adds(const Command& command) {
  return std::any_of(command.operations.begin(), command.operations.end(),
                     [](const Operation& each) { return !std::holds_alternative<Clear>(each); });
}

void refuse(Result& result, Error error) {
  result.outcome = Outcome::refused;
  result.error = error;
  result.changes.clear();
}

}  // namespace

bool Ledger::submit(Command& command) {
  const std::size_t bytes = charged_bytes(command);
  if (queue_.size() >= options_.queue_commands_max || queue_bytes_ + bytes > options_.queue_bytes_max) return false;
  queue_bytes_ += bytes;
  queue_.push_back(std::move(command));
  return true;
}

std::optional<Result> Ledger::poll_result() {
  if (results_.empty()) return std::nullopt;
  std::optional<Result> result = std::move(results_.front());
  results_.pop_front();
  return result;
}

base::Instant Ledger::next_timeout() const {
  if (backup_runs()) return base::Instant::min();
  if (state() == State::failed) return queue_.empty() ? base::kNever : base::Instant::min();
  if (must_restart_log_) return restart_log_at_;
  if (!queue_.empty() || more_to_sweep_) return base::Instant::min();
  return std::min(look_around_at_, look_at_room_at_);
}

void Ledger::step(base::Instant now, base::WallTime wall) {
  write(now, wall);
  if (backup_runs()) backup_->step(kBackupSlicePages);
}

std::expected<void, std::string> Ledger::begin_backup(Disk& to, std::string name) {
  if (backup_runs()) return std::unexpected("a backup is being made already");
  backup_.reset();
  auto backup = Backup::begin(connection_, to, std::move(name), entropy_);
  if (!backup) return std::unexpected(std::move(backup.error()));
  backup_ = std::move(*backup);
  return {};
}

void Ledger::write(base::Instant now, base::WallTime wall) {
  if (state() == State::failed) {
    answer_without_writing(wall, Error::read_only);
    return;
  }
  look_at_room(now);
  if (must_restart_log_) {
    restart_log_at_ = now + kRestartLogAgain;
    checkpoint();
    if (must_restart_log_ && state() == State::full) answer_without_writing(wall, Error::disk_full);
    if (must_restart_log_ || state() == State::failed) return;
  }
  const bool background = background_due(now);
  if (!queue_.empty() || background) run_batch(now, wall);
  if (state() == State::failed) return;
  if (wal_bytes() < log_seen_) checkpoint_at_ = options_.checkpoint_bytes;  // it was begun anew
  log_seen_ = wal_bytes();
  if (log_seen_ >= checkpoint_at_) checkpoint();
  streams_->relax();
}

void Ledger::look_at_room(base::Instant now) {
  if (now < look_at_room_at_) return;
  look_at_room_at_ = now + kLookAtRoom;
  state_.store(reserve_->nearly_full() ? State::full : State::open, std::memory_order_release);
}

bool Ledger::background_due(base::Instant now) {
  if (now >= look_around_at_) {
    look_around_at_ = now + kLookAround;
    streams_->look_around();
    more_to_sweep_ = true;
  }
  return more_to_sweep_;
}

void Ledger::take_batch() {
  batch_.clear();
  std::size_t bytes = 0;
  while (!queue_.empty() && batch_.size() < kBatchCommandsMax) {
    const std::size_t each = charged_bytes(queue_.front());
    if (!batch_.empty() && bytes + each > kBatchBytesMax) break;
    bytes += each;
    queue_bytes_ -= each;
    batch_.push_back({.command = std::move(queue_.front())});
    queue_.pop_front();
  }
}

void Ledger::run_batch(base::Instant now, base::WallTime wall) {
  take_batch();
  batch_first_commit_ = next_commit_;
  Status status = execute_all(Savepoints::no, wall);
  // Some command met what is damaged, or no memory. Nobody was told anything yet: once more, so that only that one
  // fails.
  if (status == Status::damaged || status == Status::memory) {
    roll_back();
    status = execute_all(Savepoints::yes, wall);
  }
  if (status == Status::ok && more_to_sweep_) status = sweep(wall);
  const bool committing = status == Status::ok;
  if (committing) status = commit_.run();
  if (status != Status::ok) {
    roll_back();
    refuse_all(batch_, status, committing);
  } else {
    ++counts_.batches;
    for (Running& running : batch_) finish(running, now);
  }
  for (Running& running : batch_) results_.push_back(std::move(running.result));
  batch_.clear();
  // Whatever SQLite made of it.
  if (vfs_.failed()) fail();
}

void Ledger::roll_back() {
  if (connection_.in_transaction()) rollback_.run();
  streams_->forget();
}

Status Ledger::execute_all(Savepoints savepoints, base::WallTime wall) {
  next_commit_ = batch_first_commit_;
  appended_ = 0;
  Status status = begin_.run();
  for (Running& running : batch_) {
    if (status != Status::ok) return status;
    running.result = {.ticket = running.command.ticket};
    running.marks.clear();
    if (const Error error = valid(running.command); error != Error::none) {
      refuse(running.result, error);
      continue;
    }
    status = savepoints == Savepoints::yes ? execute_alone(running, wall) : execute(running, wall);
    if (savepoints == Savepoints::no) streams_->keep();
    appended_ += running.marks.size();
  }
  if (streams_->has_overdue()) more_to_sweep_ = true;
  return status;
}

// A slice of what has to be done anyway, in the transaction of the batch. What it cannot do is not the batch's fault,
// unless the transaction is gone.
Status Ledger::sweep(base::WallTime wall) {
  // What one batch adds can be taken away twice, so that streams at their limits stay there.
  const std::size_t rows = state() == State::full ? kSliceRowsFull : kSliceRows + 2 * appended_;
  more_to_sweep_ = false;
  Status status = savepoint_.run();
  if (status != Status::ok) return status;
  const auto streams = streams_->sweep(*rules_, wall, rows);
  const auto answers = streams ? answers_->sweep(wall, rows) : streams;
  status = answers ? release_.run() : answers.error();
  if (status == Status::ok) {
    streams_->keep();
    more_to_sweep_ = *streams || *answers;
    return Status::ok;
  }
  if (!undo_savepoint(status)) return status;
  if (status == Status::damaged) ++counts_.damaged;
  return Status::ok;
}

// True if the transaction goes on without what was done since the savepoint.
bool Ledger::undo_savepoint(Status why) {
  if (why == Status::failed || !connection_.in_transaction()) return false;
  if (rollback_to_.run() != Status::ok || release_.run() != Status::ok) return false;
  streams_->undo();
  return true;
}

std::expected<bool, Status> Ledger::answer_if_repeated(Running& running, base::WallTime wall) {
  if (!running.command.once) return false;
  const auto known = answers_->find(running.command.once->key, wall);
  if (!known) return std::unexpected(known.error());
  if (!*known) return false;
  Result& result = running.result;
  const Answer& answer = (*known)->answer;
  if ((*known)->content != running.command.once->content || answer.places.size() != running.command.operations.size()) {
    refuse(result, Error::conflict);
    return true;
  }
  result.outcome = Outcome::repeated;
  result.commit = answer.commit;
  for (std::size_t i = 0; i < answer.places.size(); ++i) {
    result.changes.push_back({.channel = channel_of(running.command.operations[i]),
                              .position = answer.places[i].position,
                              .time = {answer.places[i].time_ms}});
  }
  return true;
}

// In a savepoint of its own, with its own misfortunes: the others of the batch go on.
Status Ledger::execute_alone(Running& running, base::WallTime wall) {
  Status status = savepoint_.run();
  if (status != Status::ok) return status;
  status = execute(running, wall);
  if (status == Status::ok) status = release_.run();
  if (status == Status::ok) {
    streams_->keep();
    return Status::ok;
  }
  if ((status != Status::damaged && status != Status::memory) || !undo_savepoint(status)) return status;
  running.marks.clear();
  if (status == Status::damaged) ++counts_.damaged;
  refuse(running.result, status == Status::damaged ? Error::damaged : Error::memory);
  return Status::ok;
}

Status Ledger::execute(Running& running, base::WallTime wall) {
  const auto repeated = answer_if_repeated(running, wall);
  if (!repeated) return repeated.error();
  if (*repeated) return Status::ok;
  if (state() != State::full || !adds(running.command)) return apply(running, wall);
  refuse(running.result, Error::disk_full);
  return Status::ok;
}

std::string Ledger::cause_of(const Running& running) const {
  return running.command.cause.empty() ? std::to_string(running.result.commit) : running.command.cause;
}

Status Ledger::apply(Running& running, base::WallTime wall) {
  Result& result = running.result;
  result.commit = next_commit_++;
  const std::string cause = cause_of(running);
  std::string content;
  for (const Operation& operation : running.command.operations) {
    const auto opened = streams_->open(channel_of(operation), wall);
    if (!opened) return opened.error();
    Stream& stream = **opened;
    if (const auto* const append = std::get_if<Append>(&operation)) {
      content.clear();
      encode_content(*append->message, cause, content);
      const auto mark = streams_->append(stream, content, wall);
      if (!mark) return mark.error();
      streams_->note_growth(append->channel, stream, *rules_);
    } else if (std::holds_alternative<Clear>(operation)) {
      if (const Status status = streams_->clear(stream); status != Status::ok) return status;
    }
    running.marks.push_back(stream.head);
    result.changes.push_back({.channel = channel_of(operation),
                              .position = {epoch_of(stream.seed, salt_), stream.head.offset},
                              .time = {stream.head.time_ms}});
  }
  if (!running.command.once) return Status::ok;
  Answer answer{.commit = result.commit};
  for (const Change& change : result.changes) answer.places.push_back({change.position, change.time.ms});
  return answers_->keep(*running.command.once, answer, wall);
}

void Ledger::finish(Running& running, base::Instant now) {
  Result& result = running.result;
  if (result.outcome != Outcome::done) return;
  ++counts_.commands;
  for (std::size_t i = 0; i < result.changes.size(); ++i) {
    auto* const append = std::get_if<Append>(&running.command.operations[i]);
    if (append == nullptr) continue;
    append->message->number(running.marks[i].offset, {running.marks[i].time_ms}, now);
    result.changes[i].message = std::move(append->message);
  }
}

// The transaction is not there. If it was its commit that said no (`committing`), a new start may find it all the same:
// only a disk that was full has not taken the last page, without which the rest is nothing (sqlite.org/fileformat2.html
// section 4.2).
void Ledger::refuse_all(std::vector<Running>& batch, Status status, bool committing) {
  const bool nobody_knows = committing && status != Status::full;
  if (status == Status::full) {
    reserve_->give_up();
    state_.store(State::full, std::memory_order_release);
  } else if (status != Status::memory) {
    fail();
  }
  const Error error = status == Status::full     ? Error::disk_full
                      : status == Status::memory ? Error::memory
                                                 : Error::read_only;
  for (Running& running : batch) {
    Result& result = running.result;
    if (result.outcome == Outcome::refused) continue;  // for a reason of its own, which has not changed
    // The answer of a repeat stands, unless what it repeats is of this batch.
    if (result.outcome == Outcome::repeated && result.commit < batch_first_commit_) continue;
    refuse(result, error);
    if (!nobody_knows) continue;
    result.outcome = Outcome::unknown;
    if (running.command.once) unknown_keys_.insert(running.command.once->key);
  }
}

void Ledger::fail() { state_.store(State::failed, std::memory_order_release); }

// Nothing can be written: only what is known already can be said.
void Ledger::answer_without_writing(base::WallTime wall, Error error) {
  take_batch();
  for (Running& running : batch_) {
    running.result.ticket = running.command.ticket;
    const auto repeated = answer_if_repeated(running, wall);
    if (!repeated || !*repeated) {
      refuse(running.result, error);
      const bool may_be_there =
          running.command.once && (!repeated || unknown_keys_.contains(running.command.once->key));
      if (may_be_there) running.result.outcome = Outcome::unknown;
    }
    results_.push_back(std::move(running.result));
  }
  batch_.clear();
}

std::expected<std::unique_ptr<Reader>, Status> Ledger::new_reader() {
  return Reader::open(kDatabaseFile, vfs_.name(), salt_);
}

}  // namespace store
