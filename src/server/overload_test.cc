#include "server/overload.h"

#include <gtest/gtest.h>

namespace server {
namespace {

using Level = Overload::Level;

TEST(Overload, EachStepBeginsAtItsPointAndEndsFivePercentBelow) {
  const struct {
    unsigned percent;
    Level expected;
  } kSteps[] = {
      {79, Level::none},           {80, Level::no_compression},
      {76, Level::no_compression}, {74, Level::none},
      {90, Level::no_connections}, {86, Level::no_connections},
      {84, Level::no_compression}, {92, Level::close_slow},
      {95, Level::no_publishing},  {91, Level::no_publishing},
      {89, Level::close_slow},     {86, Level::no_connections},
      {300, Level::no_publishing}, {0, Level::none},
  };
  Overload overload;
  for (const auto& step : kSteps) {
    const Level before = overload.level();
    EXPECT_EQ(overload.measure(step.percent, 100), step.expected != before);
    EXPECT_EQ(to_string(overload.level()), to_string(step.expected)) << step.percent;
  }
  EXPECT_FALSE(overload.at_least(Level::no_compression));
}

}  // namespace
}  // namespace server
