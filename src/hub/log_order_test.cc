#include "hub/log_order.h"

#include <gtest/gtest.h>

#include <set>

#include "base/entropy.h"

namespace hub {
namespace {

// What is alive comes out in its order, whatever was taken out of the middle meanwhile, and what is gone is never more
// than about half.
TEST(LogOrder, KeepsTheOrderOfWhatIsAlive) {
  base::SeededEntropy entropy(1);
  LogOrder order;
  std::set<Offset> alive;
  Offset newest = 0;
  const auto is_alive = [&](const LogOrder::Entry& entry) { return alive.contains(entry.offset); };
  for (int step = 0; step < 200'000; ++step) {
    const bool mostly_gone = step / 20'000 % 2 == 1;
    order.push_back({1, 1, ++newest});
    alive.insert(newest);
    for (std::uint32_t gone = entropy.below(mostly_gone ? 4 : 2); gone > 0 && !alive.empty(); --gone) {
      const auto any = alive.lower_bound(1 + entropy.below(static_cast<std::uint32_t>(newest)));
      alive.erase(any == alive.end() ? alive.begin() : any);
    }
    if (order.size() > 2 * alive.size() + 100) order.tidy(is_alive);
    ASSERT_GE(order.size(), alive.size());
    ASSERT_LE(order.size(), 2 * alive.size() + 100 + 2 * 1024);
    if (step % 7 == 0 && !alive.empty()) {
      LogOrder::Entry oldest = order.pop_front();
      while (!is_alive(oldest)) oldest = order.pop_front();
      ASSERT_EQ(oldest.offset, *alive.begin());
      alive.erase(alive.begin());
    }
  }
  for (; !alive.empty(); alive.erase(alive.begin())) {
    LogOrder::Entry oldest = order.pop_front();
    while (!is_alive(oldest)) oldest = order.pop_front();
    ASSERT_EQ(oldest.offset, *alive.begin());
  }
  for (int i = 0; i < 1000 && !order.empty(); ++i) order.tidy(is_alive);
  EXPECT_TRUE(order.empty());
}

}  // namespace
}  // namespace hub
