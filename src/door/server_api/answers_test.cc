#include "door/server_api/answers.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/json_in.h"

namespace door::server_api {
namespace {

constexpr hub::Epoch kEpoch{{'k', '3', 'j', '9', 'x', '0', 'a', 'b'}};

std::string single(const Answer& answer) {
  std::string out;
  append_single(out, answer);
  EXPECT_EQ(codec::check_json(out), base::Error::none) << out;
  return out;
}

hub::MessageRef message(hub::Offset offset, hub::Kind kind, std::string_view payload, hub::Extras extras = {}) {
  auto made = hub::Message::make(kind, payload, {}, std::move(extras));
  made->number(offset, {5}, {});
  return made;
}

TEST(Codes, EveryErrorHasOneAndItsStatus) {
  for (const base::ErrorEntry& each : base::all_errors()) {
    const Code code = code_of(each.error);
    EXPECT_NE(to_string(code), "") << each.code;
    EXPECT_GE(status_of(code), 400) << each.code;
    EXPECT_EQ(code == Code::internal, status_of(code) == 500) << each.code;
  }
  EXPECT_EQ(code_of(base::Error::bad_parameter), Code::bad_request);
  EXPECT_EQ(code_of(base::Error::payload_too_big), Code::bad_request);
  EXPECT_EQ(code_of(base::Error::not_found), Code::method_not_found);
  EXPECT_EQ(code_of(base::Error::forbidden), Code::unknown_channel);
  EXPECT_EQ(code_of(base::Error::not_implemented), Code::not_available);
  EXPECT_EQ(code_of(base::Error::memory), Code::internal);
  EXPECT_EQ(code_of(base::Error::conflict), Code::conflict);
  EXPECT_EQ(code_of(base::Error::rate), Code::too_many_requests);
  EXPECT_EQ(code_of(base::Error::unrecoverable_position), Code::unrecoverable_position);
  // As the original maps them.
  EXPECT_EQ(status_of(Code::unknown_channel), 404);
  EXPECT_EQ(status_of(Code::method_not_found), 404);
  EXPECT_EQ(status_of(Code::bad_request), 400);
  EXPECT_EQ(status_of(Code::not_available), 400);
  EXPECT_EQ(status_of(Code::unrecoverable_position), 416);
  EXPECT_EQ(status_of(Code::conflict), 409);
}

TEST(Answers, RefusalsCarryBothCodes) {
  std::string out;
  append_refusal(out, {base::Error::bad_parameter, "limit: \"1\""}, 3);
  EXPECT_EQ(out,
            R"({"code":"E_PARAMETER","message":"A query parameter or field is missing or not valid. limit: \"1\"",)"
            R"("retry_after":3,"error":{"code":107,"message":"bad request"}})");
}

TEST(Answers, Published) {
  hub::Published published;
  published.position = {kEpoch, 17};
  published.time = {1763640000123};
  published.workers = 3;
  EXPECT_EQ(single(answer_published("news", published)),
            R"({"channel":"news","epoch":"k3j9x0ab","offset":17,"time":1763640000123,"level":"accepted","workers":3,)"
            R"("result":{"offset":17,"epoch":"k3j9x0ab"}})");
  published.suppressed = hub::Suppression::version;
  EXPECT_EQ(answer_published("news", published).result, R"({"offset":17,"epoch":"k3j9x0ab","suppressed":true})");
  EXPECT_TRUE(answer_published("news", published).flat.ends_with(R"("suppressed":true)"));
  published.error = base::Error::memory;
  EXPECT_EQ(answer_published("news", published).refusal->error, base::Error::memory);
}

TEST(Answers, Broadcast) {
  hub::Published published;
  published.position = {kEpoch, 1};
  const Answer publishes[] = {answer_published("a", published),
                              {.refusal = base::Refusal(base::Error::conflict), .flat = {}}};
  EXPECT_EQ(
      single(answer_broadcast(publishes)),
      R"({"result":{"responses":[{"result":{"offset":1,"epoch":"k3j9x0ab"}},)"
      R"({"error":{"code":113,"message":"conflict","detail":"E_IDEMPOTENCY: This Idempotency-Key was used with other content."}}]}})");
}

TEST(Answers, HistoryInBothShapes) {
  hub::Page page;
  page.head = {kEpoch, 3};
  page.first_held = 2;
  page.messages = {message(2, hub::Kind::json, "[]"), message(3, hub::Kind::text, "a\"")};
  page.gap = hub::Gap{1, 1, hub::GapReason::expired};
  const History asked{.channel = "news", .since = hub::Since{}, .window = {}};
  EXPECT_EQ(
      single(answer_history(asked, page)),
      R"({"channel":"news","epoch":"k3j9x0ab","head":3,"first":2,"messages":[)"
      R"({"channel":"news","offset":2,"epoch":"k3j9x0ab","time":5,"data":[]},)"
      R"({"channel":"news","offset":3,"epoch":"k3j9x0ab","time":5,"text":"a\""}],)"
      R"("gap":{"from":1,"to":1,"reason":"expired"},)"
      R"("result":{"publications":[{"data":[],"offset":2},{"data":"a\"","offset":3}],"epoch":"k3j9x0ab","offset":3}})");
}

