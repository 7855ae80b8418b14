// What is left of channels that were put away: where they stood, so that they go on there when they are born again. By
// the hash of the name and in the order of burial, the oldest first; nothing is kept of one that was taken.
//
// Owned by one home. One tombstone is 64 bytes, and some 12 in the index.
#pragma once

#include <cstdint>
#include <optional>

#include "base/hash.h"
#include "base/hash_index.h"
#include "base/slab.h"
#include "base/time.h"
#include "hub/position.h"

namespace hub {

struct Tombstone {
  Position head;          // of the last message
  base::WallTime newest;  // when that was numbered: decides gaps of Since::Kind::time
  base::Instant buried;
};

class Tombstones {
 public:
  std::size_t size() const { return stones_.size(); }
  void add(const base::Hash128& name, const Tombstone& stone);  // of a channel that has none
  const Tombstone* find(const base::Hash128& name) const;       // valid until the next change
  std::optional<Tombstone> take(const base::Hash128& name);
  const Tombstone* oldest() const { return oldest_ == kNone ? nullptr : &stones_[oldest_].stone; }
  void drop_oldest();

 private:
  struct Linked {
    base::Hash128 name;
    Tombstone stone;
    std::uint32_t older = kNone;
    std::uint32_t newer = kNone;
  };
  static constexpr std::uint32_t kNone = base::HashIndex::kNone;
  std::uint32_t slot_of(const base::Hash128& name) const;
  void remove(std::uint32_t slot);

  base::Slab<Linked> stones_;
  base::HashIndex by_name_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
};

}  // namespace hub
