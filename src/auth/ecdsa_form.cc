#include "auth/ecdsa_form.h"

#include <algorithm>

#include "base/assert.h"

namespace auth {
namespace {

constexpr std::size_t kHalfBytesMax = 66;  // P-521
constexpr char kInteger = 0x02;
constexpr char kSequence = 0x30;

// DER integers are signed and as short as possible.
void append_integer(std::string& out, std::string_view number) {
  number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size() - 1));
  const bool needs_zero = (static_cast<unsigned char>(number.front()) & 0x80) != 0;
  out += kInteger;
  out += static_cast<char>(number.size() + (needs_zero ? 1 : 0));
  if (needs_zero) out += '\0';
  out += number;
}

// Takes an integer from the front of `der` as `half` bytes.
std::optional<std::string> take_integer(std::string_view& der, std::size_t half) {
  if (der.size() < 3 || der[0] != kInteger) return std::nullopt;
  const auto size = static_cast<unsigned char>(der[1]);
  if (size == 0 || size > der.size() - 2) return std::nullopt;
  std::string_view number = der.substr(2, size);
  der.remove_prefix(2 + std::size_t{size});
  if (number.front() == '\0' && number.size() > 1) number.remove_prefix(1);
  if (number.size() > half) return std::nullopt;
  return std::string(half - number.size(), '\0').append(number);
}

}  // namespace

std::string ecdsa_der_of(std::string_view raw) {
  ASSERT(!raw.empty() && raw.size() % 2 == 0 && raw.size() <= 2 * kHalfBytesMax);
  std::string integers;
  append_integer(integers, raw.substr(0, raw.size() / 2));
  append_integer(integers, raw.substr(raw.size() / 2));
  std::string der(1, kSequence);
  if (integers.size() > 127) der += static_cast<char>(0x81);  // one byte of length follows
  der += static_cast<char>(integers.size());
  return der + integers;
}

std::optional<std::string> ecdsa_raw_of(std::string_view der, std::size_t half) {
  ASSERT(half > 0 && half <= kHalfBytesMax);
  const std::size_t head = der.size() > 1 && der[1] == static_cast<char>(0x81) ? 3 : 2;
  if (der.size() < head || der[0] != kSequence) return std::nullopt;
  std::string_view rest = der.substr(head);
  const auto r = take_integer(rest, half);
  const auto s = r ? take_integer(rest, half) : std::nullopt;
  if (!s || !rest.empty()) return std::nullopt;
  std::string raw = *r + *s;
  if (ecdsa_der_of(raw) != der) return std::nullopt;  // one form only, lengths included
  return raw;
}

}  // namespace auth
