// When the messages of one channel were numbered, as clients and publishers were told it: in milliseconds, and not for
// every message. From that, what a history of so many messages and so many milliseconds held at some instant: surely,
// surely not, or neither.
//
// Order of use: learn() everything, finish() once, then ask. A value.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace sim {

class Timeline {
 public:
  void learn(std::uint64_t offset, std::int64_t time_ms);
  // stepped: times say nothing about instants, and every question is answered as if anything may be; that no time runs
  // backwards is all that is left of them.
  enum class WallClock : std::uint8_t { steady, stepped };
  // False: what was learned contradicts itself (time must not run backwards).
  bool finish(std::uint64_t head, WallClock clock = WallClock::steady);

  // Messages that had been numbered at that instant: at least, at most.
  std::uint64_t count_surely(base::Instant at) const;
  std::uint64_t count_perhaps(base::Instant at) const;

  // Whether everything after `position` was held at every moment from then on, or at no moment before. (It can only
  // change from held to lost while something after it exists.)
  bool surely_held(std::uint64_t position, base::Instant until, std::uint64_t messages, std::int64_t age_ms) const;
  bool surely_lost(std::uint64_t position, base::Instant from, std::uint64_t messages, std::int64_t age_ms) const;

  // The same at one moment between two instants, at which exactly `head` messages had been numbered.
  enum class Answer : std::uint8_t { held, lost, either };
  Answer judge(std::uint64_t position, std::uint64_t head, base::Instant from, base::Instant until,
               std::uint64_t messages, std::int64_t age_ms) const;

 private:
  std::vector<std::int64_t> known_;              // by offset; 0: not known
  std::vector<std::int64_t> earliest_, latest_;  // by offset, from 1
  bool contradiction_ = false;
};

}  // namespace sim
