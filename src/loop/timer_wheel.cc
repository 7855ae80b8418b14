#include "loop/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/assert.h"

namespace loop {

// A timer whose tick differs from now_ first in digit d (counting from the lowest) is queued on level d, in the slot of
// its own digit d. So everything on level 0 is due in this round of 64 ticks, everything on level 1 in this round of
// 4,096, and so on; a slot's timers all lie after its start, and the earliest start over all levels is never late. When
// now_ reaches the start of a slot above level 0, its timers are queued again and land on lower levels.

namespace {

constexpr std::uint64_t kNothing = std::numeric_limits<std::uint64_t>::max();

// Half the range of a stored tick: what widen() can tell from the past.
constexpr std::uint64_t kDistanceMax = std::uint64_t{1} << 31;

}  // namespace

TimerWheel::TimerWheel(base::Instant start, base::Duration tick) : start_(start), tick_(tick) {
  ASSERT(tick.count() > 0);
  for (std::uint32_t i = 0; i < heads_.size(); ++i) heads_[i] = {kHead | i, kHead | i};
}

TimerWheel::Tick TimerWheel::widen(std::uint32_t low) const {
  const auto distance = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(now_));
  return now_ + static_cast<Tick>(static_cast<std::int64_t>(distance));
}

TimerWheel::Links& TimerWheel::links(std::uint32_t link) {
  return (link & kHead) != 0 ? heads_[link & ~kHead] : timer_of(link).links;
}

void TimerWheel::schedule(std::uint32_t key, base::Instant at) {
  ASSERT(key < kHead);
  if (at == base::kNever) {
    cancel(key);
    return;
  }
  if (key >> kChunkBits >= chunks_.size()) chunks_.resize((key >> kChunkBits) + 1);
  Chunk& chunk = chunks_[key >> kChunkBits];
  if (!chunk.timers) chunk.timers = std::make_unique<Timer[]>(std::size_t{1} << kChunkBits);

  Tick tick = now_;
  if (at > start_) {
    const auto since = static_cast<Tick>((at - start_).count());
    const auto length = static_cast<Tick>(tick_.count());
    tick = std::max(now_, since / length + (since % length != 0 ? 1 : 0));
    tick = std::min(tick, now_ + (kDistanceMax - 1));
  }

  Timer& timer = timer_of(key);
  timer.deadline = static_cast<std::uint32_t>(tick);
  if (timer.links.next != kNone) {
    if (widen(timer.queued) <= tick) return;  // found again when the old time comes
    remove(key);
  }
  insert(key);
}

void TimerWheel::cancel(std::uint32_t key) {
  if (scheduled(key)) remove(key);
  if (key >> kChunkBits >= chunks_.size()) return;
  if (Chunk& chunk = chunks_[key >> kChunkBits]; chunk.scheduled == 0) chunk.timers.reset();
}

bool TimerWheel::scheduled(std::uint32_t key) const {
  if (key >> kChunkBits >= chunks_.size()) return false;
  const Chunk& chunk = chunks_[key >> kChunkBits];
  return chunk.timers && chunk.timers[key & ((1U << kChunkBits) - 1)].links.next != kNone;
}

void TimerWheel::insert(std::uint32_t key) {
  Timer& timer = timer_of(key);
  timer.queued = timer.deadline;
  const Tick tick = widen(timer.deadline);
  const Tick difference = tick ^ now_;
  const unsigned level = difference == 0 ? 0 : (static_cast<unsigned>(std::bit_width(difference)) - 1) / kDigitBits;
  ASSERT(level < kLevels);
  const auto slot = static_cast<unsigned>(tick >> (level * kDigitBits)) & (kSlots - 1);

  const unsigned index = level * kSlots + slot;
  Links& head = heads_[index];
  timer.links = {kHead | index, head.previous};
  links(head.previous).next = key;
  head.previous = key;
  occupied_[level] |= std::uint64_t{1} << slot;
  ++chunks_[key >> kChunkBits].scheduled;
  ++size_;
}

void TimerWheel::remove(std::uint32_t key) {
  Links& own = timer_of(key).links;
  const Links old = own;
  own = {kNone, kNone};
  links(old.previous).next = old.next;
  links(old.next).previous = old.previous;
  if (old.next == old.previous && (old.next & kHead) != 0) {
    const std::uint32_t index = old.next & ~kHead;
    occupied_[index / kSlots] &= ~(std::uint64_t{1} << (index % kSlots));
  }
  --chunks_[key >> kChunkBits].scheduled;
  --size_;
}

TimerWheel::Slot TimerWheel::first_slot() const {
  Slot first{0, 0, kNothing};
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto index = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    const unsigned shift = level * kDigitBits;
    const Tick start = (now_ >> (shift + kDigitBits) << (shift + kDigitBits)) | (Tick{index} << shift);
    if (start < first.start) first = {level, index, start};
  }
  return first;
}

base::Instant TimerWheel::next_deadline() const {
  const Tick tick = first_slot().start;
  if (tick == kNothing) return base::kNever;
  return start_ + tick_ * static_cast<std::int64_t>(tick);
}

void TimerWheel::advance(base::Instant now, std::vector<std::uint32_t>& due, std::size_t max) {
  ASSERT(max > 0);
  std::size_t moves = kMovesPerDue * max;
  if (now < start_) return;
  const Tick target = static_cast<Tick>((now - start_) / tick_);
  while (true) {
    const Slot slot = first_slot();
    if (slot.start == kNothing || slot.start > target) break;
    // A slot that the last call left half done starts at or before now_.
    now_ = std::max(now_, slot.start);
    const unsigned index = slot.level * kSlots + slot.index;
    for (std::uint32_t key = heads_[index].next; (key & kHead) == 0; key = heads_[index].next) {
      const bool is_due = widen(timer_of(key).deadline) <= now_;
      if ((is_due ? max : moves)-- == 0) return;
      remove(key);
      if (is_due) {
        due.push_back(key);
      } else {
        insert(key);
      }
    }
  }
  now_ = std::max(now_, target);
}

}  // namespace loop
