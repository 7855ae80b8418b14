#include "door/channel_name.h"

#include <optional>

#include "codec/url.h"
#include "codec/utf8.h"

namespace door {
namespace {

constexpr std::size_t kNameBytesMax = 255;

// In valid UTF-8: U+0000..U+001F and U+007F are single bytes, U+0080..U+009F are C2 80..C2 9F.
bool has_control_character(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && static_cast<unsigned char>(name[i + 1]) < 0xa0) return true;
  }
  return false;
}

// ".." is refused although channels are no paths: what a proxy in front of us makes of it is not what we would.
bool has_parent_segment(std::string_view name) {
  while (true) {
    const std::size_t end = name.find('/');
    if (name.substr(0, end) == "..") return true;
    if (end == std::string_view::npos) return false;
    name.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_valid_channel_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kNameBytesMax && codec::utf8_valid(name) && !has_control_character(name);
}

std::expected<std::string, base::Error> channel_from_path(std::string_view rest) {
  std::optional<std::string> name = codec::percent_decode(rest);
  if (!name || !is_valid_channel_name(*name) || has_parent_segment(*name)) {
    return std::unexpected(base::Error::bad_channel);
  }
  return *std::move(name);
}

}  // namespace door
