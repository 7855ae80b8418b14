#include "door/server_api/parse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace door::server_api {
namespace {

std::string error_of(const std::expected<Request, base::Refusal>& request) {
  return request ? "none" : std::string(base::to_string(request.error()));
}
std::string error_of(std::string_view method, std::string_view body) { return error_of(parse_request(method, body)); }
std::string hint_of(std::string_view method, std::string_view body) {
  const auto request = parse_request(method, body);
  return request ? "none" : std::string(request.error().hint);
}

// Of a body that is right.
template <class Kind>
Kind read(std::string_view method, std::string_view body) {
  auto request = parse_request(method, body);
  EXPECT_TRUE(request) << method << " " << body << ": " << hint_of(method, body);
  if (!request) return {};
  EXPECT_EQ(request->form, Request::Form::single);
  EXPECT_EQ(request->commands.at(0).name, method);
  return std::get<Kind>(*std::move(request->commands.at(0).command));
}

codec::Query query(std::string_view text) { return *codec::Query::parse(text); }
template <class Kind>
Kind ask(std::string_view method, std::string_view text) {
  auto request = parse_request(method, query(text));
  EXPECT_TRUE(request) << text;
  return std::get<Kind>(*std::move(request->commands.at(0).command));
}

TEST(ApiPublish, EveryPayload) {
  const auto data = read<Publish>("publish", R"( {"channel":"a","data": {"x": 1.10,
      "y":12345678901234567890123} ,"idempotency_key":"k"} )");
  EXPECT_EQ(data.channel, "a");
  EXPECT_EQ(data.publication.content.kind, hub::Kind::json);
  EXPECT_EQ(data.publication.content.payload, R"({"x": 1.10,      "y":12345678901234567890123})");
  EXPECT_EQ(data.publication.idempotency_key, "k");
  const auto text = read<Publish>("publish", R"({"text":"a\n\u00e9","channel":"\u65b0"})");
  EXPECT_EQ(text.channel, "新");
  EXPECT_EQ(text.publication.content.payload, "a\né");
  EXPECT_EQ(text.publication.content.kind, hub::Kind::text);
  EXPECT_FALSE(text.publication.idempotency_key);
  EXPECT_FALSE(text.publication.skip_history);
  EXPECT_FALSE(text.publication.delta);
  EXPECT_EQ(text.publication.version, 0U);
  for (const char* body : {R"({"channel":"a","base64":"AAEC"})", R"({"channel":"a","b64data":"AAEC"})"}) {
    const auto binary = read<Publish>("publish", body);
    EXPECT_EQ(binary.publication.content.payload, std::string("\0\1\2", 3));
    EXPECT_EQ(binary.publication.content.kind, hub::Kind::binary);
  }
  EXPECT_EQ(read<Publish>("publish", R"({"channel":"a","data":null,"b64data":""})").publication.content.payload,
            "null");
}

TEST(ApiPublish, Options) {
  const auto publish = read<Publish>(
      "publish",
      R"({"channel":"a","data":1,"skip_history":true,"delta":true,"version":18446744073709551615,"version_epoch":"e"})");
  EXPECT_TRUE(publish.publication.skip_history);
  EXPECT_TRUE(publish.publication.delta);
  EXPECT_EQ(publish.publication.version, UINT64_MAX);
  EXPECT_EQ(publish.publication.version_epoch, "e");
  const auto with = [](const std::string& more) {
    return error_of("publish", R"({"channel":"a","data":1,)" + more + "}");
  };
  EXPECT_EQ(with(R"("skip_history":false)"), "none");
  EXPECT_EQ(with(R"("version_epoch":")" + std::string(255, 'e') + "\""), "none");
  for (const std::string& bad :
       {std::string(R"("skip_history":1)"), std::string(R"("delta":"true")"), std::string(R"("delta":null)"),
        std::string(R"("version":-1)"), std::string(R"("version":1.5)"),
        std::string(R"("version":18446744073709551616)"), std::string(R"("version_epoch":1)"),
        R"("version_epoch":")" + std::string(256, 'e') + "\""}) {
    EXPECT_EQ(with(bad), "E_PARAMETER") << bad;
  }
}

