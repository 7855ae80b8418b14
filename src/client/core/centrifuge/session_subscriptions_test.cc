// Subscriptions: commands, states, recovery, tokens, deltas.
#include <gtest/gtest.h>

#include "client/core/centrifuge/rig.h"
#include "codec/delta.h"
#include "codec/json_out.h"

namespace client::centrifuge {
namespace {

constexpr auto kAsked = SubscriptionSettings::Tokens::asked_for;
constexpr auto kFossil = wirebird::SubscriptionOptions::Delta::fossil;

TEST(CentrifugeSubscriptions, WithTheConnectInOneFrame) {
  Rig rig;
  rig.subscribe(1, {.channel = "a"});
  rig.subscribe(
      2, {.channel = "b", .token = "t", .data = "{}", .recoverable = true, .positioned = true, .join_leave = true});
  EXPECT_EQ(rig.events(), (Lines{"[1] subscribing 0 subscribe called", "[2] subscribing 0 subscribe called"}));
  rig.connect();
  rig.accept();
  EXPECT_EQ(
      rig.sent(),
      Lines{
          R"({"id":1,"connect":{"name":"cpp"}} | {"id":2,"subscribe":{"channel":"a"}} | )"
          R"({"id":3,"subscribe":{"channel":"b","token":"t","data":{},"positioned":true,"recoverable":true,"join_leave":true}})"});
  rig.events();
  rig.reply(1, wire::ConnectResult{.client = "c"});
  rig.reply(2, wire::SubscribeResult{});
  rig.reply(3,
            wire::SubscribeResult{.recoverable = true, .epoch = "e", .offset = 3, .positioned = true, .data = {"7"}});
  EXPECT_EQ(rig.events(), (Lines{"connected c", "[1] subscribed", "[2] subscribed positioned recoverable e:3 7"}));
  EXPECT_EQ(rig.sent(), Lines{});
}

TEST(CentrifugeSubscriptions, ManyInSeveralFrames) {
  Rig rig;
  for (SubscriptionId id = 1; id <= 1000; ++id) rig.subscribe(id, {.channel = "channel" + std::to_string(id)});
  rig.connect();
  rig.accept();
  EXPECT_EQ(rig.sent().size(), 3U);  // 48 bytes each, 16 KiB a frame
}

class CentrifugeSubscribed : public testing::Test {
 protected:
  void subscribe(SubscriptionSettings settings = {.channel = "news"}) {
    rig.establish({.client = "c"});
    rig.subscribe(1, std::move(settings));
    request = rig.sent();
    rig.events();
  }
  void subscribed(wire::SubscribeResult result = {.recoverable = true, .epoch = "e", .offset = 3}) {
    rig.reply(2, std::move(result));
    rig.events();
    rig.wait(2s);  // it is stable
  }
  void unsubscribe() {
    rig.run([&](Session& s) { s.unsubscribe(1, rig.now); });
  }
  Rig rig;
  Lines request;
};

TEST_F(CentrifugeSubscribed, Pushes) {
  subscribe();
  rig.push("news", wire::Publication{.data = {"0"}, .offset = 1});  // of no subscription yet
  subscribed();
  rig.push("news", wire::Publication{
                       .data = {"1"}, .info = wire::ClientInfo{"u", "c", {}, {}}, .offset = 4, .tags = {{"a", "b"}}});
  rig.push("news", wire::JoinPush{wire::ClientInfo{"u", "c2", {}, {}}});
  rig.push("news", wire::LeavePush{wire::ClientInfo{"u", "c2", {}, {}}});
  rig.push("other", wire::Publication{.data = {"1"}, .offset = 4});
  EXPECT_EQ(rig.events(), (Lines{"[1] publication 1 @4 by u a=b", "[1] join c2", "[1] leave c2"}));
}

TEST_F(CentrifugeSubscribed, Recovers) {
  subscribe();
  subscribed();
  rig.push("news", wire::Publication{.data = {"1"}, .offset = 4});
  rig.events();
  rig.cut();
  EXPECT_EQ(rig.events(), (Lines{"connecting 1 transport closed", "[1] subscribing 1 transport closed"}));
  rig.come_back();
  EXPECT_EQ(
      rig.sent(),
      Lines{
          R"({"id":1,"connect":{"name":"cpp"}} | {"id":2,"subscribe":{"channel":"news","recover":true,"epoch":"e","offset":4}})"});
  rig.reply(1, wire::ConnectResult{.client = "c2"});
  rig.reply(2, wire::SubscribeResult{.recoverable = true,
                                     .epoch = "e",
                                     .publications = {{.data = {"2"}, .offset = 5}, {.data = {"3"}, .offset = 6}},
                                     .recovered = true,
                                     .offset = 4,
                                     .was_recovering = true});
  EXPECT_EQ(rig.events(), (Lines{"connected c2", "[1] subscribed recoverable recovered more e:4",
                                 "[1] publication 2 @5", "[1] publication 3 @6"}));
  // What is lost is said, and the place to go on from is the server's.
  rig.cut();
  rig.come_back();
  EXPECT_EQ(rig.sent().back().substr(36),
            R"({"id":2,"subscribe":{"channel":"news","recover":true,"epoch":"e","offset":6}})");
  rig.events();
  rig.reply(1, wire::ConnectResult{.client = "c3"});
  rig.reply(2, wire::SubscribeResult{.recoverable = true, .epoch = "f", .offset = 1, .was_recovering = true});
  EXPECT_EQ(rig.events(), (Lines{"connected c3", "[1] subscribed recoverable lost f:1"}));
  rig.cut();
  rig.come_back();
  EXPECT_EQ(rig.sent().back().substr(36),
            R"({"id":2,"subscribe":{"channel":"news","recover":true,"epoch":"f","offset":1}})");
}

TEST_F(CentrifugeSubscribed, TheFirstPublicationTellsTheEpoch) {
  subscribe();
  subscribed({.recoverable = true});
  rig.push("news", wire::Publication{.data = {"1"}, .offset = 1, .epoch = "e"});
  rig.cut();
  rig.come_back();
  EXPECT_EQ(rig.sent().back().substr(36),
            R"({"id":2,"subscribe":{"channel":"news","recover":true,"epoch":"e","offset":1}})");
}

TEST_F(CentrifugeSubscribed, Since) {
  subscribe({.channel = "news", .since = wirebird::StreamPosition{5, "e"}});
  EXPECT_EQ(request, Lines{R"({"id":2,"subscribe":{"channel":"news","recover":true,"epoch":"e","offset":5}})"});
}

TEST_F(CentrifugeSubscribed, TagsFilter) {
  using wirebird::TagsFilter;
  subscribe({.channel = "news",
             .tags_filter = TagsFilter::all({TagsFilter::equal("a", "1"), TagsFilter::no(TagsFilter::exists("b")),
                                             TagsFilter::any({TagsFilter::one_of("c", {"x", "y"})})})});
  EXPECT_EQ(
      request,
      Lines{
          R"({"id":2,"subscribe":{"channel":"news","tf":{"op":"and","nodes":[{"key":"a","cmp":"eq","val":"1"},)"
          R"({"op":"not","nodes":[{"key":"b","cmp":"ex"}]},{"op":"or","nodes":[{"key":"c","cmp":"in","vals":["x","y"]}]}]}}})"});
}

TEST_F(CentrifugeSubscribed, Unsubscribes) {
  subscribe();
  subscribed();
  unsubscribe();
  EXPECT_EQ(rig.events(), Lines{"[1] unsubscribed 0 unsubscribe called"});
  EXPECT_EQ(rig.sent(), Lines{R"({"id":3,"unsubscribe":{"channel":"news"}})"});
  rig.push("news", wire::Publication{.data = {"1"}, .offset = 4});  // was under way
  rig.reply(3, wire::UnsubscribeResult{});
  unsubscribe();
  EXPECT_EQ(rig.events(), Lines{});
  EXPECT_EQ(rig.sent(), Lines{});
  // The position is kept, and what was missed comes.
  rig.run([&](Session& s) { s.subscribe(1, rig.now); });
  EXPECT_EQ(rig.sent(), Lines{R"({"id":4,"subscribe":{"channel":"news","recover":true,"epoch":"e","offset":3}})"});
}

TEST_F(CentrifugeSubscribed, UnsubscribesAndSubscribesAtOnce) {
  subscribe();
  rig.run([&](Session& s) {
    s.unsubscribe(1, rig.now);
    s.subscribe(1, rig.now);
  });
  EXPECT_EQ(rig.sent(),
            Lines{R"({"id":3,"unsubscribe":{"channel":"news"}} | {"id":4,"subscribe":{"channel":"news"}})"});
  rig.events();
  rig.reply(2, wire::SubscribeResult{});  // of the first
  rig.push("news", wire::Publication{.data = {"1"}});
  rig.reply(3, wire::UnsubscribeResult{});
  EXPECT_EQ(rig.events(), Lines{});
  rig.reply(4, wire::SubscribeResult{});
  EXPECT_EQ(rig.events(), Lines{"[1] subscribed"});
}

TEST_F(CentrifugeSubscribed, UnsubscribeFails) {
  for (const bool answered : {true, false}) {
    Rig one;
    one.establish({.client = "c"});
    one.subscribe(1, {.channel = "news"});
    one.reply(2, wire::SubscribeResult{});
    one.run([&](Session& s) { s.unsubscribe(1, one.now); });
    one.events();
    if (answered) {
      one.refuse(3, 100, "internal server error", true);
    } else {
      one.wait(5s);
    }
    EXPECT_EQ(one.events(), Lines{"connecting 4 unsubscribe error"});
    one.come_back();
    EXPECT_EQ(one.sent().back(), R"({"id":1,"connect":{"name":"cpp"}})");
  }
}

TEST_F(CentrifugeSubscribed, IsRemoved) {
  subscribe();
  subscribed();
  rig.run([&](Session& s) { s.remove(1, rig.now); });
  EXPECT_EQ(rig.events(), Lines{"[1] unsubscribed 0 unsubscribe called"});
  EXPECT_EQ(rig.sent(), Lines{R"({"id":3,"unsubscribe":{"channel":"news"}})"});
  EXPECT_EQ(rig.session.settings(1), nullptr);
  rig.subscribe(2, {.channel = "news"});
  EXPECT_EQ(rig.events(), Lines{"[2] subscribing 0 subscribe called"});
}

// --- refusals ---

TEST_F(CentrifugeSubscribed, RefusedForGood) {
  for (const std::uint32_t code : {101U, 102U, 103U, 105U, 106U, 107U, 108U, 110U, 112U, 400U, 1999U}) {
    Rig one;
    one.establish({.client = "c"});
    one.subscribe(1, {.channel = "news"});
    one.events();
    one.refuse(2, code, "no");
    EXPECT_EQ(one.events(), Lines{"[1] unsubscribed " + std::to_string(code) + " no"});
    EXPECT_EQ(one.session.next_timeout(), kNever);
  }
}

TEST_F(CentrifugeSubscribed, RefusedForNow) {
  subscribe();
  rig.refuse(2, 100, "internal server error", true);
  EXPECT_EQ(rig.events(), Lines{"[1] error 100 internal server error"});
  Duration bound = 500ms;
  for (std::uint32_t id = 3; id < 13; ++id, bound = std::min<Duration>(bound * 2, 20s)) {
    EXPECT_GE(rig.until_timeout(), 500ms);
    EXPECT_LE(rig.until_timeout(), std::min<Duration>(500ms + bound, 20s));
    rig.tick();
    EXPECT_EQ(rig.sent(), Lines{R"({"id":)" + std::to_string(id) + R"(,"subscribe":{"channel":"news"}})"});
    rig.refuse(id, 111, "too many requests", true);
  }
}

TEST_F(CentrifugeSubscribed, NotAnswered) {
  subscribe();
  rig.wait(5s);
  EXPECT_EQ(rig.events(), Lines{"connecting 3 subscribe timeout"});
  rig.come_back();
  EXPECT_EQ(rig.sent().back(), R"({"id":1,"connect":{"name":"cpp"}} | {"id":2,"subscribe":{"channel":"news"}})");
}

TEST_F(CentrifugeSubscribed, AnsweredByAnotherKind) {
  subscribe();
  rig.reply(2, wire::PublishResult{});
  EXPECT_EQ(rig.events(), Lines{"disconnected 2 bad protocol"});
}

TEST_F(CentrifugeSubscribed, UnsubscribedByTheServer) {
  struct Row {
    std::uint32_t code;
    bool again;
  };
  for (const Row& row :
       std::vector<Row>{{2000, false}, {2499, false}, {2500, true}, {2501, true}, {2502, true}, {2600, true}}) {
    Rig one;
    one.establish({.client = "c"});
    one.subscribe(1, {.channel = "news"});
    one.reply(2, wire::SubscribeResult{.recoverable = true, .epoch = "e", .offset = 3});
    one.wait(1s);
    one.events();
    one.sent();
    one.push("news", wire::UnsubscribePush{row.code, "why"});
    EXPECT_EQ(one.events(), Lines{coded(row.again ? "[1] subscribing" : "[1] unsubscribed", row.code, "why")});
    const std::string position = row.code == 2502 ? R"("epoch":"_")" : R"("epoch":"e","offset":3)";
    EXPECT_EQ(one.sent(), row.again
                              ? Lines{R"({"id":3,"subscribe":{"channel":"news","recover":true,)" + position + "}}"}
                              : Lines{});
  }
}

// A server that ends a subscription as soon as it is made is asked less and less often.
TEST_F(CentrifugeSubscribed, UnsubscribedAgainAndAgain) {
  subscribe();
  Duration waited{0};
  for (std::uint32_t id = 2; id < 12; ++id) {
    rig.reply(id, wire::SubscribeResult{});
    rig.push("news", wire::UnsubscribePush{2500, "insufficient state"});
    EXPECT_EQ(rig.sent(), Lines{});
    waited += rig.until_timeout();
    rig.tick();
    EXPECT_EQ(rig.sent().size(), 1U);
  }
  EXPECT_GT(waited, 20s);
}

// --- tokens ---

TEST_F(CentrifugeSubscribed, AsksForAToken) {
  rig.establish({.client = "c"});
  rig.subscribe(1, {.channel = "news", .tokens = kAsked});
  EXPECT_EQ(rig.events(), (Lines{"[1] subscribing 0 subscribe called", "token 1 for 1"}));
  rig.no_token(1, TokenOutcome::Kind::failed);
  EXPECT_EQ(rig.events(), Lines{"[1] error 8 no luck"});
  rig.tick();
  EXPECT_EQ(rig.events(), Lines{"token 2 for 1"});
  rig.token(2, "t1");
  EXPECT_EQ(rig.sent(), Lines{R"({"id":2,"subscribe":{"channel":"news","token":"t1"}})"});
  rig.refuse(2, 109, "token expired");
  EXPECT_EQ(rig.events(), Lines{"[1] error 109 token expired"});
  rig.tick();
  EXPECT_EQ(rig.events(), Lines{"token 3 for 1"});
  rig.token(3, "t2");
  EXPECT_EQ(rig.sent(), Lines{R"({"id":3,"subscribe":{"channel":"news","token":"t2"}})"});
}

TEST_F(CentrifugeSubscribed, NoToken) {
  for (const bool empty : {false, true}) {
    Rig one;
    one.establish({.client = "c"});
    one.subscribe(1, {.channel = "news", .tokens = kAsked});
    one.events();
    if (empty) {
      one.token(1, "");
    } else {
      one.no_token(1, TokenOutcome::Kind::unauthorized);
    }
    EXPECT_EQ(one.events(), Lines{"[1] unsubscribed 1 unauthorized"});
  }
  subscribe({.channel = "news", .token = "old"});
  rig.refuse(2, 109, "token expired");
  EXPECT_EQ(rig.events(), (Lines{"[1] error 109 token expired", "[1] unsubscribed 1 unauthorized"}));
}

TEST_F(CentrifugeSubscribed, TokensAreAskedForAgainAfterACut) {
  rig.establish({.client = "c"});
  rig.subscribe(1, {.channel = "news", .tokens = kAsked});
  rig.cut();
  rig.token(1, "late");
  rig.events();
  rig.come_back();
  EXPECT_EQ(rig.events(), Lines{"token 2 for 1"});
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"name":"cpp"}})"});
}

