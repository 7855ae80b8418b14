// What a connection that watches channels needs beyond its subscriptions: everything but the plain WebSocket on one
// channel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hub/position.h"

namespace server {

struct Feed {
  // One per channel, in the order of the request: what its cursor says now. Without an epoch: from now on.
  struct Place {
    hub::Position position;
    bool started = false;
    bool resumable = true;  // false until started, if the start was asked for by count or time
  };
  std::vector<Place> places;
  std::size_t started = 0;

  // Long polling only.
  std::vector<std::string> records;  // envelopes and gaps, as JSON
  std::uint32_t records_max = 0;
  std::size_t records_bytes = 0, records_bytes_max = 0;
  bool answer_when_started = false;  // no `since`: the first answer only tells the cursor

  bool all_started() const { return started == places.size(); }
  // The cursor as text; false if it cannot be told yet (see Place::resumable).
  bool append_cursor(std::string& out) const;
};

}  // namespace server