TEST(ApiPublish, Tags) {
  const auto publish =
      read<Publish>("publish", R"({"channel":"a","text":"x","tags":{"side":"b\u00fcy","a":"","\u0067":"{"}})");
  const std::vector<hub::Tag> expected = {{"a", ""}, {"g", "{"}, {"side", "büy"}};
  const auto tags = publish.publication.tags.all();
  EXPECT_EQ(std::vector(tags.begin(), tags.end()), expected);
  EXPECT_TRUE(read<Publish>("publish", R"({"channel":"a","text":"x","tags":{}})").publication.tags.empty());

  const auto with = [](const std::string& text) {
    return error_of("publish", R"({"channel":"a","text":"x","tags":)" + text + "}");
  };
  const auto many = [&](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i == 0 ? "{\"" : ",\"") + std::to_string(i) + R"(":"v")";
    return with(text + "}");
  };
  EXPECT_EQ(many(16), "none");
  EXPECT_EQ(many(17), "E_PARAMETER");
  EXPECT_EQ(many(1000), "E_PARAMETER");
  EXPECT_EQ(with("{\"" + std::string(255, 'k') + "\":\"" + std::string(1024, 'v') + "\"}"), "none");
  EXPECT_EQ(with("{\"" + std::string(256, 'k') + "\":\"\"}"), "E_PARAMETER");
  EXPECT_EQ(with("{\"k\":\"" + std::string(1025, 'v') + "\"}"), "E_PARAMETER");
  for (const char* bad : {"null", "[]", "\"k\"", "1", R"({"k":1})", R"({"k":null})", R"({"k":["v"]})", R"({"":"v"})",
                          R"({"k":"v","k":"v"})", R"({"k":"v","\u006b":"w"})"}) {
    EXPECT_EQ(with(bad), "E_PARAMETER") << bad;
  }
}

TEST(ApiPublish, InvalidInputHasAnExactError) {
  const std::pair<const char*, const char*> table[] = {
      {"{", "E_JSON"},
      {R"({"channel":"a","data":1e400})", "E_JSON"},
      {"[]", "E_PARAMETER"},
      {"", "E_PARAMETER"},
      {"{}", "E_PARAMETER"},
      {R"({"channel":"a"})", "E_PARAMETER"},
      {R"({"data":1})", "E_PARAMETER"},
      {R"({"channel":1,"data":1})", "E_PARAMETER"},
      {R"({"channel":"","data":1})", "E_CHANNEL"},
      {R"({"channel":"a\u0000","data":1})", "E_CHANNEL"},
      {R"({"channel":"a","data":1,"text":"b"})", "E_PARAMETER"},
      {R"({"channel":"a","base64":"AA==","b64data":"AA=="})", "E_PARAMETER"},
      {R"({"channel":"a","b64data":""})", "E_PARAMETER"},
      {R"({"channel":"a","text":1})", "E_PARAMETER"},
      {R"({"channel":"a","base64":"AAE"})", "E_PARAMETER"},
      {R"({"channel":"a","base64":5})", "E_PARAMETER"},
      {R"({"channel":"a","data":1,"data":2})", "E_PARAMETER"},
      {R"({"channel":"a","channel":"b","data":1})", "E_PARAMETER"},
      {R"({"channel":"a","data":1,"dta":2})", "E_PARAMETER"},
      {R"({"channel":"a","data":1,"idempotency_key":""})", "E_PARAMETER"},
      {R"({"channel":"a","data":1,"idempotency_key":"a b"})", "E_PARAMETER"},
      {R"({"channel":"a","data":1,"idempotency_key":5})", "E_PARAMETER"},
  };
  for (const auto& [body, error] : table) EXPECT_EQ(error_of("publish", body), error) << body;
}

