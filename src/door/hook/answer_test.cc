#include "door/hook/answer.h"

#include <gtest/gtest.h>

namespace door::hook {
namespace {

template <class Result>
Result result(std::string_view body) {
  auto answer = read_answer<Result>(body);
  if (!answer) {
    ADD_FAILURE() << body << ": the answer " << answer.error();
    return {};
  }
  if (!std::holds_alternative<Result>(*answer)) {
    ADD_FAILURE() << body << " is no result";
    return {};
  }
  return std::get<Result>(*answer);
}

template <class Result>
std::string refusal(std::string_view body) {
  const auto answer = read_answer<Result>(body);
  return answer ? "none" : std::string(answer.error());
}

const Payload kNone;
Payload json(std::string bytes) { return {Payload::Kind::json, std::move(bytes)}; }
Payload binary(std::string bytes) { return {Payload::Kind::binary, std::move(bytes)}; }

TEST(HookAnswer, Connect) {
  const auto all = result<ConnectResult>(R"({"result":{"user":"56","expire_at":1893456000,"info":{"name": "A"},
      "data":[1,
      2],"meta":{"k":"v"},"channels":["a","b"],
      "subs":{"y":{},"x":{"info":1,"b64data":"AP8=","expire_at":7,
         "override":{"presence":{"value":true},"join_leave":{"value":false},"force_push_join_leave":{},
                     "force_recovery":null}},"z":null},
      "something_new":{"a":[]}}})");
  EXPECT_TRUE(all.authenticated);
  EXPECT_EQ(all.user, "56");
  EXPECT_EQ(all.expire_at, 1893456000);
  EXPECT_EQ(all.info, json(R"({"name": "A"})"));
  EXPECT_EQ(all.data, json("[1,      2]")) << "on one line";
  EXPECT_EQ(all.meta, R"({"k":"v"})");
  EXPECT_EQ(all.channels, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(all.subs.size(), 3U);
  EXPECT_EQ(all.subs[0].channel, "x");
  EXPECT_EQ(all.subs[0].info, json("1"));
  EXPECT_EQ(all.subs[0].data, binary(std::string("\0\xff", 2)));
  EXPECT_EQ(all.subs[0].changes,
            (auth::ChannelOverride{.presence = true, .join_leave = false, .force_push_join_leave = false}));
  EXPECT_EQ(all.subs[1], (auth::ServerSubscription{.channel = "y"}));
  EXPECT_EQ(all.subs[2], (auth::ServerSubscription{.channel = "z"}));
  EXPECT_EQ(all.sub_expiries, (std::vector<std::pair<std::string, ExpireAt>>{{"x", 7}}));

  const auto anonymous = result<ConnectResult>(R"({"result":{}})");
  EXPECT_TRUE(anonymous.authenticated) << "a user without an id";
  EXPECT_EQ(anonymous.user, "");
  EXPECT_EQ(anonymous.info, kNone);
  for (const auto* nobody : {"{}", R"({"result":null})", R"({"error":null,"disconnect":null})"}) {
    EXPECT_FALSE(result<ConnectResult>(nobody).authenticated) << nobody;
  }
}

TEST(HookAnswer, Refresh) {
  const auto prolonged = result<RefreshResult>(R"({"result":{"expire_at":5,"b64info":"e30=","meta":{}}})");
  EXPECT_FALSE(prolonged.expired);
  EXPECT_EQ(prolonged.expire_at, 5);
  EXPECT_EQ(prolonged.info, binary("{}"));
  EXPECT_EQ(prolonged.meta, "{}");
  EXPECT_TRUE(result<RefreshResult>(R"({"result":{"expired":true}})").expired);
  EXPECT_TRUE(result<RefreshResult>("{}").expired) << "without a result it is over";
  EXPECT_TRUE(result<SubRefreshResult>("{}").expired);
  EXPECT_FALSE(result<SubRefreshResult>(R"({"result":{}})").expired);
  EXPECT_EQ(result<SubRefreshResult>(R"({"result":{"expire_at":9,"info":{}}})").expire_at, 9);
}

TEST(HookAnswer, SubscribePublishRpcCacheEmpty) {
  const auto sub = result<SubscribeResult>(
      R"({"result":{"expire_at":1,"info":{},"data":{"d":1},"override":{"force_positioning":{"value":true}}}})");
  EXPECT_EQ(sub.expire_at, 1);
  EXPECT_EQ(sub.info, json("{}"));
  EXPECT_EQ(sub.data, json(R"({"d":1})"));
  EXPECT_EQ(sub.changes, auth::ChannelOverride{.force_positioning = true});
  EXPECT_EQ(result<SubscribeResult>("{}").data, kNone) << "allowed";

  const auto publish = result<PublishResult>(
      R"({"result":{"data":{"x":1},"skip_history":true,"tags":{"b":"2","a":"1"},"idempotency_key":"k","delta":false,
          "version":18446744073709551615,"version_epoch":"e"}})");
  EXPECT_EQ(publish.data, json(R"({"x":1})"));
  EXPECT_TRUE(publish.skip_history);
  EXPECT_EQ(publish.tags, (std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(publish.idempotency_key, "k");
  EXPECT_EQ(publish.delta, false);
  EXPECT_EQ(publish.version, UINT64_MAX);
  EXPECT_EQ(publish.version_epoch, "e");
  EXPECT_EQ(result<PublishResult>("{}").data, kNone);
  EXPECT_EQ(result<PublishResult>("{}").delta, std::nullopt);

  EXPECT_EQ(result<RpcResult>(R"({"result":{"data":{"year":2018}}})").data, json(R"({"year":2018})"));
  EXPECT_EQ(result<RpcResult>(R"({"result":{"data":1,"b64data":"Mg=="}})").data, binary("2")) << "base64 counts";
  EXPECT_EQ(result<RpcResult>(R"({"result":{"data":null}})").data, kNone);
  EXPECT_TRUE(result<CacheEmptyResult>(R"({"result":{"populated":true}})").populated);
  EXPECT_FALSE(result<CacheEmptyResult>("{}").populated);
}

TEST(HookAnswer, ErrorsAndDisconnects) {
  const auto error = read_answer<RpcResult>(R"({"error":{"code":1000,"message":"caf\u00e9","temporary":true}})");
  ASSERT_TRUE(error);
  EXPECT_EQ(std::get<Error>(*error), (Error{1000, "caf\xc3\xa9", true}));
  const auto disconnect = read_answer<RpcResult>(R"({"disconnect":{"code":4500,"reason":"go away"}})");
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(std::get<Disconnect>(*disconnect), (Disconnect{4500, "go away"}));
  const auto strongest = read_answer<RpcResult>(
      R"({"result":{},"error":{"code":400},"disconnect":{"code":4000,"reason":"x","reconnect":true}})");
  ASSERT_TRUE(strongest);
  EXPECT_EQ(std::get<Disconnect>(*strongest), (Disconnect{4000, "x"}));
  const auto cut =
      read_answer<RpcResult>(R"({"disconnect":{"code":4001,"reason":"\u0000a reason \u007fof more than 32 bytes"}})");
  ASSERT_TRUE(cut);
  EXPECT_EQ(std::get<Disconnect>(*cut).reason, "?a reason ?of more than 32 bytes");
}

TEST(HookAnswer, CodeRanges) {
  const auto error = [](int code) {
    return read_answer<RpcResult>(R"({"error":{"code":)" + std::to_string(code) + "}}").has_value();
  };
  const auto disconnect = [](int code) {
    return read_answer<RpcResult>(R"({"disconnect":{"code":)" + std::to_string(code) + "}}").has_value();
  };
  for (const int good : {100, 103, 113, 400, 1000, 1999}) EXPECT_TRUE(error(good)) << good;
  for (const int bad : {-1, 0, 1, 99, 114, 399, 2000, 2147483647}) EXPECT_FALSE(error(bad)) << bad;
  for (const int good : {3000, 3500, 4000, 4499, 4500, 4999}) EXPECT_TRUE(disconnect(good)) << good;
  for (const int bad : {-1, 0, 1000, 1008, 2999, 5000, 65535, 65536 + 4000}) EXPECT_FALSE(disconnect(bad)) << bad;
}

TEST(HookAnswer, InfoHasALimit) {
  const auto with = [](std::size_t bytes) {
    return read_answer<SubscribeResult>(R"({"result":{"info":")" + std::string(bytes - 2, 'x') + "\"}}").has_value();
  };
  EXPECT_TRUE(with(kInfoBytesMax));
  EXPECT_FALSE(with(kInfoBytesMax + 1));
}

