#include "server/log.h"

#include <array>

#include "codec/utf8.h"

namespace server {
namespace {

// Length of the UTF-8 sequence that begins here; 0 if it is not one.
std::size_t sequence_length(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (codec::utf8_valid(text.substr(0, length))) return length;
  }
  return 0;
}

char32_t code_point(std::string_view sequence) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(sequence[at]); };
  if (sequence.size() == 1) return byte(0);
  char32_t value = byte(0) & (0xffU >> (sequence.size() + 1));
  for (std::size_t i = 1; i < sequence.size(); ++i) value = (value << 6) | (byte(i) & 0x3fU);
  return value;
}

// Not printable, or changes how the rest of the line is shown.
bool is_harmful(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0x200e || c == 0x200f ||
         c == 0x061c || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void append_hex(std::string& line, unsigned value, int digits) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) line += kDigits[(value >> shift) & 0xf];
}

}  // namespace

void append_field(std::string& line, std::string_view key, std::string_view value, std::size_t bytes_max) {
  line += ' ';
  line += key;
  line += "=\"";
  const bool cut = value.size() > bytes_max;
  value = value.substr(0, bytes_max);
  while (!value.empty()) {
    const std::size_t length = sequence_length(value);
    if (length == 0) {
      line += "\\x";
      append_hex(line, static_cast<unsigned char>(value.front()), 2);
      value.remove_prefix(1);
      continue;
    }
    const char32_t c = code_point(value.substr(0, length));
    if (is_harmful(c)) {
      line += "\\u";
      append_hex(line, static_cast<unsigned>(c), 4);
    } else {
      if (c == '"' || c == '\\') line += '\\';
      line += value.substr(0, length);
    }
    value.remove_prefix(length);
  }
  line += cut ? "...\"" : "\"";
}

}  // namespace server
