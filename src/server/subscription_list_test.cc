#include "server/subscription_list.h"

#include <gtest/gtest.h>

namespace server {
namespace {

using Id = hub::SubscriptionId;
constexpr Id kFirst{1, 1}, kSecond{2, 1}, kThird{3, 1};

std::vector<Id> all(const SubscriptionList& list) { return {list.begin(), list.end()}; }

TEST(SubscriptionList, OneInAndOut) {
  SubscriptionList list;
  EXPECT_TRUE(list.empty());
  list.push_back(kFirst);
  EXPECT_EQ(all(list), std::vector{kFirst});
  list.remove(kSecond);  // is not in it
  EXPECT_EQ(list.size(), 1U);
  list.remove(kFirst);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.begin(), list.end());
  list.push_back(kSecond);
  EXPECT_EQ(list.front(), kSecond);
}

TEST(SubscriptionList, TwoInTwoOutOneIn) {
  SubscriptionList list;
  list.push_back(kFirst);
  list.push_back(kSecond);
  EXPECT_EQ(all(list), (std::vector{kFirst, kSecond}));
  list.remove(kFirst);
  EXPECT_EQ(all(list), std::vector{kSecond});
  list.remove(kSecond);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.begin(), list.end());
  list.push_back(kThird);
  EXPECT_EQ(all(list), std::vector{kThird});
  EXPECT_EQ(list.front(), kThird);
}

TEST(SubscriptionList, KeepsTheOrderOfTheRequest) {
  SubscriptionList list;
  for (const Id id : {kFirst, kSecond, kThird}) list.push_back(id);
  list.remove(kSecond);
  EXPECT_EQ(all(list), (std::vector{kFirst, kThird}));
  list.clear();
  EXPECT_TRUE(list.empty());
  list.push_back(kSecond);
  EXPECT_EQ(all(list), std::vector{kSecond});
}

}  // namespace
}  // namespace server
