#include "store/command.h"

#include "base/assert.h"

namespace store {

std::string_view to_string(Error error) noexcept {
  switch (error) {
    case Error::none:
      return "none";
    case Error::read_only:
      return "read only";
    case Error::disk_full:
      return "disk full";
    case Error::memory:
      return "memory";
    case Error::damaged:
      return "damaged";
    case Error::conflict:
      return "conflict";
    case Error::too_large:
      return "too large";
    case Error::too_many:
      return "too many";
    case Error::channel:
      return "channel";
  }
  ASSERT(false);
}

}  // namespace store
