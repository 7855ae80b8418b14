// When the messages of a channel were numbered and what its history held, as far as it follows from what publishers
// did and were told; nothing here is the server's. A channel lives one life per epoch.
//
// Each message was numbered at some instant between two that are known: not before it was sent, not after it was
// acknowledged or told to anybody, in the millisecond that the acknowledgement names, and in the order of offsets. A
// question about a moment that is known no better is answered with yes, no, or either.
//
// Order of use: number() everything, hear() everything, finish() once, then ask. Values.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/log.h"

namespace sim::centrifuge {

// What a namespace keeps.
struct Kept {
  std::uint64_t messages = std::numeric_limits<std::uint64_t>::max();
  std::optional<base::Duration> age;
  bool everything() const { return messages == std::numeric_limits<std::uint64_t>::max() && !age; }
};

// Something happened at one moment between.
struct Window {
  base::Instant from, until;
};

enum class Answer : std::uint8_t { yes, no, either };

class Life {
 public:
  // False: the offset was given to another message already.
  bool number(std::uint64_t offset, const Publication& publication);
  // Somebody was told of `offset` then: the stream had come so far.
  void hear(std::uint64_t offset, base::Instant at);
  // The messages were removed then. In any order; of every life of the channel.
  void remove(const Window& when) { removals_.push_back(when); }
  void finish();

  std::uint64_t head() const { return stamps_.size(); }
  const Publication* at(std::uint64_t offset) const;  // null: nobody was acknowledged it

  // Messages that had been numbered at that instant: at least, at most.
  std::uint64_t count_surely(base::Instant at) const;
  std::uint64_t count_perhaps(base::Instant at) const;

  // Whether everything after `position` was held at one moment of the window, at which `head` messages had been
  // numbered; without a head: however many that were.
  Answer held(const Kept& kept, std::uint64_t position, std::optional<std::uint64_t> head, Window when) const;

 private:
  struct Stamp {
    const Publication* publication = nullptr;
    base::Instant earliest, latest = base::kNever;
  };
  Answer removed(std::uint64_t offset, Window when) const;
  std::vector<Stamp> stamps_;  // by offset - 1
  std::vector<Window> removals_;
};

}  // namespace sim::centrifuge
