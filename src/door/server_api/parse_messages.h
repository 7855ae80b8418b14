// The bodies of methods that speak of channels and their messages. Each takes a JSON value that was checked.
#pragma once

#include <expected>

#include "base/refusal.h"
#include "codec/json_in.h"
#include "codec/url.h"
#include "door/server_api/request.h"

namespace door::server_api {

std::expected<Command, base::Refusal> parse_publish(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_broadcast(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_history(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_history(const codec::Query& query);
std::expected<Command, base::Refusal> parse_history_remove(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_channels(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_channels(const codec::Query& query);
std::expected<Command, base::Refusal> parse_presence(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_presence_stats(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_info(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_rpc(const codec::JsonValue& body);

}  // namespace door::server_api
