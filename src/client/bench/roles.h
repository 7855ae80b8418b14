// Who does what in a run, by number of the probe. Counterparts come first: the one connection per channel that stands
// on the other side of the connections that were asked for (the publisher of fan-out, the subscriber of fan-in). They
// are not counted as connections. A value.
#pragma once

#include <cstdint>

#include "client/bench/options.h"

namespace client::bench {

struct Roles {
  struct Range {
    std::size_t first = 0;
    std::size_t last = 0;  // one behind
    std::size_t size() const { return last - first; }
    bool contains(std::size_t probe) const { return probe >= first && probe < last; }
  };

  static Roles of(const BenchOptions& options);

  std::size_t probes = 0;
  std::size_t counterparts = 0;
  std::size_t channels = 1;
  Range publishers;
  Range subscribers;

  bool is_counterpart(std::size_t probe) const { return probe < counterparts; }
  // Connections are spread over the channels one after the other.
  std::size_t channel_of(std::size_t probe) const {
    return is_counterpart(probe) ? probe : (probe - counterparts) % channels;
  }
  // How many publishers, or subscribers, a channel has, and the place of one of them among those of its channel.
  std::size_t size_in(const Range& range, std::size_t channel) const {
    return is_counterpart(range.first) ? 1 : (range.size() + channels - 1 - channel) / channels;
  }
  std::size_t place_of(std::size_t probe) const {
    return is_counterpart(probe) ? 0 : (probe - counterparts) / channels;
  }
};

}  // namespace client::bench
