// The local subscriptions of one channel that are live, densely, with all that a fan-out needs of each. One lies
// inside; from the 512th on they lie in blocks, so that growing never copies the many and no memory is held for
// nothing. Threads: owned by one worker.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/one_or_many.h"
#include "hub/position.h"

namespace hub {

using PeerSlot = std::uint32_t;
inline constexpr PeerSlot kPeerSlotMax = (PeerSlot{1} << 28) - 1;

// One subscription that gets the messages of a batch; `format` is the one that was given to subscribe().
struct Target {
  std::uint32_t subscription;  // slot: FanOut::id_of() makes it an id
  PeerSlot peer : 28;
  std::uint32_t format : 4;
};

struct Edge {   // a cache line holds four
  Offset next;  // what it must get next
  Target target;
};
static_assert(sizeof(Edge) == 16);

class Edges {
 public:
  bool empty() const { return first_.empty(); }
  std::size_t size() const { return more_ ? kBlock + more_->size : first_.size(); }
  Edge& operator[](std::size_t place) {  // place < size()
    if (place < kBlock) return first_[place];
    return more_->blocks[place / kBlock - 1][place % kBlock];
  }
  // Those from `place` on that lie side by side, at most `max`; at least one if place < size().
  std::span<Edge> from(std::size_t place, std::size_t max) {
    const std::size_t end = std::min({size(), (place / kBlock + 1) * kBlock, place + max});
    return place >= end ? std::span<Edge>{} : std::span<Edge>(&(*this)[place], end - place);
  }

  void push_back(const Edge& edge) {
    if (first_.size() < kBlock) return first_.push_back(edge);
    if (!more_) more_ = std::make_unique<More>();
    if (more_->size == more_->blocks.size() * kBlock) {
      more_->blocks.push_back(std::make_unique_for_overwrite<Edge[]>(kBlock));
    }
    more_->blocks[more_->size / kBlock][more_->size % kBlock] = edge;
    ++more_->size;
  }
  void pop_back() {
    if (!more_) return first_.pop_back();
    --more_->size;
    if (more_->size == 0) return more_.reset();
    // Half a block of distance, so that coming and going at the edge of one costs nothing.
    if (more_->size + kBlock + kBlock / 2 <= more_->blocks.size() * kBlock) more_->blocks.pop_back();
  }

 private:
  static constexpr std::size_t kBlock = 512;  // 8 KiB

  struct More {
    std::vector<std::unique_ptr<Edge[]>> blocks;
    std::size_t size = 0;
  };

  base::OneOrMany<Edge> first_;
  std::unique_ptr<More> more_;  // not empty
};

}  // namespace hub
