#include "auth/claims.h"

#include <gtest/gtest.h>

#include <string>

namespace auth {
namespace {

ClaimsRead<ConnectionClaims> connection(std::string_view json, std::string_view user_claim = "sub") {
  return read_connection_claims(json, user_claim);
}
ClaimsRead<SubscriptionClaims> subscription(std::string_view json) { return read_subscription_claims(json, "sub"); }

TEST(ConnectionClaims, Everything) {
  const auto claims = connection(
      R"({"sub":"alice","exp":1700003600,"nbf":1.5,"iat":1700000000,"jti":"id-1","aud":["a","b"],"iss":"me",)"
      R"("info":{"name" : "Al\u0069ce"},"meta":{"a":[1, 2]},"expire_at":1700000600.25,"channels":["news","chat:1"],)"
      R"("subs":{"z":{},"a":{"info":1e2,"data":"x","override":{"presence":{"value":true},"join_leave":{"value":false},)"
      R"("force_recovery":{"value":true},"force_positioning":{"value":false},"force_push_join_leave":{"value":true},)"
      R"("later":{"value":1}}}},"subscribe":["in*"],"publish":["out"],"unknown":[]})");
  ASSERT_TRUE(claims) << claims.error();
  EXPECT_EQ(claims->common.subject, "alice");
  EXPECT_EQ(claims->common.expires, base::WallTime{1'700'003'600'000});
  EXPECT_EQ(claims->common.not_before, base::WallTime{1500});
  EXPECT_EQ(claims->common.issued, base::WallTime{1'700'000'000'000});
  EXPECT_EQ(claims->common.token_id, "id-1");
  EXPECT_EQ(claims->common.audience, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(claims->common.issuer, "me");
  EXPECT_EQ(claims->info, (Payload{Payload::Kind::json, R"({"name" : "Al\u0069ce"})"})) << "not a byte is changed";
  EXPECT_EQ(claims->meta, R"({"a":[1, 2]})");
  ASSERT_TRUE(claims->expire_at);
  EXPECT_FALSE(claims->expire_at->never);
  EXPECT_EQ(claims->expire_at->time, base::WallTime{1'700'000'600'250});
  EXPECT_EQ(claims->channels, (std::vector<std::string>{"news", "chat:1"}));
  EXPECT_EQ(claims->permissions.subscribe, (std::vector<std::string>{"news", "chat:1", "in*"}));
  EXPECT_EQ(claims->permissions.publish, (std::vector<std::string>{"news", "chat:1", "out"}));
  ASSERT_EQ(claims->subs.size(), 2U);
  EXPECT_EQ(claims->subs[0], (ServerSubscription{.channel = "a",
                                                 .info = {Payload::Kind::json, "1e2"},
                                                 .data = {Payload::Kind::json, R"("x")"},
                                                 .changes = {.presence = true,
                                                             .join_leave = false,
                                                             .force_push_join_leave = true,
                                                             .force_recovery = true,
                                                             .force_positioning = false}}));
  EXPECT_EQ(claims->subs[1], ServerSubscription{.channel = "z"});
}

TEST(ConnectionClaims, NothingIsRequired) {
  const auto claims = connection("{}");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->common.subject, "");
  EXPECT_FALSE(claims->common.expires);
  EXPECT_FALSE(claims->expire_at);
  EXPECT_EQ(claims->info, Payload{});
  EXPECT_EQ(claims->meta, "");
}

TEST(ConnectionClaims, Base64) {
  EXPECT_EQ(connection(R"({"b64info":"AAEC"})")->info, (Payload{Payload::Kind::binary, std::string("\0\1\2", 3)}));
  EXPECT_EQ(connection(R"({"info":1,"b64info":"eA=="})")->info, (Payload{Payload::Kind::binary, "x"}));
  EXPECT_EQ(connection(R"({"info":1,"b64info":""})")->info, (Payload{Payload::Kind::json, "1"}));
  EXPECT_EQ(
      connection(R"({"subs":{"a":{"b64info":"eA==","b64data":"eQ=="}}})")->subs[0],
      (ServerSubscription{.channel = "a", .info = {Payload::Kind::binary, "x"}, .data = {Payload::Kind::binary, "y"}}));
  for (const std::string_view bad : {R"("eA")", R"("e A==")", R"("_-8=")", "7", "null"}) {
    EXPECT_FALSE(connection(R"({"b64info":)" + std::string(bad) + "}")) << bad;
  }
}

TEST(ConnectionClaims, ExpireAtOfZeroIsNever) {
  EXPECT_TRUE(connection(R"({"expire_at":0})")->expire_at->never);
  EXPECT_TRUE(connection(R"({"expire_at":-0.0})")->expire_at->never);
  EXPECT_FALSE(connection(R"({"expire_at":0.001})")->expire_at->never);
}

TEST(ConnectionClaims, WrongTypesAreRefusedByName) {
  struct Case {
    std::string_view json;
    std::string_view named;
  };
  const Case cases[] = {
      {R"({"exp":"1"})", "exp"},
      {R"({"exp":null})", "exp"},
      {R"({"exp":-1})", "exp"},
      {R"({"exp":-0.001})", "exp"},
      {R"({"exp":253402300800})", "exp"},
      {R"({"exp":1e19})", "exp"},
      {R"({"exp":1e308})", "exp"},
      {R"({"exp":18446744073709551617})", "exp"},
      {R"({"nbf":[1]})", "nbf"},
      {R"({"iat":{}})", "iat"},
      {R"({"expire_at":-1})", "expire_at"},
      {R"({"expire_at":9223372036854775808})", "expire_at"},
      {R"({"expire_at":"0"})", "expire_at"},
      {R"({"sub":7})", "sub"},
      {R"({"sub":null})", "sub"},
      {R"({"jti":7})", "jti"},
      {R"({"iss":["x"]})", "iss"},
      {R"({"aud":7})", "aud"},
      {R"({"aud":["x",7]})", "aud"},
      {R"({"meta":"x"})", "meta"},
      {R"({"meta":[]})", "meta"},
      {R"({"channels":"x"})", "channels"},
      {R"({"channels":[1]})", "channels"},
      {R"({"channels":[""]})", "channels"},
      {R"({"subs":["x"]})", "subs"},
      {R"({"subs":{"x":null}})", "subs"},
      {R"({"subs":{"":{}}})", "subs"},
      {R"({"subs":{"a\n":{}}})", "subs"},
      {R"({"subs":{"x":{},"\u0078":{}}})", "subs"},
      {R"({"subs":{"x":{"info":1,"info":2}}})", "subs"},
      {R"({"subs":{"x":{"b64data":"?"}}})", "b64data"},
      {R"({"subs":{"x":{"override":[]}}})", "override"},
      {R"({"subs":{"x":{"override":{"presence":true}}}})", "override"},
      {R"({"subs":{"x":{"override":{"presence":{}}}}})", "override"},
      {R"({"subs":{"x":{"override":{"presence":{"value":1}}}}})", "override"},
      {R"({"channel":"x"})", "channel"},
  };
  for (const Case& c : cases) {
    const auto claims = connection(c.json);
    ASSERT_FALSE(claims) << c.json;
    EXPECT_TRUE(claims.error().contains(c.named)) << c.json << ": " << claims.error();
  }
}

TEST(ConnectionClaims, NoNameStandsTwice) {
  for (const std::string_view json : {R"({"info":1,"info":1})", R"({"info":1,"\u0069nfo":2})", R"({"x":1,"x":1})",
                                      R"({"exp":1,"sub":"a","exp":2})", R"([])", R"("x")", "", "{", R"({}{})"}) {
    EXPECT_FALSE(connection(json)) << json;
  }
  EXPECT_TRUE(connection(R"({"info":{"a":1,"a":2}})")) << "what is inside is not ours to read";
}

TEST(Claims, TheUserMayStandElsewhere) {
  EXPECT_EQ(connection(R"({"sub":"a","user_id":"b"})", "user_id")->common.subject, "b");
  EXPECT_EQ(connection(R"({"sub":"a"})", "user_id")->common.subject, "");
  EXPECT_TRUE(connection(R"({"sub":7,"user_id":"b"})", "user_id")) << "sub is then a name like any other";
  EXPECT_FALSE(connection(R"({"user_id":7})", "user_id"));
  EXPECT_TRUE(valid_user_claim("user_id"));
  EXPECT_TRUE(valid_user_claim("sub"));
  EXPECT_FALSE(valid_user_claim(""));
  EXPECT_FALSE(valid_user_claim("exp"));
  EXPECT_FALSE(valid_user_claim("channels"));
  EXPECT_FALSE(valid_user_claim("user id"));
  EXPECT_FALSE(valid_user_claim("https://x/id"));
  EXPECT_FALSE(valid_user_claim(std::string(65, 'a')));
}

TEST(SubscriptionClaims, Everything) {
  const auto claims = subscription(
      R"({"sub":"alice","channel":"$news","client":"c-1","info":{"a":1},"exp":1700003600,"expire_at":0,"jti":"7",)"
      R"("override":{"presence":{"value":false}},"channels":"of another kind of token"})");
  ASSERT_TRUE(claims) << claims.error();
  EXPECT_EQ(claims->common.subject, "alice");
  EXPECT_EQ(claims->common.token_id, "7");
  EXPECT_EQ(claims->channel, "$news");
  EXPECT_EQ(claims->client, "c-1");
  EXPECT_EQ(claims->info, (Payload{Payload::Kind::json, R"({"a":1})"}));
  EXPECT_TRUE(claims->expire_at->never);
  EXPECT_EQ(claims->changes, ChannelOverride{.presence = false});
}

TEST(SubscriptionClaims, TheChannelIsRequired) {
  for (const std::string_view json : {"{}", R"({"channel":7})", R"({"channel":""})", R"({"channel":"a\u0000"})",
                                      R"({"channel":null})", R"({"channels":["x"]})"}) {
    EXPECT_FALSE(subscription(json)) << json;
  }
  EXPECT_FALSE(subscription(R"({"channel":"x","client":7})"));
  EXPECT_FALSE(subscription(R"({"channel":"x","override":7})"));
  EXPECT_FALSE(subscription(R"({"channel":")" + std::string(256, 'x') + "\"}"));
  EXPECT_TRUE(subscription(R"({"channel":")" + std::string(255, 'x') + "\"}"));
}

TEST(PermissionClaims, ClaimsOfOtherKindsAreNotRead) {
  EXPECT_TRUE(read_permission_claims(R"({"exp":1,"info":1,"meta":"x","subs":7,"b64info":"?"})", "sub"));
  EXPECT_FALSE(read_permission_claims(R"({"exp":1,"channel":"x"})", "sub"));  // a token for one channel
}

}  // namespace
}  // namespace auth
