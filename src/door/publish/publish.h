// POST /pub: what a body is, and the answer (docs/protocol.md). The same over the server's API is door/server_api.
// Values.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "door/content.h"

namespace door::publish {

// By Content-Type (absent: text if valid UTF-8, else binary). bad_json, json_depth.
std::expected<Content, base::Refusal> content_of(std::optional<std::string_view> content_type, std::string_view body);

}  // namespace door::publish
