#include "client/core/demo_feed.h"

#include <gtest/gtest.h>

#include <map>

#include "codec/json_in.h"

namespace client {
namespace {

TEST(DemoFeed, TheSameSeedMakesTheSameMessages) {
  DemoFeed a(7), b(7), c(8);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    auto item = a.next();
    auto same = b.next();
    EXPECT_EQ(item.channel, same.channel);
    EXPECT_EQ(item.json, same.json);
    if (item.json != c.next().json) differs = true;
  }
  EXPECT_TRUE(differs);
}

TEST(DemoFeed, StaysBelievableForDays) {
  DemoFeed feed(42);
  std::map<std::string, int, std::less<>> seen;
  for (int i = 0; i < 400'000; ++i) {
    auto item = feed.next();
    ++seen[std::string(item.channel)];
    auto json = codec::JsonValue::parse(item.json);
    ASSERT_TRUE(json.has_value()) << item.json;
    if (item.channel == "ticker") {
      double price = *json->find("price")->number();
      EXPECT_GT(price, 1);
      EXPECT_LT(price, 5000);
    } else if (item.channel == "weather") {
      double temperature = *json->find("temperature_c")->number();
      EXPECT_GT(temperature, -40);
      EXPECT_LT(temperature, 50);
      EXPECT_LE(*json->find("humidity")->integer(), 100);
    } else {
      EXPECT_LE(*json->find("minute")->integer(), 90);
      EXPECT_NE(*json->find("home")->string(), *json->find("away")->string());
    }
  }
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen["weather"], 50'000);
  EXPECT_EQ(seen["scores"], 50'000);
}

}  // namespace
}  // namespace client