class CentrifugeSubRefresh : public CentrifugeSubscribed {
 protected:
  void SetUp() override {
    subscribe({.channel = "news", .token = "t1", .tokens = kAsked});
    rig.reply(2, wire::SubscribeResult{.expires = true, .ttl = 100});
    EXPECT_EQ(rig.until_timeout(), 90s);
    rig.wait(90s);
    EXPECT_EQ(rig.events(), (Lines{"[1] subscribed", "token 1 for 1"}));
  }
};

TEST_F(CentrifugeSubRefresh, BeforeTheEnd) {
  rig.token(1, "t2");
  EXPECT_EQ(rig.sent(), Lines{R"({"id":3,"sub_refresh":{"channel":"news","token":"t2"}})"});
  rig.reply(3, wire::SubRefreshResult{.expires = true, .ttl = 10});
  EXPECT_EQ(rig.until_timeout(), 9s);
}

TEST_F(CentrifugeSubRefresh, NoToken) {
  rig.no_token(1, TokenOutcome::Kind::failed);
  EXPECT_EQ(rig.events(), Lines{"[1] error 9 no luck"});
  EXPECT_GE(rig.until_timeout(), 5s);
  EXPECT_LE(rig.until_timeout(), 10s);
  rig.tick();
  rig.no_token(2, TokenOutcome::Kind::unauthorized);
  EXPECT_EQ(rig.events(), (Lines{"token 2 for 1", "[1] unsubscribed 1 unauthorized"}));
  EXPECT_EQ(rig.sent(), Lines{R"({"id":3,"unsubscribe":{"channel":"news"}})"});
}

