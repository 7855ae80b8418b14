#include "store/reader.h"

#include <algorithm>

#include "store/limits.h"
#include "store/record.h"
#include "store/streams.h"

namespace store {
namespace {

// When a message of that wall time was numbered, as far as one can tell now. A clock that was set back since makes it
// as young as can be.
base::Instant instant_of(std::int64_t time_ms, base::Instant now, base::WallTime wall) {
  static constexpr std::int64_t kAgeMax = std::chrono::milliseconds(std::chrono::years(90)).count();  // fits an Instant
  return now - std::chrono::milliseconds(std::clamp<std::int64_t>(wall.ms - time_ms, 0, kAgeMax));
}

}  // namespace

std::expected<std::unique_ptr<Reader>, Status> Reader::open(const std::string& database, const char* vfs,
                                                            std::uint64_t salt) {
  auto connection = Connection::open(database, vfs, Connection::Role::reader);
  if (!connection) return std::unexpected(connection.error());
  std::unique_ptr<Reader> reader(new Reader(salt));
  reader->connection_ = std::move(*connection);
  const std::pair<Statement*, std::string_view> statements[] = {
      {&reader->begin_, "BEGIN"},
      {&reader->end_, "COMMIT"},
      {&reader->find_, "SELECT id, seed, base, base_time, base_bytes FROM streams WHERE name=?"},
      {&reader->newest_,
       "SELECT offset, time, bytes_through FROM messages WHERE stream=? ORDER BY offset DESC LIMIT 1"},
      {&reader->forwards_,
       "SELECT offset, time, bytes_through, record FROM messages WHERE stream=? AND offset>? AND offset<=?"
       " ORDER BY offset"},
      {&reader->backwards_,
       "SELECT offset, time, bytes_through, record FROM messages WHERE stream=? AND offset>? AND offset<=?"
       " ORDER BY offset DESC"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = Statement::prepare(reader->connection_, sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return reader;
}

std::expected<std::optional<Reader::Found>, Status> Reader::find(std::string_view channel) {
  find_.bind(1, channel);
  Statement::Step step = find_.step();
  if (step == Statement::Step::error) return std::unexpected(find_.status());
  if (step == Statement::Step::done) return std::nullopt;
  Found found{.id = find_.count(0)};
  found.view.head = {epoch_of(static_cast<std::uint64_t>(find_.number(1)), salt_), find_.count(2)};
  found.view.base = find_.count(2);
  found.view.time = {find_.number(3)};
  const std::uint64_t base_bytes = find_.count(4);
  find_.reset();
  step = newest_.bind(1, found.id).step();
  if (step == Statement::Step::error) return std::unexpected(newest_.status());
  if (step == Statement::Step::row) {
    if (newest_.count(0) > found.view.base) {
      found.view.head.offset = newest_.count(0);
      found.view.time = {newest_.number(1)};
      found.view.bytes = newest_.count(2) - std::min(base_bytes, newest_.count(2));
    }
    newest_.reset();
  }
  return found;
}

std::expected<std::optional<StreamView>, Status> Reader::look(std::string_view channel) {
  if (const Status status = begin_.run(); status != Status::ok) return std::unexpected(status);
  const auto found = find(channel);
  end_.run();
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  return (*found)->view;
}

std::expected<std::optional<StreamPage>, Status> Reader::read(std::string_view channel, const PageRequest& request,
                                                              base::Instant now, base::WallTime wall) {
  if (const Status status = begin_.run(); status != Status::ok) return std::unexpected(status);
  const auto found = find(channel);
  std::expected<std::optional<StreamPage>, Status> result = std::nullopt;
  if (!found) {
    result = std::unexpected(found.error());
  } else if (*found) {
    StreamPage page{.stream = (*found)->view};
    const Status status = read_rows(**found, request, now, wall, page);
    if (status == Status::ok) {
      result = std::move(page);
    } else {
      result = std::unexpected(status);
    }
  }
  end_.run();
  return result;
}

Status Reader::read_rows(const Found& found, const PageRequest& request, base::Instant now, base::WallTime wall,
                         StreamPage& page) {
  const bool forwards = request.order == PageRequest::Order::oldest_first;
  const hub::Offset head = page.stream.head.offset;
  const hub::Offset base = page.stream.base;
  // Offsets have no holes: what should be in the page is known before a row was read, and one that is missing is lost.
  hub::Offset above = base;
  hub::Offset through = head;
  if (forwards) {
    above = std::max(base, request.from);
  } else if (request.from > 0) {
    through = std::min(head, request.from - 1);
  }
  if (above >= through) return Status::ok;
  const std::uint64_t wanted =
      std::min<std::uint64_t>(std::min(request.messages_max, kPageMessagesMax), through - above);
  page.more = wanted < through - above;
  if (wanted == 0) return Status::ok;
  (forwards ? through : above) = forwards ? above + wanted : through - wanted;

  const std::uint64_t bytes_max = std::min(request.bytes_max, kPageBytesMax);
  std::uint64_t bytes = 0;
  hub::Offset next = forwards ? above + 1 : through;
  const auto lose_until = [&](hub::Offset offset) {
    for (; next != offset; next = forwards ? next + 1 : next - 1) page.lost.push_back(next);
  };
  Statement& rows = forwards ? forwards_ : backwards_;
  rows.bind(1, found.id).bind(2, above).bind(3, through);
  Statement::Step step;
  while ((step = rows.step()) == Statement::Step::row) {
    const Place place{found.id, rows.count(0), rows.number(1), rows.count(2)};
    const std::string_view record_bytes = rows.bytes(3);
    bytes += record_bytes.size();
    if (bytes > bytes_max && (!page.messages.empty() || !page.lost.empty())) {
      rows.reset();
      page.more = true;
      return Status::ok;
    }
    if (forwards ? place.offset < next : place.offset > next) {
      rows.reset();
      return Status::damaged;  // rows come in order, unless the tree is not one
    }
    lose_until(place.offset);
    auto record = decode_record(record_bytes, place, instant_of(place.time_ms, now, wall));
    if (record) {
      page.messages.emplace_back(std::move(record->message));
    } else {
      page.lost.push_back(place.offset);
    }
    next = forwards ? next + 1 : next - 1;
  }
  if (step == Statement::Step::error) return rows.status();
  lose_until(forwards ? through + 1 : above);
  return Status::ok;
}

}  // namespace store
