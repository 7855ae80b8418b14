#include "ws/allocation_count.h"

#include <cstdlib>
#include <new>

// Apart from the tests that look at the count: the compiler must not see that new is malloc.

namespace {
std::size_t count = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size == 0 ? 1 : size); memory != nullptr) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace ws {
std::size_t allocation_count() noexcept { return count; }
}  // namespace ws
