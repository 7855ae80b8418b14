#include "store/streams.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/assert.h"
#include "store/bytes.h"
#include "store/limits.h"
#include "store/record.h"

namespace store {
namespace {

std::int64_t ms_of(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// Times before the year 1 and spans of centuries come from configurations and broken clocks.
std::int64_t earlier(std::int64_t time_ms, std::int64_t by_ms) {
  return time_ms < std::numeric_limits<std::int64_t>::min() + by_ms ? std::numeric_limits<std::int64_t>::min()
                                                                    : time_ms - by_ms;
}

}  // namespace

hub::Epoch epoch_of(std::uint64_t seed, std::uint64_t salt) {
  static constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string bytes;
  put_word(bytes, seed);
  std::uint64_t mixed = base::hash64(bytes, salt);
  hub::Epoch epoch;
  for (char& each : epoch.text) {
    each = kDigits[mixed % kDigits.size()];
    mixed /= kDigits.size();
  }
  return epoch;
}

std::expected<std::unique_ptr<Streams>, Status> Streams::prepare(Connection& connection, base::Entropy& entropy) {
  std::unique_ptr<Streams> streams(new Streams(connection, entropy));
  const std::pair<Statement*, std::string_view> statements[] = {
      {&streams->find_, "SELECT id, seed, base, base_time, base_bytes FROM streams WHERE name=?"},
      {&streams->create_,
       "INSERT INTO streams(name, seed, base, base_time, base_bytes) VALUES(?,?,0,?,0) RETURNING id"},
      {&streams->newest_,
       "SELECT offset, time, bytes_through FROM messages WHERE stream=? ORDER BY offset DESC LIMIT 1"},
      {&streams->insert_, "INSERT INTO messages(stream, offset, time, bytes_through, record) VALUES(?,?,?,?,?)"},
      {&streams->at_, "SELECT offset, time, bytes_through FROM messages WHERE stream=? AND offset=?"},
      {&streams->set_base_, "UPDATE streams SET base=?, base_time=?, base_bytes=? WHERE id=?"},
      {&streams->delete_rows_, "DELETE FROM messages WHERE stream=? AND offset<=?"},
      {&streams->oldest_, "SELECT offset, time, bytes_through FROM messages WHERE stream=? ORDER BY offset LIMIT 1"},
      {&streams->list_, "SELECT id, name FROM streams WHERE id>? ORDER BY id LIMIT ?"},
      {&streams->drop_, "DELETE FROM streams WHERE id=?"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = Statement::prepare(connection, sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return streams;
}

namespace {

// What no stream can reach, and a damaged row can: beyond it counting on would overflow.
constexpr std::uint64_t kCountMax = 1ULL << 62;

bool plausible(const Stream& stream) {
  return stream.head.offset < kCountMax && stream.head.bytes_through < kCountMax &&
         stream.base.offset <= stream.head.offset && stream.base.bytes_through <= stream.head.bytes_through;
}

Mark mark_of(const Statement& row, int column) {
  return {row.count(column), row.number(column + 1), row.count(column + 2)};
}

// The mark of the only row; nothing if there is none.
std::expected<std::optional<Mark>, Status> only_mark(Statement& statement) {
  const Statement::Step step = statement.step();
  if (step == Statement::Step::error) return std::unexpected(statement.status());
  if (step == Statement::Step::done) return std::nullopt;
  const Mark mark = mark_of(statement, 0);
  statement.reset();
  return mark;
}

}  // namespace

std::expected<Stream*, Status> Streams::find(std::string_view name) {
  if (const auto known = open_.find(name); known != open_.end()) return &known->second;
  find_.bind(1, name);
  const Statement::Step step = find_.step();
  if (step == Statement::Step::error) return std::unexpected(find_.status());
  if (step == Statement::Step::done) return nullptr;
  Stream stream{.id = find_.count(0), .seed = static_cast<std::uint64_t>(find_.number(1)), .base = mark_of(find_, 2)};
  find_.reset();
  const auto head = newest(stream);
  if (!head) return std::unexpected(head.error());
  stream.head = *head;
  if (!plausible(stream)) return std::unexpected(Status::damaged);
  return &open_.emplace(name, stream).first->second;
}

std::expected<Stream*, Status> Streams::open(std::string_view name, base::WallTime now) {
  auto found = find(name);
  if (!found || *found != nullptr) return found;
  Stream stream{.seed = entropy_.next(), .base = {.time_ms = now.ms}, .head = {.time_ms = now.ms}};
  create_.bind(1, name).bind(2, static_cast<std::int64_t>(stream.seed)).bind(3, stream.base.time_ms);
  if (create_.step() != Statement::Step::row) return std::unexpected(create_.status());
  stream.id = create_.count(0);
  if (const Status status = create_.run(); status != Status::ok) return std::unexpected(status);
  created_.emplace_back(name);
  return &open_.emplace(name, stream).first->second;
}

// Rows up to the base are no longer messages: the newest of them would say where the stream stood before a Clear.
std::expected<Mark, Status> Streams::newest(const Stream& stream) {
  newest_.bind(1, stream.id);
  const auto mark = only_mark(newest_);
  if (!mark) return std::unexpected(mark.error());
  return *mark && (*mark)->offset > stream.base.offset ? **mark : stream.base;
}

std::expected<Mark, Status> Streams::append(Stream& stream, std::string& content, base::WallTime now) {
  const Mark mark{.offset = stream.head.offset + 1,
                  .time_ms = std::max(now.ms, stream.head.time_ms),
                  .bytes_through = stream.head.bytes_through + content.size()};
  seal_record(content, {stream.id, mark.offset, mark.time_ms, mark.bytes_through});
  insert_.bind(1, stream.id).bind(2, mark.offset).bind(3, mark.time_ms).bind(4, mark.bytes_through).bind(5, content);
  if (const Status status = insert_.run(); status != Status::ok) return std::unexpected(status);
  change(stream);
  stream.head = mark;
  return mark;
}

Status Streams::move_base(Stream& stream, const Mark& base) {
  set_base_.bind(1, base.offset).bind(2, base.time_ms).bind(3, base.bytes_through).bind(4, stream.id);
  if (const Status status = set_base_.run(); status != Status::ok) return status;
  change(stream);
  stream.base = base;
  return Status::ok;
}

Status Streams::clear(Stream& stream) {
  if (stream.messages() == 0) return Status::ok;
  return move_base(stream, stream.head);
}

void Streams::undo() {
  for (; !undo_.empty(); undo_.pop_back()) *undo_.back().stream = undo_.back().before;
  for (const std::string& name : created_) open_.erase(name);
  created_.clear();
}

void Streams::forget() {
  undo_.clear();
  created_.clear();
  open_.clear();
}

void Streams::relax() {
  ASSERT(undo_.empty());
  if (open_.size() > kStreamsCachedMax) open_.clear();
}

void Streams::note_growth(std::string_view name, const Stream& stream, const RetentionRules& rules) {
  if (overdue_.contains(name)) return;
  const Retention retention = rules.of(name);
  const std::uint64_t slack = std::max(kSlackRows, retention.messages_max / 8);
  if (stream.messages() > retention.messages_max + slack ||
      (stream.bytes() > retention.bytes_max + retention.bytes_max / 8 && stream.messages() > 1)) {
    overdue_.emplace(name);
  }
}

std::expected<Mark, Status> Streams::mark_at(const Stream& stream, hub::Offset offset) {
  if (offset == stream.base.offset) return stream.base;
  if (offset == stream.head.offset) return stream.head;
  at_.bind(1, stream.id).bind(2, offset);
  const auto mark = only_mark(at_);
  if (!mark) return std::unexpected(mark.error());
  if (!*mark) return std::unexpected(Status::damaged);  // offsets have no holes
  return **mark;
}

template <class Gone>
std::expected<Mark, Status> Streams::last_gone(const Stream& stream, Mark from, Gone gone) {
  hub::Offset left = stream.head.offset;  // the answer is not behind it
  while (from.offset < left) {
    const auto middle = mark_at(stream, left - (left - from.offset) / 2);
    if (!middle) return middle;
    if (gone(*middle)) {
      from = *middle;
    } else {
      left = middle->offset - 1;
    }
  }
  return from;
}

std::expected<Mark, Status> Streams::new_base(const Stream& stream, const Retention& retention, base::WallTime now) {
  if (stream.messages() == 0) return stream.base;
  const Mark& head = stream.head;
  std::expected<Mark, Status> base = stream.base;
  if (stream.messages() > retention.messages_max) base = mark_at(stream, head.offset - retention.messages_max);
  const auto too_much = [&](const Mark& mark) { return head.bytes_through - mark.bytes_through > retention.bytes_max; };
  if (base && too_much(*base) && base->offset + 1 < head.offset) {
    base = last_gone(stream, *base, [&](const Mark& mark) { return mark.offset + 1 < head.offset && too_much(mark); });
    // It is the last that keeps too much. The newest stays.
    if (base && base->offset + 1 < head.offset) base = mark_at(stream, base->offset + 1);
  }
  const std::int64_t oldest = earlier(now.ms, ms_of(retention.age_max));
  if (base) base = last_gone(stream, *base, [&](const Mark& mark) { return mark.time_ms < oldest; });
  return base;
}

std::expected<Streams::Trimmed, Status> Streams::trim(std::string_view name, const Retention& retention,
                                                      base::WallTime now, std::size_t rows) {
  const auto found = find(name);
  if (!found) return std::unexpected(found.error());
  if (*found == nullptr) return Trimmed{};
  Stream& stream = **found;
  const auto base = new_base(stream, retention, now);
  if (!base) return std::unexpected(base.error());
  if (base->offset > stream.base.offset) {
    if (const Status status = move_base(stream, *base); status != Status::ok) return std::unexpected(status);
  }
  oldest_.bind(1, stream.id);
  const auto oldest = only_mark(oldest_);
  if (!oldest) return std::unexpected(oldest.error());
  if (*oldest && (*oldest)->offset <= stream.base.offset) {
    const hub::Offset through = std::min(stream.base.offset, (*oldest)->offset + rows - 1);
    delete_rows_.bind(1, stream.id).bind(2, through);
    if (const Status status = delete_rows_.run(); status != Status::ok) return std::unexpected(status);
    return Trimmed{static_cast<std::size_t>(through - (*oldest)->offset + 1), through < stream.base.offset};
  }
  if (stream.messages() == 0 && stream.head.time_ms < earlier(now.ms, ms_of(retention.forgotten_after))) {
    drop_.bind(1, stream.id);
    if (const Status status = drop_.run(); status != Status::ok) return std::unexpected(status);
    // Its memory must not outlive it, and undo() must not find it again.
    std::erase_if(undo_, [&](const Undo& undo) { return undo.stream == &stream; });
    open_.erase(open_.find(name));
    return Trimmed{.rows = 1};
  }
  return Trimmed{};
}

Status Streams::look(const RetentionRules& rules, base::WallTime now) {
  struct Seen {
    std::uint64_t id;
    std::string name;
  };
  std::vector<Seen> seen;
  list_.bind(1, looked_at_).bind(2, std::uint64_t{kSliceStreams});
  Statement::Step step;
  while ((step = list_.step()) == Statement::Step::row) seen.push_back({list_.count(0), std::string(list_.bytes(1))});
  if (step == Statement::Step::error) return list_.status();
  looked_at_ = seen.size() < kSliceStreams ? 0 : seen.back().id;
  for (const Seen& each : seen) {
    const Retention retention = rules.of(each.name);
    const auto found = find(each.name);
    if (!found) return found.error();
    const Stream& stream = **found;
    oldest_.bind(1, stream.id);
    const auto oldest = only_mark(oldest_);
    if (!oldest) return oldest.error();
    const bool has_garbage = *oldest && (*oldest)->offset <= stream.base.offset;
    const bool too_old = *oldest && (*oldest)->time_ms < earlier(now.ms, ms_of(retention.age_max));
    const bool unused = !*oldest && stream.head.time_ms < earlier(now.ms, ms_of(retention.forgotten_after));
    if (has_garbage || too_old || unused) overdue_.insert(each.name);
    note_growth(each.name, stream, rules);
  }
  return Status::ok;
}

std::expected<bool, Status> Streams::sweep(const RetentionRules& rules, base::WallTime now, std::size_t rows) {
  if (std::exchange(look_, false)) {
    if (const Status status = look(rules, now); status != Status::ok) return std::unexpected(status);
  }
  // In the order of their names from where the last one stopped would be fairer; what one call may delete is more than
  // what one batch can add, so nobody waits for long.
  while (!overdue_.empty() && rows > 0) {
    const auto first = overdue_.begin();
    const auto trimmed = trim(*first, rules.of(*first), now, rows);
    if (!trimmed) {
      // A damaged stream is looked at again on the next round, and does not keep the others from being trimmed.
      if (trimmed.error() == Status::damaged) overdue_.erase(first);
      return std::unexpected(trimmed.error());
    }
    rows -= std::min(rows, std::max<std::size_t>(trimmed->rows, 1));
    if (!trimmed->more) overdue_.erase(first);
  }
  return !overdue_.empty();
}

}  // namespace store
