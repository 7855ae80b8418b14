#include "client/bench/payload.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace client::bench {
namespace {

using namespace std::chrono_literals;
using Found = PayloadReader::Found;

std::string payload(const Stamp& stamp, std::size_t bytes) {
  std::string text;
  write_payload(text, stamp, bytes);
  return text;
}

TEST(Payload, RoundTripsAtEverySize) {
  const Stamp stamp{kWarmUpSender, (std::uint64_t{1} << 44) - 1, base::Instant(base::Duration((1LL << 56) - 1))};
  for (std::size_t bytes : {std::size_t{32}, std::size_t{33}, std::size_t{64}, std::size_t{1} << 20}) {
    const std::string text = payload(stamp, bytes);
    EXPECT_EQ(text.size(), bytes);
    for (auto wrapping : {Wrapping::bare, Wrapping::wrapped}) {
      PayloadReader reader(text, bytes, wrapping);
      ASSERT_EQ(reader.next(), Found::payload);
      EXPECT_EQ(reader.stamp().sender, stamp.sender);
      EXPECT_EQ(reader.stamp().number, stamp.number);
      EXPECT_EQ(reader.stamp().sent, stamp.sent);
      EXPECT_EQ(reader.next(), Found::end);
    }
  }
}

TEST(Payload, BareSeesAllDamage) {
  const std::string text = payload({1, 2, base::Instant(3ns)}, 40);
  const auto found = [](std::string_view message) {
    PayloadReader reader(message, 40, Wrapping::bare);
    const Found first = reader.next();
    EXPECT_EQ(reader.next(), Found::end);
    return first;
  };
  EXPECT_EQ(found(text + "x"), Found::damaged);
  EXPECT_EQ(found(""), Found::damaged);
  EXPECT_EQ(found(" " + text.substr(1)), Found::damaged);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = 'y';
    EXPECT_EQ(found(damaged), Found::damaged) << i;
  }
}

TEST(Payload, WrappedIsFoundAnywhereAndMoreThanOnce) {
  const std::string one = payload({1, 7, base::Instant(3ns)}, 40);
  const std::string two = payload({2, 8, base::Instant(4ns)}, 40);
  const std::string message = R"({"wbw":"wb","to":["wb0123)" + one + two + R"("],"x":")" + one + "wb";
  PayloadReader reader(message, 40, Wrapping::wrapped);
  for (const std::uint32_t sender : {1U, 2U, 1U}) {
    ASSERT_EQ(reader.next(), Found::payload);
    EXPECT_EQ(reader.stamp().sender, sender);
  }
  EXPECT_EQ(reader.next(), Found::end);
}

TEST(Payload, WrappedTellsDamageFromOtherWords) {
  const std::string text = payload({1, 7, base::Instant(3ns)}, 40);
  const auto found = [](std::string_view message) { return PayloadReader(message, 40, Wrapping::wrapped).next(); };
  EXPECT_EQ(found("welcome"), Found::end);
  EXPECT_EQ(found(""), Found::end);
  EXPECT_EQ(found(text.substr(0, 39)), Found::damaged);
  EXPECT_EQ(found(text.substr(0, 39) + "\""), Found::damaged);
  std::string cut = text;
  cut[20] = '"';
  EXPECT_EQ(found(cut), Found::end);  // its number is missed as lost
}

}  // namespace
}  // namespace client::bench
