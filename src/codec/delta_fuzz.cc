// A delta that was made makes its target again, whole code points stay whole, and a delta from anywhere is refused or
// stays within its limit. The input: a byte that says what, a byte for how much of the rest is the source, the rest.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/delta.h"
#include "codec/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string_view source = rest.substr(0, rest.size() * data[1] / 255);
  const std::string_view other = rest.substr(source.size());

  if (data[0] == 'a') {
    constexpr std::size_t kSizeMax = 1 << 16;
    const auto target = codec::apply_delta(source, other, kSizeMax);
    if (target) ASSERT(target->size() <= kSizeMax);
    return 0;
  }
  const codec::Utf8 utf8 = data[0] == 'u' ? codec::Utf8::whole_code_points : codec::Utf8::anywhere;
  const std::string delta = codec::make_delta(source, other, utf8);
  ASSERT(delta.size() <= other.size() + 21);
  const auto target = codec::apply_delta(source, delta, other.size());
  ASSERT(target && *target == other);
  if (utf8 == codec::Utf8::whole_code_points && codec::utf8_valid(other)) ASSERT(codec::utf8_valid(delta));
  return 0;
}
