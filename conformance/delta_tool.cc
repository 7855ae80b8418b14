// Our delta code as a filter, so that test_delta.py can hold it against another library's. Reads records until the end
// of the input and answers each:
//
//   record := what a.size b.size a b     what: 'm' make_delta(a, b), 'u' the same of whole code points, 'a' apply_delta
//   answer := verdict size bytes         verdict: 0, or the value of a DeltaError
//
// Sizes are 32-bit, the lowest byte first.
#include <cstdint>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/delta.h"

namespace {

constexpr std::size_t kTargetBytesMax = 1 << 24;

std::string_view take(std::string_view& rest, std::size_t size) {
  ASSERT(size <= rest.size());
  const std::string_view bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return bytes;
}

std::uint32_t take_size(std::string_view& rest) {
  std::uint32_t size = 0;
  int shift = 0;
  for (const char byte : take(rest, 4)) {
    size |= static_cast<std::uint32_t>(static_cast<unsigned char>(byte)) << shift;
    shift += 8;
  }
  return size;
}

void answer(std::uint8_t verdict, std::string_view bytes) {
  std::string head(1, static_cast<char>(verdict));
  for (int shift = 0; shift < 32; shift += 8) head += static_cast<char>(bytes.size() >> shift);
  std::cout << head << bytes;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  const std::string input(std::istreambuf_iterator<char>(std::cin), {});
  for (std::string_view rest = input; !rest.empty();) {
    const char what = take(rest, 1).front();
    const std::uint32_t a_bytes = take_size(rest);
    const std::uint32_t b_bytes = take_size(rest);
    const std::string_view a = take(rest, a_bytes);
    const std::string_view b = take(rest, b_bytes);
    if (what == 'a') {
      const auto target = codec::apply_delta(a, b, kTargetBytesMax);
      answer(target ? 0 : static_cast<std::uint8_t>(target.error()), target ? *target : "");
    } else {
      answer(0, codec::make_delta(a, b, what == 'u' ? codec::Utf8::whole_code_points : codec::Utf8::anywhere));
    }
  }
  return 0;
}