// Whatever wraps it, a payload may be as deep as any other.
TEST(ApiPublish, DepthIsThatOfThePayload) {
  for (const int depth : {32, 33, 34, 40, 1000}) {
    const std::string data =
        std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
    const std::string body = R"({"channel":"a","data":)" + data + "}";
    const std::string error = depth <= 32 ? "none" : "E_JSON_DEPTH";
    EXPECT_EQ(error_of("publish", body), error);
    const auto batch = parse_request("batch", R"({"commands":[{"publish":)" + body + "}]}");
    EXPECT_EQ(batch && batch->commands.at(0).command.has_value(), depth <= 32);
    const auto legacy = parse_legacy_request(R"({"method":"publish","params":)" + body + "}");
    EXPECT_EQ(legacy && legacy->commands.at(0).command.has_value(), depth <= 32);
  }
}

TEST(ApiBroadcast, Channels) {
  const auto broadcast = read<Broadcast>("broadcast", R"({"channels":["b","a"],"text":"x","idempotency_key":"k"})");
  EXPECT_EQ(broadcast.channels, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(broadcast.publication.content.payload, "x");
  const auto many = [](int count) {
    std::string names;
    for (int i = 0; i < count; ++i) names += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
    return error_of("broadcast", R"({"channels":[)" + names + R"(],"data":1})");
  };
  EXPECT_EQ(many(1000), "none");
  EXPECT_EQ(many(1001), "E_PARAMETER");
  for (const char* channels : {"[]", "{}", "\"a\"", "null", "[1]", R"(["a","a"])", R"(["a","\u0061"])"}) {
    EXPECT_EQ(error_of("broadcast", std::string(R"({"data":1,"channels":)") + channels + "}"), "E_PARAMETER")
        << channels;
  }
  EXPECT_EQ(error_of("broadcast", R"({"data":1})"), "E_PARAMETER");
  EXPECT_EQ(error_of("broadcast", R"({"data":1,"channels":["a",""]})"), "E_CHANNEL");
}

TEST(ApiHistory, OurOwn) {
  for (const History& history : {read<History>("history", R"({"channel":"a","since":"k3j9x0ab:7","limit":5})"),
                                 ask<History>("history", "channel=a&since=k3j9x0ab:7&limit=5")}) {
    EXPECT_EQ(history.channel, "a");
    ASSERT_TRUE(history.since);
    EXPECT_EQ(history.since->kind, hub::Since::Kind::position);
    EXPECT_EQ(history.since->position.offset, 7U);
    EXPECT_EQ(history.limit, 5U);
    EXPECT_EQ(history.window.messages_max, 0U) << "the messages are the publications";
  }
  const auto defaults = read<History>("history", R"({"channel":"a"})");
  EXPECT_EQ(defaults.limit, 100U);
  EXPECT_EQ(defaults.since->kind, hub::Since::Kind::last);
  EXPECT_EQ(defaults.since->count, 100U);
  EXPECT_EQ(defaults.window.messages_max, 100U);
  EXPECT_EQ(ask<History>("history", "channel=a&limit=3").since->count, 3U);
  const auto large = read<History>("history", R"({"channel":"a","limit":5000})");
  EXPECT_EQ(large.since->count, 1000U);
  EXPECT_EQ(large.window.messages_max, 5000U);
  EXPECT_EQ(read<History>("history", R"({"channel":"a","limit":2000000000})").window.messages_max, kHistoryLimitMax);
  EXPECT_EQ(read<History>("history", R"({"channel":"a","since":-5})").since->count, 5U);
  EXPECT_EQ(read<History>("history", R"({"channel":"a","since":1763640000123})").since->time.ms, 1763640000123);
}

TEST(ApiHistory, TheOriginals) {
  const auto all = read<History>("history", R"({"channel":"a","limit":-1})");
  EXPECT_FALSE(all.since);
  EXPECT_EQ(all.window.messages_max, kHistoryLimitMax);
  EXPECT_FALSE(all.window.since);
  EXPECT_EQ(all.window.order, hub::Window::Order::oldest_first);
  EXPECT_EQ(read<History>("history", R"({"channel":"a","limit":0})").window.messages_max, 0U);
  const auto since =
      read<History>("history", R"({"channel":"a","limit":3,"since":{"offset":7,"epoch":"k3j9x0ab"},"reverse":true})");
  EXPECT_EQ(since.window.since->offset, 7U);
  EXPECT_EQ(since.window.since->epoch.view(), "k3j9x0ab");
  EXPECT_EQ(since.window.order, hub::Window::Order::newest_first);
  EXPECT_EQ(since.window.messages_max, 3U);
  EXPECT_EQ(read<History>("history", R"({"channel":"a","since":{}})").window.since->epoch.view(), "") << "any epoch";
  const auto other = read<History>("history", R"({"channel":"a","since":{"offset":7,"epoch":"XYZ"}})");
  EXPECT_FALSE(other.window.since->epoch == hub::Epoch{});
  EXPECT_EQ(other.window.messages_max, 0U) << "without a limit only the position";
  EXPECT_EQ(read<History>("history", R"({"channel":"a","reverse":true,"limit":5})").window.messages_max, 5U);
}

TEST(ApiHistory, InvalidInput) {
  const std::pair<const char*, const char*> table[] = {
      {"{}", "E_PARAMETER"},
      {R"({"channel":"a","since":true})", "E_PARAMETER"},
      {R"({"channel":"a","since":"x"})", "E_CURSOR"},
      {R"({"channel":"a","since":1.5})", "E_CURSOR"},
      {R"({"channel":"a","since":"k3j9x0ab:7,k3j9x0ab:7"})", "E_CURSOR"},
      {R"({"channel":"a","since":"k3j9x0ab:7","limit":-1})", "E_PARAMETER"},
      {R"({"channel":"a","since":"k3j9x0ab:7","reverse":true})", "E_PARAMETER"},
      {R"({"channel":"a","since":{"offset":-1}})", "E_PARAMETER"},
      {R"({"channel":"a","since":{"offset":1,"x":2}})", "E_PARAMETER"},
      {R"({"channel":"a","since":{"epoch":1}})", "E_PARAMETER"},
      {R"({"channel":"a","limit":"5"})", "E_PARAMETER"},
      {R"({"channel":"a","limit":1e2})", "E_PARAMETER"},
      {R"({"channel":"a","limits":1})", "E_PARAMETER"},
      {R"({"channel":"a","reverse":1})", "E_PARAMETER"},
  };
  for (const auto& [body, error] : table) EXPECT_EQ(error_of("history", body), error) << body;
  for (const char* raw :
       {"", "channel=a&channel=b", "channel=a&limit=0", "channel=a&limit=1001", "channel=a&since=-1&since=-1"}) {
    EXPECT_EQ(error_of(parse_request("history", query(raw))), "E_PARAMETER") << raw;
  }
  EXPECT_EQ(error_of(parse_request("history", query("channel="))), "E_CHANNEL");
}

TEST(ApiChannels, BodyAndQuery) {
  EXPECT_FALSE(read<Channels>("channels", "").limit);
  EXPECT_EQ(read<Channels>("channels", "{}").prefix, "");
  for (const Channels& channels : {read<Channels>("channels", R"({"prefix":"chat:","limit":7})"),
                                   ask<Channels>("channels", "prefix=chat%3A&limit=7")}) {
    EXPECT_EQ(channels.prefix, "chat:");
    EXPECT_EQ(channels.limit, 7U);
  }
  const auto paged = read<Channels>("channels", R"({"pattern":"chat:*","limit":1,"cursor":"chat:1"})");
  EXPECT_EQ(paged.pattern, "chat:*");
  EXPECT_EQ(paged.cursor, "chat:1");
  for (const char* body : {"[]", R"({"prefix":1})", R"({"limit":1001})", R"({"limit":0})", R"({"x":1})",
                           R"({"pattern":"["})", R"({"pattern":1})", R"({"cursor":1})"}) {
    EXPECT_EQ(error_of("channels", body), "E_PARAMETER") << body;
  }
  EXPECT_EQ(error_of("channels", " "), "E_JSON");
  EXPECT_EQ(error_of(parse_request("channels", query("limit=x"))), "E_PARAMETER");
  EXPECT_EQ(error_of(parse_request("channels", query("prefix=a&prefix=a"))), "E_PARAMETER");
}

TEST(ApiConnections, Subscribe) {
  const auto subscribe = read<Subscribe>(
      "subscribe",
      R"({"user":"u","channel":"a","client":"c","session":"s","info":{"x": 1},"b64data":"eyJ5IjoyfQ==","expire_at":1700000000,
          "recover_since":{"offset":3,"epoch":"k3j9x0ab"},"override":{"presence":{"value":true},"join_leave":{"value":false}}})");
  EXPECT_EQ(subscribe.target.user, "u");
  EXPECT_EQ(subscribe.target.client, "c");
  EXPECT_EQ(subscribe.target.session, "s");
  EXPECT_EQ(subscribe.info, R"({"x": 1})");
  EXPECT_EQ(subscribe.data, R"({"y":2})");
  EXPECT_EQ(subscribe.expires.ms, 1'700'000'000'000);
  EXPECT_EQ(subscribe.recover_since->offset, 3U);
  EXPECT_EQ(subscribe.presence, true);
  EXPECT_EQ(subscribe.join_leave, false);
  EXPECT_FALSE(subscribe.force_recovery);
  const auto with = [](const std::string& more) {
    return error_of("subscribe", R"({"user":"u","channel":"a",)" + more + "}");
  };
  for (const char* bad : {R"("info":1,"b64info":"MQ==")", R"("b64info":"*")", R"("b64data":"Lg==")",
                          R"("expire_at":-1)", R"("override":{"presence":true})", R"("override":{"x":{"value":true}})",
                          R"("recover_since":1)", R"("client":1)", R"("session":"\n")", R"("label_filter":"x")"}) {
    EXPECT_NE(with(bad), "none") << bad;
  }
  EXPECT_EQ(with(R"("info":")" + std::string(kInfoBytesMax, 'x') + "\""), "E_PARAMETER");
  EXPECT_EQ(error_of("subscribe", R"({"channel":"a"})"), "E_PARAMETER") << "whose connections?";
  EXPECT_EQ(error_of("subscribe", R"({"user":"","channel":"a","client":"c"})"), "none");
}

