#include "loop/mailbox_ring.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <thread>

#include "base/entropy.h"

namespace loop {
namespace {

TEST(MailboxRing, EveryCapacityIsExact) {
  for (std::size_t capacity = 1; capacity <= 20; ++capacity) {
    MailboxRing<int> ring(capacity);
    EXPECT_EQ(ring.capacity(), capacity);
    for (int round = 0; round < 50; ++round) {
      for (std::size_t i = 0; i < capacity; ++i) {
        EXPECT_EQ(ring.free_slots(), capacity - i);
        EXPECT_TRUE(ring.try_push(static_cast<int>(i)));
        EXPECT_EQ(ring.size(), i + 1);
      }
      EXPECT_FALSE(ring.try_push(99));
      EXPECT_EQ(ring.free_slots(), 0u);
      int got = -1;
      for (std::size_t i = 0; i < capacity; ++i) {
        ASSERT_TRUE(ring.try_pop(got));
        EXPECT_EQ(got, static_cast<int>(i));
      }
      EXPECT_FALSE(ring.try_pop(got));
      EXPECT_EQ(ring.size(), 0u);
    }
  }
}

TEST(MailboxRing, ARefusedItemIsUntouched) {
  MailboxRing<std::unique_ptr<int>> ring(1);
  EXPECT_TRUE(ring.try_push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(ring.try_push(std::move(second)));
  ASSERT_NE(second, nullptr);
  std::unique_ptr<int> got;
  EXPECT_TRUE(ring.try_pop(got));
  EXPECT_EQ(*got, 1);
  EXPECT_FALSE(ring.try_pop(got));
  EXPECT_EQ(*got, 1);
}

TEST(MailboxRing, AgreesWithADeque) {
  base::SeededEntropy entropy(7);
  for (std::size_t capacity = 1; capacity < 9; ++capacity) {
    MailboxRing<std::uint64_t> ring(capacity);
    std::deque<std::uint64_t> model;
    for (int step = 0; step < 10'000; ++step) {
      if (entropy.below(2) == 0) {
        std::uint64_t item = entropy.next();
        const bool fits = model.size() < capacity;
        if (fits) model.push_back(item);
        ASSERT_EQ(ring.try_push(std::move(item)), fits);
      } else {
        std::uint64_t got = 0;
        ASSERT_EQ(ring.try_pop(got), !model.empty());
        if (!model.empty()) {
          ASSERT_EQ(got, model.front());
          model.pop_front();
        }
      }
    }
  }
}

// Under the tsan preset this is the proof of the acquire/release pairs; the items own memory so that a slot handed over
// too early would be seen.
TEST(MailboxRing, TwoThreadsKeepOrderAndLoseNothing) {
  constexpr std::uint64_t kItems = 200'000;
  for (const std::size_t capacity : {std::size_t{1}, std::size_t{3}, std::size_t{64}, std::size_t{200}}) {
    MailboxRing<std::unique_ptr<std::uint64_t>> ring(capacity);
    const std::uint64_t items = capacity == 1 ? kItems / 20 : kItems;
    std::thread producer([&] {
      for (std::uint64_t i = 0; i < items;) {
        for (std::size_t room = ring.free_slots(); room > 0 && i < items; --room, ++i) {
          const bool pushed = ring.try_push(std::make_unique<std::uint64_t>(i));
          if (!pushed) std::abort();  // free_slots() promised
        }
        std::this_thread::yield();
      }
    });
    std::uint64_t expected = 0;
    while (expected < items) {
      for (std::size_t left = ring.size(); left > 0; --left) {
        std::unique_ptr<std::uint64_t> item;
        ASSERT_TRUE(ring.try_pop(item));
        ASSERT_EQ(*item, expected);
        ++expected;
      }
      std::this_thread::yield();
    }
    producer.join();
    EXPECT_EQ(ring.size(), 0u);
  }
}

}  // namespace
}  // namespace loop