TEST_F(CentrifugeSubRefresh, Refused) {
  rig.token(1, "t2");
  rig.refuse(3, 100, "internal server error", true);
  EXPECT_EQ(rig.events(), Lines{"[1] error 100 internal server error"});
  rig.tick();
  rig.token(2, "t3");
  rig.events();
  rig.sent();
  rig.wait(5s);
  EXPECT_EQ(rig.events(), Lines{"[1] error 1 timeout"});
  rig.tick();
  rig.token(3, "t4");
  rig.events();
  rig.sent();
  rig.refuse(5, 103, "permission denied");
  EXPECT_EQ(rig.events(), Lines{"[1] unsubscribed 103 permission denied"});
  EXPECT_EQ(rig.sent(), Lines{R"({"id":6,"unsubscribe":{"channel":"news"}})"});
}

// --- deltas ---

TEST(CentrifugeDelta, BothFormats) {
  const std::string first = R"({"name":"\"Zoë\"","score":1,"text":"a long text that stays as it is"})";
  const std::string second = R"({"name":"\"Zoë\"","score":22,"text":"a long text that stays as it is"})";
  const std::string delta = codec::make_delta(first, second, codec::Utf8::whole_code_points);
  for (const SessionOptions& options : {Rig::json(), Rig::protobuf()}) {
    const hub::Kind kind = options.format == wirebird::Format::json ? hub::Kind::text : hub::Kind::binary;
    Rig rig(options);
    rig.establish({.client = "c"});
    rig.subscribe(1, {.channel = "news", .delta = kFossil});
    EXPECT_EQ(rig.sent(), Lines{R"({"id":2,"subscribe":{"channel":"news","delta":"fossil"}})"});
    rig.events();
    rig.reply(2, wire::SubscribeResult{.recoverable = true,
                                       .epoch = "e",
                                       .publications = {{.data = {first, kind}, .offset = 1},
                                                        {.data = {delta, kind}, .offset = 2, .delta = true}},
                                       .recovered = true,
                                       .delta = true});
    rig.push("news", wire::Publication{.data = {first, kind}, .offset = 3});
    rig.push("news", wire::Publication{.data = {delta, kind}, .offset = 4, .delta = true});
    EXPECT_EQ(rig.events(), (Lines{"[1] subscribed recoverable more e:0", "[1] publication " + first + " @1",
                                   "[1] publication " + second + " @2", "[1] publication " + first + " @3",
                                   "[1] publication " + second + " @4"}));
  }
}

