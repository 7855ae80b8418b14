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

// "." and ".." are refused although channels are no paths: what a proxy in front of us makes of them is not what we
// would.
bool has_dot_segment(std::string_view name) {
  while (true) {
    const std::size_t end = name.find('/');
    const std::string_view segment = name.substr(0, end);
    if (segment == "." || segment == "..") return true;
    if (end == std::string_view::npos) return false;
    name.remove_prefix(end + 1);
  }
}

// What is wrong with a name; empty: nothing.
std::string_view fault_of(std::string_view name) {
  if (name.empty()) return "This one is empty.";
  if (name.size() > kNameBytesMax) return "This one is longer.";
  if (!codec::utf8_valid(name)) return "This one is not UTF-8.";
  if (has_control_character(name)) return "This one has a control character.";
  if (has_dot_segment(name)) return "This one has such a segment.";
  return {};
}

}  // namespace

std::expected<void, base::Refusal> check_channel_name(std::string_view name) {
  const std::string_view fault = fault_of(name);
  if (!fault.empty()) return std::unexpected(base::Refusal(base::Error::bad_channel, fault));
  return {};
}

std::expected<std::string, base::Refusal> channel_from_path(std::string_view rest) {
  std::optional<std::string> name = codec::percent_decode(rest);
  if (!name) return std::unexpected(base::Refusal(base::Error::bad_channel, "A % is not followed by two hex digits."));
  if (const auto checked = check_channel_name(*name); !checked) return std::unexpected(checked.error());
  return *std::move(name);
}

}  // namespace door
