// All entry points of codec/utf8.h agree on any bytes and any cuts. The first byte of the input chooses the piece size.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "codec/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece_bytes = 1 + data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);

  const bool valid = codec::utf8_valid_scalar(text);
  ASSERT(codec::utf8_valid(text) == valid);

  codec::Utf8Check check;
  bool alive = true;
  for (std::size_t at = 0; at < text.size() && alive; at += piece_bytes)
    alive = check.feed(text.substr(at, piece_bytes));
  ASSERT((alive && check.complete()) == valid);

  if (valid) ASSERT(codec::utf8_valid_scalar(codec::utf8_prefix(text, data[0])));
  return 0;
}
