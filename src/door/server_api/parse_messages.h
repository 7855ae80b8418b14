// The bodies of methods that speak of channels and their messages. Each takes a JSON value that was checked.
#pragma once

#include <expected>

#include "base/refusal.h"
#include "codec/json_in.h"
#include "codec/url.h"
#include "door/server_api/fields.h"
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

// Parts that bodies of other methods have too. What is wrong is refused there.
Content read_payload(Fields& in);
hub::Tags read_tags(Fields& in);
std::optional<std::string> read_idempotency_key(Fields& in);
Publication read_publication(Fields& in);
// Of an epoch as clients write it: one that is none of ours is another one.
hub::Epoch epoch_of(const std::string& text);

}  // namespace door::server_api
