#include "door/since.h"

#include <gtest/gtest.h>

#include <string>

namespace door {
namespace {

using Kind = hub::Since::Kind;

std::string describe(const hub::Since& since) {
  std::string text;
  switch (since.kind) {
    case Kind::now:
      return "now";
    case Kind::position:
      hub::append_position(text, since.position);
      return text;
    case Kind::last:
      return "last " + std::to_string(since.count);
    case Kind::time:
      return "time " + std::to_string(since.time.ms);
  }
  return "?";
}

std::string parsed(std::string_view text, std::size_t channels) {
  const auto since = parse_since(text, channels);
  if (!since) return std::string(base::to_string(since.error()));
  EXPECT_EQ(since->size(), channels);
  std::string all;
  for (const hub::Since& each : *since) all += (all.empty() ? "" : "; ") + describe(each);
  return all;
}

TEST(Since, CountsForAllChannels) {
  EXPECT_EQ(parsed("", 2), "now; now");
  EXPECT_EQ(parsed("-5", 2), "last 5; last 5");
  EXPECT_EQ(parsed("-0", 1), "now");
  EXPECT_EQ(parsed("-18446744073709551615", 1), "last 18446744073709551615");
  EXPECT_EQ(parsed("1763640000123", 2), "time 1763640000123; time 1763640000123");
  EXPECT_EQ(parsed("0", 1), "time 0");
  EXPECT_EQ(parsed("2025-11-20T12:00:00Z", 2), "time 1763640000000; time 1763640000000");
  EXPECT_EQ(parsed("2025-11-20T13:00:00+01:00", 1), "time 1763640000000");
  EXPECT_EQ(parsed("2025-11-20T13:00:00 01:00", 1), "time 1763640000000");  // `+` after query decoding
}

TEST(Since, ACursorHasOneElementPerChannel) {
  EXPECT_EQ(parsed("k3j9x0ab:17", 1), "k3j9x0ab:17");
  EXPECT_EQ(parsed("k3j9x0ab:0,00000000:18446744073709551615", 2), "k3j9x0ab:0; 00000000:18446744073709551615");
  EXPECT_EQ(parsed("k3j9x0ab:17,", 2), "k3j9x0ab:17; now");
  EXPECT_EQ(parsed(",k3j9x0ab:17,", 3), "now; k3j9x0ab:17; now");
  EXPECT_EQ(parsed(",", 2), "now; now");
}

TEST(Since, InvalidInput) {
  for (const char* text : {"-",
                           "--1",
                           "-1.5",
                           "-a",
                           "- 1",
                           "-18446744073709551616",
                           "+5",
                           "1.5",
                           "9223372036854775808",
                           " 1",
                           "now",
                           "k3j9x0ab",
                           "k3j9x0ab:",
                           "k3j9x0ab:-1",
                           "k3j9x0ab:+1",
                           "k3j9x0ab:01",
                           "k3j9x0ab:1 ",
                           "K3J9X0AB:1",
                           "k3j9x0a:1",
                           "k3j9x0abc:1",
                           "k3j9x0ab:18446744073709551616",
                           "k3j9x0ab;1",
                           "k3j9x0ab:1,",
                           ",k3j9x0ab:1",
                           ",",
                           "k3j9x0ab:1,k3j9x0ab:1",
                           "2025-11-20",
                           "2025-11-20T12:00:00",
                           "2025-02-30T12:00:00Z",
                           "-5,-5"}) {
    EXPECT_EQ(parsed(text, 1), "E_CURSOR") << text;
  }
  EXPECT_EQ(parsed("k3j9x0ab:1", 2), "E_CURSOR");
  EXPECT_EQ(parsed("k3j9x0ab:1,-5", 2), "E_CURSOR");
  EXPECT_EQ(parsed(",,", 2), "E_CURSOR");
}

}  // namespace
}  // namespace door
