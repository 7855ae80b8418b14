// Reading and writing the bytes of rows: varints (LEB128, at most 10 bytes, shortest form not required), little-endian
// words, and pieces with their length before them. A reader that has run out stays failed. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace store {

inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

inline void put_word(std::string& out, std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

inline void put_piece(std::string& out, std::string_view bytes) {
  put_varint(out, bytes.size());
  out += bytes;
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

  std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t each = byte();
      const std::uint64_t bits = each & 0x7f;
      if (!ok_ || (shift == 63 && bits > 1)) break;
      value |= bits << shift;
      if (each < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::uint64_t word() {
    std::uint64_t value = 0;
    const std::string_view eight = take(8);
    for (std::size_t i = 0; i < eight.size(); ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(eight[i])} << (8 * i);
    }
    return value;
  }
  std::string_view piece() {
    const std::uint64_t size = varint();
    return size <= rest_.size() ? take(static_cast<std::size_t>(size)) : fail();
  }
  std::string_view take(std::size_t size) {
    if (!ok_ || size > rest_.size()) return fail();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view fail() {
    ok_ = false;
    return {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace store
