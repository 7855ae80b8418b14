// One run of the reconnect property: a world made from a seed (workers, mailbox sizes, links, channels), publishers at
// full speed over HTTP and WebSocket, and clients that connect, are cut and resume at random through all doors until
// there were so many reconnects; then everybody catches up, and the checker judges the logs.
#pragma once

#include <cstdint>
#include <string>

#include "sim/checker.h"

namespace sim {

struct ReconnectOptions {
  std::uint64_t seed = 1;
  std::uint64_t reconnects = 500;
  // keeps_all: the history is larger than everything published. brief: 50 messages and one second.
  enum class Kept : std::uint8_t { all, brief } kept = Kept::all;
  // stepped: by up to an hour, forth and back, some hundred times; only where all is kept, as times tell nothing then.
  Timeline::WallClock clock = Timeline::WallClock::steady;
};

struct ReconnectRun {
  Verdict verdict;
  Log log;
  History history;
  std::string shape;        // of the world, for whoever reads about a failure
  std::uint64_t trace = 0;  // equal for equal options
  std::uint64_t turns = 0;
  std::uint64_t clock_steps = 0;
};

ReconnectRun run_reconnects(const ReconnectOptions& options);

// The seeds of a whole suite share a number of reconnects; odd seeds keep all, even ones are brief.
ReconnectOptions options_of(std::uint64_t seed, std::uint64_t reconnects);
// All is kept while the wall clock is stepped.
ReconnectOptions stepped_options_of(std::uint64_t seed, std::uint64_t reconnects);

}  // namespace sim