TEST(ApiConnections, Disconnect) {
  const auto plain = read<Disconnect>("disconnect", R"({"user":"u"})");
  EXPECT_EQ(plain.code, 3503);
  EXPECT_EQ(plain.reason, "");
  const auto full =
      read<Disconnect>("disconnect", R"({"user":"u","disconnect":{"code":4500,"reason":"go"},"whitelist":["a","b"]})");
  EXPECT_EQ(full.code, 4500);
  EXPECT_EQ(full.reason, "go");
  EXPECT_EQ(full.whitelist.size(), 2U);
  for (const char* bad :
       {R"("disconnect":{"code":2999})", R"("disconnect":{"code":5000})", R"("disconnect":{"reason":"\u00e9"})",
        R"("disconnect":{"reason":"a\nb"})", R"("disconnect":{"reason":"0123456789012345678901234567890123"})",
        R"("disconnect":1)", R"("whitelist":"a")", R"("whitelist":[1])"}) {
    EXPECT_EQ(error_of("disconnect", std::string(R"({"user":"u",)") + bad + "}"), "E_PARAMETER") << bad;
  }
}

TEST(ApiConnections, UsersAndTokens) {
  EXPECT_EQ(read<Unsubscribe>("unsubscribe", R"({"user":"u","channel":"a"})").channel, "a");
  const auto refresh = read<Refresh>("refresh", R"({"user":"u","expired":true,"expire_at":5,"info":[1]})");
  EXPECT_EQ(refresh.verdict, Refresh::Verdict::expired);
  EXPECT_EQ(refresh.expires.ms, 5000);
  EXPECT_EQ(refresh.info, "[1]");
  EXPECT_EQ(read<Connections>("connections", "{}").limit, 100U);
  EXPECT_EQ(read<Connections>("connections", R"({"user":"u","limit":5,"cursor":"c"})").cursor, "c");
  EXPECT_EQ(read<BlockUser>("block_user", R"({"user":"u","expire_at":7})").expires.ms, 7000);
  EXPECT_EQ(read<UnblockUser>("unblock_user", R"({"user":"u"})").user, "u");
  EXPECT_EQ(read<RevokeToken>("revoke_token", R"({"uid":"j"})").token_id, "j");
  EXPECT_EQ(read<InvalidateUserTokens>("invalidate_user_tokens", R"({"user":"u","issued_before":9})").issued_before.ms,
            9000);
  EXPECT_EQ(read<BlockUser>("block_user", R"({"user":"u","expire_at":18446744073709551615})").expires.ms,
            INT64_MAX / 1000 * 1000);
  const std::pair<const char*, const char*> bad[] = {
      {"unsubscribe", R"({"user":"u"})"},       {"refresh", "{}"},      {"connections", R"({"limit":0})"},
      {"connections", R"({"limit":1001})"},     {"block_user", "{}"},   {"block_user", R"({"user":""})"},
      {"unblock_user", R"({"user":1})"},        {"revoke_token", "{}"}, {"invalidate_user_tokens", "{}"},
      {"connections", R"({"expression":"x"})"},
  };
  for (const auto& [method, body] : bad) EXPECT_EQ(error_of(method, body), "E_PARAMETER") << method << body;
}

