// Slots by the hash of their key: the index beside a Slab, eight bytes and some air per entry. The keys themselves
// stand in the slab; the owner compares them.
//
// In 256 parts that grow and shrink on their own, so that no insertion moves more than some thousand entries, however
// many there are. Threads: one owner. Hashes should be seeded: attackers choose keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/assert.h"

namespace base {

class HashIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  std::size_t size() const { return size_; }

  // The slot with this hash for which matches(slot) is true; kNone.
  template <class Matches>
  std::uint32_t find(std::uint64_t hash, Matches matches) const {
    const Part& part = parts_[hash >> kShift];
    if (part.size == 0) return kNone;
    const std::uint32_t mask = part.capacity - 1;
    for (std::uint32_t at = short_of(hash) & mask; part.entries[at].slot != kNone; at = (at + 1) & mask) {
      if (part.entries[at].hash == short_of(hash) && matches(part.entries[at].slot)) return part.entries[at].slot;
    }
    return kNone;
  }

  void insert(std::uint64_t hash, std::uint32_t slot) {  // which it does not hold
    Part& part = parts_[hash >> kShift];
    if ((part.size + 1) * 8 > part.capacity * 7) resize(part, part.capacity == 0 ? kCapacityMin : part.capacity * 2);
    place(part, {short_of(hash), slot});
    ++part.size;
    ++size_;
  }

  bool erase(std::uint64_t hash, std::uint32_t slot) {  // false: it does not hold it
    Part& part = parts_[hash >> kShift];
    if (part.size == 0) return false;
    const std::uint32_t mask = part.capacity - 1;
    std::uint32_t hole = short_of(hash) & mask;
    for (; part.entries[hole].slot != slot; hole = (hole + 1) & mask) {
      if (part.entries[hole].slot == kNone) return false;
    }
    // What stands behind it moves up, unless it would come before its own place.
    for (std::uint32_t at = (hole + 1) & mask; part.entries[at].slot != kNone; at = (at + 1) & mask) {
      const std::uint32_t home = part.entries[at].hash & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      part.entries[hole] = part.entries[at];
      hole = at;
    }
    part.entries[hole] = {};
    --part.size;
    --size_;
    if (part.capacity > kCapacityMin && part.size * 4 < part.capacity) resize(part, part.capacity / 2);
    return true;
  }

 private:
  static constexpr unsigned kShift = 64 - 8;
  static constexpr std::uint32_t kCapacityMin = 4;

  struct Entry {
    std::uint32_t hash = 0;
    std::uint32_t slot = kNone;
  };
  struct Part {
    std::unique_ptr<Entry[]> entries;  // linear probing; at least one is empty
    std::uint32_t capacity = 0;        // a power of two
    std::uint32_t size = 0;
  };

  // Not the lowest bits: which keys come here at all may depend on them (hub::home_of).
  static std::uint32_t short_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 24); }

  static void place(Part& part, Entry entry) {
    const std::uint32_t mask = part.capacity - 1;
    std::uint32_t at = entry.hash & mask;
    while (part.entries[at].slot != kNone) at = (at + 1) & mask;
    part.entries[at] = entry;
  }

  static void resize(Part& part, std::uint32_t capacity) {
    ASSERT(capacity > part.size);
    Part larger{std::make_unique<Entry[]>(capacity), capacity, part.size};
    for (std::uint32_t at = 0; at < part.capacity; ++at) {
      if (part.entries[at].slot != kNone) place(larger, part.entries[at]);
    }
    part = std::move(larger);
  }

  std::array<Part, 256> parts_;
  std::size_t size_ = 0;
};

}  // namespace base
