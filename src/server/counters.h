// Counters of one worker: written by that worker only, read by whoever answers /metrics. Relaxed: each value is right
// by itself, together they are a moment's blur.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/error.h"
#include "base/time.h"
#include "hub/since.h"

namespace server {

class Counter {
 public:
  void add(std::uint64_t by = 1) { value_.store(get() + by, std::memory_order_relaxed); }
  void subtract(std::uint64_t by = 1) { value_.store(get() - by, std::memory_order_relaxed); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds in seconds for every duration histogram; +Inf is implied.
inline constexpr std::array kDurationBounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001,  0.0025, 0.005,
                                               0.01,    0.025,  0.05,    0.1,    0.25,   0.5,    1.0,
                                               2.5,     10.0,   60.0,    600.0,  3600.0, 86400.0};

class DurationHistogram {
 public:
  void observe(base::Duration duration);
  std::uint64_t bucket(std::size_t index) const { return buckets_[index].get(); }  // not cumulative
  std::uint64_t sum_ns() const { return sum_ns_.get(); }

 private:
  std::array<Counter, kDurationBounds.size() + 1> buckets_;
  Counter sum_ns_;
};

enum class DoorKind : std::uint8_t { http, websocket, sse, poll, echo, centrifuge, count };
inline constexpr std::size_t kDoors = static_cast<std::size_t>(DoorKind::count);
inline constexpr std::size_t kHookKinds = 7;
inline constexpr std::size_t kHookFailures = 6;
inline constexpr std::size_t kErrors = 128;  // more than base::all_errors()

struct Counters {
  Counter accepted;
  std::array<Counter, kDoors> open;  // connections now, by door
  Counter peers;                     // connections now
  Counter requests;                  // HTTP requests answered
  Counter messages_in;               // published by clients of this worker
  Counter messages_out;              // deliveries queued to peers
  Counter bytes_in;
  Counter bytes_out;
  Counter fan_out_blocks;                        // encodings made; messages_out / this = how often one was shared
  Counter mails;                                 // to other workers
  Counter mail_deliveries;                       // of those
  Counter wakeups;                               // of other workers that slept
  Counter queue_bytes;                           // waiting in all peers' queues
  Counter gaps;                                  // announced
  std::array<Counter, hub::kGapReasons> missed;  // messages that gaps announced, by hub::GapReason
  Counter caught_up;                             // messages replayed to subscribers that resumed
  Counter subscriptions;
  Counter lagging;   // of them
  Counter channels;  // this worker is home to
  Counter members;   // present in them
  Counter log_bytes;
  Counter turns;
  Counter overload_level;                            // Overload::Level, by the first worker
  std::array<Counter, kHookKinds> hooks_asked;       // by door::hook::Kind
  std::array<Counter, kHookFailures> hook_failures;  // questions without a decision, by HookFailure
  Counter events;                                    // for the back end, collected
  Counter events_dropped;
  Counter event_batches;                // that arrived
  Counter event_failures;               // tries that did not
  std::array<Counter, kErrors> errors;  // refusals and closes by base::Error
  DurationHistogram handshake_time;     // accept to open door
  DurationHistogram delivery_time;      // ingest of a publish to queued write of its fan-out block
  DurationHistogram turn_time;          // loop lag: how long one turn took
  DurationHistogram lifetime;           // of a connection
  DurationHistogram hook_time;          // from asking a hook to its answer

  void count(base::Error error) { errors[static_cast<std::size_t>(error)].add(); }
};

}  // namespace server
