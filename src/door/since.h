// `since` and `Last-Event-ID` (docs/protocol.md). Stateless.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "base/refusal.h"
#include "hub/since.h"

namespace door {

// One Since per channel. Empty text: all from now. bad_cursor for a wrong number of elements or a text that is none of
// cursor, -N, RFC 3339 time, milliseconds.
std::expected<std::vector<hub::Since>, base::Refusal> parse_since(std::string_view text, std::size_t channels);

}  // namespace door
