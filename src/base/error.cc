#include "base/error.h"

#include "base/assert.h"

namespace base {
namespace {

// Not `constexpr std::array kEntries`: GCC 12 puts an array of deduced type into writable data.
constexpr ErrorEntry kEntries[] = {
#define WIREBIRD_ERROR(name, code, http, close, text) ErrorEntry{Error::name, code, http, close, text},
#include "base/error_list.inc"
#undef WIREBIRD_ERROR
};

}  // namespace

const ErrorEntry& entry(Error error) noexcept {
  ASSERT(error != Error::none);
  return kEntries[static_cast<std::size_t>(error) - 1];
}

std::span<const ErrorEntry> all_errors() noexcept { return kEntries; }

}  // namespace base
