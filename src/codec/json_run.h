// How far a JSON string goes on before a byte that needs a look: the quote, the backslash, a control character. Eight
// bytes at a time, since nearly all strings are one such run; json_run_scalar is the reference for tests. Stateless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace codec {

constexpr bool json_byte_is_plain(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
}

constexpr std::size_t json_run_scalar(std::string_view text) noexcept {
  std::size_t length = 0;
  for (const char c : text) {
    if (!json_byte_is_plain(c)) break;
    ++length;
  }
  return length;
}

inline std::size_t json_run(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = 0x80 * kOnes;
  // The high bit of a byte of `below` is set where that byte of the word was below `limit`; a borrow may set more of
  // them, but only above a byte that was.
  const auto below = [](std::uint64_t word, std::uint64_t limit) { return (word - limit * kOnes) & ~word & kHighBits; };
  std::size_t done = 0;
  while (text.size() - done >= sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + done, sizeof word);
    const std::uint64_t hits = below(word, 0x20) | below(word ^ (kOnes * '"'), 1) | below(word ^ (kOnes * '\\'), 1);
    if (hits != 0) break;
    done += sizeof word;
  }
  return done + json_run_scalar(text.substr(done));
}

}  // namespace codec
