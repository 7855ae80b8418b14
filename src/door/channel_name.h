// Channel names as doors get them (architecture section 1 rule 10). Stateless.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/refusal.h"

namespace door {

// UTF-8, 1 to 255 bytes, no control characters (C0, DEL, C1), no "." or ".." as a whole or between slashes; else
// bad_channel. The one rule for every place a name can come from.
std::expected<void, base::Refusal> check_channel_name(std::string_view name);
// The rest of a URL path, percent-decoded once.
std::expected<std::string, base::Refusal> channel_from_path(std::string_view rest);

}  // namespace door
