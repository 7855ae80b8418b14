// The tags of a message: a few names with a value each, by which subscribers filter (tag_filter.h). Sorted by key, each
// key once. Immutable; a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hub {

struct Tag {
  std::string key;
  std::string value;

  friend bool operator==(const Tag&, const Tag&) = default;
};

enum class TagsError : std::uint8_t {
  too_many = 1,     // more than kTagsMax
  key_bytes = 2,    // a key is empty or longer than kTagKeyBytesMax
  value_bytes = 3,  // a value is longer than kTagValueBytesMax
  doubled = 4,      // a key is there twice
};
std::string_view to_string(TagsError error) noexcept;

class Tags {
 public:
  Tags() = default;
  // In any order. Keys and values are UTF-8; who reads them from the wire has checked it.
  static std::expected<Tags, TagsError> make(std::vector<Tag> tags);

  bool empty() const noexcept { return sorted_.empty(); }
  std::span<const Tag> all() const noexcept { return sorted_; }
  // The value; null if there is no such key.
  const std::string* find(std::string_view key) const noexcept;
  std::size_t charged_bytes() const noexcept;

  friend bool operator==(const Tags&, const Tags&) = default;

 private:
  std::vector<Tag> sorted_;
};

}  // namespace hub
