#include "hub/occupancy.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "hub/limits.h"

namespace hub {
namespace {

using namespace std::chrono_literals;
using Kind = OccupancyEvent::Kind;

class OccupancyTest : public testing::Test {
 protected:
  static base::SharedBytes name(std::string_view channel) { return base::SharedBytes::copy(channel); }
  std::vector<std::string> said() {
    std::vector<std::string> lines;
    for (const OccupancyEvent& each : occupancy.take_events()) {
      lines.push_back((each.kind == Kind::occupied ? "+" : "-") + std::string(each.channel.view()));
    }
    return lines;
  }
  using Lines = std::vector<std::string>;
  Occupancy occupancy{5};
  base::Instant now = base::Instant{} + 1h;
};

TEST_F(OccupancyTest, TheFirstIsSaidAtOnceAndTheLastAfterAWhile) {
  occupancy.came(name("a"));
  EXPECT_EQ(said(), Lines{"+a"});
  occupancy.left(name("a"), now);
  occupancy.expire(now + kVacatedAfter - 1ns);
  EXPECT_TRUE(said().empty());
  occupancy.expire(now + kVacatedAfter);
  EXPECT_EQ(said(), Lines{"-a"});
  occupancy.expire(now + 1h);
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(occupancy.vacating(), 0U);
}

TEST_F(OccupancyTest, AReconnectOfTheOnlyOneSaysNothing) {
  occupancy.came(name("a"));
  said();
  for (int i = 0; i < 5; ++i) {
    occupancy.left(name("a"), now);
    now += kVacatedAfter / 2;
    occupancy.expire(now);
    occupancy.came(name("a"));
    now += kVacatedAfter / 4;
    occupancy.expire(now);
  }
  EXPECT_TRUE(said().empty());
  occupancy.left(name("a"), now);
  occupancy.expire(now + kVacatedAfter - 1ns);
  EXPECT_TRUE(said().empty()) << "each leaving has a while of its own";
  occupancy.expire(now + kVacatedAfter);
  EXPECT_EQ(said(), Lines{"-a"});
}

TEST_F(OccupancyTest, WhatIsForgottenIsNotSaid) {
  occupancy.came(name("a"));
  said();
  occupancy.left(name("a"), now);
  occupancy.forget(name("a"));
  occupancy.forget(name("never seen"));
  occupancy.expire(now + 1h);
  EXPECT_TRUE(said().empty());
}

TEST_F(OccupancyTest, ManyAtOnceAreSaidEarly) {
  for (std::size_t i = 0; i <= kVacatingMax; ++i) occupancy.left(name(std::to_string(i)), now);
  EXPECT_EQ(said(), Lines{"-0"});
  EXPECT_EQ(occupancy.vacating(), kVacatingMax);
  std::size_t calls = 1;
  for (now += 1h; occupancy.expire(now); ++calls) EXPECT_LT(said().size(), 5000U) << "no call says very many";
  EXPECT_GT(calls, 20U);
  EXPECT_EQ(occupancy.vacating(), 0U);
}

// For each channel the two take turns, and at rest the last one is right.
TEST_F(OccupancyTest, IsWhatTheModelSays) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::SeededEntropy entropy(seed);
    std::map<std::string, bool> watched, told;
    const auto check = [&] {
      for (const std::string& line : said()) {
        bool& known = told[line.substr(1)];
        EXPECT_NE(known, line[0] == '+') << line;
        known = line[0] == '+';
      }
    };
    for (int step = 0; step < 3000; ++step) {
      const std::string channel = std::to_string(entropy.below(20));
      bool& now_watched = watched[channel];
      now_watched = !now_watched;
      if (now_watched) {
        occupancy.came(name(channel));
      } else {
        occupancy.left(name(channel), now);
      }
      now += std::chrono::milliseconds(entropy.below(2000));
      occupancy.expire(now);
      check();
      EXPECT_TRUE(told[channel] || !now_watched) << "who watches was said";
    }
    now += 1h;
    occupancy.expire(now);
    check();
    EXPECT_EQ(told, watched);
    for (const auto& [channel, is_watched] : watched) {
      if (is_watched) occupancy.left(name(channel), now);
    }
    now += 1h;
    occupancy.expire(now);
    said();
  }
}

}  // namespace
}  // namespace hub
