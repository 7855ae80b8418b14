// What a publish carries, whichever way it came: the payload as it will be stored, idempotency keys, and what makes two
// publishes the same. Values; stateless.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/refusal.h"
#include "hub/message.h"
#include "hub/tags.h"

namespace door {

struct Content {
  hub::Kind kind = hub::Kind::text;
  std::string payload;
};

// bad_json or json_depth.
std::expected<Content, base::Refusal> json_content(std::string_view text);

// 1 to 255 visible ASCII characters.
bool is_valid_idempotency_key(std::string_view key) noexcept;

// Of all that a publish says: two with the same idempotency key and different content are not the same publish.
base::Hash128 content_hash(const Content& content, const hub::Tags& tags, std::uint64_t seed);

}  // namespace door
