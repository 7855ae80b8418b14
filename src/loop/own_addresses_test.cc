#include "loop/own_addresses.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "loop/address.h"

namespace loop {
namespace {

bool has(const std::vector<Address>& addresses, const char* ip, std::uint16_t port) {
  Address wanted = *parse_ip(ip);
  wanted.port = port;
  return std::ranges::find(addresses, wanted) != addresses.end();
}

TEST(OwnAddresses, LoopbackIsAmongThem) {
  const auto own = own_addresses();
  EXPECT_TRUE(has(own, "127.0.0.1", 0));
  EXPECT_FALSE(has(own, "192.0.2.1", 0));
}

TEST(OwnAddresses, WhereAListenerIsReached) {
  EXPECT_EQ(reachable_at("127.0.0.1:8000").size(), 1U);
  EXPECT_TRUE(has(reachable_at("127.0.0.1:8000"), "127.0.0.1", 8000));
  EXPECT_TRUE(has(reachable_at("[::1]:8000"), "::1", 8000));
  EXPECT_TRUE(has(reachable_at("0.0.0.0:81"), "127.0.0.1", 81));
  EXPECT_FALSE(has(reachable_at("0.0.0.0:81"), "::1", 81));
  EXPECT_TRUE(has(reachable_at("[::]:81"), "127.0.0.1", 81));
  EXPECT_TRUE(reachable_at("unix:/run/x.sock").empty());
  EXPECT_TRUE(reachable_at("nonsense").empty());
}

}  // namespace
}  // namespace loop
