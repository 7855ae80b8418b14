#include "door/hook/request_json.h"

#include <gtest/gtest.h>

#include "codec/json_in.h"

namespace door::hook {
namespace {

const Caller kAlice{.client = "9336a229-2400-4ebc-8c50-0a643d22e8a0",
                    .transport = "websocket",
                    .protocol = "json",
                    .user = "alice",
                    .meta = R"({"plan":"gold"})"};
constexpr RequestForm kInPlace{};
constexpr RequestForm kBase64{.payloads = RequestForm::Payloads::base64};
constexpr RequestForm kMeta{.meta = RequestForm::Meta::include};

Payload json(std::string bytes) { return {Payload::Kind::json, std::move(bytes)}; }

TEST(HookRequestJson, Connect) {
  ConnectRequest request{
      .caller = kAlice, .data = json(R"({"a":1})"), .name = "js", .version = "5", .channels = {"x", "y"}};
  request.caller.user.clear();
  EXPECT_EQ(to_json(request, kInPlace),
            R"({"client":"9336a229-2400-4ebc-8c50-0a643d22e8a0","transport":"websocket","protocol":"json",)"
            R"("encoding":"json","data":{"a":1},"name":"js","version":"5","channels":["x","y"]})");
  EXPECT_EQ(to_json(request, kBase64),
            R"({"client":"9336a229-2400-4ebc-8c50-0a643d22e8a0","transport":"websocket","protocol":"json",)"
            R"("encoding":"binary","b64data":"eyJhIjoxfQ==","name":"js","version":"5","channels":["x","y"]})");
  EXPECT_EQ(to_json(ConnectRequest{}, kInPlace), R"({"encoding":"json"})") << "what is empty is left out";
}

TEST(HookRequestJson, TheOthers) {
  const Caller caller{.client = "c", .transport = "sse", .protocol = "json", .user = "u", .meta = "{}"};
  const std::string head = R"({"client":"c","transport":"sse","protocol":"json","encoding":"json","user":"u")";
  EXPECT_EQ(to_json(RefreshRequest{caller}, kInPlace), head + "}");
  EXPECT_EQ(to_json(RefreshRequest{caller}, kMeta), head + R"(,"meta":{}})");
  EXPECT_EQ(to_json(SubscribeRequest{caller, "ch", "tok", json("[1]")}, kInPlace),
            head + R"(,"channel":"ch","token":"tok","data":[1]})");
  EXPECT_EQ(to_json(SubRefreshRequest{caller, "ch"}, kMeta), head + R"(,"meta":{},"channel":"ch"})");
  EXPECT_EQ(to_json(PublishRequest{caller, "ch", json("null")}, kInPlace), head + R"(,"channel":"ch","data":null})");
  EXPECT_EQ(to_json(RpcRequest{caller, "add", json("1")}, kInPlace), head + R"(,"method":"add","data":1})");
  EXPECT_EQ(to_json(RpcRequest{caller, "", {}}, kInPlace), head + "}");
  EXPECT_EQ(to_json(CacheEmptyRequest{"ch"}, kInPlace), R"({"channel":"ch"})");
}

TEST(HookRequestJson, BinaryIsNeverPutInPlace) {
  const PublishRequest request{{}, "ch", {Payload::Kind::binary, std::string("\0\xff", 2)}};
  EXPECT_EQ(to_json(request, kInPlace), R"({"encoding":"json","channel":"ch","b64data":"AP8="})");
}

TEST(HookRequestJson, TextsAreEscaped) {
  const std::string hostile = "a\"},{\"user\":\"root\"\n\\\x01";
  const std::string text = to_json(RpcRequest{{.user = hostile}, hostile, {}}, kInPlace);
  const auto value = codec::JsonValue::parse(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->find("user")->string(), hostile);
  EXPECT_EQ(value->find("method")->string(), hostile);
}

}  // namespace
}  // namespace door::hook
