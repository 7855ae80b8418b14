// The tables of the ledger and what they were before (docs/formats/ledger.md). A database carries its version; an older
// one is brought up to date in one transaction, a newer one is refused.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "store/database.h"

namespace store {

inline constexpr std::int64_t kSchemaVersion = 1;
inline constexpr std::int64_t kApplicationId = 0x57624c67;  // "WbLg"

// What a database is; 0: nothing yet. Changes nothing. The error is a text for the operator, without the file's name.
std::expected<std::int64_t, std::string> schema_version(Connection& connection);
// Makes it of the present version. On a writer's connection outside of a transaction.
Status upgrade_schema(Connection& connection, std::int64_t from);

}  // namespace store
