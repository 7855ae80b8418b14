// Assertions for our own bugs (house failure class 4). On in release: prints file, line, text and aborts.
// Never assert on what a peer can cause. Thread safe.
#pragma once

namespace base {
[[noreturn]] void assert_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace base

#define ASSERT(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : ::base::assert_failed(#expression, __FILE__, __LINE__))

// O(n) checks, on in debug and sanitizer builds.
#if !defined(NDEBUG) || defined(WIREBIRD_SLOW_ASSERTS)
#define ASSERT_SLOW(expression) ASSERT(expression)
#else
#define ASSERT_SLOW(expression) static_cast<void>(0)
#endif
