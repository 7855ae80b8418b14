#include "server/hooks.h"

#include <gtest/gtest.h>

#include <map>
#include <variant>

#include "server/test_outside.h"

namespace server {
namespace {

using namespace std::chrono_literals;
using namespace door::hook;

using test::Clock;
using test::LinesLog;
using test::Outside;
using test::Wakeup;

// What came back, as text.
class Sink final : public HookSink {
 public:
  void hook_answered(const HookAsker& asker, HookAnswer<ConnectResult> answer) override {
    note(asker, answer, [](const ConnectResult& result) { return "user " + result.user; });
  }
  void hook_answered(const HookAsker& asker, HookAnswer<RefreshResult> answer) override {
    note(asker, answer, [](const RefreshResult& result) { return result.expired ? "expired" : "valid"; });
  }
  void hook_answered(const HookAsker& asker, HookAnswer<SubscribeResult> answer) override {
    note(asker, answer, [](const SubscribeResult&) { return "subscribe"; });
  }
  void hook_answered(const HookAsker& asker, HookAnswer<SubRefreshResult> answer) override {
    note(asker, answer, [](const SubRefreshResult&) { return "sub_refresh"; });
  }
  void hook_answered(const HookAsker& asker, HookAnswer<PublishResult> answer) override {
    note(asker, answer, [](const PublishResult&) { return "publish"; });
  }
  void hook_answered(const HookAsker& asker, HookAnswer<RpcResult> answer) override {
    note(asker, answer, [](const RpcResult& result) { return "data " + result.data.bytes; });
  }
  void hook_answered(const HookAsker& asker, HookAnswer<CacheEmptyResult> answer) override {
    note(asker, answer, [](const CacheEmptyResult&) { return "cache_empty"; });
  }
  std::map<std::uint64_t, std::string> answers;  // by tag

 private:
  template <class Result>
  void note(const HookAsker& asker, const HookAnswer<Result>& answer, auto text_of) {
    EXPECT_FALSE(answers.contains(asker.tag)) << "answered twice";
    std::string& text = answers[asker.tag];
    if (!answer) {
      text = std::string("failed: ") + std::string(to_string(answer.error()));
    } else if (const auto* error = std::get_if<Error>(&*answer)) {
      text = "error " + std::to_string(error->code) + " " + error->message + (error->temporary ? " (temporary)" : "");
    } else if (const auto* disconnect = std::get_if<Disconnect>(&*answer)) {
      text = "disconnect " + std::to_string(disconnect->code) + " " + disconnect->reason;
    } else {
      text = text_of(std::get<Result>(*answer));
    }
  }
};

struct HooksTest : testing::Test {
  HooksTest() {
    hook.name = "main";
    hook.url = "http://backend:3000/hook?key=very-secret";
    hook.headers.emplace_back("Authorization: Bearer hidden");
    hook.forward_headers = {"Cookie", "X-Request-Id"};
    hook.status_rules = {"403 error 1403 not allowed", "503 disconnect 4503 later"};
    hook.in_flight_max = 8;
    configure();
    hooks.answer_to(sink);
  }
  void configure() {
    options.hooks = {hook};
    options.memory_bytes_max = 1 << 30;
    auto made = Snapshot::make(options, 1, loop::TicketKeys{});
    ASSERT_TRUE(made) << made.error();
    snapshot = *made;
  }
  void rpc(std::uint64_t tag, std::string_view name = "main") {
    hooks.ask({{1, 2}, tag}, name, RpcRequest{.caller = {.client = "c"}, .method = "m", .data = {}});
  }
  std::string answer_of(std::uint64_t tag) {
    hooks.deliver();
    return sink.answers.contains(tag) ? sink.answers[tag] : "nothing";
  }

