// Which subscriptions of one worker are members of their channels, so that each that entered at the channel's home
// leaves there exactly once, whatever happens in between. Entering is a request, which may wait for a credit; leaving
// is a consequence, which must not overtake it: a Leave is sent once its Enter has been answered and the mailbox has
// room.
//
// Calling order: enter() and leave() as subscriptions come and go, receive() for each Entered, pump() once per turn.
// What is remembered is bounded by the subscriptions that entered: some 30 bytes each until the Leave is sent. Threads:
// owned by one worker.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash_index.h"
#include "base/ids.h"
#include "base/ring.h"
#include "base/shared_bytes.h"
#include "base/slab.h"
#include "hub/extras.h"
#include "hub/mail.h"

namespace hub {

class Attendance {
 public:
  Attendance(std::uint16_t workers, std::uint64_t hash_seed);

  // A living subscription becomes a member of its channel; nothing if it is one already. What is asked of that home
  // later finds it there. Once it was told to leave it does not come back: a new subscription does.
  void enter(SubscriptionId id, const base::SharedBytes& channel, ClientIdentity identity, Announce announce,
             Post& post);
  // It ends, or is a member no longer. Nothing if it is none.
  void leave(SubscriptionId id);
  void receive(const Entered& entered);
  // Tells homes who has left, as far as there is room.
  void pump(Post& post);

  // It has entered, or is about to, and was not told to leave.
  bool holds(SubscriptionId id) const;
  bool has_backlog() const;                                // pump() has work once there is room
  std::size_t members() const { return members_.size(); }  // with those whose Leave is not sent yet

 private:
  static constexpr std::uint32_t kNone = base::HashIndex::kNone;

  enum class State : std::uint8_t {
    entering,  // Enter is on its way
    present,
    recalled,  // it has left, but its Enter is on its way
    leaving,   // named in leaving_
  };
  struct Member {
    SubscriptionId id;
    base::WorkerId home = 0;
    State state = State::entering;
  };
  static_assert(sizeof(Member) == 12);

  std::uint64_t hash_of(SubscriptionId id) const;
  std::uint32_t find(SubscriptionId id) const;
  void forget(std::uint32_t slot);

  std::uint16_t workers_;
  std::uint64_t hash_seed_;
  base::Slab<Member> members_;
  base::HashIndex by_id_;
  std::vector<base::Ring<std::uint32_t>> leaving_;  // by home
};

}  // namespace hub
