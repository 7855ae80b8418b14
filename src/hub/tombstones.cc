#include "hub/tombstones.h"

#include "base/assert.h"

namespace hub {

void Tombstones::add(const base::Hash128& name, const Tombstone& stone) {
  ASSERT(slot_of(name) == kNone);
  const std::uint32_t slot = stones_.take();
  stones_[slot] = {name, stone, newest_, kNone};
  (newest_ == kNone ? oldest_ : stones_[newest_].newer) = slot;
  newest_ = slot;
  by_name_.insert(name.high, slot);
}

const Tombstone* Tombstones::find(const base::Hash128& name) const {
  const std::uint32_t slot = slot_of(name);
  return slot == kNone ? nullptr : &stones_[slot].stone;
}

std::optional<Tombstone> Tombstones::take(const base::Hash128& name) {
  const std::uint32_t slot = slot_of(name);
  if (slot == kNone) return std::nullopt;
  const Tombstone stone = stones_[slot].stone;
  remove(slot);
  return stone;
}

void Tombstones::drop_oldest() {
  ASSERT(oldest_ != kNone);
  remove(oldest_);
}

std::uint32_t Tombstones::slot_of(const base::Hash128& name) const {
  return by_name_.find(name.high, [&](std::uint32_t slot) { return stones_[slot].name == name; });
}

void Tombstones::remove(std::uint32_t slot) {
  const Linked& linked = stones_[slot];
  (linked.older == kNone ? oldest_ : stones_[linked.older].newer) = linked.newer;
  (linked.newer == kNone ? newest_ : stones_[linked.newer].older) = linked.older;
  by_name_.erase(linked.name.high, slot);
  stones_.give_back(slot);
}

}  // namespace hub
