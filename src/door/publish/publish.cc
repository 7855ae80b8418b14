#include "door/publish/publish.h"

#include <algorithm>

#include "codec/utf8.h"

namespace door::publish {
namespace {

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return lower;
}

// "Application/JSON ; charset=utf-8" is "application/json".
std::string media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const std::size_t end = content_type.find_last_not_of(" \t");
  return lowered(content_type.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

bool is_json(std::string_view media_type) { return media_type == "application/json" || media_type.ends_with("+json"); }

}  // namespace

std::expected<Content, base::Refusal> content_of(std::optional<std::string_view> content_type, std::string_view body) {
  const std::string type = media_type(content_type.value_or(""));
  if (is_json(type)) return json_content(body);
  const bool binary = type == "application/octet-stream" || !codec::utf8_valid(body);
  return Content{binary ? hub::Kind::binary : hub::Kind::text, std::string(body)};
}

}  // namespace door::publish
