#include "door/publish/publish.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace door::publish {
namespace {

std::string content(std::optional<std::string_view> type, std::string_view body) {
  const auto made = content_of(type, body);
  if (!made) return std::string(base::to_string(made.error()));
  const std::string_view kind = made->kind == hub::Kind::json   ? "json "
                                : made->kind == hub::Kind::text ? "text "
                                                                : "binary ";
  return std::string(kind) + made->payload;
}

TEST(Content, KindByTypeAndBytes) {
  EXPECT_EQ(content("application/json", "{\"a\" :\n1}"), "json {\"a\" :1}");
  EXPECT_EQ(content("Application/JSON; charset=utf-8", "1"), "json 1");
  EXPECT_EQ(content("application/json ;x", "1"), "json 1");
  EXPECT_EQ(content("application/ld+json", "[]"), "json []");
  EXPECT_EQ(content("application/octet-stream", "text"), "binary text");
  EXPECT_EQ(content("text/plain", "{"), "text {");
  EXPECT_EQ(content("text/json", "{"), "text {");
  EXPECT_EQ(content("application/x-www-form-urlencoded", "hello"), "text hello");
  EXPECT_EQ(content("text/plain", "\xff"), "binary \xff");
  EXPECT_EQ(content("", "新闻"), "text 新闻");
  EXPECT_EQ(content({}, ""), "text ");
  EXPECT_EQ(content({}, "\xc0\x80"), "binary \xc0\x80");
  EXPECT_EQ(content("application/json", ""), "E_JSON");
  EXPECT_EQ(content("application/json", "{"), "E_JSON");
  EXPECT_EQ(content("application/json", std::string(100, '[')), "E_JSON_DEPTH");
}

TEST(IdempotencyKey, Grammar) {
  EXPECT_TRUE(is_valid_idempotency_key("a"));
  EXPECT_TRUE(is_valid_idempotency_key("\"8e03978e-40d5-43dd-bc93-6894a57f9324\""));
  EXPECT_TRUE(is_valid_idempotency_key(std::string(255, '~')));
  for (const std::string& key : {std::string(), std::string(256, 'a'), std::string("a b"), std::string("a\t"),
                                 std::string("\x7f"), std::string("\xc3\xa9"), std::string("\0", 1)}) {
    EXPECT_FALSE(is_valid_idempotency_key(key)) << key;
  }
}

template <typename Request>
std::string error_of(const std::expected<Request, base::Refusal>& request) {
  return request ? "none" : std::string(base::to_string(request.error()));
}

TEST(ApiPublish, EveryPayload) {
  const auto data = parse_api_publish(R"( {"channel":"a","data": {"x": 1.10,
      "y":12345678901234567890123} ,"idempotency_key":"k"} )");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->channel, "a");
  EXPECT_EQ(data->content.kind, hub::Kind::json);
  EXPECT_EQ(data->content.payload, R"({"x": 1.10,      "y":12345678901234567890123})");
  EXPECT_EQ(data->idempotency_key, "k");
  const auto text = parse_api_publish(R"({"text":"a\n\u00e9","channel":"\u65b0"})");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->channel, "新");
  EXPECT_EQ(text->content.payload, "a\né");
  EXPECT_EQ(text->content.kind, hub::Kind::text);
  EXPECT_FALSE(text->idempotency_key);
  const auto binary = parse_api_publish(R"({"channel":"a","base64":"AAEC"})");
  ASSERT_TRUE(binary);
  EXPECT_EQ(binary->content.payload, std::string("\0\1\2", 3));
  EXPECT_EQ(binary->content.kind, hub::Kind::binary);
  EXPECT_TRUE(parse_api_publish(R"({"channel":"a","data":null})"));
}