// Nothing is guessed at.
TEST(HookAnswer, Malformed) {
  for (const auto* body : {"",
                           " ",
                           "null",
                           "[]",
                           "1",
                           "\"x\"",
                           "{",
                           "{}x",
                           "{\"result\":[]}",
                           "{\"result\":\"\"}",
                           "{\"result\":1}",
                           R"({"result":{"user":5}})",
                           R"({"result":{"user":"a","user":"b"}})",
                           R"({"result":{},"result":{}})",
                           R"({"result":{"expire_at":"5"}})",
                           R"({"result":{"expire_at":1.5}})",
                           R"({"result":{"expire_at":99999999999999999999}})",
                           R"({"result":{"channels":"a"}})",
                           R"({"result":{"channels":[1]}})",
                           R"({"result":{"subs":[]}})",
                           R"({"result":{"subs":{"a":1}}})",
                           R"({"result":{"subs":{"a":{},"a":{}}}})",
                           R"({"result":{"subs":{"a":{"override":1}}}})",
                           R"({"result":{"subs":{"a":{"override":{"presence":true}}}}})",
                           R"({"result":{"subs":{"a":{"override":{"presence":{"value":1}}}}}})",
                           R"({"result":{"b64info":"%"}})",
                           R"({"result":{"b64info":"e30"}})",
                           R"({"result":{"b64data":1}})",
                           R"({"result":{"meta":[]}})",
                           R"({"result":{"user":"a\u0000b"}})",
                           R"({"error":1})",
                           R"({"error":{}})",
                           R"({"error":{"code":"1000"}})",
                           R"({"error":{"code":1000,"message":1}})",
                           R"({"error":{"code":1000,"temporary":"yes"}})",
                           R"({"disconnect":{}})",
                           R"({"disconnect":"x"})",
                           R"({"disconnect":{"code":4000,"reason":4}})"}) {
    EXPECT_NE(refusal<ConnectResult>(body), "none") << body;
  }
  EXPECT_NE(refusal<PublishResult>(R"({"result":{"version":-1}})"), "none");
  EXPECT_NE(refusal<PublishResult>(R"({"result":{"tags":{"a":1}}})"), "none");
  EXPECT_NE(refusal<PublishResult>(R"({"result":{"delta":"fossil"}})"), "none");
  EXPECT_NE(refusal<RefreshResult>(R"({"result":{"expired":1}})"), "none");
}

TEST(HookAnswer, Limits) {
  const auto nested = [](int depth) {
    return R"({"result":{"data":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}}";
  };
  EXPECT_EQ(refusal<RpcResult>(nested(32)), "none");
  EXPECT_NE(refusal<RpcResult>(nested(33)), "none");
  const auto channels = [](std::size_t count) {
    std::string body = R"({"result":{"channels":["a")";
    for (std::size_t i = 1; i < count; ++i) body += ",\"a\"";
    return body + "]}}";
  };
  EXPECT_EQ(refusal<ConnectResult>(channels(kListMax)), "none");
  EXPECT_NE(refusal<ConnectResult>(channels(kListMax + 1)), "none");
}

}  // namespace
}  // namespace door::hook
