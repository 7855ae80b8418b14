// A bounded ring between exactly one producer thread and one consumer thread (a pair of workers). It never blocks and
// never drops: a full ring refuses, and the producer keeps the item. Waking the consumer is not its business
// (loop::Wakeup).
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace loop {

template <class T>
class MailboxRing {
 public:
  explicit MailboxRing(std::size_t capacity)  // at least 1
      : capacity_(capacity), mask_(std::bit_ceil(capacity) - 1), slots_(std::make_unique<T[]>(mask_ + 1)) {
    ASSERT(capacity >= 1);
  }
  MailboxRing(const MailboxRing&) = delete;
  MailboxRing& operator=(const MailboxRing&) = delete;

  // Producer. False: full, and `item` is untouched.
  bool try_push(T&& item) {
    const std::uint64_t tail = producer_.tail.load(std::memory_order_relaxed);
    if (tail - producer_.head_seen == capacity_) {
      producer_.head_seen = consumer_.head.load(std::memory_order_acquire);
      if (tail - producer_.head_seen == capacity_) return false;
    }
    slots_[tail & mask_] = std::move(item);
    producer_.tail.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Producer. At least so many pushes in a row will succeed.
  std::size_t free_slots() {
    producer_.head_seen = consumer_.head.load(std::memory_order_acquire);
    return capacity_ - static_cast<std::size_t>(producer_.tail.load(std::memory_order_relaxed) - producer_.head_seen);
  }

  // Consumer. False: empty, and `into` is untouched.
  bool try_pop(T& into) {
    const std::uint64_t head = consumer_.head.load(std::memory_order_relaxed);
    if (head == consumer_.tail_seen) {
      consumer_.tail_seen = producer_.tail.load(std::memory_order_acquire);
      if (head == consumer_.tail_seen) return false;
    }
    into = std::move(slots_[head & mask_]);
    consumer_.head.store(head + 1, std::memory_order_release);
    return true;
  }

  // Consumer. At least so many pops in a row will succeed.
  std::size_t size() {
    consumer_.tail_seen = producer_.tail.load(std::memory_order_acquire);
    return static_cast<std::size_t>(consumer_.tail_seen - consumer_.head.load(std::memory_order_relaxed));
  }

  std::size_t capacity() const { return capacity_; }

 private:
  // 64 bytes: the cache line of x86-64 and of most ARM servers. Each side writes only its own line and remembers what
  // it last saw of the other, so that a busy pair exchanges lines once per batch rather than once per item.
  static constexpr std::size_t kCacheLine = 64;
  struct alignas(kCacheLine) Producer {
    std::atomic<std::uint64_t> tail{0};
    std::uint64_t head_seen = 0;
  };
  struct alignas(kCacheLine) Consumer {
    std::atomic<std::uint64_t> head{0};
    std::uint64_t tail_seen = 0;
  };

  // Positions count up and never wrap; the slot is the position masked. The number of slots is rounded up to a power
  // of two, the capacity is not, so that the arithmetic of credits stays exact.
  const std::size_t capacity_;
  const std::size_t mask_;
  const std::unique_ptr<T[]> slots_;
  Producer producer_;
  Consumer consumer_;
};

}  // namespace loop
