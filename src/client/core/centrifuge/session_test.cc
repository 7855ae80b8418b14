// The connection: connect, tokens, pings, cuts, codes.
#include "client/core/centrifuge/session.h"

#include <gtest/gtest.h>

#include <string>

#include "client/core/centrifuge/rig.h"
#include "door/centrifuge/errors.h"

namespace client::centrifuge {
namespace {

constexpr auto kAsked = SubscriptionSettings::Tokens::asked_for;

SessionOptions with_tokens() {
  SessionOptions options = Rig::json();
  options.tokens = kAsked;
  return options;
}

TEST(CentrifugeSession, Connects) {
  Rig rig;
  EXPECT_EQ(rig.session.state(), wirebird::ClientState::disconnected);
  EXPECT_FALSE(rig.wants_transport());
  rig.connect();
  EXPECT_EQ(rig.events(), Lines{"connecting 0 connect called"});
  rig.accept();
  EXPECT_EQ(rig.target, "/connection/websocket");
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"name":"cpp"}})"});
  rig.reply(1, wire::ConnectResult{.client = "c1", .version = "v", .data = {R"({"a":1})"}});
  EXPECT_EQ(rig.events(), Lines{R"(connected c1 {"a":1})"});
  EXPECT_EQ(rig.session.state(), wirebird::ClientState::connected);
  rig.connect();  // once is enough
  EXPECT_EQ(rig.events(), Lines{});
  rig.run([](Session& s) { s.disconnect(); });
  EXPECT_EQ(rig.events(), Lines{"disconnected 0 disconnect called"});
  EXPECT_EQ(rig.sent(), Lines{"close 1000"});
  EXPECT_FALSE(rig.wants_transport());
  EXPECT_EQ(rig.session.next_timeout(), kNever);
}

TEST(CentrifugeSession, SaysWhoItIs) {
  for (SessionOptions options : {Rig::json(), Rig::protobuf()}) {
    options.token = "jwt";
    options.data = R"({"room":1})";
    options.name = "game";
    options.version = "1.2";
    options.headers = {{"x", "1"}, {"a", "2"}};
    const bool json = options.format == wirebird::Format::json;
    Rig rig(options);
    rig.connect();
    rig.accept();
    const std::string data = json ? R"({"room":1})" : R"({"base64":"eyJyb29tIjoxfQ=="})";
    EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"token":"jwt","data":)" + data +
                                R"(,"name":"game","version":"1.2","headers":{"a":"2","x":"1"}}})"});
    rig.reply(1, wire::ConnectResult{.client = "c1"});
    EXPECT_EQ(rig.events().back(), "connected c1");
  }
}

TEST(CentrifugeSession, AnswersPings) {
  for (const SessionOptions& options : {Rig::json(), Rig::protobuf()}) {
    Rig rig(options);
    rig.establish({.client = "c1", .ping = 25, .pong = true});
    rig.ping();
    EXPECT_EQ(rig.sent(), Lines{"{}"});
    Rig silent(options);
    silent.establish({.client = "c1", .ping = 25});
    silent.ping();
    EXPECT_EQ(silent.sent(), Lines{});
  }
}

TEST(CentrifugeSession, MissesPings) {
  Rig rig;
  rig.establish();
  EXPECT_EQ(rig.until_timeout(), 35s);
  rig.wait(34s);
  rig.ping();
  rig.wait(34s);
  rig.push("", wire::MessagePush{{"1"}});  // everything counts
  EXPECT_EQ(rig.until_timeout(), 35s);
  rig.events();
  rig.sent();
  rig.wait(35s);
  EXPECT_EQ(rig.events(), Lines{"connecting 2 no ping"});
  EXPECT_EQ(rig.sent(), Lines{"close 1000"});

  Rig without;
  without.establish({.client = "c1"});
  EXPECT_EQ(without.session.next_timeout(), kNever);
}

