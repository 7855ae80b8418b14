// UTF-8 validation (RFC 3629; RFC 6455 section 8.1). Refuses overlong forms, surrogates and code points above U+10FFFF.
// Values only; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace codec {

// A whole text at once: wide steps over ASCII, SIMD beyond it.
bool utf8_valid(std::string_view text) noexcept;

// The same verdict, one byte at a time through the automaton that Utf8Check uses. The reference for tests.
bool utf8_valid_scalar(std::string_view text) noexcept;

// The longest prefix of at most `bytes_max` bytes that does not end inside a code point. `text` must be valid.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept;

// Text that arrives in pieces. Fails at the first byte that no continuation can repair, wherever the cuts are.
class Utf8Check {
 public:
  // False once the text so far cannot become valid; stays false.
  bool feed(std::string_view piece) noexcept;
  // True if what was fed so far is valid and ends at a code point.
  bool complete() const noexcept { return state_ == 0; }

 private:
  std::uint8_t state_ = 0;
};
static_assert(sizeof(Utf8Check) <= 4);

}  // namespace codec
