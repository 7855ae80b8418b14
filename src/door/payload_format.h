// What a namespace lets people publish (`payload_format`). Stateless.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "base/refusal.h"
#include "hub/message.h"

namespace door {

enum class PayloadFormat : std::uint8_t {
  any,
  json,         // published as JSON
  json_object,  // the same, and its value is an object
  binary,       // published as bytes
};

// Whether a payload of this kind is one. A payload of Kind::json is JSON already; nothing is parsed.
// payload_format.
std::expected<void, base::Refusal> check_payload(PayloadFormat format, hub::Kind kind, std::string_view payload);

}  // namespace door