// The first wait is 500 ms to 1 s, and with each failure the random part may be twice as long, to 20 s together.
TEST(CentrifugeSession, ComesBackWithGrowingWaits) {
  Duration longest{0};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Rig rig(Rig::json(), seed);
    rig.establish();
    rig.cut();
    EXPECT_EQ(rig.events(), Lines{"connecting 1 transport closed"});
    Duration bound = 500ms;
    for (int attempt = 0; attempt < 10; ++attempt, bound = std::min<Duration>(bound * 2, 20s)) {
      EXPECT_FALSE(rig.wants_transport());
      EXPECT_GE(rig.until_timeout(), 500ms);
      EXPECT_LE(rig.until_timeout(), std::min<Duration>(500ms + bound, 20s));
      longest = std::max(longest, rig.until_timeout());
      rig.tick();
      EXPECT_TRUE(rig.wants_transport());
      rig.cut("Connection refused");
      EXPECT_EQ(rig.events(), Lines{"error 2 Connection refused"});
    }
    rig.come_back();
    rig.reply(1, wire::ConnectResult{.client = "c2"});
    EXPECT_EQ(rig.events(), Lines{"connected c2"});
    rig.cut();
    EXPECT_LE(rig.until_timeout(), 1s);  // forgotten
  }
  EXPECT_GT(longest, 15s);
}

TEST(CentrifugeSession, CloseCodes) {
  struct Row {
    std::uint16_t code;
    std::string_view event;
  };
  for (const Row& row : std::vector<Row>{
           {1000, "connecting 1 transport closed"},
           {1001, "connecting 1 transport closed"},
           {1009, "disconnected 3 message size limit"},
           {1011, "connecting 1 transport closed"},
           {3000, "connecting 3000 why"},
           {3499, "connecting 3499 why"},
           {3500, "disconnected 3500 why"},
           {3999, "disconnected 3999 why"},
           {4000, "connecting 4000 why"},
           {4499, "connecting 4499 why"},
           {4500, "disconnected 4500 why"},
           {4999, "disconnected 4999 why"},
       }) {
    Rig rig;
    rig.establish();
    rig.close(row.code, "why");
    EXPECT_EQ(rig.events(), Lines{std::string(row.event)}) << row.code;
    EXPECT_EQ(rig.session.next_timeout() == kNever, row.event.starts_with("disconnected"));
  }
  for (const wire::DisconnectRow& row : wire::all_disconnects()) {
    const auto code = static_cast<std::uint32_t>(row.code);
    Rig rig;
    rig.establish();
    rig.push("", wire::to_push(row.code));  // where the transport has no close codes
    EXPECT_EQ(rig.events(), Lines{coded(wire::reconnects(code) ? "connecting" : "disconnected", code, row.reason)});
    EXPECT_FALSE(rig.wants_transport());
  }
}

TEST(CentrifugeSession, ClosedBeforeTheConnectIsAnswered) {
  Rig rig;
  rig.connect();
  rig.accept();
  rig.events();
  rig.close(3001, "shutdown");
  EXPECT_EQ(rig.events(), Lines{"error 3001 shutdown"});
  rig.come_back();
  rig.close(3500, "invalid token");
  EXPECT_EQ(rig.events(), Lines{"disconnected 3500 invalid token"});
}

TEST(CentrifugeSession, ConnectIsRefused) {
  Rig rig;
  rig.connect();
  rig.accept();
  rig.events();
  rig.refuse(1, 100, "internal server error", true);
  EXPECT_EQ(rig.events(), Lines{"error 100 internal server error"});
  EXPECT_FALSE(rig.wants_transport());
  rig.come_back();
  rig.refuse(1, 103, "permission denied");
  EXPECT_EQ(rig.events(), Lines{"disconnected 103 permission denied"});
  EXPECT_EQ(rig.session.next_timeout(), kNever);
}

