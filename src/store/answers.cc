#include "store/answers.h"

#include <algorithm>

#include "store/bytes.h"
#include "store/limits.h"

namespace store {
namespace {

constexpr std::uint8_t kFormat = 1;

std::int64_t period_of(base::WallTime now) {
  static constexpr std::int64_t kPeriodMs = std::chrono::milliseconds(kAnswerPeriod).count();
  return now.ms / kPeriodMs;
}

std::string bytes_of(const base::Hash128& hash) {
  std::string bytes;
  put_word(bytes, hash.low);
  put_word(bytes, hash.high);
  return bytes;
}

}  // namespace

std::string encode_answer(const Answer& answer) {
  std::string out;
  out.push_back(static_cast<char>(kFormat));
  put_word(out, answer.commit);
  put_varint(out, answer.places.size());
  for (const Answer::Place& place : answer.places) {
    out.append(place.position.epoch.text.data(), place.position.epoch.text.size());
    put_varint(out, place.position.offset);
    put_word(out, static_cast<std::uint64_t>(place.time_ms));
  }
  return out;
}

std::optional<Answer> decode_answer(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.byte() != kFormat) return std::nullopt;
  Answer answer{.commit = in.word()};
  const std::uint64_t places = in.varint();
  if (!in.ok() || places > kOperationsMax) return std::nullopt;
  for (std::uint64_t i = 0; i < places && in.ok(); ++i) {
    Answer::Place& place = answer.places.emplace_back();
    const std::string_view epoch = in.take(place.position.epoch.text.size());
    std::copy(epoch.begin(), epoch.end(), place.position.epoch.text.begin());
    place.position.offset = in.varint();
    place.time_ms = static_cast<std::int64_t>(in.word());
  }
  if (!in.ok() || !in.rest().empty()) return std::nullopt;
  return answer;
}

std::expected<std::unique_ptr<Answers>, Status> Answers::prepare(Connection& connection) {
  auto answers = std::make_unique<Answers>();
  const std::pair<Statement*, std::string_view> statements[] = {
      {&answers->find_, "SELECT content, answer FROM answers WHERE period=? AND key=?"},
      {&answers->keep_, "INSERT INTO answers(period, key, content, answer) VALUES(?,?,?,?)"},
      {&answers->next_, "SELECT period, key FROM answers ORDER BY period, key LIMIT 1 OFFSET ?"},
      {&answers->delete_, "DELETE FROM answers WHERE period<? AND (period, key) < (?, ?)"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = Statement::prepare(connection, sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return answers;
}

std::expected<std::optional<Answers::Known>, Status> Answers::find(const base::Hash128& key, base::WallTime now) {
  const std::string bytes = bytes_of(key);
  // One ahead too: the clock may have gone back since.
  for (std::int64_t period = period_of(now) + 1, i = 0; i <= kAnswerPeriodsKept; --period, ++i) {
    find_.bind(1, period).bind(2, bytes);
    const Statement::Step step = find_.step();
    if (step == Statement::Step::error) return std::unexpected(find_.status());
    if (step == Statement::Step::done) continue;
    ByteReader content(find_.bytes(0));
    Known known;
    known.content.low = content.word();
    known.content.high = content.word();
    auto answer = decode_answer(find_.bytes(1));
    find_.reset();
    if (!content.ok() || !answer) return std::unexpected(Status::damaged);
    known.answer = std::move(*answer);
    return known;
  }
  return std::nullopt;
}

Status Answers::keep(const Once& once, const Answer& answer, base::WallTime now) {
  const std::string key = bytes_of(once.key);
  const std::string content = bytes_of(once.content);
  const std::string bytes = encode_answer(answer);
  return keep_.bind(1, period_of(now)).bind(2, key).bind(3, content).bind(4, bytes).run();
}

std::expected<bool, Status> Answers::sweep(base::WallTime now, std::size_t rows) {
  const std::int64_t kept_from = period_of(now) + 1 - kAnswerPeriodsKept;
  // Up to the first row that stays: the one behind as many rows, or any of a period that is kept.
  std::int64_t period = kept_from;
  std::string key;
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{rows}}) {
    const Statement::Step step = next_.bind(1, offset).step();
    if (step == Statement::Step::error) return std::unexpected(next_.status());
    if (step == Statement::Step::done) {
      if (offset == 0) return false;  // the table is empty
      break;
    }
    const std::int64_t found = next_.number(0);
    if (offset == 0 && found >= kept_from) {
      next_.reset();
      return false;
    }
    if (offset > 0 && found < kept_from) {
      period = found;
      key = next_.bytes(1);
    }
    next_.reset();
  }
  if (const Status status = delete_.bind(1, kept_from).bind(2, period).bind(3, key).run(); status != Status::ok) {
    return std::unexpected(status);
  }
  return period < kept_from;
}

}  // namespace store
