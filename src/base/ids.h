// Ids that may cross threads. A stale id is a normal miss, never an error: the slot's generation has moved on.
#pragma once

#include <compare>
#include <cstdint>

namespace base {

using WorkerId = std::uint16_t;

struct PeerId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 0 is never a living peer
  friend auto operator<=>(const PeerId&, const PeerId&) = default;
};

}  // namespace base
