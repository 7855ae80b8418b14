// Channel names as doors get them (architecture section 1 rule 10). Stateless.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace door {

// UTF-8, 1 to 255 bytes, no control characters (C0, DEL, C1).
bool is_valid_channel_name(std::string_view name) noexcept;
// The rest of a URL path, percent-decoded once; bad_channel also for "..", as a whole or as a segment, and for what is
// not valid.
std::expected<std::string, base::Error> channel_from_path(std::string_view rest);

}  // namespace door
