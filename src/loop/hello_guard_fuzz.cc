// The first flight of a TLS client in pieces that the fuzzer chooses: the verdict does not depend on the cuts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "loop/hello_guard.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = 1 + data[0] % 32;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  loop::HelloGuard whole;
  const bool accepted = whole.accepts(bytes);
  loop::HelloGuard cut;
  bool still = true;
  for (std::string_view rest = bytes; still && !rest.empty();) {
    const std::string_view next = rest.substr(0, std::min(piece, rest.size()));
    still = cut.accepts(next);
    rest.remove_prefix(next.size());
  }
  ASSERT(still == accepted);
  ASSERT(!accepted || (cut.incomplete() == whole.incomplete() && cut.record_type() == whole.record_type()));
  return 0;
}
