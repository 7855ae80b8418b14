// What is left of channels that were put away: where they stood, so that they go on there when they are born again. By
// the hash of the name and in the order of burial, the oldest first; nothing is kept of one that was taken.
//
// A value owned by one home. One tombstone is 80 bytes of heap and a place in the table.
#pragma once

#include <optional>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
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
  Tombstones() = default;
  Tombstones(const Tombstones&) = delete;
  Tombstones& operator=(const Tombstones&) = delete;

  std::size_t size() const { return table_.size(); }
  void add(const base::Hash128& name, const Tombstone& stone);  // of a channel that has none
  const Tombstone* find(const base::Hash128& name) const;       // valid until the next change
  std::optional<Tombstone> take(const base::Hash128& name);
  const Tombstone* oldest() const { return oldest_ == nullptr ? nullptr : &oldest_->second.stone; }
  void drop_oldest();

 private:
  struct Linked;
  using Entry = std::pair<const base::Hash128, Linked>;  // entries of the table do not move
  struct Linked {
    Tombstone stone;
    Entry* older = nullptr;
    Entry* newer = nullptr;
  };
  void remove(Entry& entry);

  std::unordered_map<base::Hash128, Linked, base::Hash128Hash> table_;
  Entry* oldest_ = nullptr;
  Entry* newest_ = nullptr;
};

}  // namespace hub
