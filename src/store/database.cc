#include "store/database.h"

#include <sqlite3.h>

#include <utility>

#include "base/assert.h"

namespace store {
namespace {

// temp_store: savepoints keep what they may have to put back, and that must not become a file. trusted_schema,
// cell_size_check: the file may have been damaged by anybody. wal_autocheckpoint: the ledger chooses the moment.
constexpr const char* kSettings =
    "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA wal_autocheckpoint=0;";

}  // namespace

std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::full:
      return "the disk is full";
    case Status::failed:
      return "the disk has failed";
    case Status::damaged:
      return "the database is damaged";
    case Status::memory:
      return "out of memory";
    case Status::busy:
      return "another program uses the database";
    case Status::refused:
      return "the database does not fit this program";
  }
  ASSERT(false);
}

Status status_of(int code) noexcept {
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return Status::ok;
    case SQLITE_FULL:
      return Status::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return Status::damaged;
    case SQLITE_NOMEM:
      return Status::memory;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Status::busy;
    case SQLITE_IOERR:
      return code == SQLITE_IOERR_NOMEM ? Status::memory : Status::failed;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return Status::failed;
    default:
      return Status::refused;
  }
}

std::expected<Connection, Status> Connection::open(const std::string& name, const char* vfs, Role role) {
  Connection connection;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                    (role == Role::writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  if (const int code = sqlite3_open_v2(name.c_str(), &connection.database_, flags, vfs); code != SQLITE_OK) {
    return std::unexpected(status_of(code));
  }
  sqlite3_extended_result_codes(connection.database_, 1);
  sqlite3_db_config(connection.database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // Only the ledger checkpoints, and when it chooses to: no reader does when it closes.
  if (role == Role::reader) sqlite3_db_config(connection.database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (const Status status = connection.run(kSettings); status != Status::ok) return std::unexpected(status);
  return connection;
}

Connection::Connection(Connection&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Connection& Connection::operator=(Connection other) noexcept {
  std::swap(database_, other.database_);
  return *this;
}

Connection::~Connection() {
  // Fails only if a statement is still there, which is our bug.
  if (database_ != nullptr) ASSERT(sqlite3_close(database_) == SQLITE_OK);
}

Status Connection::run(const char* sql) { return status_of(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }

std::expected<std::int64_t, Status> Connection::number(const char* sql) {
  auto statement = Statement::prepare(*this, sql);
  if (!statement) return std::unexpected(statement.error());
  switch (statement->step()) {
    case Statement::Step::row:
      return statement->number(0);
    case Statement::Step::done:
      return 0;
    case Statement::Step::error:
      return std::unexpected(statement->status());
  }
  ASSERT(false);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }

std::string Connection::last_message() const { return sqlite3_errmsg(database_); }

std::expected<Statement, Status> Statement::prepare(const Connection& connection, std::string_view sql) {
  Statement statement;
  const int code = sqlite3_prepare_v3(connection.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement.statement_, nullptr);
  if (code != SQLITE_OK) return std::unexpected(status_of(code));
  return statement;
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), status_(other.status_) {}

Statement& Statement::operator=(Statement other) noexcept {
  std::swap(statement_, other.statement_);
  status_ = other.status_;
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, std::int64_t value) {
  ASSERT(sqlite3_bind_int64(statement_, index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, std::uint64_t value) {
  ASSERT(value <= static_cast<std::uint64_t>(INT64_MAX));
  return bind(index, static_cast<std::int64_t>(value));
}

Statement& Statement::bind(int index, std::string_view bytes) {
  // A null pointer would bind NULL, which is not the empty blob.
  const char* const data = bytes.empty() ? "" : bytes.data();
  ASSERT(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Statement::Step Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return Step::row;
  status_ = status_of(code);
  sqlite3_reset(statement_);
  return code == SQLITE_DONE ? Step::done : Step::error;
}

Status Statement::run() {
  Step result;
  do {
    result = step();
  } while (result == Step::row);
  return status_;
}

void Statement::reset() { sqlite3_reset(statement_); }

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_, column); }

std::uint64_t Statement::count(int column) const {
  const std::int64_t value = number(column);
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

std::string_view Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

}  // namespace store
