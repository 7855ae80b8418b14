// Patterns of channel names in lists: `*` is any bytes, none too; `?` one UTF-8 character; `[abc]`, `[a-z]`, `[!a-z]`
// one ASCII character of a set; `\` makes the next one a literal. No more: `/`, `:` and `.` are characters as all
// others. Not what tokens (auth/pattern.h) or subscriptions use. Stateless.
#pragma once

#include <cstddef>
#include <string_view>

namespace hub {

inline constexpr std::size_t kGlobBytesMax = 255;

// At most kGlobBytesMax, every set closed and not empty, something behind every `\`.
bool is_valid_glob(std::string_view pattern);

// Of a valid pattern. At most pattern * name steps.
bool matches_glob(std::string_view pattern, std::string_view name);

}  // namespace hub
