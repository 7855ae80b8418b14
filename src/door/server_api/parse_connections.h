// The bodies of methods that speak of users, their connections and their tokens. Each takes a JSON value that was
// checked.
#pragma once

#include <expected>

#include "base/refusal.h"
#include "codec/json_in.h"
#include "door/server_api/request.h"

namespace door::server_api {

std::expected<Command, base::Refusal> parse_subscribe(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_unsubscribe(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_disconnect(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_refresh(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_connections(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_block_user(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_unblock_user(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_revoke_token(const codec::JsonValue& body);
std::expected<Command, base::Refusal> parse_invalidate_user_tokens(const codec::JsonValue& body);

}  // namespace door::server_api
