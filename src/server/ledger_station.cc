#include "server/ledger_station.h"

#include <memory>
#include <utility>

#include "base/assert.h"
#include "server/ledger_errors.h"
#include "server/retention.h"

namespace server {
namespace {

constexpr std::size_t kMailsPerTurn = 1024;  // of one home: what one batch of the ledger takes

StorageState storage_state(store::Ledger::State state) {
  switch (state) {
    case store::Ledger::State::open:
      return StorageState::open;
    case store::Ledger::State::full:
      return StorageState::full;
    case store::Ledger::State::failed:
      break;
  }
  return StorageState::failed;
}

}  // namespace

LedgerStation::LedgerStation(Shared& shared, store::Ledger& ledger, Mailboxes& mailboxes,
                             std::span<loop::Wakeup* const> wakeups)
    : shared_(shared),
      ledger_(ledger),
      workers_(shared.workers()),
      id_(shared.workers()),
      post_(id_, mailboxes, wakeups),
      generation_(shared.generation()) {
  shared_.storage.state.store(StorageState::open, std::memory_order_release);
}

void LedgerStation::turn(hub::Now now) {
  more_ = false;
  if (const std::uint64_t generation = shared_.generation(); generation != generation_) {
    generation_ = generation;
    ledger_.rules_changed(std::make_shared<NamespaceRetention>(shared_.snapshot()));
  }
  take_mail();
  ledger_.step(now.instant, now.wall);
  while (auto result = ledger_.poll_result()) answer(*std::move(result));
  post_.wake_others();
  note_state();
}

base::Instant LedgerStation::next_deadline() const {
  return more_ || refused_ ? base::Instant::min() : ledger_.next_timeout();
}

void LedgerStation::take_mail() {
  if (refused_) {
    if (!ledger_.submit(*refused_)) return;
    refused_.reset();
  }
  for (std::uint16_t each = 0; each < workers_; ++each) {
    const auto from = static_cast<base::WorkerId>((first_ + each) % workers_);
    std::size_t taken = 0;
    while (taken < kMailsPerTurn && !refused_) {
      const auto one = [&](hub::Mail mail) { take(from, std::get<hub::Sequence>(std::move(mail))); };
      if (post_.take(from, 1, one) == 0) break;
      ++taken;
    }
    if (taken == kMailsPerTurn) more_ = true;
    if (refused_) break;
  }
  first_ = static_cast<base::WorkerId>((first_ + 1) % workers_);
}

void LedgerStation::take(base::WorkerId from, hub::Sequence sequence) {
  store::Command command{.ticket = ++last_ticket_};
  if (sequence.idempotency_key) command.once = store::Once{*sequence.idempotency_key, sequence.content};
  switch (sequence.what) {
    case hub::Sequence::What::append:
      command.operations.emplace_back(store::Append{std::move(sequence.channel), std::move(sequence.message)});
      break;
    case hub::Sequence::What::clear:
      command.operations.emplace_back(store::Clear{std::move(sequence.channel)});
      break;
    case hub::Sequence::What::open:
      command.operations.emplace_back(store::Open{std::move(sequence.channel)});
      break;
  }
  waiting_.emplace(last_ticket_, Waiting{from, sequence.request});
  if (!ledger_.submit(command)) refused_ = std::move(command);
}

void LedgerStation::answer(store::Result result) {
  const auto found = waiting_.extract(result.ticket);
  ASSERT(!found.empty());
  hub::Sequenced answer{.request = found.mapped().request, .error = error_of(result)};
  if (!result.changes.empty()) {
    store::Change& change = result.changes.front();
    answer.channel = std::move(change.channel);
    answer.position = change.position;
    answer.time = change.time;
    answer.message = std::move(change.message);
  }
  if (answer.error == base::Error::none) shared_.storage.commands.fetch_add(1, std::memory_order_relaxed);
  post_.send(found.mapped().home, std::move(answer));
}

void LedgerStation::note_state() {
  shared_.storage.batches.store(ledger_.counts().batches, std::memory_order_relaxed);
  shared_.storage.log_bytes.store(ledger_.wal_bytes(), std::memory_order_relaxed);
  const store::Ledger::State now = ledger_.state();
  if (now == state_) return;
  state_ = now;
  shared_.storage.state.store(storage_state(now), std::memory_order_release);
  switch (now) {
    case store::Ledger::State::open:
      return shared_.log.write(LogLevel::info, "storage_open");
    case store::Ledger::State::full:
      return shared_.log.write(LogLevel::error, "storage_full");
    case store::Ledger::State::failed:
      return shared_.log.write(LogLevel::error, "storage_failed");
  }
}

}  // namespace server