TEST(ApiPublish, Tags) {
  const auto publish =
      parse_api_publish(R"({"channel":"a","text":"x","tags":{"side":"b\u00fcy","a":"","\u0067":"{"}})");
  ASSERT_TRUE(publish);
  const std::vector<hub::Tag> expected = {{"a", ""}, {"g", "{"}, {"side", "büy"}};
  EXPECT_EQ(std::vector(publish->tags.all().begin(), publish->tags.all().end()), expected);
  EXPECT_TRUE(parse_api_publish(R"({"channel":"a","text":"x"})")->tags.empty());
  EXPECT_TRUE(parse_api_publish(R"({"channel":"a","text":"x","tags":{}})")->tags.empty());

  const auto with = [](const std::string& tags) {
    return error_of(parse_api_publish(R"({"channel":"a","text":"x","tags":)" + tags + "}"));
  };
  const auto many = [&](int count) {
    std::string tags;
    for (int i = 0; i < count; ++i) tags += (i == 0 ? "{\"" : ",\"") + std::to_string(i) + R"(":"v")";
    return with(tags + "}");
  };
  EXPECT_EQ(many(16), "none");
  EXPECT_EQ(many(17), "E_PARAMETER");
  EXPECT_EQ(many(1000), "E_PARAMETER");
  EXPECT_EQ(with("{\"" + std::string(255, 'k') + "\":\"" + std::string(1024, 'v') + "\"}"), "none");
  EXPECT_EQ(with("{\"" + std::string(256, 'k') + "\":\"\"}"), "E_PARAMETER");
  EXPECT_EQ(with("{\"k\":\"" + std::string(1025, 'v') + "\"}"), "E_PARAMETER");
  for (const char* tags : {"null", "[]", "\"k\"", "1", R"({"k":1})", R"({"k":null})", R"({"k":["v"]})", R"({"":"v"})",
                           R"({"k":"v","k":"v"})", R"({"k":"v","\u006b":"w"})"}) {
    EXPECT_EQ(with(tags), "E_PARAMETER") << tags;
  }
}

