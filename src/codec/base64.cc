#include "codec/base64.h"

#include <array>
#include <cstdint>

namespace codec {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNotADigit = 64;
using Digits = std::array<std::uint8_t, 256>;

constexpr Digits make_digits(std::string_view alphabet) {
  Digits digits{};
  digits.fill(kNotADigit);
  for (std::uint8_t value = 0; value < 64; ++value) digits[static_cast<unsigned char>(alphabet[value])] = value;
  return digits;
}

constexpr Digits kStandardDigits = make_digits(kStandard);
constexpr Digits kUrlDigits = make_digits(kUrl);

std::uint32_t octet(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

// Without padding; 8, 16 or 24 bits at a time.
std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  const auto put = [&](std::uint32_t bits, int digits) {
    for (int shift = 18; digits > 0; --digits, shift -= 6) text.push_back(alphabet[(bits >> shift) & 63]);
  };
  std::size_t at = 0;
  for (; bytes.size() - at >= 3; at += 3) {
    put(octet(bytes, at) << 16 | octet(bytes, at + 1) << 8 | octet(bytes, at + 2), 4);
  }
  if (bytes.size() - at == 2) put(octet(bytes, at) << 16 | octet(bytes, at + 1) << 8, 3);
  if (bytes.size() - at == 1) put(octet(bytes, at) << 16, 2);
  return text;
}

// Without padding.
std::optional<std::string> decode(std::string_view text, const Digits& digits) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;  // how many low bits of `bits` are not yet written
  for (const char each : text) {
    const std::uint8_t digit = digits[static_cast<unsigned char>(each)];
    if (digit == kNotADigit) return std::nullopt;
    bits = bits << 6 | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<char>(bits >> held & 0xff));
      bits &= (1U << held) - 1;
    }
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text = encode(bytes, kStandard);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with("==")) {
    text.remove_suffix(2);
  } else if (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  return decode(text, kStandardDigits);
}

std::string base64url_encode(std::string_view bytes) { return encode(bytes, kUrl); }

std::optional<std::string> base64url_decode(std::string_view text) { return decode(text, kUrlDigits); }

}  // namespace codec
