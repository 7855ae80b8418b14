// The client's direction of the protocol: replies read, in both formats; what referee_test cannot show.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"

namespace door::centrifuge {
namespace {

struct Outcome {
  std::vector<Reply> replies;
  Next end;
};

template <typename Reader>
Outcome read_all(Reader& reader) {
  Outcome outcome;
  Reply reply;
  while ((outcome.end = reader.next(reply)) == Next::reply) outcome.replies.push_back(reply);
  EXPECT_EQ(reader.next(reply), outcome.end);
  return outcome;
}

bool malformed(std::string_view json) {
  JsonReader reader(json);
  return read_all(reader).end == Next::malformed;
}

TEST(CentrifugeRepliesIn, APingIsAnEmptyReply) {
  JsonReader json("{}\n{}");
  const Outcome outcome = read_all(json);
  ASSERT_EQ(outcome.replies.size(), 2U);
  EXPECT_TRUE(outcome.replies[0] == Reply{});
  ProtobufReader protobuf(std::string_view("\0\0", 2));
  EXPECT_EQ(read_all(protobuf).replies.size(), 2U);
}

// As the original server writes them.
TEST(CentrifugeRepliesIn, RepliesOfAnotherServer) {
  JsonReader reader(
      R"({"id":1,"connect":{"client":"0fa7","version":"6.9.1 OSS","ping":25,"pong":true,"subs":{"#u":{"offset":3,"epoch":"abcd","publications":null}},"new":[1]}})"
      "\n"
      R"({"id":2,"error":{"code":109,"message":"token expired","temporary":true}})"
      "\n"
      R"({"push":{"channel":"news","pub":{"data":{"a": 1},"offset":18446744073709551615,"tags":{"b":"2","a":"1"}}}})");
  const Outcome outcome = read_all(reader);
  ASSERT_EQ(outcome.replies.size(), 3U);
  EXPECT_EQ(outcome.end, Next::end);
  const auto& connect = std::get<ConnectResult>(outcome.replies[0].body);
  EXPECT_EQ(connect.client, "0fa7");
  EXPECT_EQ(connect.ping, 25U);
  EXPECT_TRUE(connect.pong);
  ASSERT_EQ(connect.subs.size(), 1U);
  EXPECT_EQ(connect.subs[0].first, "#u");
  EXPECT_EQ(connect.subs[0].second.offset, 3U);
  EXPECT_EQ(outcome.replies[1].error, (ReplyError{109, "token expired", true}));
  const auto& push = std::get<Push>(outcome.replies[2].body);
  const auto& publication = std::get<Publication>(push.body);
  EXPECT_EQ(push.channel, "news");
  EXPECT_EQ(publication.data.bytes, R"({"a": 1})");
  EXPECT_EQ(publication.offset, ~std::uint64_t{0});
  EXPECT_EQ(publication.tags, (Map<std::string_view>{{"a", "1"}, {"b", "2"}}));
}

TEST(CentrifugeRepliesIn, Malformed) {
  for (const std::string_view frame :
       {"", "[]", "{", "{}x", R"({"id":-1})", R"({"id":"1"})", R"({"id":1,"id":1})", R"({"push":[]})",
        R"({"push":{"pub":{"offset":18446744073709551616}}})", R"({"error":{"code":4294967296}})",
        R"({"id":1,"presence":{"presence":[]}})", R"({"id":1,"history":{"publications":{}}})"}) {
    EXPECT_TRUE(malformed(frame)) << frame;
  }
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

// The deepest place of a payload in a reply: who published what came with a subscription of the server's.
TEST(CentrifugeRepliesIn, APayloadMayBeAsDeepAnywhere) {
  const auto frame = [](const std::string& payload) {
    return R"({"connect":{"subs":{"c":{"publications":[{"info":{"conn_info":)" + payload + "}}]}}}}";
  };
  EXPECT_FALSE(malformed(frame(nested(codec::kJsonDepthMax))));
  EXPECT_TRUE(malformed(frame(nested(codec::kJsonDepthMax + 1))));
  const auto push = [](const std::string& payload) { return R"({"push":{"pub":{"data":)" + payload + "}}}"; };
  EXPECT_FALSE(malformed(push(nested(codec::kJsonDepthMax))));
  EXPECT_TRUE(malformed(push(nested(codec::kJsonDepthMax + 1))));
}

// Far more than a command may have, and bounded all the same.
TEST(CentrifugeRepliesIn, Elements) {
  const auto readable = [](std::uint32_t count) {
    Reply reply{.id = 1, .body = HistoryResult{.publications = std::vector<Publication>(count)}};
    std::string message;
    append_protobuf(message, reply);
    ProtobufReader reader(message);
    std::string text;
    append_json(text, reply);
    JsonReader json(text);
    Reply read;
    const Next next = reader.next(read);
    EXPECT_EQ(json.next(read), next);
    return next == Next::reply;
  };
  EXPECT_TRUE(readable(kElementsPerCommandMax + 1));
  EXPECT_TRUE(readable(kElementsPerReplyMax));
  EXPECT_FALSE(readable(kElementsPerReplyMax + 1));
}

TEST(CentrifugeRepliesIn, TheFirstBodyCounts) {
  JsonReader reader(R"({"id":1,"rpc":{"data":1},"publish":{}})");
  const Outcome outcome = read_all(reader);
  ASSERT_EQ(outcome.replies.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<PublishResult>(outcome.replies[0].body));
}

}  // namespace
}  // namespace door::centrifuge