TEST(CentrifugeDelta, NotGranted) {
  Rig rig;
  rig.establish({.client = "c"});
  rig.subscribe(1, {.channel = "news", .delta = kFossil});
  rig.reply(2, wire::SubscribeResult{});
  rig.events();
  rig.push("news", wire::Publication{.data = {"\"text\""}});
  EXPECT_EQ(rig.events(), Lines{"[1] publication \"text\""});
}

// The subscription begins anew where it was, and nothing is lost.
TEST(CentrifugeDelta, DoesNotFit) {
  const std::string delta = codec::make_delta("\"something else\"", "\"something\"");
  for (const wire::Publication& broken : {
           wire::Publication{.data = {delta, hub::Kind::text}, .offset = 2, .delta = true},
           wire::Publication{.data = {"nonsense", hub::Kind::text}, .offset = 2, .delta = true},
           wire::Publication{.data = {"{}"}, .offset = 2},  // no string
       }) {
    Rig rig;
    rig.establish({.client = "c"});
    rig.subscribe(1, {.channel = "news", .delta = kFossil});
    rig.reply(2, wire::SubscribeResult{.recoverable = true, .epoch = "e", .delta = true});
    rig.push("news", wire::Publication{.data = {"1", hub::Kind::text}, .offset = 1});
    rig.events();
    rig.sent();
    rig.push("news", broken);
    EXPECT_EQ(rig.events(), (Lines{"[1] error 22 a delta does not fit", "[1] subscribing 2 bad delta"}));
    EXPECT_EQ(rig.sent(), Lines{R"({"id":3,"unsubscribe":{"channel":"news"}})"});
    rig.reply(3, wire::UnsubscribeResult{});
    rig.tick();
    EXPECT_EQ(
        rig.sent(),
        Lines{R"({"id":4,"subscribe":{"channel":"news","recover":true,"epoch":"e","offset":1,"delta":"fossil"}})"});
  }
}