TEST(ApiOthers, Small) {
  EXPECT_EQ(read<HistoryRemove>("history_remove", R"({"channel":"a"})").channel, "a");
  EXPECT_EQ(read<PresenceStats>("presence_stats", R"({"channel":"a"})").channel, "a");
  EXPECT_EQ(read<Presence>("presence", R"({"channel":"a"})").limit, 0U);
  EXPECT_EQ(read<Presence>("presence", R"({"channel":"a","limit":9,"cursor":"x"})").limit, 9U);
  EXPECT_EQ(read<Rpc>("rpc", R"({"method":"m","params":{"a":1}})").params, R"({"a":1})");
  read<Info>("info", R"({"whatever":1})");
  read<NotServed>("shared_poll_publish", R"({"channel":"a","key":"k"})");
  EXPECT_EQ(error_of("nothing", "{}"), "E_NOT_FOUND");
  EXPECT_EQ(error_of("", "{}"), "E_NOT_FOUND");
  EXPECT_EQ(error_of(parse_request("publish", query("channel=a&data=1"))), "E_METHOD");
  EXPECT_EQ(error_of(parse_request("batch", query(""))), "E_METHOD");
  EXPECT_EQ(error_of(parse_request("nothing", query(""))), "E_NOT_FOUND");
}

TEST(ApiMaps, EveryField) {
  const auto publish = read<MapPublish>(
      "map_publish",
      R"({"channel":"a","key":"k","data":1,"stream_data":{"d":2},"score":-3,"key_mode":"if_new","version":4,
          "version_epoch":"e","tags":{"t":"v"},"expected_offset":5,"expected_epoch":"k3j9x0ab"})");
  EXPECT_EQ(publish.key, "k");
  EXPECT_EQ(publish.publication.content.payload, "1");
  EXPECT_EQ(publish.stream_data->payload, R"({"d":2})");
  EXPECT_EQ(publish.score, -3);
  EXPECT_EQ(publish.when, hub::MapChange::When::if_new);
  EXPECT_EQ(publish.publication.version, 4U);
  EXPECT_EQ(publish.expected, hub::parse_position("k3j9x0ab:5"));
  const auto plain =
      read<MapPublish>("map_publish", R"({"channel":"a","key":"k","b64data":"AAEC","b64stream_data":""})");
  EXPECT_FALSE(plain.stream_data);
  EXPECT_FALSE(plain.expected);
  EXPECT_EQ(plain.when, hub::MapChange::When::always);
  const auto binary = read<MapPublish>("map_publish", R"({"channel":"a","key":"k","data":1,"b64stream_data":"AAEC"})");
  EXPECT_EQ(binary.stream_data->kind, hub::Kind::binary);
  const auto remove = read<MapRemove>("map_remove", R"({"channel":"a","key":"k","idempotency_key":"i"})");
  EXPECT_EQ(remove.idempotency_key, "i");
  const auto state = read<MapReadState>(
      "map_read_state",
      R"({"channel":"a","cursor":"c","limit":-1,"asc":true,"revision_offset":1,"revision_epoch":"x"})");
  EXPECT_EQ(state.limit, kMapLimitMax);
  EXPECT_EQ(state.order, hub::ReadState::Order::ascending);
  EXPECT_TRUE(state.epoch) << "one that no channel has is one all the same";
  EXPECT_EQ(read<MapReadState>("map_read_state", R"({"channel":"a","revision_epoch":""})").limit, 100U);
  const auto stream = read<MapReadStream>("map_read_stream", R"({"channel":"a","since_offset":7,"limit":0})");
  EXPECT_EQ(stream.window.since->offset, 7U);
  EXPECT_EQ(stream.window.messages_max, 0U);
  EXPECT_FALSE(read<MapReadStream>("map_read_stream", R"({"channel":"a","since_offset":0})").window.since);
  EXPECT_EQ(read<MapStats>("map_stats", R"({"channel":"a"})").channel, "a");
  EXPECT_EQ(read<MapClear>("map_clear", R"({"channel":"a"})").channel, "a");
}

