// The ledger as a station of the post office: it takes Sequence from the homes, submits as much as the ledger takes,
// and answers what is on stable storage, in the order of the commits. What the ledger does not take stays in the rings,
// so that credits run out and publishers wait (decision 8).
//
// Steppable as a worker is: `app` calls turn() on a thread of its own, the simulator beside its workers. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "base/time.h"
#include "hub/home.h"
#include "server/post_office.h"
#include "server/shared.h"
#include "store/ledger.h"

namespace server {

class LedgerStation {
 public:
  // Its number is that of the first station behind the workers. All must outlive it.
  LedgerStation(Shared& shared, store::Ledger& ledger, Mailboxes& mailboxes, std::span<loop::Wakeup* const> wakeups);

  void turn(hub::Now now);
  // When turn() has something to do without being woken: not after now if it has right away.
  base::Instant next_deadline() const;
  // Something that was asked for is not done yet.
  bool busy() const { return more_ || refused_ || ledger_.waiting() > 0; }

 private:
  struct Waiting {
    base::WorkerId home = 0;
    hub::RequestId request = 0;
  };

  void take_mail();
  void take(base::WorkerId from, hub::Sequence sequence);
  void answer(store::Result result);
  void note_state();

  Shared& shared_;
  store::Ledger& ledger_;
  std::uint16_t workers_;
  base::WorkerId id_;
  PostOffice post_;
  std::uint64_t last_ticket_ = 0;
  std::unordered_map<std::uint64_t, Waiting> waiting_;  // by ticket; as many as there are credits at most
  std::optional<store::Command> refused_;               // by the ledger, for now
  base::WorkerId first_ = 0;                            // whose mail is taken first in the next turn
  bool more_ = false;
  std::uint64_t generation_;  // of the configuration
  store::Ledger::State state_ = store::Ledger::State::open;
};

}  // namespace server
