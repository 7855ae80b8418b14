// Bodies and queries of the server's API into commands (request.h). Strict: unknown or doubled fields are refused.
// Linear in the text but for names, of which there are at most 1,000. Stateless.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "base/refusal.h"
#include "codec/json_in.h"
#include "codec/url.h"
#include "door/server_api/request.h"

namespace door::server_api {

// One of them, by its name in URLs: "publish". Those that the original has and this server does not do too.
bool is_method(std::string_view name);
// Every name, `batch` among them, in the order of the table.
std::span<const std::string_view> method_names();

// The command of a method that is one; `params` was checked with at least kJsonDepthMax + 4.
std::expected<Command, base::Refusal> parse_command(std::string_view method, const codec::JsonValue& params);

// POST /api/METHOD; `batch` too. An empty body is {}. not_found for an unknown method. What is wrong with one command
// of a batch is said in its place.
std::expected<Request, base::Refusal> parse_request(std::string_view method, std::string_view body);
// POST /api.
std::expected<Request, base::Refusal> parse_legacy_request(std::string_view body);
// GET /api/METHOD?...: history, channels and info; other methods: method_not_allowed.
std::expected<Request, base::Refusal> parse_request(std::string_view method, const codec::Query& query);

}  // namespace door::server_api
