// Answers of hooks from JSON. Of several members the strongest counts: disconnect, then error, then result. Members
// that are not known are ignored and a null is as good as none; a known one of the wrong type, or one that stands
// there twice, makes the whole answer malformed, for a back end that means something else must not be guessed at.
// Of info and b64info, and of data and b64data, the base64 counts.
//
// Linear in the body, whose size the caller bounds. Pure; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "door/hook/messages.h"

namespace door::hook {

// Channels and tags that one answer may name: far more than a connection may have.
inline constexpr std::size_t kListMax = 1024;

// The error is a constant, the end of a sentence that begins with "the answer". For the Results of messages.h.
template <class Result>
std::expected<Answer<Result>, std::string_view> read_answer(std::string_view body);

}  // namespace door::hook
