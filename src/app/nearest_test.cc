#include "app/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace app {
namespace {

TEST(EditDistance, CountsTheFourEdits) {
  EXPECT_EQ(edit_distance("", "", 9), 0U);
  EXPECT_EQ(edit_distance("abc", "abc", 9), 0U);
  EXPECT_EQ(edit_distance("", "abc", 9), 3U);
  EXPECT_EQ(edit_distance("abc", "", 9), 3U);
  EXPECT_EQ(edit_distance("abc", "abxc", 9), 1U);
  EXPECT_EQ(edit_distance("abc", "ac", 9), 1U);
  EXPECT_EQ(edit_distance("abc", "axc", 9), 1U);
  EXPECT_EQ(edit_distance("abc", "acb", 9), 1U);
  EXPECT_EQ(edit_distance("listen", "silent", 9), 4U);
}

TEST(EditDistance, StopsAtItsLimit) {
  EXPECT_EQ(edit_distance("abcdefgh", "ijklmnop", 3), 4U);
  EXPECT_EQ(edit_distance("abc", "xyz", 3), 3U);
  EXPECT_EQ(edit_distance("abc", "xyz", 2), 3U);
  EXPECT_EQ(edit_distance("badcfehg", "abcdefgh", 4), 4U);
  EXPECT_EQ(edit_distance("badcfehg", "abcdefgh", 3), 4U);
}

TEST(Nearest, IsWhatWasMeantOrNothing) {
  const std::vector<std::string> words = {"listen", "workers", "drain_window", "drain_time_max"};
  EXPECT_EQ(nearest("lisetn", words), "listen");
  EXPECT_EQ(nearest("worker", words), "workers");
  EXPECT_EQ(nearest("drain_windwo", words), "drain_window");
  EXPECT_EQ(nearest("colour", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
  EXPECT_EQ(nearest("listen", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'l'), words), std::nullopt);
}

}  // namespace
}  // namespace app
