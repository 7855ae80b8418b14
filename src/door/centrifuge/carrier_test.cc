#include "door/centrifuge/carrier.h"

#include <gtest/gtest.h>

#include <string>

#include "door/centrifuge/publication.h"

namespace door::centrifuge {
namespace {

using namespace std::string_literals;

std::string packed(const Carrier& carrier, std::initializer_list<Reply> replies) {
  Packer packer(carrier);
  EXPECT_TRUE(packer.empty());
  for (const Reply& reply : replies) packer.add(reply);
  EXPECT_FALSE(packer.empty());
  std::string bytes = packer.take();
  EXPECT_TRUE(packer.empty());
  return bytes;
}

std::string text_frame(const std::string& text) {
  return "\x81" + std::string(1, static_cast<char>(text.size())) + text;
}

const Reply kPing{};
const Reply kDone{.id = 7, .body = PublishResult{}};
const Reply kPush{.body = Push{.channel = "c", .body = Publication{.data = {"1"}}}};

constexpr auto kJson = Carrier::Format::json;
constexpr auto kProtobuf = Carrier::Format::protobuf;
constexpr auto kWebSocket = Carrier::Transport::websocket;
constexpr auto kStream = Carrier::Transport::stream;
constexpr auto kSse = Carrier::Transport::sse;

TEST(Packer, SeveralRepliesShareOneWebSocketFrame) {
  EXPECT_EQ(packed({kJson, kWebSocket}, {kDone, kPush}),
            text_frame("{\"id\":7,\"publish\":{}}\n{\"push\":{\"channel\":\"c\",\"pub\":{\"data\":1}}}"));
  EXPECT_EQ(packed({kProtobuf, kWebSocket}, {kDone, kPing}), "\x82\x06\x04\x08\x07\x42\x00\x00"s);
}

TEST(Packer, StreamsCarryLinesOrLengths) {
  EXPECT_EQ(packed({kJson, kStream}, {kDone, kPing}), "{\"id\":7,\"publish\":{}}\n{}\n");
  EXPECT_EQ(packed({kProtobuf, kStream}, {kDone, kPing}), "\x04\x08\x07\x42\x00\x00"s);
}

TEST(Packer, EventsCarryOneReplyEach) {
  EXPECT_EQ(packed({kJson, kSse}, {kDone, kPing}), "data: {\"id\":7,\"publish\":{}}\n\ndata: {}\n\n");
}

TEST(Packer, UnidirectionalClientsGetBarePushes) {
  EXPECT_EQ(packed({kJson, kWebSocket, true}, {kPush, kPing}),
            text_frame("{\"channel\":\"c\",\"pub\":{\"data\":1}}") + text_frame("{}"));
  EXPECT_EQ(packed({kJson, kStream, true}, {kPush, kPing}), "{\"channel\":\"c\",\"pub\":{\"data\":1}}\n{}\n");
  EXPECT_EQ(packed({kJson, kSse, true}, {kPush}), "data: {\"channel\":\"c\",\"pub\":{\"data\":1}}\n\n");
  EXPECT_EQ(packed({kProtobuf, kWebSocket, true}, {kPush}), "\x82\x08\x12\x01\x63\x22\x03\x22\x01\x31"s);
  EXPECT_EQ(packed({kProtobuf, kStream, true}, {kPush, kPing}), "\x08\x12\x01\x63\x22\x03\x22\x01\x31\x00"s);
}

std::unique_ptr<hub::Message> message(hub::Extras extras) {
  auto made = hub::Message::make(hub::Kind::json, "{}", {}, std::move(extras));
  made->number(1, {}, {});
  return made;
}

TEST(Publication, CarriesWhatTheMessageHas) {
  hub::Extras extras;
  extras.tags = *hub::Tags::make({{"b", "2"}, {"a", "1"}});
  extras.publisher.user = base::SharedBytes::copy("ann");
  extras.publisher.conn_info = base::SharedBytes::copy("{\"x\":1}");
  const auto made = message(std::move(extras));
  const Publication publication = publication_of(*made, {"k3j9x0ab"});
  EXPECT_EQ(publication.data, (Payload{"{}"}));
  EXPECT_EQ(publication.offset, 1U);
  EXPECT_EQ(publication.epoch, "k3j9x0ab");  // the first tells it
  EXPECT_EQ(publication.tags, (Map<std::string_view>{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(publication.info, (ClientInfo{.user = "ann", .conn_info = {"{\"x\":1}"}}));
  const Publication unplaced = publication_of(*made, {"k3j9x0ab", false});
  EXPECT_EQ(unplaced.offset, 0U);
  EXPECT_EQ(unplaced.epoch, "");
}

TEST(Publication, OfACompanionIsAJoinOrALeave) {
  hub::Extras extras;
  extras.event = "join";
  extras.publisher.client = base::SharedBytes::copy("42");
  const auto join = message(extras);
  const Push push = push_of("news\0"s, *join, {});
  EXPECT_EQ(push.channel, "news");
  ASSERT_TRUE(std::holds_alternative<JoinPush>(push.body));
  EXPECT_EQ(std::get<JoinPush>(push.body).info->client, "42");
  extras.event = "leave";
  const auto leave = message(std::move(extras));
  EXPECT_TRUE(std::holds_alternative<LeavePush>(push_of("news\0"s, *leave, {}).body));
  EXPECT_TRUE(std::holds_alternative<Publication>(push_of("news", *leave, {}).body));
}

}  // namespace
}  // namespace door::centrifuge
