// The file beside the database that says which ledger the folder belongs to, how often it was started, and whether it
// was closed. What it and the database say of each other tells whether the end of the logs may be missing: a database
// that was put back from a copy, or that came without its write-ahead log. Values.
//
//   "wirebird ledger ID STARTS open|closed\n"   ID: 16 hexadecimal digits
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace store {

struct Identity {
  std::uint64_t id = 0;
  std::uint64_t starts = 0;
  bool closed = false;  // all of it is in the database; there need not be a write-ahead log
  friend bool operator==(const Identity&, const Identity&) = default;
};

inline constexpr std::string_view kIdentityFile = "identity";
inline constexpr std::size_t kIdentityBytesMax = 64;

std::string identity_text(const Identity& identity);
std::optional<Identity> parse_identity(std::string_view text);

}  // namespace store
