#include "http/syntax.h"

#include <algorithm>
#include <array>

namespace http {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

using CharSet = std::array<bool, 256>;

constexpr CharSet letters_digits_and(std::string_view others) {
  CharSet set{};
  for (std::size_t byte = 0; byte < set.size(); ++byte) {
    const char c = static_cast<char>(byte);
    set[byte] = is_digit(c) || is_letter(c) || others.find(c) != std::string_view::npos;
  }
  return set;
}

constexpr CharSet kToken = letters_digits_and("!#$%&'*+-.^_`|~");            // RFC 9110 section 5.6.2
constexpr CharSet kRegisteredName = letters_digits_and("-._~%!$&'()*+,;=");  // RFC 3986 section 3.2.2
constexpr CharSet kAddressLiteral = letters_digits_and("-._~!$&'()*+,;=:");  // between [ and ]

bool in(const CharSet& set, char c) { return set[static_cast<unsigned char>(c)]; }
bool all_in(const CharSet& set, std::string_view text) {
  return std::ranges::all_of(text, [&set](char c) { return in(set, c); });
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool is_token_char(char c) noexcept { return in(kToken, c); }

bool is_token(std::string_view text) noexcept { return !text.empty() && all_in(kToken, text); }

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view take_element(std::string_view& list) noexcept {
  const std::size_t comma = list.find(',');
  const std::string_view element = list.substr(0, comma);
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return trim(element);
}

bool is_host(std::string_view text) noexcept {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    if (!all_in(kAddressLiteral, text.substr(1, end - 1))) return false;
    port = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (name.empty() || !all_in(kRegisteredName, name)) return false;
    port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (port.empty()) return true;
  return port.starts_with(':') && port.size() <= 6 && std::ranges::all_of(port.substr(1), is_digit);
}

}  // namespace http
