#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace base {

void assert_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "wirebird: bug: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace base