// --- calls on a subscription ---

TEST_F(CentrifugeSubscribed, CallsWaitForIt) {
  subscribe();
  rig.run([&](Session& s) { s.call(1, 1, PublishCall{"news", "1"}, rig.now); });
  EXPECT_EQ(rig.sent(), Lines{});
  rig.reply(2, wire::SubscribeResult{});
  EXPECT_EQ(rig.sent(), Lines{R"({"id":3,"publish":{"channel":"news","data":1}})"});
  rig.reply(3, wire::PublishResult{});
  EXPECT_EQ(rig.events(), (Lines{"[1] subscribed", "#1 published"}));
  rig.run([&](Session& s) { s.call(2, 1, PresenceStatsCall{"news"}, rig.now); });
  EXPECT_EQ(rig.sent(), Lines{R"({"id":4,"presence_stats":{"channel":"news"}})"});
}

TEST_F(CentrifugeSubscribed, CallsDoNotWaitForNothing) {
  subscribe();
  rig.run([&](Session& s) { s.call(1, 1, PublishCall{"news", "1"}, rig.now); });
  rig.refuse(2, 103, "permission denied");
  EXPECT_EQ(rig.events(), (Lines{"[1] unsubscribed 103 permission denied", "#1 error 7 subscription unsubscribed"}));
  rig.run([&](Session& s) { s.call(2, 1, PublishCall{"news", "1"}, rig.now); });
  rig.run([&](Session& s) { s.call(3, 99, PublishCall{"news", "1"}, rig.now); });
  EXPECT_EQ(rig.events(), (Lines{"#2 error 7 subscription unsubscribed", "#3 error 7 subscription unsubscribed"}));
  rig.run([&](Session& s) {
    s.subscribe(1, rig.now);
    s.call(4, 1, PublishCall{"news", "1"}, rig.now);
  });
  rig.events();
  rig.run([](Session& s) { s.disconnect(); });
  EXPECT_EQ(rig.events(), (Lines{"disconnected 0 disconnect called", "#4 error 3 client disconnected"}));
}

}  // namespace
}  // namespace client::centrifuge
