// The registry of every error a client can see: one stable code, one HTTP status, one WebSocket close code, one
// text. Documented in docs/errors.md, which a test compares with this table. Values only; any thread.
//
// Close codes below 4000 are RFC 6455 section 7.4.1; 44xx are ours and mirror the HTTP status where one fits.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace base {

enum class Error : std::uint8_t {
  none = 0,
#define WIREBIRD_ERROR(name, code, http, close, text) name,
#include "base/error_list.inc"
#undef WIREBIRD_ERROR
};

struct ErrorEntry {
  Error error;
  std::string_view code;      // "E_GAP"
  std::uint16_t http_status;  // before the upgrade
  std::uint16_t close_code;   // after the upgrade
  std::string_view text;      // one sentence for a person, no user data in it
};

const ErrorEntry& entry(Error error) noexcept;  // error != none
inline std::string_view to_string(Error error) noexcept { return entry(error).code; }

// Every entry, in the order of the enum.
std::span<const ErrorEntry> all_errors() noexcept;

}  // namespace base