TEST(CentrifugeSession, ConnectIsNotAnswered) {
  Rig rig;
  rig.connect();
  EXPECT_EQ(rig.until_timeout(), 10s);
  rig.wait(10s);
  EXPECT_EQ(rig.events(), (Lines{"connecting 0 connect called", "error 2 The server did not answer in time."}));
  EXPECT_FALSE(rig.wants_transport());
  rig.come_back();
  EXPECT_EQ(rig.until_timeout(), 5s);
  rig.wait(5s);
  EXPECT_EQ(rig.events(), Lines{"error 1 timeout"});
  EXPECT_FALSE(rig.wants_transport());
}

TEST(CentrifugeSession, RefusedByHttp) {
  Rig rig;
  rig.connect();
  rig.run([](Session& s) { s.connected(); });
  rig.events();
  rig.receive("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(rig.events(), Lines{});
  rig.receive("no");
  EXPECT_EQ(rig.events(), Lines{"error 2 HTTP 503"});
  EXPECT_GE(rig.until_timeout(), 500ms);

  for (const std::string_view answer :
       {"nonsense\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"}) {
    Rig other;
    other.connect();
    other.run([](Session& s) { s.connected(); });
    other.receive(answer);
    EXPECT_TRUE(other.events().back().starts_with("error 2 The answer to"));
    EXPECT_FALSE(other.wants_transport());
  }
}

TEST(CentrifugeSession, BadProtocol) {
  for (const std::string_view frame : {"", "nonsense", R"({"id":1})", R"({"id":1,"rpc":{}})", "{}\n[]"}) {
    Rig rig;
    rig.connect();
    rig.accept();
    rig.events();
    rig.frame_of(frame);
    EXPECT_EQ(rig.events(), Lines{"disconnected 2 bad protocol"}) << frame;
    EXPECT_FALSE(rig.wants_transport());
  }
}

// What the server breaks below our protocol is like a cut.
TEST(CentrifugeSession, BrokenFrames) {
  Rig rig;
  rig.establish();
  rig.receive("\xff\xff\xff\xff");
  EXPECT_EQ(rig.events(), Lines{"connecting 1 transport closed"});
}

// --- tokens ---

TEST(CentrifugeSession, AsksForAToken) {
  Rig rig(with_tokens());
  rig.connect();
  EXPECT_EQ(rig.events(), (Lines{"connecting 0 connect called", "token 1"}));
  EXPECT_FALSE(rig.wants_transport());
  rig.no_token(1, TokenOutcome::Kind::failed);
  EXPECT_EQ(rig.events(), Lines{"error 5 no luck"});
  EXPECT_GE(rig.until_timeout(), 500ms);
  rig.tick();
  EXPECT_EQ(rig.events(), Lines{"token 2"});
  rig.token(1, "late");  // nobody waits for it
  EXPECT_FALSE(rig.wants_transport());
  rig.token(2, "jwt");
  rig.accept();
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"token":"jwt","name":"cpp"}})"});
}

TEST(CentrifugeSession, NoTokenForThisUser) {
  for (const bool empty : {false, true}) {
    Rig rig(with_tokens());
    rig.connect();
    rig.events();
    if (empty) {
      rig.token(1, "");
    } else {
      rig.no_token(1, TokenOutcome::Kind::unauthorized);
    }
    EXPECT_EQ(rig.events(), Lines{"disconnected 1 unauthorized"});
    EXPECT_EQ(rig.session.next_timeout(), kNever);
  }
}

TEST(CentrifugeSession, AnExpiredTokenIsReplaced) {
  SessionOptions options = with_tokens();
  options.token = "old";
  Rig rig(options);
  rig.connect();
  rig.accept();
  rig.events();
  rig.refuse(1, 109, "token expired");
  EXPECT_EQ(rig.events(), Lines{"error 109 token expired"});
  rig.tick();
  EXPECT_EQ(rig.events(), Lines{"token 1"});
  rig.token(1, "new");
  rig.sent();
  rig.accept();
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"token":"new","name":"cpp"}})"});
}

