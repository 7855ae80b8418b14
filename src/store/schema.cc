#include "store/schema.h"

#include <array>
#include <string_view>

namespace store {
namespace {

// One entry per version: what makes it of the one before. Released entries never change.
constexpr std::array<std::string_view, kSchemaVersion> kSteps = {
    // 1
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE streams(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, seed INTEGER NOT NULL,"
    " base INTEGER NOT NULL, base_time INTEGER NOT NULL, base_bytes INTEGER NOT NULL);"
    "CREATE TABLE messages(stream INTEGER NOT NULL, offset INTEGER NOT NULL, time INTEGER NOT NULL,"
    " bytes_through INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY(stream, offset)) WITHOUT ROWID;"
    "CREATE TABLE answers(period INTEGER NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL, answer BLOB NOT NULL,"
    " PRIMARY KEY(period, key)) WITHOUT ROWID;",
};

std::unexpected<std::string> failure(Status status, const Connection& connection) {
  return std::unexpected(std::string(to_string(status)) + " (" + connection.last_message() + ")");
}

}  // namespace

std::expected<std::int64_t, std::string> schema_version(Connection& connection) {
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return failure(version.error(), connection);
  const auto application = connection.number("PRAGMA application_id");
  if (!application) return failure(application.error(), connection);
  const auto tables = connection.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return failure(tables.error(), connection);
  if (*version == 0 && *application == 0 && *tables == 0) return 0;
  if (*application != kApplicationId || *version < 1) return std::unexpected("it is a database of another program");
  if (*version > kSchemaVersion) {
    return std::unexpected("it was written by a newer version of Wirebird (format " + std::to_string(*version) +
                           "; this one knows formats up to " + std::to_string(kSchemaVersion) +
                           "); run that version, or restore a backup that was made before the upgrade");
  }
  return *version;
}

Status upgrade_schema(Connection& connection, std::int64_t from) {
  if (from == kSchemaVersion) return Status::ok;
  std::string sql = "BEGIN IMMEDIATE;";
  for (std::int64_t step = from; step < kSchemaVersion; ++step) sql += kSteps[static_cast<std::size_t>(step)];
  sql += "PRAGMA application_id=" + std::to_string(kApplicationId) + ";";
  sql += "PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";COMMIT;";
  const Status status = connection.run(sql.c_str());
  if (status != Status::ok && connection.in_transaction()) connection.run("ROLLBACK");
  return status;
}

}  // namespace store
