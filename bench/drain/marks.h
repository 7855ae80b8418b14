// What a bench message carries: '@', its number as 12 hex digits, and words up to its size. The number is found again
// in whatever a server wraps around the message, so the same client reads every protocol.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

inline constexpr char kMark = '@';
inline constexpr std::size_t kDigits = 12;
inline constexpr std::size_t kMessageBytesMin = 1 + kDigits;

// Words and figures, as little and as much compressible as a line of quotes: 'x' many times would flatter compression.
// Nothing that JSON escapes, and no mark.
inline std::string make_message(std::size_t bytes) {
  constexpr std::array<std::string_view, 8> kWords{"bid", "ask", "price", "size", "venue", "trade", "index", "open"};
  std::string message(1, kMark);
  message.append(kDigits, '0');
  std::uint32_t state = 1;
  while (message.size() < bytes) {
    state = state * 1664525U + 1013904223U;
    message.append(" ").append(kWords[state >> 29]).append(" ").append(std::to_string(state >> 12 & 0xffff));
  }
  message.resize(bytes);
  return message;
}

inline void write_number(std::string& message, std::size_t at, std::uint64_t number) {
  for (std::size_t i = 0; i < kDigits; ++i) message[at + kDigits - i] = "0123456789abcdef"[number >> (4 * i) & 15];
}

// Finds the numbers in a stream that may be cut anywhere.
class MarkReader {
 public:
  template <class Found>
  void receive(std::string_view bytes, Found found) {
    while (!bytes.empty()) {
      if (missing_ == 0) {
        const void* mark = std::memchr(bytes.data(), kMark, bytes.size());
        if (mark == nullptr) return;
        bytes.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(mark) - bytes.data()) + 1);
        missing_ = kDigits;
        number_ = 0;
        continue;
      }
      const char digit = bytes.front();
      bytes.remove_prefix(1);
      number_ = number_ << 4 | static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
      if (--missing_ == 0) found(number_);
    }
  }

 private:
  std::uint64_t number_ = 0;
  std::uint8_t missing_ = 0;  // digits
};

}  // namespace bench
