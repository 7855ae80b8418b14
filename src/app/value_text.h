// How values are written in configuration: durations "10s" and "1h30m", sizes "1MiB", counts, on and off. Both ways:
// what a format_ function writes, its parse_ function reads back. Stateless, any thread.
//
//   duration = 1*( number unit )     unit = ns us ms s m h d
//   size     = number [ unit ]       unit = B kB MB GB TB KiB MiB GiB TiB, in any case; without one: bytes
//   count    = number                digits; `_` or `'` are not taken
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/time.h"

namespace app {

// The error is the end of a sentence: `... is not a duration; write a number with a unit, for example "10s"`.
std::expected<base::Duration, std::string> parse_duration(std::string_view text);
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);
std::expected<std::uint64_t, std::string> parse_count(std::string_view text);
std::expected<bool, std::string> parse_switch(std::string_view text);  // true false yes no on off 1 0

std::string format_duration(base::Duration duration);  // not negative
std::string format_size(std::uint64_t bytes);

}  // namespace app
