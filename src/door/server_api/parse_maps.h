// The bodies of methods that speak of maps. Each takes a JSON value that was checked.
#pragma once

#include <expected>

#include "base/refusal.h"
#include "codec/json_in.h"
#include "door/server_api/request.h"

namespace door::server_api {

std::expected<Command, base::Refusal> parse_map_publish(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_map_remove(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_map_read_state(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_map_read_stream(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_map_stats(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_map_clear(const codec::JsonValue& body);

}  // namespace door::server_api
