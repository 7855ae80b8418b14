// Objects by slot: dense numbers that are used again, the lowest free one first, so that what is left of many gathers
// in few chunks. A chunk that is wholly free goes back to the allocator; one is kept, so that coming and going at its
// edge costs nothing. Objects never move.
//
// A T with a member `generation` keeps it over its uses, and never gets a smaller one than the slot ever had: who gives
// the slot to somebody new counts it up, and so tells old ids from new ones.
//
// Threads: one owner. Half a byte per slot beside the objects.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace base {

template <class T>
class Slab {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // `slot` < slots(), in a chunk that exists: taken, or found so by holds(). data() and get(), because the library's
  // checks would cost more than the look-up.
  T& operator[](std::uint32_t slot) { return items_.data()[slot >> kChunkBits].get()[slot & (kChunkItems - 1)]; }
  const T& operator[](std::uint32_t slot) const {
    return items_.data()[slot >> kChunkBits].get()[slot & (kChunkItems - 1)];
  }

  std::size_t size() const { return size_; }  // slots that are taken
  bool empty() const { return size_ == 0; }
  // All slots that were ever taken lie below.
  std::uint32_t slots() const { return static_cast<std::uint32_t>(items_.size() * kChunkItems); }
  // The slot has memory: of an id that may be old.
  bool holds(std::uint32_t slot) const { return slot < slots() && items_[slot >> kChunkBits] != nullptr; }
  bool taken(std::uint32_t slot) const {
    return slot < slots() && (chunks_[slot >> kChunkBits].free >> (slot & (kChunkItems - 1)) & 1) == 0;
  }

  // A slot whose object is as new, but for its generation.
  std::uint32_t take() {
    const std::uint32_t chunk = first_open_chunk();
    Chunk& head = chunks_[chunk];
    if (items_[chunk] == nullptr) create(chunk);
    if (chunk == spare_) spare_ = kNone;
    const auto place = static_cast<std::uint32_t>(std::countr_zero(head.free));
    head.free &= head.free - 1;
    if (head.free == 0) open_[chunk / kWordBits] &= ~bit_of(chunk);
    ++size_;
    return (chunk << kChunkBits) | place;
  }

  void give_back(std::uint32_t slot) {
    ASSERT(taken(slot));
    T& item = (*this)[slot];
    if constexpr (kHasGeneration) {
      const std::uint32_t generation = item.generation;
      renew(item);
      item.generation = generation;
    } else {
      renew(item);
    }
    const std::uint32_t chunk = slot >> kChunkBits;
    chunks_[chunk].free |= std::uint64_t{1} << (slot & (kChunkItems - 1));
    open_[chunk / kWordBits] |= bit_of(chunk);
    first_open_ = std::min(first_open_, chunk / kWordBits);
    --size_;
    if (chunks_[chunk].free == kAllFree) keep_one_spare(chunk);
  }

  // The first slot from this one on that is taken; kNone.
  std::uint32_t next(std::uint32_t slot) const {
    if (slot >= slots()) return kNone;
    std::uint32_t chunk = slot >> kChunkBits;
    std::uint64_t left = ~chunks_[chunk].free >> (slot & (kChunkItems - 1)) << (slot & (kChunkItems - 1));
    while (left == 0) {
      if (++chunk == chunks_.size()) return kNone;
      left = ~chunks_[chunk].free;
    }
    return (chunk << kChunkBits) | static_cast<std::uint32_t>(std::countr_zero(left));
  }

  template <class Visit>
  void for_each(Visit visit) {  // that is taken, in the order of slots; visit(slot, item) may give its own slot back
    for (std::uint32_t slot = next(0); slot != kNone; slot = next(slot + 1)) visit(slot, (*this)[slot]);
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t slot = next(0); slot != kNone; slot = next(slot + 1)) visit(slot, (*this)[slot]);
  }

 private:
  static constexpr unsigned kChunkBits = 6;  // one word says which items of a chunk are free
  static constexpr std::uint32_t kChunkItems = 1U << kChunkBits;
  static constexpr std::uint32_t kWordBits = 64;
  static constexpr std::uint64_t kAllFree = ~std::uint64_t{0};
  static constexpr bool kHasGeneration = requires(T& item) { item.generation; };

  struct Chunk {
    std::uint64_t free = kAllFree;
    std::uint32_t generation = 0;  // that its items begin with
  };

  static std::uint64_t bit_of(std::uint32_t chunk) { return std::uint64_t{1} << (chunk % kWordBits); }

  static void renew(T& item) {
    std::destroy_at(&item);
    std::construct_at(&item);
  }

  std::uint32_t first_open_chunk() {
    while (first_open_ < open_.size() && open_[first_open_] == 0) ++first_open_;
    if (first_open_ < open_.size()) {
      return first_open_ * kWordBits + static_cast<std::uint32_t>(std::countr_zero(open_[first_open_]));
    }
    const auto chunk = static_cast<std::uint32_t>(items_.size());
    items_.emplace_back();
    chunks_.emplace_back();
    if (chunk % kWordBits == 0) open_.push_back(0);
    first_open_ = chunk / kWordBits;
    open_[first_open_] |= bit_of(chunk);
    return chunk;
  }

  void create(std::uint32_t chunk) {
    items_[chunk] = std::make_unique<T[]>(kChunkItems);
    if constexpr (kHasGeneration) {
      for (std::uint32_t place = 0; place < kChunkItems; ++place) {
        items_[chunk][place].generation = chunks_[chunk].generation;
      }
    }
  }

  // Of two free chunks the lower is taken from first.
  void keep_one_spare(std::uint32_t chunk) {
    if (spare_ == kNone) {
      spare_ = chunk;
      return;
    }
    const std::uint32_t release = std::max(spare_, chunk);
    spare_ = std::min(spare_, chunk);
    if constexpr (kHasGeneration) {
      for (std::uint32_t place = 0; place < kChunkItems; ++place) {
        chunks_[release].generation = std::max(chunks_[release].generation, items_[release][place].generation);
      }
    }
    items_[release].reset();
  }

  std::vector<std::unique_ptr<T[]>> items_;  // null: no memory
  std::vector<Chunk> chunks_;
  std::vector<std::uint64_t> open_;  // chunks with a free slot, whether or not they have memory
  std::uint32_t first_open_ = 0;     // no word of open_ before this has a bit
  std::uint32_t spare_ = kNone;      // the free chunk that is kept
  std::size_t size_ = 0;
};

}  // namespace base
