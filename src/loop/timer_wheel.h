// One timer per peer slot: a hierarchical timing wheel (Varghese and Lauck, 1987) keyed by a slot number that the owner
// chooses. It is a value: no clock, no callbacks, no allocation per timer beyond its slab of 16 bytes per key, of which
// empty parts go back.
//
// Not a general scheduler: a key has at most one timer, and times are rounded up to the next tick (10 ms).
//
// Order of use: schedule()/cancel() at any time; sleep until next_deadline(); then advance(now, due, max) and handle
// the keys in `due`. Used by one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"

namespace loop {

class TimerWheel {
 public:
  // What is done with a due timer costs much more than to queue one again.
  static constexpr std::size_t kMovesPerDue = 8;

  explicit TimerWheel(base::Instant start, base::Duration tick = std::chrono::milliseconds(10));

  // The timer of `key` fires at the first tick that is not before `at`; it replaces an earlier one. kNever cancels.
  // Moving a timer to a later time only stores the time (an idle deadline is pushed back on every read); the wheel
  // queues it again when the old time comes. Times further away than 2^31 ticks (248 days at 10 ms) fire at that
  // distance. The slab grows to the largest key, so keys should be dense.
  void schedule(std::uint32_t key, base::Instant at);
  void cancel(std::uint32_t key);

  bool scheduled(std::uint32_t key) const;
  std::size_t size() const { return size_; }  // timers that are scheduled

  // When to call advance() next; kNever without timers. Never later than the first due tick. It may be earlier, when a
  // timer was moved back or must change level: advance() then finds nothing due, at most once per level and timer.
  base::Instant next_deadline() const;

  // Appends the keys that are due at `now`, in the order of their ticks, and unschedules them; at most `max` (> 0), and
  // queues at most kMovesPerDue * max others again, so that neither a burst nor the turn of a level can stall the loop.
  // If some are left, next_deadline() is not after `now`.
  void advance(base::Instant now, std::vector<std::uint32_t>& due, std::size_t max);

 private:
  using Tick = std::uint64_t;  // since start_

  // Seven digits of six bits: 2^42 ticks, 1,393 years of 10 ms. 64 slots per digit so that one word tells which slots
  // of a level are occupied.
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kSlots = 1u << kDigitBits;
  static constexpr unsigned kLevels = 7;
  static constexpr std::uint32_t kHead = 0x8000'0000;  // a link to a list head: kHead | level << 6 | slot
  static constexpr std::uint32_t kNone = 0xffff'ffff;  // a timer that is in no list

  struct Links {
    std::uint32_t next;
    std::uint32_t previous;
  };
  struct Timer {
    Links links{kNone, kNone};
    std::uint32_t deadline = 0;  // low half of the tick it is due at
    std::uint32_t queued = 0;    // low half of the tick it is queued for: not after deadline
  };
  static_assert(sizeof(Timer) == 16);
  // The keys are dense, so most chunks are full or gone; none is copied when the slab grows.
  static constexpr unsigned kChunkBits = 6;
  struct Chunk {
    std::unique_ptr<Timer[]> timers;  // null: none of its keys has a timer
    std::uint32_t scheduled = 0;
  };
  Timer& timer_of(std::uint32_t key) { return chunks_[key >> kChunkBits].timers[key & ((1U << kChunkBits) - 1)]; }

  Tick widen(std::uint32_t low) const;  // the tick nearest to now_ with this low half
  Links& links(std::uint32_t link);
  void insert(std::uint32_t key);
  void remove(std::uint32_t key);
  struct Slot {
    unsigned level;
    unsigned index;
    Tick start;
  };
  Slot first_slot() const;  // start == ~0: nothing is queued

  base::Instant start_;
  base::Duration tick_;
  Tick now_ = 0;
  std::size_t size_ = 0;
  std::vector<Chunk> chunks_;
  std::array<std::uint64_t, kLevels> occupied_{};
  std::array<Links, kLevels * kSlots> heads_;
};

}  // namespace loop
