// Time as text: RFC 3339 in and out, and the date of HTTP headers. Years 0001 to 9999. Stateless, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace codec {

// "2025-11-20T12:38:00.123Z", "2025-11-20t13:38:00+01:00". Digits after the third are cut off. A leap second (:60)
// counts as the second after it. nullopt for everything else, also for a date that does not exist.
std::optional<base::WallTime> parse_rfc3339(std::string_view text);

// "2025-11-20T12:38:00.123Z", always with milliseconds. `time` lies in the years 0001 to 9999.
void append_rfc3339(std::string& out, base::WallTime time);

// "Thu, 20 Nov 2025 12:38:00 GMT" (RFC 9110 section 5.6.7), for Date and Last-Modified.
void append_http_date(std::string& out, base::WallTime time);

}  // namespace codec
