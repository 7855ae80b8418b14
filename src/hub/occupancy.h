// Which channels of one home have somebody who watches them, as a back end wants to be told: occupied when the first
// one came, vacated when nobody has come back for a while after the last one left, so that a reconnect of the only
// subscriber says nothing. For one channel the two take turns.
//
// Calling order: came() when a channel that nobody watches gets a watcher, left() when it loses the last; expire() and
// take_events() often. What is remembered: channels that were left within the last kVacatedAfter. Threads: owned by one
// home.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/hash_index.h"
#include "base/ring.h"
#include "base/shared_bytes.h"
#include "base/slab.h"
#include "base/time.h"

namespace hub {

struct OccupancyEvent {
  enum class Kind : std::uint8_t { occupied, vacated };
  Kind kind;
  base::SharedBytes channel;
};

class Occupancy {
 public:
  explicit Occupancy(std::uint64_t hash_seed) : hash_seed_(hash_seed) {}

  void came(const base::SharedBytes& channel);
  void left(const base::SharedBytes& channel, base::Instant now);
  // Nothing more is said of a channel that is being vacated.
  void forget(const base::SharedBytes& channel);
  // A bounded amount of work; true if there is more to do.
  bool expire(base::Instant now);

  // What has happened since the last call, in the order in which it did.
  std::vector<OccupancyEvent> take_events() { return std::exchange(events_, {}); }
  std::size_t vacating() const { return vacating_.size(); }

 private:
  struct Vacating {
    base::SharedBytes channel;
    std::uint32_t generation = 0;
  };
  struct Due {
    base::Instant at;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
  };

  std::uint32_t find(const base::SharedBytes& channel) const;
  bool remove(const base::SharedBytes& channel);  // false: it is not being vacated
  void vacate_first();

  std::uint64_t hash_seed_;
  base::Slab<Vacating> vacating_;
  base::HashIndex by_name_;
  base::Ring<Due> due_;  // the soonest first; with some that somebody came back to
  std::vector<OccupancyEvent> events_;
};

}  // namespace hub
