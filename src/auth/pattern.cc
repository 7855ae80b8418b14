#include "auth/pattern.h"

#include <algorithm>

namespace auth {

bool covers(std::string_view pattern, std::string_view channel) {
  if (!pattern.empty() && pattern.back() == '*') return channel.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == channel;
}

bool valid_pattern(std::string_view pattern) {
  return !pattern.empty() && pattern.size() <= 255 &&
         std::ranges::none_of(pattern, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace auth
