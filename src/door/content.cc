#include "door/content.h"

#include <algorithm>
#include <utility>

#include "codec/json_in.h"

namespace door {

std::expected<Content, base::Refusal> json_content(std::string_view text) {
  std::expected<std::string, base::Error> json = codec::validate_json(text);
  if (!json) return std::unexpected(json.error());
  return Content{hub::Kind::json, *std::move(json)};
}

bool is_valid_idempotency_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= 255 && std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

base::Hash128 content_hash(const Content& content, const hub::Tags& tags, std::uint64_t seed) {
  const std::uint64_t kind_seed = seed + static_cast<std::uint64_t>(content.kind);
  if (tags.empty()) return base::hash128(content.payload, kind_seed);
  // The size before each part, so that no two contents make the same text; with a seed that contents without tags lack.
  std::string text;
  const auto add = [&](std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  };
  add(content.payload);
  for (const hub::Tag& tag : tags.all()) {
    add(tag.key);
    add(tag.value);
  }
  return base::hash128(text, kind_seed + 3);  // 3 kinds
}

}  // namespace door
