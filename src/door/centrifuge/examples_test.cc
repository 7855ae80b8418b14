// One example of every message, byte for byte in both formats. The Protobuf bytes were checked with Python's protobuf.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "door/centrifuge/errors.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"

namespace door::centrifuge {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

template <typename Message>
std::string json(const Message& message) {
  std::string out;
  append_json(out, message);
  return out;
}

template <typename Message>
std::string protobuf(const Message& message) {
  std::string out;
  append_protobuf(out, message);
  return out;
}

struct CommandExample {
  Command command;
  std::string_view json;
  std::string_view protobuf;  // hex, with the length
};

const std::vector<CommandExample>& commands() {
  static const std::vector<CommandExample> kCommands = {
      {{}, "{}", "00"},
      {{1,
        ConnectRequest{
            .token = "jwt",
            .data = {R"({"a":1.10})"},
            .subs = {{"news", SubscribeRequest{.recover = true, .epoch = "k3j9x0ab", .offset = 9007199254740993}}},
            .name = "js",
            .version = "5.8",
            .headers = {{"X-A", "b"}},
            .flag = 1,
            .dict = "d",
            .profile = "p"}},
       R"({"id":1,"connect":{"token":"jwt","data":{"a":1.10},"subs":{"news":{"recover":true,"epoch":"k3j9x0ab",)"
       R"("offset":9007199254740993}},"name":"js","version":"5.8","headers":{"X-A":"b"},"flag":1,"dict":"d",)"
       R"("profile":"p"}})",
       "4f0801224b0a036a7774120a7b2261223a312e31307d1a1d0a046e6577731215180132086b336a39783061623881808080808080"
       "1022026a732a03352e3832080a03582d4112016238014201644a0170"},
      {{2, ConnectRequest{}}, R"({"id":2,"connect":{}})", "0408022200"},
      {{3,
        SubscribeRequest{.channel = "c",
                         .token = "t",
                         .recover = true,
                         .epoch = "e",
                         .offset = 18446744073709551615U,
                         .data = {"null"},
                         .positioned = true,
                         .recoverable = true,
                         .join_leave = true,
                         .delta = "fossil",
                         .tf = FilterNode{.op = "and",
                                          .nodes = {{.key = "k", .cmp = "in", .vals = {"x", "y"}},
                                                    {.op = "not", .nodes = {{.key = "n", .cmp = "gt", .val = "3"}}}}},
                         .flag = 3,
                         .type = 1,
                         .phase = 2,
                         .cursor = "u",
                         .limit = -1,
                         .asc = true}},
       R"({"id":3,"subscribe":{"channel":"c","token":"t","recover":true,"epoch":"e","offset":18446744073709551615,)"
       R"("data":null,"positioned":true,"recoverable":true,"join_leave":true,"delta":"fossil","tf":{"op":"and","nodes":[)"
       R"({"key":"k","cmp":"in","vals":["x","y"]},{"op":"not","nodes":[{"key":"n","cmp":"gt","val":"3"}]}]},"flag":3,)"
       R"("type":1,"phase":2,"cursor":"u","limit":-1,"asc":true}})",
       "7108032a6d0a0163120174180132016538ffffffffffffffffff0142046e756c6c4801500158016206666f7373696c6a270a0361"
       "6e64320d12016b1a02696e2a01782a017932110a036e6f74320a12016e1a026774220133700378018001028a0101759001ffffff"
       "ffffffffffff01980101"},
      {{4, UnsubscribeRequest{"c"}}, R"({"id":4,"unsubscribe":{"channel":"c"}})", "07080432030a0163"},
      {{5, PublishRequest{.channel = "新", .data = {"[1, 2]"}, .type = 1, .key = "k", .removed = true}},
       R"({"id":5,"publish":{"channel":"新","data":[1, 2],"type":1,"key":"k","removed":true}})",
       "1808053a140a03e696b012065b312c20325d180122016b2801"},
      {{6, PresenceRequest{"c"}}, R"({"id":6,"presence":{"channel":"c"}})", "07080642030a0163"},
      {{7, PresenceStatsRequest{"c"}}, R"({"id":7,"presence_stats":{"channel":"c"}})", "0708074a030a0163"},
      {{8, HistoryRequest{.channel = "c", .limit = 10, .since = StreamPosition{7, "e"}, .reverse = true}},
       R"({"id":8,"history":{"channel":"c","limit":10,"since":{"offset":7,"epoch":"e"},"reverse":true}})",
       "120808520e0a0163380a420508071201654801"},
      {{9, PingRequest{}}, R"({"id":9,"ping":{}})", "0408095a00"},
      {{0, SendRequest{{"\"x\""}}}, R"({"send":{"data":"x"}})", "0762050a03227822"},
      {{4294967295, RpcRequest{{"1"}, "sum"}},
       R"({"id":4294967295,"rpc":{"data":1,"method":"sum"}})",
       "1008ffffffff0f6a080a0131120373756d"},
      {{12, RefreshRequest{"t"}}, R"({"id":12,"refresh":{"token":"t"}})", "07080c72030a0174"},
      {{13,
        SubRefreshRequest{
            .channel = "c", .token = "t", .type = 1, .track = {{"s", {{"a", 1}, {"b", 0}}}}, .untrack = {"z", ""}}},
       R"({"id":13,"sub_refresh":{"channel":"c","token":"t","type":1,"track":[{"signature":"s","items":[)"
       R"({"key":"a","version":1},{"key":"b"}]}],"untrack":["z",""]}})",
       "22080d7a1e0a01631201741801220f0a017312050a0161100112030a01622a017a2a00"},
  };
  return kCommands;
}

TEST(CentrifugeExamples, CommandsAreReadFromJson) {
  std::string frame;
  for (const CommandExample& example : commands()) {
    JsonReader reader(example.json);
    Command command;
    ASSERT_EQ(reader.next(command), Next::command) << example.json;
    EXPECT_EQ(command, example.command) << example.json;
    EXPECT_EQ(reader.next(command), Next::end);
    EXPECT_EQ(json(example.command), example.json);
    frame.append(example.json).append("\n");
  }
  JsonReader reader(frame);
  Command command;
  for (const CommandExample& example : commands()) {
    ASSERT_EQ(reader.next(command), Next::command) << example.json;
    EXPECT_EQ(command, example.command) << example.json;
  }
  EXPECT_EQ(reader.next(command), Next::end);
}

TEST(CentrifugeExamples, CommandsAreReadFromProtobuf) {
  std::string frame;
  for (const CommandExample& example : commands()) {
    EXPECT_EQ(to_hex(protobuf(example.command)), example.protobuf) << example.json;
    frame += from_hex(example.protobuf);
  }
  ProtobufReader reader(frame);
  Command command;
  for (const CommandExample& example : commands()) {
    ASSERT_EQ(reader.next(command), Next::command) << example.json;
    EXPECT_EQ(command.request.index(), example.command.request.index());
    EXPECT_EQ(to_hex(protobuf(command)), example.protobuf) << example.json;  // where kinds of payload do not show
  }
  EXPECT_EQ(reader.next(command), Next::end);
}

struct ReplyExample {
  Reply reply;
  std::string_view json;
  std::string_view protobuf;  // hex, with the length
};

Publication publication() {
  return {.data = {R"({"any":1.10})"},
          .info = ClientInfo{"u", "c1", {"{}"}, {"[]"}},
          .offset = 9007199254740993,
          .tags = {{"a", "b"}, {"c", ""}},
          .delta = true,
          .time = 1763640000123,
          .channel = "news",
          .key = "k",
          .removed = true,
          .score = -2,
          .epoch = "e",
          .prev_data = {"0"},
          .version = 3};
}

constexpr std::string_view kPublicationJson =
    R"({"data":{"any":1.10},"info":{"user":"u","client":"c1","conn_info":{},"chan_info":[]},"offset":9007199254740993,)"
    R"("tags":{"a":"b","c":""},"delta":true,"time":1763640000123,"channel":"news","key":"k","removed":true,"score":-2,)"
    R"("epoch":"e","prev_data":0,"version":3})";

Push push(std::string_view channel, PushBody body) { return {0, channel, std::move(body)}; }

const std::vector<ReplyExample>& replies() {
  static const std::string kPublicationReply =
      R"({"push":{"channel":"news","pub":)" + std::string(kPublicationJson) + "}}";
  static const std::string kHistoryReply =
      R"({"id":8,"history":{"publications":[)" + std::string(kPublicationJson) + R"(],"epoch":"e","offset":3}})";
  static const std::vector<ReplyExample> kReplies = {
      {{}, "{}", "00"},
      {{1, to_reply(ErrorCode::internal), {}},
       R"({"id":1,"error":{"code":100,"message":"internal server error","temporary":true}})",
       "1f0801121b08641215696e7465726e616c20736572766572206572726f721801"},
      {{1, to_reply(ErrorCode::token_expired), {}},
       R"({"id":1,"error":{"code":109,"message":"token expired"}})",
       "1508011211086d120d746f6b656e2065787069726564"},
      {{1,
        {},
        ConnectResult{.client = "u-u-i-d",
                      .version = "0.1.0",
                      .expires = true,
                      .ttl = 60,
                      .data = {"1"},
                      .subs = {{"news", SubscribeResult{.recoverable = true, .epoch = "e", .offset = 3}}},
                      .ping = 25,
                      .pong = true,
                      .session = "s",
                      .node = "n",
                      .time = 1763640000123,
                      .flag = 1,
                      .dict = Dictionary{"i", {"2"}, "eA=="}}},
       R"({"id":1,"connect":{"client":"u-u-i-d","version":"0.1.0","expires":true,"ttl":60,"data":1,"subs":{"news":)"
       R"({"recoverable":true,"epoch":"e","offset":3}},"ping":25,"pong":true,"session":"s","node":"n",)"
       R"("time":1763640000123,"flag":1,"dict":{"id":"i","data":2,"data_b64":"eA=="}}})",
       "4d08012a490a07752d752d692d641205302e312e301801203c2a0131320f0a046e657773120718013201654803381940014a0173"
       "52016e58fbfc8a89aa3360016a0c0a01691201321a0465413d3d"},
      {{2,
        {},
        SubscribeResult{.expires = true,
                        .ttl = 300,
                        .recoverable = true,
                        .epoch = "k3j9x0ab",
                        .publications = {{.data = {"1"}, .offset = 17}, {.data = {"2"}, .offset = 18}},
                        .recovered = true,
                        .offset = 16,
                        .positioned = true,
                        .data = {"{}"},
                        .was_recovering = true,
                        .delta = true,
                        .id = -1,
                        .type = 1,
                        .phase = 1,
                        .cursor = "q",
                        .state = {{.data = {"3"}, .key = "k"}},
                        .publish_debounce = 5}},
       R"({"id":2,"subscribe":{"expires":true,"ttl":300,"recoverable":true,"epoch":"k3j9x0ab","publications":[)"
       R"({"data":1,"offset":17},{"data":2,"offset":18}],"recovered":true,"offset":16,"positioned":true,"data":{},)"
       R"("was_recovering":true,"delta":true,"id":-1,"type":1,"phase":1,"cursor":"q","state":[{"data":3,"key":"k"}],)"
       R"("publish_debounce":5}})",
       "510802324d080110ac02180132086b336a39783061623a0522013130113a0522013230124001481050015a027b7d6001680170ff"
       "ffffffffffffffff0178018001018a0101719201062201335a016b980105"},
      {{3, {}, SubscribeResult{}}, R"({"id":3,"subscribe":{}})", "0408033200"},
      {{4, {}, UnsubscribeResult{}}, R"({"id":4,"unsubscribe":{}})", "0408043a00"},
      {{5, {}, PublishResult{}}, R"({"id":5,"publish":{}})", "0408054200"},
      {{6, {}, PresenceResult{{{"c1", {"u", "c1", {"1"}, {}}}, {"c2", {}}}}},
       R"({"id":6,"presence":{"presence":{"c1":{"user":"u","client":"c1","conn_info":1},"c2":{"user":"","client":""}}}})",
       "1e08064a1a0a100a026331120a0a0175120263311a01310a060a0263321200"},
      {{6, {}, PresenceResult{}}, R"({"id":6,"presence":{"presence":{}}})", "0408064a00"},
      {{7, {}, PresenceStatsResult{2, 0}},
       R"({"id":7,"presence_stats":{"num_clients":2,"num_users":0}})",
       "06080752020802"},
      {{8, {}, HistoryResult{{publication()}, "e", 3}},
       kHistoryReply,
       "6108085a5d0a56220c7b22616e79223a312e31307d2a0f0a0175120263311a027b7d22025b5d3081808080808080103a060a0161"
       "1201623a050a01631200400148fbfc8a89aa3352046e6577735a016b600168037201657a01308001031201651803"},
      {{8, {}, HistoryResult{}}, R"({"id":8,"history":{"publications":[],"epoch":"","offset":0}})", "0408085a00"},
      {{9, {}, PingResult{}}, R"({"id":9,"ping":{}})", "0408096200"},
      {{10, {}, RpcResult{{"[]"}}}, R"({"id":10,"rpc":{"data":[]}})", "08080a6a040a025b5d"},
      {{11, {}, RefreshResult{"c", "v", true, 60}},
       R"({"id":11,"refresh":{"client":"c","version":"v","expires":true,"ttl":60}})",
       "0e080b720a0a01631201761801203c"},
      {{12, {}, SubRefreshResult{true, 60, {{.key = "k", .removed = true, .version = 2}}}},
       R"({"id":12,"sub_refresh":{"expires":true,"ttl":60,"items":[{"key":"k","removed":true,"version":2}]}})",
       "12080c7a0e0801103c1a085a016b6001800102"},
      {{0, {}, push("news", publication())},
       kPublicationReply,
       "60225e12046e6577732256220c7b22616e79223a312e31307d2a0f0a0175120263311a027b7d22025b5d3081808080808080103a"
       "060a01611201623a050a01631200400148fbfc8a89aa3352046e6577735a016b600168037201657a0130800103"},
      {{0, {}, push("c", JoinPush{ClientInfo{"u", "c1", {}, {}}})},
       R"({"push":{"channel":"c","join":{"info":{"user":"u","client":"c1"}}}})",
       "10220e1201632a090a070a017512026331"},
      {{0, {}, push("c", LeavePush{ClientInfo{"", "c1", {}, {}}})},
       R"({"push":{"channel":"c","leave":{"info":{"user":"","client":"c1"}}}})",
       "0d220b12016332060a0412026331"},
      {{0, {}, push("c", to_push(UnsubscribeCode::insufficient_state))},
       R"({"push":{"channel":"c","unsubscribe":{"code":2500,"reason":"insufficient state"}}})",
       "1e221c1201633a1710c4131a12696e73756666696369656e74207374617465"},
      {{0, {}, push("", MessagePush{{"{\"m\":1}"}})},
       R"({"push":{"message":{"data":{"m":1}}}})",
       "0d220b42090a077b226d223a317d"},
      {{0, {}, push("c", SubscribePush{true, "e", 5, true, {"6"}})},
       R"({"push":{"channel":"c","subscribe":{"recoverable":true,"epoch":"e","offset":5,"positioned":true,"data":6}}})",
       "1322111201634a0c0801220165280530013a0136"},
      {{0, {}, push("", ConnectPush{"c", "v", {"1"}, {{"a", {}}}, true, 2, 25, true, "s", "n", 3})},
       R"({"push":{"connect":{"client":"c","version":"v","data":1,"subs":{"a":{}},"expires":true,"ttl":2,"ping":25,)"
       R"("pong":true,"session":"s","node":"n","time":3}}})",
       "24222252200a01631201761a013122050a0161120028013002381940014a017352016e5803"},
      {{0, {}, push("", to_push(DisconnectCode::shutdown))},
       R"({"push":{"disconnect":{"code":3001,"reason":"shutdown","reconnect":true}}})",
       "1322115a0f08b917120873687574646f776e1801"},
      {{0, {}, push("", to_push(DisconnectCode::bad_request))},
       R"({"push":{"disconnect":{"code":3501,"reason":"bad request"}}})",
       "1422125a1008ad1b120b6261642072657175657374"},
      {{0, {}, push("", RefreshPush{true, 60})},
       R"({"push":{"refresh":{"expires":true,"ttl":60}}})",
       "08220662040801103c"},
      {{0, {}, Push{-7, {}, {}}}, R"({"push":{"id":-7}})", "0d220b08f9ffffffffffffffff01"},
  };
  return kReplies;
}

TEST(CentrifugeExamples, Replies) {
  for (const ReplyExample& example : replies()) {
    EXPECT_EQ(json(example.reply), example.json);
    EXPECT_EQ(to_hex(protobuf(example.reply)), example.protobuf) << example.json;
  }
}

TEST(CentrifugeExamples, UnidirectionalClientsGetTheBarePush) {
  for (const ReplyExample& example : replies()) {
    const Push* push = std::get_if<Push>(&example.reply.body);
    if (push == nullptr) continue;
    EXPECT_EQ(R"({"push":)" + json(*push) + "}", example.json);
    std::string bare;
    append_protobuf_bare(bare, *push);
    // Behind it the tag and the length of the reply's one field, here of one byte each, and the length of the reply.
    if (bare.size() < 126) {
      EXPECT_EQ(example.protobuf.substr(6), to_hex(bare)) << example.json;
    }
  }
  EXPECT_EQ(json(Push{}), "{}");  // its ping
}

TEST(CentrifugeExamples, BodyOfEmulation) {
  const EmulationRequest expected{"n", "s", "{\"id\":1}\n{}"};
  EmulationRequest request;
  EXPECT_TRUE(JsonReader(R"({"node":"n","session":"s","data":"x"})").read(request));
  EXPECT_EQ(request, (EmulationRequest{"n", "s", "x"}));
  JsonReader reader(R"({"node":"n","session":"s","data":"{\"id\":1}\n{}"})");
  EXPECT_TRUE(reader.read(request));
  EXPECT_EQ(request, expected);
  EXPECT_FALSE(JsonReader(R"({"data":{}})").read(request));

  const std::string message("\x0a\x01n\x12\x01s\x1a\x03\xff\x00\x01", 11);  // data is no text here
  EXPECT_TRUE(ProtobufReader(message).read(request));
  EXPECT_EQ(request, (EmulationRequest{"n", "s", std::string_view("\xff\x00\x01", 3)}));
  EXPECT_FALSE(ProtobufReader("\x0a\x02n").read(request));
}

TEST(CentrifugeExamples, BareConnect) {
  ConnectRequest request;
  JsonReader reader("{\"token\":\"t\",\"data\":{},\"subs\":{\"a\":{\"recover\":true}}}\n");
  EXPECT_TRUE(reader.read(request));
  EXPECT_EQ(request, (ConnectRequest{.token = "t", .data = {"{}"}, .subs = {{"a", {.recover = true}}}}));
  EXPECT_FALSE(JsonReader("").read(request));
  EXPECT_FALSE(JsonReader("{}\n{}").read(request));

  EXPECT_TRUE(ProtobufReader("\x0a\x01t\x12\x01x").read(request));
  EXPECT_EQ(request, (ConnectRequest{.token = "t", .data = {"x", hub::Kind::binary}}));
  EXPECT_TRUE(ProtobufReader("").read(request));
  EXPECT_EQ(request, ConnectRequest{});
}

}  // namespace
}  // namespace door::centrifuge
