#include "client/core/position.h"

#include <gtest/gtest.h>

namespace client {
namespace {

TEST(Position, RoundTripsAndRefusesAnythingElse) {
  EXPECT_EQ(parse_position("k3j9x0ab:17"), (Position{"k3j9x0ab", 17}));
  EXPECT_EQ(parse_position("k3j9x0ab:0"), (Position{"k3j9x0ab", 0}));
  EXPECT_EQ(parse_position("k3j9x0ab:18446744073709551615"), (Position{"k3j9x0ab", ~std::uint64_t{0}}));
  EXPECT_EQ(to_string(Position{"k3j9x0ab", 17}), "k3j9x0ab:17");
  for (std::string_view text :
       {"", ":", "k3j9x0ab", "k3j9x0ab:", "k3j9x0a:17", "k3j9x0abc:17", "K3j9x0ab:17", "k3j9x0ab:-1", "k3j9x0ab:+1",
        "k3j9x0ab:1x", "k3j9x0ab: 1", "k3j9x0ab:18446744073709551616", "k3j9x0a!:1"}) {
    EXPECT_FALSE(parse_position(text).has_value()) << text;
  }
}

TEST(Cursor, OneElementPerChannel) {
  Cursor cursor{Position{"k3j9x0ab", 17}, std::nullopt, Position{"a0b1c2d3", 4}};
  EXPECT_EQ(to_string(cursor), "k3j9x0ab:17,,a0b1c2d3:4");
  EXPECT_EQ(parse_cursor("k3j9x0ab:17,,a0b1c2d3:4", 3), cursor);
  EXPECT_EQ(parse_cursor("", 1), Cursor(1));
  EXPECT_EQ(parse_cursor(",", 2), Cursor(2));
  EXPECT_FALSE(parse_cursor("k3j9x0ab:17,,a0b1c2d3:4", 2).has_value());
  EXPECT_FALSE(parse_cursor("-10", 1).has_value());
  EXPECT_FALSE(parse_cursor("1763640000123", 1).has_value());
  EXPECT_FALSE(parse_cursor("2025-11-20T12:00:00Z", 1).has_value());
}

}  // namespace
}  // namespace client