TEST(CentrifugeSession, AnExpiredTokenWithoutASource) {
  SessionOptions options = Rig::json();
  options.token = "old";
  Rig rig(options);
  rig.connect();
  rig.accept();
  rig.events();
  rig.refuse(1, 109, "token expired");
  EXPECT_EQ(rig.events(), (Lines{"error 109 token expired", "disconnected 1 unauthorized"}));
  rig.connect();  // the same token again
  EXPECT_EQ(rig.events(), (Lines{"connecting 0 connect called", "disconnected 1 unauthorized"}));
  rig.run([&](Session& s) { s.set_token("new"); });
  rig.connect();
  rig.sent();
  rig.accept();
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"token":"new","name":"cpp"}})"});
}

class CentrifugeRefresh : public testing::Test {
 protected:
  CentrifugeRefresh()
      : rig([] {
          SessionOptions options = with_tokens();
          options.token = "t1";
          return options;
        }()) {
    rig.establish({.client = "c1", .expires = true, .ttl = 20});
  }
  void ask() {
    EXPECT_EQ(rig.until_timeout(), 18s);  // a tenth before the end
    rig.wait(18s);
    EXPECT_EQ(rig.events(), Lines{"token 1"});
  }
  Rig rig;
};

TEST_F(CentrifugeRefresh, BeforeTheEnd) {
  ask();
  rig.token(1, "t2");
  EXPECT_EQ(rig.sent(), Lines{R"({"id":2,"refresh":{"token":"t2"}})"});
  rig.reply(2, wire::RefreshResult{.expires = true, .ttl = 3600});
  EXPECT_EQ(rig.until_timeout(), 3595s);
  rig.push("", wire::RefreshPush{.expires = true, .ttl = 100});  // a server that refreshes by itself
  EXPECT_EQ(rig.until_timeout(), 95s);
  rig.push("", wire::RefreshPush{});
  EXPECT_EQ(rig.session.next_timeout(), kNever);
  rig.cut();
  rig.come_back();
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"token":"t2","name":"cpp"}})"});
}

TEST_F(CentrifugeRefresh, NoToken) {
  ask();
  rig.no_token(1, TokenOutcome::Kind::failed);
  EXPECT_EQ(rig.events(), Lines{"error 6 no luck"});
  EXPECT_GE(rig.until_timeout(), 5s);
  EXPECT_LE(rig.until_timeout(), 10s);
  rig.tick();
  EXPECT_EQ(rig.events(), Lines{"token 2"});
  rig.no_token(2, TokenOutcome::Kind::unauthorized);
  EXPECT_EQ(rig.events(), Lines{"disconnected 1 unauthorized"});
}

TEST_F(CentrifugeRefresh, Refused) {
  ask();
  rig.token(1, "t2");
  rig.refuse(2, 100, "internal server error", true);
  EXPECT_EQ(rig.events(), Lines{"error 100 internal server error"});
  rig.tick();
  rig.token(2, "t3");
  rig.events();
  rig.wait(5s);
  EXPECT_EQ(rig.events(), Lines{"error 1 timeout"});
  rig.tick();
  rig.token(3, "t4");
  rig.events();
  rig.refuse(4, 103, "permission denied");
  EXPECT_EQ(rig.events(), Lines{"disconnected 103 permission denied"});
}

TEST_F(CentrifugeRefresh, CutWhileAsking) {
  ask();
  rig.cut();
  rig.token(1, "t2");  // of no interest any more
  rig.come_back();
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"token":"t1","name":"cpp"}})"});
}

// Without a source of tokens there is nothing to be done: the server ends the connection.
TEST(CentrifugeSession, NoRefreshWithoutASource) {
  SessionOptions options = Rig::json();
  options.token = "t";
  Rig rig(options);
  rig.establish({.client = "c1", .expires = true, .ttl = 10});
  rig.wait(60s);
  EXPECT_EQ(rig.events(), Lines{});
  EXPECT_EQ(rig.sent(), Lines{});
}

