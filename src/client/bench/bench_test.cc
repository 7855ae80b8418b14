#include <gtest/gtest.h>

#include "client/bench/payload.h"
#include "client/bench/report.h"
#include "client/bench/sequence.h"
#include "codec/json_in.h"

namespace client::bench {
namespace {

using namespace std::chrono_literals;

TEST(Payload, RoundTripsAtEverySize) {
  std::string payload;
  for (std::size_t bytes : {std::size_t{32}, std::size_t{33}, std::size_t{64}, std::size_t{1} << 20}) {
    write_payload(payload, {0x1234567890abcdef, base::Instant(77ns)}, bytes);
    EXPECT_EQ(payload.size(), bytes);
    auto stamp = read_payload(payload, bytes);
    ASSERT_TRUE(stamp.has_value());
    EXPECT_EQ(stamp->sequence, 0x1234567890abcdefu);
    EXPECT_EQ(stamp->sent, base::Instant(77ns));
  }
}

TEST(Payload, SeesDamage) {
  std::string payload;
  write_payload(payload, {1, base::Instant(2ns)}, 40);
  EXPECT_FALSE(read_payload(payload, 41).has_value());
  EXPECT_FALSE(read_payload("", 40).has_value());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    std::string damaged = payload;
    damaged[i] = 'y';
    EXPECT_FALSE(read_payload(damaged, 40).has_value()) << i;
  }
}

TEST(Sequence, CountsLostAndDoubled) {
  Sequence sequence;
  EXPECT_EQ(sequence.receive(0), Sequence::Verdict::expected);
  EXPECT_EQ(sequence.receive(0), Sequence::Verdict::again);
  EXPECT_EQ(sequence.receive(3), Sequence::Verdict::jumped);
  EXPECT_EQ(sequence.receive(4), Sequence::Verdict::expected);
  sequence.end(10);
  EXPECT_EQ(sequence.lost(), 2u + 5u);
  EXPECT_EQ(sequence.doubled(), 1u);
  Sequence late(5);
  EXPECT_EQ(late.receive(5), Sequence::Verdict::expected);
  late.end(6);
  EXPECT_EQ(late.lost(), 0u);
}

TEST(Report, JsonIsJsonAndSaysWhatTheTableSays) {
  Report report;
  report.mode = "echo";
  report.url = "ws://a/\"b\"";
  report.message_bytes = 64;
  report.has_messages = true;
  report.has_tls = true;
  report.wanted = report.opened = 4;
  report.measured = 2s;
  report.sent = 100;
  report.received = 99;
  report.received_in_time = 80;
  report.lost = 1;
  report.reasons["1006 cut"] = 3;
  report.total.record(1500us);
  report.seconds = {{4, 0, 0, 4, 50}, {0, 0, 0, 4, 49}};
  const std::string text = to_json(report);
  auto json = codec::JsonValue::parse(text);
  ASSERT_TRUE(json.has_value()) << text;
  EXPECT_EQ(json->find("flawless")->boolean(), false);
  EXPECT_EQ(json->find("messages")->find("lost")->unsigned_integer(), 1u);
  EXPECT_EQ(json->find("messages")->find("sent_per_s")->number(), 50.0);
  EXPECT_EQ(json->find("messages")->find("received_per_s")->number(), 40.0);
  EXPECT_EQ(json->find("connections")->find("reasons")->find("1006 cut")->unsigned_integer(), 3u);
  EXPECT_NEAR(*json->find("times_us")->find("total")->find("p50")->number(), 1500, 30);
  std::string table = to_table(report);
  EXPECT_NE(table.find("4 of 4 opened (100.00 %), 0 failed, 0 dropped (0.00 %)"), std::string::npos) << table;
  EXPECT_NE(table.find("1 lost, 0 doubled, 0 damaged"), std::string::npos) << table;
  EXPECT_FALSE(report.flawless());
  report.lost = 0;
  EXPECT_TRUE(report.flawless());
}

}  // namespace
}  // namespace client::bench
