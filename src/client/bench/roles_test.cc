#include "client/bench/roles.h"

#include <gtest/gtest.h>

namespace client::bench {
namespace {

using Mode = BenchOptions::Mode;

TEST(Roles, OfEveryMode) {
  const auto roles = [](Mode mode) { return Roles::of({.mode = mode, .connections = 10, .channels = 3}); };
  for (Mode mode : {Mode::connect, Mode::idle, Mode::reconnect, Mode::echo, Mode::mixed}) {
    EXPECT_EQ(roles(mode).probes, 10U);
    EXPECT_EQ(roles(mode).counterparts, 0U);
  }
  EXPECT_EQ(roles(Mode::connect).subscribers.size() + roles(Mode::connect).publishers.size(), 0U);
  EXPECT_EQ(roles(Mode::idle).subscribers.size(), 10U);
  EXPECT_EQ(roles(Mode::reconnect).subscribers.size(), 10U);
  EXPECT_EQ(roles(Mode::echo).publishers.size(), 10U);
  EXPECT_EQ(roles(Mode::fan_out).probes, 13U);
  EXPECT_EQ(roles(Mode::fan_out).publishers.size(), 3U);
  EXPECT_EQ(roles(Mode::fan_out).subscribers.size(), 10U);
  EXPECT_EQ(roles(Mode::fan_in).publishers.size(), 10U);
  EXPECT_EQ(roles(Mode::fan_in).subscribers.size(), 3U);
  EXPECT_EQ(roles(Mode::mixed).publishers.size(), 1U);
  EXPECT_EQ(Roles::of({.mode = Mode::mixed, .connections = 10, .publishers = 4}).publishers.size(), 4U);
}

// Whoever is in a channel has a place among its like, and the sizes agree with that.
TEST(Roles, PlacesFillTheChannels) {
  for (Mode mode : {Mode::fan_out, Mode::fan_in, Mode::mixed}) {
    for (std::uint32_t channels : {1U, 3U, 7U, 12U}) {
      const Roles roles = Roles::of({.mode = mode, .connections = 10, .publishers = 5, .channels = channels});
      for (const Roles::Range& range : {roles.publishers, roles.subscribers}) {
        std::vector<std::size_t> found(channels);
        for (std::size_t i = range.first; i < range.last; ++i) {
          ASSERT_LT(roles.channel_of(i), channels);
          EXPECT_EQ(roles.place_of(i), found[roles.channel_of(i)]++);
        }
        for (std::size_t channel = 0; channel < channels; ++channel) {
          EXPECT_EQ(roles.size_in(range, channel), found[channel]) << channels << ' ' << channel;
        }
      }
    }
  }
}

}  // namespace
}  // namespace client::bench
