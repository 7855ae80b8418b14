// For tests: how often operator new was called in this binary, which links its own (allocation_count.cc).
#pragma once

#include <cstddef>

namespace ws {
std::size_t allocation_count() noexcept;
}  // namespace ws
