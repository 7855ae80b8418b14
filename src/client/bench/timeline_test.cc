#include "client/bench/timeline.h"

#include <gtest/gtest.h>

namespace client::bench {
namespace {

using namespace std::chrono_literals;

TEST(Timeline, GroupsAddUpAndWhatIsOpenStaysOpen) {
  const base::Instant start(5s);
  Timeline timeline(start);
  EXPECT_TRUE(timeline.grouped(1s).empty());
  timeline.at(start).opened = 2;
  timeline.at(start).open = 2;
  timeline.at(start + 99ms).messages += 1;
  timeline.at(start + 100ms).messages += 10;
  timeline.at(start + 1s).dropped = 1;
  timeline.at(start + 1s).open = 1;
  timeline.at(start + 1400ms).messages = 100;
  const auto fine = timeline.grouped(kSlot);
  ASSERT_EQ(fine.size(), 15U);
  EXPECT_EQ(fine[0].messages, 1U);
  EXPECT_EQ(fine[1].messages, 10U);
  EXPECT_EQ(fine[9].open, 2U);
  EXPECT_EQ(fine[14].open, 1U);
  const auto seconds = timeline.grouped(1s);
  ASSERT_EQ(seconds.size(), 2U);
  EXPECT_EQ(seconds[0].messages, 11U);
  EXPECT_EQ(seconds[0].opened, 2U);
  EXPECT_EQ(seconds[0].open, 2U);
  EXPECT_EQ(seconds[1].messages, 100U);
  EXPECT_EQ(seconds[1].dropped, 1U);
  EXPECT_EQ(seconds[1].open, 1U);
}

}  // namespace
}  // namespace client::bench
