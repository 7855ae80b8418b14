// The small grammar of HTTP fields (RFC 9110 section 5.6): tokens, white space, comma-separated lists. Stateless,
// linear.
#pragma once

#include <string_view>

namespace http {

bool is_token_char(char c) noexcept;
bool is_token(std::string_view text) noexcept;  // one or more of them
// Visible ASCII, space, tab, 0x80-0xFF.
constexpr bool is_field_value_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\t';
}
std::string_view trim(std::string_view text) noexcept;            // spaces and tabs at both ends
bool same_text(std::string_view a, std::string_view b) noexcept;  // ASCII letters in any case

// Takes the next element, trimmed, from the front of a comma-separated list. Knows no quoted strings: the lists read
// with it hold tokens. Empty elements are given as they are. Call while `list` is not empty.
std::string_view take_element(std::string_view& list) noexcept;

// A Host value or the authority of a target: a name, an IPv4 address or an [IPv6 address], and a port or none.
bool is_host(std::string_view text) noexcept;

}  // namespace http
