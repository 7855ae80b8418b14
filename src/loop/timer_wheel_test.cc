#include "loop/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/entropy.h"

namespace loop {
namespace {

using base::Instant;
using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours(1000) + 7ns};
constexpr base::Duration kTick = 10ms;

std::vector<std::uint32_t> drain(TimerWheel& wheel, Instant now, std::size_t max = 1000) {
  std::vector<std::uint32_t> due;
  do {
    wheel.advance(now, due, max);
  } while (wheel.next_deadline() <= now);
  return due;
}

// Sleeps and advances as a worker does until something is due; returns when, and counts the wake-ups for nothing.
Instant run_until_due(TimerWheel& wheel, int& for_nothing) {
  std::vector<std::uint32_t> due;
  while (true) {
    const Instant now = wheel.next_deadline();
    if (now == base::kNever) return now;
    wheel.advance(now, due, 1000);
    if (!due.empty()) return now;
    ++for_nothing;
  }
}

TEST(TimerWheel, EmptyNeverWakes) {
  TimerWheel wheel(kStart);
  EXPECT_EQ(wheel.next_deadline(), base::kNever);
  EXPECT_TRUE(drain(wheel, kStart + 24h).empty());
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, RoundsUpToTheNextTickAndNeverFiresEarly) {
  TimerWheel wheel(kStart);
  wheel.schedule(0, kStart + 1ns);
  wheel.schedule(1, kStart + 10ms);
  wheel.schedule(2, kStart + 10ms + 1ns);
  EXPECT_EQ(wheel.next_deadline(), kStart + 10ms);
  EXPECT_TRUE(drain(wheel, kStart + 10ms - 1ns).empty());
  EXPECT_EQ(drain(wheel, kStart + 10ms), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(drain(wheel, kStart + 20ms), (std::vector<std::uint32_t>{2}));
}

TEST(TimerWheel, APastTimeIsDueAtOnce) {
  TimerWheel wheel(kStart);
  drain(wheel, kStart + 1s + 3ms);
  wheel.schedule(5, kStart);
  wheel.schedule(6, Instant{});
  EXPECT_LE(wheel.next_deadline(), kStart + 1s + 3ms);
  EXPECT_EQ(drain(wheel, kStart + 1s + 3ms), (std::vector<std::uint32_t>{5, 6}));
}

TEST(TimerWheel, ScheduleReplacesBothWays) {
  TimerWheel wheel(kStart);
  wheel.schedule(3, kStart + 1h);
  wheel.schedule(3, kStart + 1s);
  EXPECT_EQ(wheel.size(), 1u);
  wheel.schedule(3, kStart + 2s);
  EXPECT_TRUE(drain(wheel, kStart + 1999ms).empty());
  EXPECT_TRUE(wheel.scheduled(3));
  EXPECT_EQ(drain(wheel, kStart + 2s), (std::vector<std::uint32_t>{3}));
  EXPECT_FALSE(wheel.scheduled(3));
  EXPECT_TRUE(drain(wheel, kStart + 2h).empty());
}

TEST(TimerWheel, CancelAndNever) {
  TimerWheel wheel(kStart);
  wheel.cancel(9);  // never seen
  wheel.schedule(9, kStart + 1s);
  wheel.cancel(9);
  wheel.cancel(9);
  wheel.schedule(10, kStart + 1s);
  wheel.schedule(10, base::kNever);
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.next_deadline(), base::kNever);
  EXPECT_TRUE(drain(wheel, kStart + 2s).empty());
}

TEST(TimerWheel, WakesForNothingAtMostOncePerLevel) {
  for (const base::Duration after : {base::Duration(10ms), base::Duration(639ms), base::Duration(641ms),
                                     base::Duration(41s), base::Duration(44min), base::Duration(24h)}) {
    TimerWheel wheel(kStart);
    drain(wheel, kStart + 12345ms);
    wheel.schedule(0, kStart + 12345ms + after);
    int for_nothing = 0;
    const Instant fired = run_until_due(wheel, for_nothing);
    EXPECT_GE(fired, kStart + 12345ms + after);
    EXPECT_LT(fired, kStart + 12345ms + after + kTick);
    EXPECT_LE(for_nothing, 6);
  }
}

TEST(TimerWheel, WorkPerCallIsBounded) {
  TimerWheel wheel(kStart);
  for (std::uint32_t key = 0; key < 10'000; ++key) wheel.schedule(key, kStart + 100s);
  std::vector<std::uint32_t> due;
  const Instant now = kStart + 100s;
  int calls = 0;
  while (wheel.next_deadline() <= now) {
    const std::size_t before = due.size();
    wheel.advance(now, due, 100);
    EXPECT_LE(due.size() - before, 100u);
    ++calls;
  }
  EXPECT_EQ(due.size(), 10'000u);
  // Level 2 to 1, 1 to 0: each timer is queued twice again, then fires.
  const int moving = 2 * 10'000 / static_cast<int>(100 * TimerWheel::kMovesPerDue);
  EXPECT_LE(calls, 100 + moving + 2);
  EXPECT_GE(calls, 100 + moving - 2);
}

TEST(TimerWheel, SchedulingInsideAHalfDoneSlotKeepsOrder) {
  TimerWheel wheel(kStart);
  for (std::uint32_t key = 0; key < 10; ++key) wheel.schedule(key, kStart + 640ms);  // a slot of level 1
  std::vector<std::uint32_t> due;
  wheel.advance(kStart + 2s, due, 3);
  wheel.schedule(100, kStart + 650ms);
  wheel.cancel(7);
  EXPECT_LE(wheel.next_deadline(), kStart + 2s);
  while (wheel.next_deadline() <= kStart + 2s) wheel.advance(kStart + 2s, due, 3);
  ASSERT_EQ(due.size(), 10u);
  EXPECT_EQ(due.back(), 100u);
  EXPECT_EQ(std::count(due.begin(), due.end(), 7u), 0);
}

TEST(TimerWheel, FarTimesFireAtTheGreatestDistance) {
  TimerWheel wheel(kStart);
  wheel.schedule(0, kStart + 10'000 * 24h);
  int for_nothing = 0;
  const Instant fired = run_until_due(wheel, for_nothing);
  EXPECT_EQ(fired, kStart + kTick * ((std::int64_t{1} << 31) - 1));
}

TEST(TimerWheel, SurvivesThe32BitWrapOfTicks) {
  TimerWheel wheel(kStart, 1ms);
  const Instant near_wrap = kStart + std::chrono::milliseconds((std::int64_t{1} << 32) - 5);
  for (Instant now = kStart; now < near_wrap; now += 500h) drain(wheel, now);
  drain(wheel, near_wrap);
  wheel.schedule(1, near_wrap + 3ms);
  wheel.schedule(2, near_wrap + 10ms);
  wheel.schedule(3, near_wrap + 24h);
  EXPECT_EQ(drain(wheel, near_wrap + 3ms), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(drain(wheel, near_wrap + 9ms), (std::vector<std::uint32_t>{}));
  EXPECT_EQ(drain(wheel, near_wrap + 10ms), (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(drain(wheel, near_wrap + 24h), (std::vector<std::uint32_t>{3}));
}

// The obvious timer queue: what must be due is decided by the rounded-up time alone.
class Model {
 public:
  void schedule(std::uint32_t key, Instant at, Instant now) {
    cancel(key);
    const auto since = std::max<std::int64_t>(0, (at - kStart).count());
    const std::int64_t tick = std::max((since + kTick.count() - 1) / kTick.count(), (now - kStart) / kTick);
    position_[key] = queue_.emplace(tick, key);
  }
  void cancel(std::uint32_t key) {
    const auto found = position_.find(key);
    if (found == position_.end()) return;
    queue_.erase(found->second);
    position_.erase(found);
  }
  // (tick, key) of everything due, in order.
  std::vector<std::pair<std::int64_t, std::uint32_t>> advance(Instant now) {
    std::vector<std::pair<std::int64_t, std::uint32_t>> due;
    while (!queue_.empty() && queue_.begin()->first <= (now - kStart) / kTick) {
      due.push_back(*queue_.begin());
      position_.erase(queue_.begin()->second);
      queue_.erase(queue_.begin());
    }
    return due;
  }
  std::size_t size() const { return queue_.size(); }
  Instant first() const { return queue_.empty() ? base::kNever : kStart + kTick * queue_.begin()->first; }

 private:
  std::multimap<std::int64_t, std::uint32_t> queue_;
  std::map<std::uint32_t, std::multimap<std::int64_t, std::uint32_t>::iterator> position_;
};

base::Duration random_delay(base::Entropy& entropy) {
  const base::Duration units[] = {1ms, 10ms, 100ms, 1s, 1min, 1h, 24h};
  return units[entropy.below(7)] * static_cast<std::int64_t>(entropy.below(70)) + base::Duration(entropy.below(1000));
}

TEST(TimerWheel, AgreesWithAMultimap) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    base::SeededEntropy entropy(seed);
    TimerWheel wheel(kStart);
    Model model;
    Instant now = kStart;
    const std::uint32_t keys = 1 + entropy.below(300);
    for (int step = 0; step < 1000; ++step) {
      const std::uint32_t choice = entropy.below(10);
      const std::uint32_t key = entropy.below(keys);
      if (choice < 6) {
        const Instant at = now + random_delay(entropy) - (entropy.below(8) == 0 ? 1s : 0s);
        wheel.schedule(key, at);
        model.schedule(key, at, now);
      } else if (choice == 6) {
        wheel.cancel(key);
        model.cancel(key);
      } else {
        if (entropy.below(3) == 0 && wheel.next_deadline() != base::kNever) {
          now = std::max(now, wheel.next_deadline());
        } else {
          now += random_delay(entropy) / 16;
        }
        std::vector<std::uint32_t> due;
        const std::size_t max = 1 + entropy.below(50);
        do {
          const std::size_t before = due.size();
          wheel.advance(now, due, max);
          ASSERT_LE(due.size() - before, max);
        } while (wheel.next_deadline() <= now);

        const auto expected = model.advance(now);
        ASSERT_EQ(due.size(), expected.size());
        std::map<std::uint32_t, std::int64_t> tick_of;
        for (const auto& [tick, expected_key] : expected) tick_of[expected_key] = tick;
        std::int64_t last = 0;
        for (const std::uint32_t due_key : due) {
          ASSERT_TRUE(tick_of.contains(due_key));
          ASSERT_GE(tick_of[due_key], last);
          last = tick_of[due_key];
        }
      }
      ASSERT_EQ(wheel.size(), model.size());
      ASSERT_LE(wheel.next_deadline(), model.first());
    }
  }
}

}  // namespace
}  // namespace loop
