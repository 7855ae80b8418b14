// The judge of a reconnect run: reads the log of the clients and what was acknowledged to the publishers, and nothing
// of the server. For every client and channel, over all its visits and doors: each message exactly once, in order, with
// the bytes that were published, at the offset that was acknowledged; nothing left out but what a gap has announced.
//
// Gaps are judged by a model of the history (kept: among the last `messages` and not older than `age_ms`). The model
// does not know when exactly the home looked, only that it was between the request and its first answer, and it knows
// times of messages only in milliseconds; where that decides, either answer is right, and Verdict::either counts it.
//
// Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sim/log.h"
#include "sim/timeline.h"

namespace sim {

struct History {
  std::uint64_t messages = std::numeric_limits<std::uint64_t>::max();
  std::int64_t age_ms = std::numeric_limits<std::int64_t>::max();
  Timeline::WallClock clock = Timeline::WallClock::steady;
  bool keeps_all() const { return messages == std::numeric_limits<std::uint64_t>::max(); }
};

struct Verdict {
  std::vector<std::string> problems;  // the first few
  std::uint64_t visits = 0;
  std::uint64_t reconnects = 0;
  // Of the reconnects, by channel:
  std::uint64_t recovered = 0;  // resumed without a gap
  std::uint64_t gaps = 0;       // answered by a gap
  std::uint64_t either = 0;     // of both: where the model allows either
  std::uint64_t unknown = 0;    // ended before the server said anything
  // Of all visits:
  std::uint64_t live_gaps = 0;  // announced later, to connections that were watching
  std::uint64_t slow = 0;       // visits ended as slow consumers
  std::uint64_t messages = 0;   // told to clients
  void add(const Verdict& other);
};

Verdict check(const Log& log, const History& history);

}  // namespace sim
