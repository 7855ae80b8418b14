// The peers of one worker by slot. Slots are dense and used again; a peer never moves. Chunks of peers instead of one
// array, so that growing moves nothing and a slot is found with a shift and a mask.
// Threads: owned by one worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/peer.h"

namespace server {

class PeerSlab {
 public:
  // `slot` < size(); data() and get(), because the library's checks would cost more than the look-up.
  Peer& operator[](std::uint32_t slot) { return chunks_.data()[slot >> kChunkBits].get()[slot & (kChunkPeers - 1)]; }
  std::uint32_t size() const { return size_; }

  // A peer in the next slot, in Phase::free.
  Peer& grow() {
    if (size_ == chunks_.size() * kChunkPeers) chunks_.push_back(std::make_unique<Peer[]>(kChunkPeers));
    Peer& peer = (*this)[size_];
    peer.slot = size_++;
    return peer;
  }

 private:
  static constexpr unsigned kChunkBits = 6;  // 64 peers: a few pages
  static constexpr std::uint32_t kChunkPeers = 1U << kChunkBits;

  std::vector<std::unique_ptr<Peer[]>> chunks_;
  std::uint32_t size_ = 0;
};

}  // namespace server
