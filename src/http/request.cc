#include "http/request.h"

#include <algorithm>

#include "http/syntax.h"

namespace http {

bool same_name(std::string_view a, std::string_view b) noexcept { return same_text(a, b); }

std::optional<std::string_view> HeaderList::find(std::string_view name) const noexcept {
  std::optional<std::string_view> found;
  for (const Header& header : headers) {
    if (!same_name(header.name, name)) continue;
    if (found) return std::nullopt;
    found = header.value;
  }
  return found;
}

std::size_t HeaderList::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [name](const Header& header) { return same_name(header.name, name); }));
}

bool HeaderList::has_token(std::string_view name, std::string_view token) const noexcept {
  for (const Header& header : headers) {
    if (!same_name(header.name, name)) continue;
    for (std::string_view list = header.value; !list.empty();) {
      if (same_text(take_element(list), token)) return true;
    }
  }
  return false;
}

}  // namespace http
