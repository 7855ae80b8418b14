// The peers of one worker by slot. A peer never moves; the memory of chunks that nobody uses any more goes back.
// Threads: owned by one worker.
#pragma once

#include <cstdint>

#include "base/slab.h"
#include "server/peer.h"

namespace server {

class PeerSlab {
 public:
  Peer& operator[](std::uint32_t slot) { return peers_[slot]; }  // of a peer that lives
  // Null: nobody has the slot. Of a token or id that may be old; the generation is the caller's to compare.
  Peer* find(std::uint32_t slot) { return peers_.taken(slot) ? &peers_[slot] : nullptr; }
  std::size_t size() const { return peers_.size(); }

  // A new peer, in Phase::free.
  Peer& take() {
    const std::uint32_t slot = peers_.take();
    Peer& peer = peers_[slot];
    peer.slot = slot;
    if (++peer.generation == 1U << 31) peer.generation = 1;  // Desk::kNumbered
    return peer;
  }
  void give_back(Peer& peer) { peers_.give_back(peer.slot); }  // destroys it

  template <class Visit>
  void for_each(Visit visit) {
    peers_.for_each([&](std::uint32_t, Peer& peer) { visit(peer); });
  }

 private:
  base::Slab<Peer> peers_;
};

}  // namespace server
