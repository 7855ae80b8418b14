#include "hub/tags.h"

#include <algorithm>
#include <utility>

#include "hub/limits.h"

namespace hub {

std::string_view to_string(TagsError error) noexcept {
  switch (error) {
    case TagsError::too_many:
      return "too_many";
    case TagsError::key_bytes:
      return "key_bytes";
    case TagsError::value_bytes:
      return "value_bytes";
    case TagsError::doubled:
      return "doubled";
  }
  return "too_many";
}

std::expected<Tags, TagsError> Tags::make(std::vector<Tag> tags) {
  if (tags.size() > kTagsMax) return std::unexpected(TagsError::too_many);
  for (const Tag& tag : tags) {
    if (tag.key.empty() || tag.key.size() > kTagKeyBytesMax) return std::unexpected(TagsError::key_bytes);
    if (tag.value.size() > kTagValueBytesMax) return std::unexpected(TagsError::value_bytes);
  }
  std::ranges::sort(tags, {}, &Tag::key);
  if (std::ranges::adjacent_find(tags, {}, &Tag::key) != tags.end()) return std::unexpected(TagsError::doubled);
  Tags made;
  made.sorted_ = std::move(tags);
  return made;
}

const std::string* Tags::find(std::string_view key) const noexcept {
  const auto tag = std::ranges::lower_bound(sorted_, key, {}, &Tag::key);
  return tag != sorted_.end() && tag->key == key ? &tag->value : nullptr;
}

std::size_t Tags::charged_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Tag& tag : sorted_) bytes += sizeof(Tag) + tag.key.size() + tag.value.size();
  return bytes;
}

}  // namespace hub
