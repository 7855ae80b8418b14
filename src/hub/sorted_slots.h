// Slots of a slab in an order that its owner keeps: four bytes each, in blocks, so that what comes or goes moves at
// most 2 KiB, and pages are found by searching. What it is not: it knows neither the objects nor their order; the owner
// says where a slot stands, by a predicate that is true for all before that place and false for all from it on.
//
// Threads: one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/one_or_many.h"

namespace hub {

class SortedSlots {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kBlock = 512;

  std::size_t size() const { return size_; }

  // A place between slots. Valid until the next insert() or erase().
  struct Place {
    std::size_t block = 0;
    std::size_t item = 0;  // 0 in a block that is not there: behind the last
  };

  // Before the first slot for which before(slot) is false.
  template <class Before>
  Place find(Before before) const {
    const auto found =
        std::ranges::partition_point(blocks_, [&](const Block& each) { return before(each[each.size() - 1]); });
    const auto block = static_cast<std::size_t>(found - blocks_.begin());
    if (found == blocks_.end()) return {block, 0};
    return {block,
            static_cast<std::size_t>(std::partition_point(found->begin(), found->end(), before) - found->begin())};
  }

  // The slot behind a place, and the one before it; kNone.
  std::uint32_t behind(Place place) const {
    return place.block < blocks_.size() ? blocks_[place.block][place.item] : kNone;
  }
  std::uint32_t before(Place place) const {
    if (place.item > 0) return blocks_[place.block][place.item - 1];
    return place.block > 0 ? blocks_[place.block - 1][blocks_[place.block - 1].size() - 1] : kNone;
  }
  // Behind that slot and before that one, which are there.
  Place next(Place place) const {
    return place.item + 1 < blocks_[place.block].size() ? Place{place.block, place.item + 1}
                                                        : Place{place.block + 1, 0};
  }
  Place previous(Place place) const {
    return place.item > 0 ? Place{place.block, place.item - 1}
                          : Place{place.block - 1, blocks_[place.block - 1].size() - 1};
  }
  Place end() const { return {blocks_.size(), 0}; }

  void insert(Place place, std::uint32_t slot) {
    if (place.block == blocks_.size()) {
      if (blocks_.empty()) blocks_.emplace_back();
      place = {blocks_.size() - 1, blocks_.back().size()};
    }
    if (blocks_[place.block].size() == kBlock) place = split(place);
    Block& block = blocks_[place.block];
    block.push_back(slot);
    std::rotate(block.begin() + place.item, block.end() - 1, block.end());
    ++size_;
  }

  // The slot behind the place. Two neighbours that have become small are one again, so that memory follows the slots.
  void erase(Place place) {
    ASSERT(place.block < blocks_.size());
    Block& block = blocks_[place.block];
    std::copy(block.begin() + place.item + 1, block.end(), block.begin() + place.item);
    block.pop_back();
    --size_;
    if (block.empty()) return drop(place.block);
    const auto fit = [&](std::size_t first) {
      return first + 1 < blocks_.size() && blocks_[first].size() + blocks_[first + 1].size() <= kBlock / 2;
    };
    std::size_t first = place.block;
    if (!fit(first) && first > 0) --first;
    if (!fit(first)) return;
    for (const std::uint32_t each : std::as_const(blocks_[first + 1])) blocks_[first].push_back(each);
    drop(first + 1);
  }

 private:
  using Block = base::OneOrMany<std::uint32_t>;

  // What comes at the very end fills blocks one after the other instead of leaving each half empty.
  Place split(Place place) {
    const bool at_end = place.block + 1 == blocks_.size() && place.item == kBlock;
    Block upper;
    Block& lower = blocks_[place.block];
    const std::size_t stays = at_end ? kBlock : kBlock / 2;
    for (std::size_t each = stays; each < kBlock; ++each) upper.push_back(lower[each]);
    while (lower.size() > stays) lower.pop_back();
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(place.block) + 1, std::move(upper));
    return place.item < stays ? place : Place{place.block + 1, place.item - stays};
  }

  void drop(std::size_t block) {
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(block));
    if (blocks_.capacity() > 8 && blocks_.size() * 4 < blocks_.capacity()) blocks_.shrink_to_fit();
  }

  std::vector<Block> blocks_;  // none is empty
  std::size_t size_ = 0;
};

}  // namespace hub