TEST(Answers, HistoryByWindow) {
  hub::Page page;
  page.head = {kEpoch, 9};
  hub::Extras extras;
  extras.tags = hub::Tags::make({{"side", "buy"}}).value();
  extras.publisher = {base::SharedBytes::copy("u"), base::SharedBytes::copy("c"), base::SharedBytes::copy("{}"), {}};
  page.window =
      hub::WindowView{.more = true, .messages = {message(4, hub::Kind::binary, std::string("\0\1", 2), extras)}};
  const History asked{.channel = "news", .since = {}, .window = {.messages_max = 1}};
  EXPECT_EQ(
      single(answer_history(asked, page)),
      R"({"result":{"publications":[{"b64data":"AAE=","info":{"user":"u","client":"c","conn_info":{}},"offset":4,)"
      R"("tags":{"side":"buy"}}],"epoch":"k3j9x0ab","offset":9,"more":true}})");
  page.window->status = hub::WindowView::Status::unrecoverable;
  EXPECT_EQ(answer_history(asked, page).refusal->error, base::Error::unrecoverable_position);
}

TEST(Answers, Channels) {
  ListedChannels listed;
  for (const char* name : {"b", "a", "c"}) {
    listed.summaries.push_back({.channel = name, .head = {kEpoch, 1}, .messages = 1, .bytes = 9, .watched = {}});
  }
  listed.watched = {
      {"a", {.subscribers = 2}}, {"a", {.subscribers = 1}}, {"only watched", {.subscribers = 1}}, {"b", {}}};
  listed.total = 7;
  const std::string a =
      R"({"channel":"a","epoch":"k3j9x0ab","head":1,"messages":1,"bytes":9,"subscribers":3,"lagging":0,"queued":0,)"
      R"("dropped":0,"conflated":0,"overload":0,"closed":0})";
  const Answer all = answer_channels({.limit = {}}, listed);
  EXPECT_TRUE(all.flat.starts_with("\"channels\":[" + a)) << all.flat;
  EXPECT_TRUE(all.flat.ends_with("\"total\":7")) << all.flat;
  EXPECT_EQ(all.result, R"({"channels":{"a":{"num_clients":3},"only watched":{"num_clients":1}}})");
  const Answer page = answer_channels({.limit = 2}, listed);
  EXPECT_EQ(page.result, R"({"channels":{"a":{"num_clients":3},"b":{}},"cursor":"b"})");
  EXPECT_TRUE(page.flat.ends_with(R"("total":7,"cursor":"b")"));
  single(page);
  EXPECT_EQ(answer_channels({.limit = 3}, listed).result, R"({"channels":{"a":{"num_clients":3},"b":{},"c":{}}})");
}

TEST(Answers, PresenceAndInfo) {
  const Member members[] = {{"c1", "u", R"({"a":1})", ""}, {"c2", "", "", "[]"}};
  EXPECT_EQ(
      single(answer_presence(members, "")),
      R"({"result":{"presence":{"c1":{"user":"u","client":"c1","conn_info":{"a":1}},"c2":{"user":"","client":"c2","chan_info":[]}}}})");
  EXPECT_EQ(answer_presence({}, "x").result, R"({"presence":{},"cursor":"x"})");
  EXPECT_EQ(single(answer_presence_stats(2, 1)), R"({"result":{"num_clients":2,"num_users":1}})");
  const Node node{
      .uid = "1", .name = "n", .version = "v", .clients = 1, .uptime_s = 5, .cpu = 12.34, .resident_bytes = 7};
  EXPECT_EQ(single(answer_info("\"version\":\"v\"", {&node, 1})),
            R"({"version":"v","result":{"nodes":[{"uid":"1","name":"n","version":"v","num_clients":1,"num_users":0,)"
            R"("num_channels":0,"num_subs":0,"uptime":5,"process":{"cpu":12.3,"rss":7}}]}})");
}

TEST(Answers, Connections) {
  std::vector<hub::ConnectionSummary> listed = {{.id = "b",
                                                 .user = "u",
                                                 .transport = "websocket",
                                                 .protocol = "json",
                                                 .token_id = "t",
                                                 .issued = {5000},
                                                 .channels = {"x", "y"},
                                                 .meta = "{}"},
                                                {.id = "a", .transport = "sse", .protocol = "raw"}};
  EXPECT_EQ(single(answer_connections({.limit = 2}, listed, 7)),
            R"({"result":{"connections":{"a":{"transport":"sse","protocol":"raw","state":{"channels":{}}},)"
            R"("b":{"transport":"websocket","protocol":"json","user":"u","state":{"channels":{"x":{},"y":{}},)"
            R"("connection_token":{"uid":"t","issued_at":5},"meta":{}}}},"total":7}})");
  EXPECT_TRUE(answer_connections({.limit = 1}, listed, 7).result.ends_with(R"("total":7,"cursor":"a"})"));
}

TEST(Answers, BatchAndLegacy) {
  const Asked asked[] = {
      {.name = "info", .id = 4, .command = Info{}},
      {.name = "publish", .id = 0, .command = std::unexpected(base::Refusal(base::Error::not_found))}};
  const Answer answers[] = {{.flat = "\"x\":1", .result = "{\"nodes\":[]}"},
                            {.refusal = base::Refusal(base::Error::not_found), .flat = {}}};
  const std::string error =
      R"({"error":{"code":104,"message":"method not found","detail":"E_NOT_FOUND: There is nothing at this path."}})";
  std::string out;
  append_batch(out, asked, answers);
  EXPECT_EQ(out, R"({"replies":[{"info":{"nodes":[]}},)" + error + "]}");
  out.clear();
  append_legacy(out, asked, answers);
  EXPECT_EQ(out, R"({"id":4,"result":{"nodes":[]}})"
                 "\n" +
                     error);
}

}  // namespace
}  // namespace door::server_api
