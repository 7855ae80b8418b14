// One run of the recovery property of the Centrifuge door: a world made from a seed (workers, mailbox sizes, links,
// namespaces, channels), publishers over HTTP, removals of histories, and clients of two kinds in two formats that are
// cut, fall behind and recover at random until there were so many reconnects; then everybody catches up, and the judge
// reads what they wrote down.
#pragma once

#include <cstdint>
#include <string>

#include "sim/centrifuge/judge.h"

namespace sim::centrifuge {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint64_t reconnects = 400;
  enum class World : std::uint8_t {
    keeps_all,  // every history is larger than everything that is published
    brief,      // some tens of messages, some hundred milliseconds, removals
    forgetful,  // channels that are forgotten within a second once nobody watches them, and begin a new epoch
  } world = World::keeps_all;
};

struct RecoveryRun {
  Verdict verdict;
  Chronicle chronicle;
  Rules rules;
  std::string shape;        // of the world, for whoever reads about a failure
  std::uint64_t trace = 0;  // equal for equal options
  std::uint64_t turns = 0;
};

RecoveryRun run_recovery(const RunOptions& options);

// The seeds of a suite take the worlds in turn.
RunOptions options_of(std::uint64_t seed, std::uint64_t reconnects);

}  // namespace sim::centrifuge
