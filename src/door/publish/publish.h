// Publishing over HTTP: what a body is, idempotency keys, and the JSON of requests and answers (docs/protocol.md).
// Values.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/refusal.h"
#include "codec/json_in.h"
#include "codec/url.h"
#include "hub/mail.h"
#include "hub/message.h"
#include "hub/since.h"
#include "hub/tags.h"

namespace door::publish {

// The payload as it will be stored.
struct Content {
  hub::Kind kind = hub::Kind::text;
  std::string payload;
};
// By Content-Type (absent: text if valid UTF-8, else binary). bad_json, json_depth.
std::expected<Content, base::Refusal> content_of(std::optional<std::string_view> content_type, std::string_view body);

// 1 to 255 visible ASCII characters.
bool is_valid_idempotency_key(std::string_view key) noexcept;

struct ApiPublish {
  std::string channel;
  Content content;
  hub::Tags tags;
  std::optional<std::string> idempotency_key;
};
std::expected<ApiPublish, base::Refusal> parse_api_publish(std::string_view body);

// Of all that a publish says: two with the same idempotency key and different content are not the same publish.
base::Hash128 content_hash(const Content& content, const hub::Tags& tags, std::uint64_t seed);

struct ApiHistory {
  std::string channel;
  hub::Since since;           // without `since`: the last `limit`
  std::uint32_t limit = 100;  // 1 to 1000
};
std::expected<ApiHistory, base::Refusal> parse_api_history(std::string_view body);
std::expected<ApiHistory, base::Refusal> parse_api_history(const codec::Query& query);

struct ApiChannels {
  std::string prefix;
  std::uint32_t limit = 100;  // 1 to 1000
};
std::expected<ApiChannels, base::Refusal> parse_api_channels(std::string_view body);  // an empty body is {}
std::expected<ApiChannels, base::Refusal> parse_api_channels(const codec::Query& query);

// {"channel","epoch","offset","time","level","workers"}
void append_published(std::string& out, std::string_view channel, const hub::Published& published);
// {"channel","epoch","head","first","messages":[envelope...],"gap"?}; at most `limit` messages.
void append_history(std::string& out, std::string_view channel, const hub::Page& page);

}  // namespace door::publish
