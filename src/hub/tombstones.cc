#include "hub/tombstones.h"

#include "base/assert.h"

namespace hub {

void Tombstones::add(const base::Hash128& name, const Tombstone& stone) {
  const auto [place, added] = table_.try_emplace(name, Linked{stone, newest_, nullptr});
  ASSERT(added);
  Entry& entry = *place;
  (newest_ == nullptr ? oldest_ : newest_->second.newer) = &entry;
  newest_ = &entry;
}

const Tombstone* Tombstones::find(const base::Hash128& name) const {
  const auto found = table_.find(name);
  return found == table_.end() ? nullptr : &found->second.stone;
}

std::optional<Tombstone> Tombstones::take(const base::Hash128& name) {
  const auto found = table_.find(name);
  if (found == table_.end()) return std::nullopt;
  const Tombstone stone = found->second.stone;
  remove(*found);
  return stone;
}

void Tombstones::drop_oldest() {
  ASSERT(oldest_ != nullptr);
  remove(*oldest_);
}

void Tombstones::remove(Entry& entry) {
  const auto [stone, older, newer] = entry.second;
  (older == nullptr ? oldest_ : older->second.newer) = newer;
  (newer == nullptr ? newest_ : newer->second.older) = older;
  table_.erase(table_.find(entry.first));
}

}  // namespace hub