  Options options;
  HookOptions hook;
  SnapshotRef snapshot;
  Counters counters;
  LinesLog log;
  Clock clock;
  Outside outside;
  Wakeup wakeup;
  Sink sink;
  Hooks hooks{snapshot, 2, counters, log, clock, outside, wakeup};
};

TEST_F(HooksTest, AsksAndAnswers) {
  const std::vector<egress::Header> headers = {{"Cookie", "a=b"}, {"X-Other", "no"}, {"x-request-id", "7"}};
  hooks.ask({{1, 2}, 5}, "main", ConnectRequest{.caller = {.client = "c", .transport = "sse"}}, headers);
  EXPECT_EQ(answer_of(5), "nothing");
  EXPECT_EQ(hooks.asked(), 1U);
  auto sent = outside.take();
  EXPECT_EQ(sent.request.url, hook.url);
  EXPECT_EQ(sent.request.body, R"({"client":"c","transport":"sse","encoding":"json"})");
  EXPECT_EQ(sent.request.timeout, 1s);
  EXPECT_EQ(sent.request.reach, egress::Reach::private_too);
  EXPECT_EQ(sent.request.headers, (std::vector<egress::Header>{{"Authorization", "Bearer hidden"},
                                                               {"Content-Type", "application/json"},
                                                               {"Wirebird-Hook", "connect"},
                                                               {"Cookie", "a=b"},
                                                               {"x-request-id", "7"}}));
  sent.answer(200, R"({"result":{"user":"alice"}})");
  EXPECT_EQ(wakeup.count, 1);
  EXPECT_EQ(answer_of(5), "user alice");
  EXPECT_EQ(hooks.asked(), 0U);
  EXPECT_EQ(counters.hooks_asked[static_cast<std::size_t>(Kind::connect)].get(), 1U);
}

TEST_F(HooksTest, EveryKindFindsItsWayBack) {
  hooks.ask({{}, 1}, "main", RefreshRequest{});
  hooks.ask({{}, 2}, "main", SubscribeRequest{.channel = "a"});
  hooks.ask({{}, 3}, "main", SubRefreshRequest{.channel = "a"});
  hooks.ask({{}, 4}, "main", PublishRequest{.channel = "a"});
  while (!outside.sent.empty()) outside.take().answer(200, R"({"result":{}})");
  EXPECT_EQ(answer_of(4), "publish");
  hooks.ask({{}, 5}, "main", RpcRequest{});
  hooks.ask({{}, 6}, "main", CacheEmptyRequest{"a"});
  while (!outside.sent.empty()) outside.take().answer(200, R"({"result":{"data":1}})");
  EXPECT_EQ(answer_of(6), "cache_empty");
  EXPECT_EQ(sink.answers[1], "valid");
  EXPECT_EQ(sink.answers[2], "subscribe");
  EXPECT_EQ(sink.answers[3], "sub_refresh");
  EXPECT_EQ(sink.answers[5], "data 1");
}

TEST_F(HooksTest, WhatTheBackEndMaySay) {
  struct Row {
    std::uint16_t status;
    const char* body;
    const char* answer;
  };
  std::uint64_t tag = 0;
  for (const Row& row :
       {Row{200, R"({"error":{"code":1000,"message":"no","temporary":true}})", "error 1000 no (temporary)"},
        Row{200, R"({"disconnect":{"code":4501,"reason":"bye"}})", "disconnect 4501 bye"}, Row{200, "{}", "data "},
        Row{200, "oops", "failed: malformed"}, Row{200, R"({"error":{"code":7}})", "failed: malformed"},
        Row{403, "x", "error 1403 not allowed"}, Row{302, "{}", "failed: status"}, Row{201, "{}", "failed: status"},
        Row{404, "", "failed: status"}, Row{503, "", "disconnect 4503 later"}, Row{500, "", "failed: status"}}) {
    rpc(++tag);
    outside.take().answer(row.status, row.body);
    EXPECT_EQ(answer_of(tag), row.answer) << row.status << row.body;
  }
  EXPECT_EQ(counters.hook_failures[static_cast<std::size_t>(HookFailure::malformed)].get(), 2U);
}

TEST_F(HooksTest, NoSuchHookAndBusy) {
  rpc(1, "gone");
  EXPECT_TRUE(hooks.pending());
  EXPECT_TRUE(sink.answers.empty()) << "never from inside ask()";
  EXPECT_EQ(answer_of(1), "failed: no_such_hook");
  EXPECT_FALSE(hooks.pending());
  for (std::uint64_t tag = 2; tag < 6; ++tag) rpc(tag);
  EXPECT_EQ(outside.sent.size(), 4U) << "this worker's half of 8";
  rpc(6);
  EXPECT_EQ(answer_of(6), "failed: busy");
  outside.take().answer(200, "{}");
  EXPECT_EQ(answer_of(2), "data ");
  rpc(7);
  EXPECT_EQ(outside.sent.size(), 4U);
  outside.take().answer(200, "{}");
  EXPECT_EQ(answer_of(3), "data ");
  outside.full = true;
  rpc(8);
  EXPECT_EQ(answer_of(8), "failed: busy");
}

TEST_F(HooksTest, ABackEndThatFailsIsSpared) {
  std::uint64_t tag = 0;
  for (std::uint32_t i = 0; i < CircuitBreaker::kFailuresMin; ++i) {
    rpc(++tag);
    outside.take().fail(egress::Failure::timeout);
    EXPECT_EQ(answer_of(tag), "failed: unreachable");
  }
  rpc(++tag);
  EXPECT_TRUE(outside.sent.empty());
  EXPECT_EQ(answer_of(tag), "failed: open_circuit");
  clock.time += 1s;
  rpc(++tag);
  rpc(++tag);
  ASSERT_EQ(outside.sent.size(), 1U) << "the probe";
  outside.take().answer(200, "{}");
  EXPECT_EQ(answer_of(tag), "failed: open_circuit");
  EXPECT_EQ(sink.answers[tag - 1], "data ");
  rpc(++tag);
  EXPECT_EQ(outside.sent.size(), 1U) << "closed again";
  std::string all;
  for (const std::string& line : log.lines) all += line + "\n";
  EXPECT_NE(all.find("hook_failed hook=\"main\" kind=\"rpc\" failure=\"unreachable\" reason=\"timeout: why\""),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("hook_circuit_open hook=\"main\""), std::string::npos) << all;
  EXPECT_NE(all.find("hook_circuit_closed hook=\"main\""), std::string::npos) << all;
  EXPECT_EQ(all.find("secret"), std::string::npos);
  EXPECT_EQ(all.find("hidden"), std::string::npos);
  EXPECT_EQ(log.count("hook_failed"), 1U) << "one line a second";
}

TEST_F(HooksTest, AReloadTakesAHookAway) {
  rpc(1);
  options.hooks_allow_private_addresses = false;
  hook.name = "other";
  hook.base64_payloads = true;
  configure();
  outside.take().answer(403, "");
  EXPECT_EQ(answer_of(1), "failed: status") << "its rules are gone";
  hooks.ask({{}, 2}, "other", RpcRequest{.data = {Payload::Kind::json, "1"}});
  EXPECT_EQ(outside.sent.front().request.reach, egress::Reach::public_only);
  EXPECT_EQ(outside.sent.front().request.body, R"({"encoding":"binary","b64data":"MQ=="})");
}

TEST_F(HooksTest, HeadersOfTheClient) {
  http::Request request;
  request.headers = {{"cookie", "a"}, {"X-Request-ID", "1"}, {"X-Request-Id", "2"}, {"Authorization", "secret"}};
  EXPECT_EQ(headers_for_hooks(*snapshot, request),
            (std::vector<egress::Header>{{"Cookie", "a"}, {"X-Request-Id", "1"}, {"X-Request-Id", "2"}}));
}

TEST(Hook, WhatCannotBeOne) {
  const auto refusal = [](HookOptions options) {
    options.name = "h";
    const auto made = Hook::make(options);
    return made ? "none" : made.error();
  };
  EXPECT_EQ(refusal({.url = "http://a/"}), "none");
  EXPECT_EQ(refusal({}), "hooks.h.url is missing");
  EXPECT_EQ(refusal({.url = "grpc://a/"}), "hooks.h.url does not begin with http:// or https://");
  EXPECT_EQ(refusal({.url = "http://a:b@c/"}), "hooks.h.url has a user or password in it; send a header instead");
  HookOptions options{.url = "http://a/"};
  options.headers.emplace_back("A: b");
  options.headers.emplace_back("secret without a colon");
  EXPECT_EQ(refusal(options), "hooks.h.headers number 2 is not written \"Name: value\"") << "nothing of it is quoted";
  options.headers.back() = base::Secret("Host: b");
  EXPECT_EQ(refusal(options), "hooks.h.headers number 2 is a header that the request has of its own");
  options.headers.back() = base::Secret("A: b\r\nC: d");
  EXPECT_EQ(refusal(options), "hooks.h.headers number 2 has a control character in it");
  EXPECT_EQ(refusal({.url = "http://a/", .forward_headers = {"Transfer-Encoding"}}),
            "hooks.h.forward_headers = Transfer-Encoding cannot be handed on");
  EXPECT_NE(refusal({.url = "http://a/", .status_rules = {"200 error 1000 x"}}), "none");
}

}  // namespace
}  // namespace server
