// One connection to a database and its statements: SQLite's C interface with owners and a short list of outcomes.
// Threads: one connection and its statements on one thread at a time. A statement lives no longer than its connection.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace store {

// What SQLite's many codes mean for a ledger.
enum class Status : std::uint8_t {
  ok = 0,
  full = 1,     // no room: nothing was written
  failed = 2,   // the disk cannot be trusted any more
  damaged = 3,  // what was read is not a database, or one row of it is not what it was
  memory = 4,   // no memory for this
  busy = 5,     // somebody else has the database
  refused = 6,  // a statement that cannot be: our bug, or a file that is not ours
};
std::string_view to_string(Status status) noexcept;
Status status_of(int code) noexcept;  // of SQLite

class Connection {
 public:
  // The reader cannot write, the writer makes what is missing. `vfs` as registered with SQLite.
  enum class Role : std::uint8_t { writer, reader };
  static std::expected<Connection, Status> open(const std::string& name, const char* vfs, Role role);
  Connection() = default;
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection other) noexcept;
  ~Connection();

  // Statements without parameters or results, divided by semicolons.
  Status run(const char* sql);
  // The first value of the first row; 0 if there is none.
  std::expected<std::int64_t, Status> number(const char* sql);
  bool in_transaction() const;
  std::string last_message() const;  // for the log; in English, from SQLite
  sqlite3* get() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

// Prepared once, run many times: bind, then step() until it is not a row, which also resets it. A view of a column is
// valid until the next step().
class Statement {
 public:
  // `sql` must be valid for the schema that the database has.
  static std::expected<Statement, Status> prepare(const Connection& connection, std::string_view sql);
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement other) noexcept;
  ~Statement();

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::uint64_t value);  // below 2^63
  // As a blob. The bytes must stay until the statement has been stepped to its end.
  Statement& bind(int index, std::string_view bytes);

  enum class Step : std::uint8_t { row, done, error };
  Step step();
  Status status() const { return status_; }  // after an error
  Status run();                              // steps to the end
  void reset();                              // before its end

  std::int64_t number(int column) const;
  std::uint64_t count(int column) const;  // a number that is never below zero; damaged rows give 0
  std::string_view bytes(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
  Status status_ = Status::ok;
};

}  // namespace store
