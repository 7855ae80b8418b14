// The small client reads what the door writes: each kind of reply, in both formats, and none of what is cut short.
#include "sim/centrifuge/heard.h"

#include <gtest/gtest.h>

namespace sim::centrifuge {
namespace {

using namespace std::string_literals;

TEST(Heard, Json) {
  const auto all = hear_json(
      R"({"id":1,"connect":{"client":"c","ping":25,"pong":true,"subs":{"a":{"recoverable":true,"epoch":"e","offset":7}}}})"
      "\n"
      R"({"id":2,"subscribe":{"positioned":true,"recovered":true,"was_recovering":true,"epoch":"e","offset":3,)"
      R"("publications":[{"data":{"x": 1},"offset":4},{"data":"t","offset":5,"delta":true}]}})"
      "\n"
      R"({"id":3,"error":{"code":112,"message":"unrecoverable position"}})"
      "\n{}\n"
      R"({"push":{"channel":"a","pub":{"data":[1],"offset":1,"epoch":"e"}}})"
      "\n"
      R"({"push":{"channel":"a","join":{"info":{"user":"u","client":"x"}}}})"
      "\n"
      R"({"push":{"channel":"a","unsubscribe":{"code":2500,"reason":"r"}}})");
  ASSERT_TRUE(all && all->size() == 7);
  EXPECT_EQ((*all)[0].kind, Heard::Kind::connected);
  EXPECT_TRUE((*all)[0].pong);
  ASSERT_EQ((*all)[0].subscriptions.size(), 1U);
  EXPECT_EQ((*all)[0].subscriptions[0].second.offset, 7U);
  const HeardSubscription& subscribed = (*all)[1].subscription;
  EXPECT_TRUE(subscribed.recovered && subscribed.was_recovering && subscribed.positioned && !subscribed.recoverable);
  ASSERT_EQ(subscribed.publications.size(), 2U);
  EXPECT_EQ(subscribed.publications[0].data, R"({"x": 1})");
  EXPECT_TRUE(subscribed.publications[1].delta);
  EXPECT_EQ((*all)[2].error, 112U);
  EXPECT_EQ((*all)[3].kind, Heard::Kind::ping);
  EXPECT_EQ((*all)[4].publication.epoch, "e");
  EXPECT_EQ((*all)[5].client, "x");
  EXPECT_EQ((*all)[6].code, 2500U);
  for (const char* bad : {"[]", "{", "{}{}", "x", "\n"}) EXPECT_FALSE(hear_json(bad)) << bad;
}

TEST(Heard, Protobuf) {
  // id 2, subscribe: epoch "e", one publication with data "hi" and offset 4, recovered, offset 300
  const std::string subscribe = "\x08\x02\x32"s + "\x12"s + "\x32\x01"s + "e" + "\x3a\x06"s + "\x22\x02"s + "hi" +
                                "\x30\x04"s + "\x40\x01"s + "\x48\xac\x02"s + "\x50\x01"s;
  const std::string push = "\x22\x0a"s + "\x12\x01"s + "a" + "\x3a\x05"s + "\x10\xc4\x13"s + "\x1a\x00"s;
  const auto framed = [](const std::string& message) { return static_cast<char>(message.size()) + message; };
  const std::string frame = framed(subscribe) + framed(push) + '\0';
  const auto all = hear_protobuf(frame);
  ASSERT_TRUE(all && all->size() == 3);
  const HeardSubscription& subscribed = (*all)[0].subscription;
  EXPECT_EQ((*all)[0].id, 2U);
  EXPECT_EQ(subscribed.epoch, "e");
  EXPECT_EQ(subscribed.offset, 300U);
  EXPECT_TRUE(subscribed.recovered && subscribed.positioned);
  ASSERT_EQ(subscribed.publications.size(), 1U);
  EXPECT_EQ(subscribed.publications[0].data, "hi");
  EXPECT_EQ(subscribed.publications[0].offset, 4U);
  EXPECT_EQ((*all)[1].kind, Heard::Kind::dismissed);
  EXPECT_EQ((*all)[1].channel, "a");
  EXPECT_EQ((*all)[1].code, 2500U);
  EXPECT_EQ((*all)[2].kind, Heard::Kind::ping);
  for (std::size_t cut = 1; cut < framed(subscribe).size(); ++cut) EXPECT_FALSE(hear_protobuf(frame.substr(0, cut)));
}

TEST(Patched, AsTheFormatSays) {
  // 11 bytes: 6 of the source, 5 of its own.
  const auto sum = [](std::string_view text) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      value += std::uint32_t{static_cast<unsigned char>(text[i])} << (24 - 8 * (i % 4));
    }
    static constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    std::string digits;
    for (; value > 0; value /= 64) digits.insert(digits.begin(), kDigits[value % 64]);
    return digits;
  };
  const std::string delta = "B\n6@0,5:there" + sum("hello there") + ";";
  EXPECT_EQ(patched("hello world", delta), "hello there");
  EXPECT_EQ(patched("jello world", delta), std::nullopt);
  for (std::size_t cut = 0; cut < delta.size(); ++cut) {
    EXPECT_EQ(patched("hello world", delta.substr(0, cut)), std::nullopt);
  }
}

}  // namespace
}  // namespace sim::centrifuge
