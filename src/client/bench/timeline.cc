#include "client/bench/timeline.h"

#include "base/assert.h"

namespace client::bench {

Slot& Timeline::at(base::Instant now) {
  const auto index = static_cast<std::size_t>((now - start_) / kSlot);
  // What was open stays open while nothing is noted.
  while (slots_.size() <= index) {
    Slot next;
    if (!slots_.empty()) next.open = slots_.back().open;
    slots_.push_back(next);
  }
  return slots_[index];
}

std::vector<Slot> Timeline::grouped(base::Duration width) const {
  ASSERT(width >= kSlot && width % kSlot == base::Duration{0});
  const auto together = static_cast<std::size_t>(width / kSlot);
  std::vector<Slot> groups((slots_.size() + together - 1) / together);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& group = groups[i / together];
    group.opened += slots_[i].opened;
    group.failed += slots_[i].failed;
    group.dropped += slots_[i].dropped;
    group.open = slots_[i].open;
    group.messages += slots_[i].messages;
  }
  return groups;
}

}  // namespace client::bench