TEST(ApiMaps, Bad) {
  for (const char* body :
       {R"({"channel":"a","data":1})", R"({"channel":"a","key":"","data":1})",
        R"({"channel":"a","key":"\u0001","data":1})", R"({"channel":"a","key":"k"})",
        R"({"channel":"a","key":"k","data":1,"key_mode":"never"})",
        R"({"channel":"a","key":"k","data":1,"stream_data":1,"b64stream_data":"AAEC"})",
        R"({"channel":"a","key":"k","data":1,"b64stream_data":7})", R"({"channel":"a","key":"k","data":1,"score":1.5})",
        R"({"channel":"a","key":"k","data":1,"skip_history":true})",
        R"({"channel":"a","key":"k","data":1,"expected_offset":-1})"}) {
    EXPECT_EQ(error_of("map_publish", body), "E_PARAMETER") << body;
  }
  EXPECT_EQ(error_of("map_remove", R"({"channel":"a"})"), "E_PARAMETER");
  EXPECT_EQ(error_of("map_read_state", R"({"channel":"a","limit":"x"})"), "E_PARAMETER");
  EXPECT_EQ(error_of("map_read_stream", R"({"channel":"a","since_offset":-1})"), "E_PARAMETER");
  EXPECT_EQ(error_of("map_clear", "{}"), "E_PARAMETER");
}