TEST(ContentHash, CountsAllThatIsSaid) {
  const auto hash = [](hub::Kind kind, std::string payload, std::vector<hub::Tag> tags) {
    return content_hash({kind, std::move(payload)}, hub::Tags::make(std::move(tags)).value(), 7);
  };
  const auto first = hash(hub::Kind::text, "x", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(first, hash(hub::Kind::text, "x", {{"b", "2"}, {"a", "1"}}));
  EXPECT_EQ(hash(hub::Kind::text, "x", {}), base::hash128("x", 7 + static_cast<std::uint64_t>(hub::Kind::text)));
  const base::Hash128 others[] = {
      hash(hub::Kind::text, "x", {}),
      hash(hub::Kind::json, "x", {{"a", "1"}, {"b", "2"}}),
      hash(hub::Kind::text, "y", {{"a", "1"}, {"b", "2"}}),
      hash(hub::Kind::text, "x", {{"a", "1"}}),
      hash(hub::Kind::text, "x", {{"a", "1"}, {"b", "3"}}),
      hash(hub::Kind::text, "x", {{"a", "1"}, {"c", "2"}}),
      hash(hub::Kind::text, "x", {{"a", "11:b1:2"}}),
  };
  for (const base::Hash128& each : others) EXPECT_FALSE(each == first);
}

TEST(ApiPublish, InvalidInputHasAnExactError) {
  const std::pair<const char*, const char*> table[] = {
      {"", "E_JSON"},
      {"{", "E_JSON"},
      {R"({"channel":"a","data":1e400})", "E_JSON"},
      {"[]", "E_PARAMETER"},
      {"{}", "E_PARAMETER"},
      {R"({"channel":"a"})", "E_PARAMETER"},
      {R"({"data":1})", "E_PARAMETER"},
      {R"({"channel":1,"data":1})", "E_PARAMETER"},
      {R"({"channel":"","data":1})", "E_CHANNEL"},
      {R"({"channel":"a\u0000","data":1})", "E_CHANNEL"},
      {R"({"channel":"a","data":1,"text":"b"})", "E_PARAMETER"},
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
  for (const auto& [body, error] : table) EXPECT_EQ(error_of(parse_api_publish(body)), error) << body;
  EXPECT_EQ(error_of(parse_api_publish("{\"channel\":\"a\",\"data\":" + std::string(40, '['))), "E_JSON_DEPTH");
}

TEST(ApiHistory, BodyAndQueryAreTheSame) {
  const auto check = [](const std::expected<ApiHistory, base::Refusal>& request) {
    ASSERT_TRUE(request);
    EXPECT_EQ(request->channel, "a");
    EXPECT_EQ(request->since.kind, hub::Since::Kind::position);
    EXPECT_EQ(request->since.position.offset, 7U);
    EXPECT_EQ(request->limit, 5U);
  };
  check(parse_api_history(R"({"channel":"a","since":"k3j9x0ab:7","limit":5})"));
  check(parse_api_history(*codec::Query::parse("channel=a&since=k3j9x0ab:7&limit=5")));

  const auto defaults = parse_api_history(R"({"channel":"a"})");
  ASSERT_TRUE(defaults);
  EXPECT_EQ(defaults->limit, 100U);
  EXPECT_EQ(defaults->since.kind, hub::Since::Kind::last);
  EXPECT_EQ(defaults->since.count, 100U);
  const auto limited = parse_api_history(*codec::Query::parse("channel=a&limit=3"));
  ASSERT_TRUE(limited);
  EXPECT_EQ(limited->since.count, 3U);
  EXPECT_EQ(parse_api_history(R"({"channel":"a","since":-5})")->since.count, 5U);
  EXPECT_EQ(parse_api_history(R"({"channel":"a","since":1763640000123})")->since.time.ms, 1763640000123);
}

TEST(ApiHistory, InvalidInput) {
  const std::pair<const char*, const char*> table[] = {
      {"{}", "E_PARAMETER"},
      {R"({"channel":"a","since":true})", "E_PARAMETER"},
      {R"({"channel":"a","since":"x"})", "E_CURSOR"},
      {R"({"channel":"a","since":1.5})", "E_CURSOR"},
      {R"({"channel":"a","since":"k3j9x0ab:7,k3j9x0ab:7"})", "E_CURSOR"},
      {R"({"channel":"a","limit":0})", "E_PARAMETER"},
      {R"({"channel":"a","limit":1001})", "E_PARAMETER"},
      {R"({"channel":"a","limit":"5"})", "E_PARAMETER"},
      {R"({"channel":"a","limit":1e2})", "E_PARAMETER"},
      {R"({"channel":"a","limits":1})", "E_PARAMETER"},
  };
  for (const auto& [body, error] : table) EXPECT_EQ(error_of(parse_api_history(body)), error) << body;
  for (const char* raw : {"", "channel=a&channel=b", "channel=a&limit=0", "channel=a&since=-1&since=-1"}) {
    EXPECT_EQ(error_of(parse_api_history(*codec::Query::parse(raw))), "E_PARAMETER") << raw;
  }
  EXPECT_EQ(error_of(parse_api_history(*codec::Query::parse("channel="))), "E_CHANNEL");
}

TEST(ApiChannels, BodyAndQuery) {
  EXPECT_EQ(parse_api_channels("")->limit, 100U);
  EXPECT_EQ(parse_api_channels("{}")->prefix, "");
  const auto body = parse_api_channels(R"({"prefix":"chat:","limit":7})");
  const auto query = parse_api_channels(*codec::Query::parse("prefix=chat%3A&limit=7"));
  ASSERT_TRUE(body && query);
  EXPECT_EQ(body->prefix, "chat:");
  EXPECT_EQ(query->prefix, "chat:");
  EXPECT_EQ(body->limit, 7U);
  EXPECT_EQ(query->limit, 7U);
  for (const char* text : {"[]", R"({"prefix":1})", R"({"limit":1001})", R"({"x":1})"}) {
    EXPECT_EQ(error_of(parse_api_channels(text)), "E_PARAMETER") << text;
  }
  EXPECT_EQ(error_of(parse_api_channels(" ")), "E_JSON");
  EXPECT_EQ(error_of(parse_api_channels(*codec::Query::parse("limit=x"))), "E_PARAMETER");
  EXPECT_EQ(error_of(parse_api_channels(*codec::Query::parse("prefix=a&prefix=a"))), "E_PARAMETER");
}

TEST(Answers, PublishedAndHistory) {
  constexpr hub::Epoch kEpoch{{'k', '3', 'j', '9', 'x', '0', 'a', 'b'}};
  hub::Published published;
  published.position = {kEpoch, 17};
  published.time = {1763640000123};
  published.workers = 3;
  std::string out;
  append_published(out, "news", published);
  EXPECT_EQ(out,
            R"({"channel":"news","epoch":"k3j9x0ab","offset":17,"time":1763640000123,"level":"accepted","workers":3})");

  hub::Page page;
  page.head = {kEpoch, 3};
  page.first_held = 2;
  out.clear();
  append_history(out, "news", page);
  EXPECT_EQ(out, R"({"channel":"news","epoch":"k3j9x0ab","head":3,"first":2,"messages":[]})");

  for (hub::Offset offset = 2; offset <= 3; ++offset) {
    auto message = std::make_shared<hub::Message>(hub::Kind::json, "[]", base::Instant{});
    message->number(offset, {5}, {});
    page.messages.push_back(std::move(message));
  }
  page.gap = hub::Gap{1, 1, hub::GapReason::expired};
  out.clear();
  append_history(out, "news", page);
  EXPECT_EQ(out, R"({"channel":"news","epoch":"k3j9x0ab","head":3,"first":2,"messages":[)"
                 R"({"channel":"news","offset":2,"epoch":"k3j9x0ab","time":5,"data":[]},)"
                 R"({"channel":"news","offset":3,"epoch":"k3j9x0ab","time":5,"data":[]}],)"
                 R"("gap":{"from":1,"to":1,"reason":"expired"}})");
}

}  // namespace
}  // namespace door::publish