// --- the server's own subscriptions ---

TEST(CentrifugeSession, ServerSubscriptions) {
  Rig rig;
  rig.connect();
  rig.accept();
  rig.events();
  rig.reply(1,
            wire::ConnectResult{
                .client = "c1",
                .subs = {{"#u", {.recoverable = true, .epoch = "e", .offset = 5, .positioned = true}}, {"plain", {}}}});
  EXPECT_EQ(rig.events(), (Lines{"connected c1", "#u subscribed positioned recoverable e:5", "plain subscribed"}));
  rig.push("#u", wire::Publication{.data = {"1"}, .offset = 6});
  rig.push("plain", wire::JoinPush{wire::ClientInfo{"u", "c9", {}, {}}});
  rig.push("plain", wire::LeavePush{wire::ClientInfo{"u", "c9", {}, {}}});
  rig.push("new", wire::SubscribePush{.recoverable = true, .epoch = "n", .offset = 1, .data = {"[]"}});
  rig.push("unknown", wire::Publication{.data = {"1"}});
  rig.push("", wire::MessagePush{{"\"hello\""}});
  EXPECT_EQ(rig.events(), (Lines{"#u publication 1 @6", "plain join c9", "plain leave c9",
                                 "new subscribed recoverable n:1 []", "message \"hello\""}));
  rig.cut();
  EXPECT_EQ(rig.events(),
            (Lines{"connecting 1 transport closed", "#u subscribing", "new subscribing", "plain subscribing"}));
  rig.sent();
  rig.come_back();
  EXPECT_EQ(
      rig.sent(),
      Lines{
          R"({"id":1,"connect":{"subs":{"#u":{"recover":true,"epoch":"e","offset":6},"new":{"recover":true,"epoch":"n","offset":1}},"name":"cpp"}})"});
  rig.reply(1, wire::ConnectResult{.client = "c2",
                                   .subs = {{"#u",
                                             {.recoverable = true,
                                              .epoch = "e",
                                              .publications = {{.data = {"2"}, .offset = 7}},
                                              .recovered = true,
                                              .offset = 6,
                                              .was_recovering = true}}}});
  EXPECT_EQ(rig.events(), (Lines{"connected c2", "#u subscribed recoverable recovered more e:6", "#u publication 2 @7",
                                 "new unsubscribed", "plain unsubscribed"}));
  rig.push("#u", wire::UnsubscribePush{2000, "server unsubscribe"});
  EXPECT_EQ(rig.events(), Lines{"#u unsubscribed"});
  rig.cut();
  EXPECT_EQ(rig.events(), Lines{"connecting 1 transport closed"});
}

// 3014: neither tokens nor positions are worth anything; a recovery must not succeed by chance.
TEST(CentrifugeSession, StateInvalidated) {
  SessionOptions options = with_tokens();
  options.token = "t1";
  Rig rig(options);
  rig.establish({.client = "c1", .subs = {{"#u", {.recoverable = true, .epoch = "e", .offset = 5}}}});
  rig.subscribe(1, {.channel = "news", .token = "s1", .tokens = kAsked});
  rig.reply(2, wire::SubscribeResult{.recoverable = true, .epoch = "e", .offset = 9});
  rig.close(3014, "state invalidated");
  rig.events();
  rig.tick();
  EXPECT_EQ(rig.events(), Lines{"token 1"});
  rig.token(1, "t2");
  rig.sent();
  rig.accept();
  EXPECT_EQ(rig.events(), Lines{"token 2 for 1"});
  rig.token(2, "s2");
  EXPECT_EQ(rig.sent(),
            (Lines{R"({"id":1,"connect":{"token":"t2","subs":{"#u":{"recover":true,"epoch":"_"}},"name":"cpp"}})",
                   R"({"id":2,"subscribe":{"channel":"news","token":"s2","recover":true,"epoch":"_"}})"}));
}

}  // namespace
}  // namespace client::centrifuge