TEST(ApiBatch, Commands) {
  const auto batch =
      parse_request("batch", R"({"parallel":true,"commands":[{"publish":{"channel":"a","data":1}},{"info":{}},
      {"publish":{}},{"nothing":{}},{"history":{"channel":"a"},"info":{}},{},{"method":"presence","params":{"channel":"a"}},7]})");
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->form, Request::Form::batch);
  EXPECT_EQ(batch->order, Request::Order::parallel);
  ASSERT_EQ(batch->commands.size(), 8U);
  std::string errors;
  for (const Asked& each : batch->commands) {
    errors += std::string(each.name) + "=" +
              std::string(each.command ? "none" : base::to_string(each.command.error().error)) + " ";
  }
  EXPECT_EQ(errors,
            "publish=none info=none publish=E_PARAMETER =E_NOT_FOUND =E_PARAMETER =E_PARAMETER presence=none "
            "=E_PARAMETER ");
  EXPECT_EQ(parse_request("batch", R"({"commands":[]})")->order, Request::Order::one_by_one);
  for (const char* body : {"{}", R"({"commands":{}})", R"({"commands":[],"x":1})", R"({"commands":[],"parallel":1})"}) {
    EXPECT_EQ(error_of("batch", body), "E_PARAMETER") << body;
  }
  const auto nested = parse_request("batch", R"({"commands":[{"batch":{"commands":[]}}]})");
  ASSERT_TRUE(nested);
  EXPECT_FALSE(nested->commands.at(0).command) << "a batch holds no batch";
}

