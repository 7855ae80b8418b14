#include "base/shared_bytes.h"

#include <cstring>
#include <limits>
#include <new>

#include "base/assert.h"

namespace base {

SharedBytes SharedBytes::copy(std::string_view bytes) { return concat(bytes, {}); }

SharedBytes SharedBytes::concat(std::string_view a, std::string_view b) {
  SharedBytes result;
  const std::size_t size = a.size() + b.size();
  if (size == 0) return result;
  // Message caps are far below 4 GiB (limits.h of every door), so a 32-bit size is never reached by a peer.
  ASSERT(size <= std::numeric_limits<std::uint32_t>::max());
  void* memory = ::operator new(sizeof(Block) + size);
  result.block_ = new (memory) Block{1, static_cast<std::uint32_t>(size)};
  char* out = result.block_->bytes();
  if (!a.empty()) std::memcpy(out, a.data(), a.size());
  if (!b.empty()) std::memcpy(out + a.size(), b.data(), b.size());
  return result;
}

void SharedBytes::destroy(Block* block) noexcept {
  block->~Block();
  ::operator delete(block);
}

}  // namespace base
