// A regular expression as people write them for names, as a channel pattern (auth/name_pattern.h), where one can say
// the same. Stateless.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace app::import {

// Of Go's syntax: characters, escaped ones, `.`, \d, \w, classes, and the repeats * + ? {n} {n,} {n,m}; ^ at the
// beginning and $ at the end, without which anything may stand there. The error says what cannot be said: "has groups".
std::expected<std::string, std::string> channel_pattern_of(std::string_view regex);

}  // namespace app::import
