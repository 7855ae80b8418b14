// What a hook's answer means whose HTTP status is not 200, where the operator has said so. As text:
//
//   rule = status " " ("error" | "temporary" | "disconnect") " " code [" " message]
//
// "403 error 1403 not allowed", "429 temporary 1429 too many", "401 disconnect 4501 unauthorized". `temporary` is an
// error after which the client tries again. Values; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <variant>

#include "door/hook/messages.h"

namespace door::hook {

struct StatusRule {
  std::uint16_t status = 0;  // 100 to 599, but not 200
  std::variant<Error, Disconnect> meaning;
  friend bool operator==(const StatusRule&, const StatusRule&) = default;
};

// The error is the end of a sentence that begins with the text.
std::expected<StatusRule, std::string_view> parse_status_rule(std::string_view text);

// nullptr: nobody said what it means.
const StatusRule* find_rule(std::span<const StatusRule> rules, std::uint16_t status);

}  // namespace door::hook
