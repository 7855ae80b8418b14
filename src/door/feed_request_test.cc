#include "door/feed_request.h"

#include <gtest/gtest.h>

#include <string>

#include "door/plain/ws_request.h"
#include "door/poll/poll.h"

namespace door {
namespace {

codec::Query query(std::string_view raw) {
  auto parsed = codec::Query::parse(raw);
  EXPECT_TRUE(parsed) << raw;
  return *std::move(parsed);
}

std::string feed_error(std::string_view path_channel, std::string_view raw_query, std::size_t channels_max = 3) {
  const auto feed = parse_feed_request(path_channel, query(raw_query), {}, channels_max);
  return feed ? "none" : std::string(base::to_string(feed.error()));
}

TEST(FeedRequest, OneChannelInThePath) {
  const auto feed = parse_feed_request("chat%3Aa", query("since=-3&meta=1&unknown=x"), {}, 1);
  ASSERT_TRUE(feed);
  EXPECT_EQ(feed->channels, std::vector<std::string>{"chat:a"});
  EXPECT_EQ(feed->since.front().count, 3U);
  EXPECT_TRUE(feed->since_given);
  EXPECT_EQ(feed->meta, true);
}

TEST(FeedRequest, SeveralChannelsInOrder) {
  const auto feed = parse_feed_request("", query("channel=b&since=,k3j9x0ab:7&channel=a+%2B"), {}, 2);
  ASSERT_TRUE(feed);
  EXPECT_EQ(feed->channels, (std::vector<std::string>{"b", "a +"}));
  EXPECT_EQ(feed->since[0].kind, hub::Since::Kind::now);
  EXPECT_EQ(feed->since[1].position.offset, 7U);
  EXPECT_FALSE(feed->meta);
}

TEST(FeedRequest, LastEventIdWins) {
  const auto feed = parse_feed_request("a", query("since=-3"), "k3j9x0ab:7", 1);
  ASSERT_TRUE(feed);
  EXPECT_EQ(feed->since.front().position.offset, 7U);
  const auto empty = parse_feed_request("a", query("since="), "", 1);
  ASSERT_TRUE(empty);
  EXPECT_FALSE(empty->since_given);
  const auto wrong = parse_feed_request("a", query("since=-3"), "nonsense", 1);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), base::Error::bad_cursor);
}

TEST(FeedRequest, InvalidInputHasAnExactError) {
  EXPECT_EQ(feed_error("", ""), "E_PARAMETER");
  EXPECT_EQ(feed_error("a", "channel=b"), "E_PARAMETER");
  EXPECT_EQ(feed_error("..", ""), "E_CHANNEL");
  EXPECT_EQ(feed_error("", "channel="), "E_CHANNEL");
  EXPECT_EQ(feed_error("", "channel=a&channel=%0a"), "E_CHANNEL");
  EXPECT_EQ(feed_error("", "channel=a&channel=b&channel=a"), "E_PARAMETER");
  EXPECT_EQ(feed_error("", "channel=a&channel=b&channel=c"), "none");
  EXPECT_EQ(feed_error("", "channel=a&channel=b&channel=c&channel=d"), "E_TOO_MANY_CHANNELS");
  EXPECT_EQ(feed_error("a", "since=x"), "E_CURSOR");
  EXPECT_EQ(feed_error("", "channel=a&channel=b&since=k3j9x0ab:7"), "E_CURSOR");
  EXPECT_EQ(feed_error("a", "since=-1&since=-1"), "E_PARAMETER");
  for (const char* meta : {"meta=", "meta=2", "meta=true", "meta=1&meta=1", "meta"}) {
    EXPECT_EQ(feed_error("a", meta), "E_PARAMETER") << meta;
  }
}

TEST(WsRequest, Defaults) {
  const auto one = plain::parse_ws_request("a", query(""), 10);
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->envelope);
  EXPECT_FALSE(one->json_input);
  EXPECT_TRUE(one->may_publish);
  const auto several = plain::parse_ws_request("", query("channel=a&channel=b"), 10);
  ASSERT_TRUE(several);
  EXPECT_TRUE(several->envelope);
}

TEST(WsRequest, Switches) {
  const auto request = plain::parse_ws_request("a", query("meta=1&kind=json&publish=0"), 10);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->envelope);
  EXPECT_TRUE(request->json_input);
  EXPECT_FALSE(request->may_publish);
  const auto opposite = plain::parse_ws_request("a", query("meta=0&kind=text&publish=1"), 10);
  ASSERT_TRUE(opposite);
  EXPECT_FALSE(opposite->envelope || opposite->json_input);
  EXPECT_TRUE(opposite->may_publish);
}

TEST(WsRequest, InvalidInput) {
  for (const char* raw :
       {"channel=a&channel=b&meta=0", "channel=a&kind=binary", "channel=a&kind=", "channel=a&publish=no",
        "channel=a&kind=json&kind=json", "channel=a&publish=1&publish=1", "channel=a&publish"}) {
    const auto request = plain::parse_ws_request("", query(raw), 10);
    ASSERT_FALSE(request) << raw;
    EXPECT_EQ(request.error(), base::Error::bad_parameter) << raw;
  }
}

TEST(PollRequest, DefaultsAndBounds) {
  const auto plain = poll::parse_poll_request("a", query(""), 10);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->timeout, std::chrono::seconds(25));
  EXPECT_EQ(plain->limit, 256U);
  const auto given = poll::parse_poll_request("a", query("timeout=60&limit=1000&meta=1"), 10);
  ASSERT_TRUE(given);
  EXPECT_EQ(given->timeout, std::chrono::seconds(60));
  EXPECT_EQ(given->limit, 1000U);
  for (const char* raw : {"timeout=0", "timeout=61", "timeout=-1", "timeout=1.5", "timeout=", "timeout= 1",
                          "timeout=1&timeout=1", "limit=0", "limit=1001", "limit=4294967297", "limit=x", "meta=0"}) {
    const auto request = poll::parse_poll_request("a", query(raw), 10);
    ASSERT_FALSE(request) << raw;
    EXPECT_EQ(request.error(), base::Error::bad_parameter) << raw;
  }
}

TEST(Poll, Answer) {
  std::string out;
  poll::append_answer(out, {}, "");
  EXPECT_EQ(out, R"({"messages":[],"cursor":""})");
  out.clear();
  const std::string records[] = {R"({"a":1})", R"({"b":2})"};
  poll::append_answer(out, records, "k3j9x0ab:7");
  EXPECT_EQ(out, R"({"messages":[{"a":1},{"b":2}],"cursor":"k3j9x0ab:7"})");
}

}  // namespace
}  // namespace door
