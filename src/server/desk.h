// What the fronts of one worker work with. References only; owned by the worker, used on its thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "auth/rate_limit.h"
#include "base/ids.h"
#include "base/refusal.h"
#include "hub/attendance.h"
#include "hub/fan_out.h"
#include "server/connections.h"
#include "server/events.h"
#include "server/hooks.h"
#include "server/post_office.h"
#include "server/roster.h"
#include "server/shared.h"
#include "ws/session.h"

namespace server {

struct Desk {
  base::WorkerId worker;
  Shared& shared;
  Counters& counters;
  loop::Clock& clock;
  base::Entropy& entropy;
  const SnapshotRef& snapshot;  // the current one
  PostOffice& post;
  hub::FanOut& fan_out;
  hub::Attendance& attendance;
  Connections& connections;
  Hooks& hooks;
  Events& events;
  const base::Instant& now;  // of this turn
  ws::Scratch scratch;

  const Options& options() const { return snapshot->options(); }
  // Limits that engines may refer to for as long as they live: one entry per distinct value that was ever configured.
  const ws::Limits& ws_limits();
  const http::RequestLimits& request_limits();

  // Now, for the Date of answers: made once a second.
  std::string_view date();
  // Counts a refusal and, at most once a second per error and address prefix, says so in the log (threat T17).
  void refused(const Peer& peer, const base::Refusal& refusal);

  base::WorkerId home_of(std::string_view channel) const {
    return hub::home_of(channel, shared.workers(), shared.secret());
  }
  // A key counts for its channel, whichever way its publish comes.
  base::Hash128 idempotency_key(std::string_view channel, std::string_view key) const;
  // A bit of request numbers that no peer's has: whoever asked counts its own (CentrifugeFront; ApiFront with the next
  // bit too).
  static constexpr hub::RequestId kNumbered = hub::RequestId{1} << 63;
  // The request number under which an answer finds its way back to a peer.
  static hub::RequestId request_of(const Peer& peer) { return (std::uint64_t{peer.generation} << 32) | peer.slot; }
  Peer* peer_of(hub::RequestId request) {
    return connections.find({static_cast<std::uint32_t>(request), static_cast<std::uint32_t>(request >> 32)});
  }
  const auth::Principal& principal_of(const Peer& peer) const;
  // When the peer's token ends; kNever without one. Asked once, for Peer::deadline: steps of the wall clock do not move
  // it.
  base::Instant expiry_of(const Peer& peer) const;
  // A point in time about `interval` from now, spread by +-20 % so that timers of many connections do not align.
  base::Instant jittered(base::Duration interval);

  auth::RateTable new_channels;  // by address prefix
  auth::RateTable log_lines;     // by address prefix and error
  std::deque<ws::Limits> all_ws_limits;
  std::deque<http::RequestLimits> all_request_limits;
  std::int64_t date_s = 0;  // the second of date_text
  std::string date_text;
  Roster roster{};
  std::size_t contexts = 0;  // sessions that keep a compression window between messages
};

}  // namespace server
