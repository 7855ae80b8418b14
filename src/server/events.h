// Events of one worker for the operator's back end (door/hook/event.h): collected, signed, posted in batches, tried
// again. Nobody waits for them. Owned by the worker, used on its thread.
//
//   front   if (events.wants(type)) events.add({...})
//   worker  events.step() once per turn; next_deadline()
#pragma once

#include <optional>
#include <string>

#include "base/entropy.h"
#include "base/ids.h"
#include "door/hook/event.h"
#include "door/hook/event_queue.h"
#include "egress/egress.h"
#include "server/counters.h"
#include "server/log.h"
#include "server/snapshot.h"

namespace server {

class Events {
 public:
  static constexpr base::Duration kTimeout = std::chrono::seconds(5);

  // Everything outlives it. `worker` is woken when an answer is there; `id` tells the workers of a process apart.
  Events(const SnapshotRef& snapshot, base::WorkerId id, Counters& counters, Log& log, loop::Clock& clock,
         base::Entropy& entropy, egress::Client& client, loop::Wakeup& worker);

  bool wants(door::hook::EventType type) const { return snapshot_->wants(type); }
  bool wants_any() const { return !snapshot_->options().events_url.empty(); }
  // If it is wanted; `time` is set here.
  void add(door::hook::Event event);

  void step();
  base::Instant next_deadline() const { return queue_ ? queue_->due() : base::kNever; }

  // The server ends: what waits is sent without waiting for more.
  void hurry();
  bool idle() const { return !queue_ || queue_->size() == 0; }

 private:
  void send();
  void answered(const egress::Response& response);

  const SnapshotRef& snapshot_;
  base::WorkerId id_;
  Counters& counters_;
  Log& log_;
  loop::Clock& clock_;
  base::Entropy& entropy_;
  egress::Client& client_;
  egress::Inbox inbox_;
  egress::Ticket ticket_ = 0;                    // of the batch on its way
  std::optional<door::hook::EventQueue> queue_;  // once there was an event
  bool hurrying_ = false;
  bool failing_ = false;  // said so in the log
};

}  // namespace server
