#include "door/hook/messages.h"

#include <array>

namespace door::hook {

std::string_view to_string(Kind kind) {
  constexpr std::array<std::string_view, kKinds> kNames = {"connect", "refresh", "subscribe",  "sub_refresh",
                                                           "publish", "rpc",     "cache_empty"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string fitting_reason(std::string_view text) {
  std::string reason;
  for (const char c : text.substr(0, kReasonBytesMax)) reason += c >= 0x20 && c < 0x7f ? c : '?';
  return reason;
}

}  // namespace door::hook