TEST(ApiBatch, Limits) {
  const auto many = [](int count, const std::string& command) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + command;
    return error_of("batch", R"({"commands":[)" + text + "]}");
  };
  EXPECT_EQ(many(1000, R"({"info":{}})"), "none");
  EXPECT_EQ(many(1001, R"({"info":{}})"), "E_PARAMETER");
  std::string channels;
  for (int i = 0; i < 1000; ++i) channels += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
  const std::string broadcast = R"({"broadcast":{"data":1,"channels":[)" + channels + "]}}";
  EXPECT_EQ(many(10, broadcast), "none");
  EXPECT_EQ(many(11, broadcast), "E_PARAMETER");
}

TEST(ApiLegacy, OneOrMore) {
  const auto names = [](std::string_view body) {
    const auto request = parse_legacy_request(body);
    if (!request) return error_of(request);
    std::string text;
    for (const Asked& each : request->commands) {
      text += std::to_string(each.id) + std::string(each.name) + (each.command ? "" : "!") + " ";
    }
    return text;
  };
  const std::string publish = R"("params":{"channel":"a","data":1}})";
  EXPECT_EQ(names(R"({"method":"publish",)" + publish), "0publish ");
  EXPECT_EQ(names(R"({"method":"PUBLISH","id":5,)" + publish), "5publish ");
  EXPECT_EQ(names(R"({"method":0,)" + publish), "0publish ");
  EXPECT_EQ(names("{" + publish), "0publish ") << "0 is left out by those who leave out zeros";
  EXPECT_EQ(names("{\n\"method\":\"info\"\n}"), "0info ") << "one command over several lines";
  EXPECT_EQ(names(R"({"method":"info","id":1})"
                  "\n\r\n"
                  R"({"method":9,"id":2})"
                  "\n"),
            "1info 2info ");
  EXPECT_EQ(names(R"({"method":"nothing"})"), "0! ");
  EXPECT_EQ(names(R"({"method":13})"), "0! ");
  EXPECT_EQ(names(R"({"method":"publish","params":{}})"), "0publish! ");
  EXPECT_EQ(names(R"({"method":"info","id":4294967296})"), "0! ");
  EXPECT_EQ(names(R"({"method":"info","id":-1})"), "0! ");
  EXPECT_EQ(names(R"({"method":"info","x":1})"), "0! ");
  EXPECT_EQ(names("[]"), "0! ");
  EXPECT_EQ(names(""), "E_JSON");
  EXPECT_EQ(names("\n"), "E_JSON");
  EXPECT_EQ(names("{\"method\":\"info\"}\n{"), "E_JSON");
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "{\"method\":\"info\"}\n";
  EXPECT_EQ(names(many), "E_PARAMETER");
}

// Every name is taken by parse_request, and the two lists of methods say the same.
TEST(ApiMethods, Table) {
  for (const std::string_view name : method_names()) {
    EXPECT_NE(error_of(name, "{}"), "E_NOT_FOUND") << name;
    EXPECT_EQ(is_method(name), name != "batch");
  }
  EXPECT_EQ(method_names().size(), 40U);
}

}  // namespace
}  // namespace door::server_api
