#include "auth/policy.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

using base::Error;

constexpr base::WallTime kNow{1'700'000'000'000};
constexpr Verb kVerbs[] = {Verb::subscribe, Verb::publish, Verb::history, Verb::presence};

Principal anonymous() { return {}; }

Principal with_token(std::vector<std::string> subscribe, std::vector<std::string> publish) {
  return {.kind = Principal::Kind::token,
          .subject = "u",
          .expires = base::WallTime{kNow.ms + 1000},
          .subscribe = std::move(subscribe),
          .publish = std::move(publish)};
}

Principal with_api_key() { return {.kind = Principal::Kind::api_key, .subject = {}, .subscribe = {}, .publish = {}}; }

Error answer(const Policy& policy, const Principal& principal, Verb verb, std::string_view channel,
             base::WallTime now = kNow) {
  const auto verdict = policy.authorize(principal, verb, channel, now);
  return verdict ? Error::none : verdict.error();
}

Policy one_namespace(Access subscribe, Access publish) {
  return Policy({.namespaces = {{.name = "", .permissions = {.subscribe = subscribe, .publish = publish}}}});
}

// Every cell of the table in the header, for every verb and both sides of the permissions.
TEST(Policy, AnswersAsItsTableSays) {
  Principal expired = with_token({"*"}, {"*"});
  expired.expires = kNow;
  struct Row {
    const char* name;
    Principal principal;
    Error nobody, anyone, token;
  };
  const Row rows[] = {
      {"anonymous", anonymous(), Error::forbidden, Error::none, Error::token_missing},
      {"token that covers", with_token({"n*"}, {"n*"}), Error::forbidden, Error::none, Error::none},
      {"token that does not", with_token({"x"}, {"x"}), Error::forbidden, Error::none, Error::forbidden},
      {"token without patterns", with_token({}, {}), Error::forbidden, Error::none, Error::forbidden},
      {"expired token", expired, Error::forbidden, Error::none, Error::token_expired},
      {"api key", with_api_key(), Error::none, Error::none, Error::none},
  };
  for (const Row& row : rows) {
    for (const Verb verb : kVerbs) {
      const auto with = [&](Access access) {
        // The other side is the opposite, so that a mix-up of the two shows.
        const Access other = access == Access::anyone ? Access::nobody : Access::anyone;
        return verb == Verb::publish ? one_namespace(other, access) : one_namespace(access, other);
      };
      EXPECT_EQ(answer(with(Access::nobody), row.principal, verb, "news"), row.nobody) << row.name;
      EXPECT_EQ(answer(with(Access::anyone), row.principal, verb, "news"), row.anyone) << row.name;
      EXPECT_EQ(answer(with(Access::token), row.principal, verb, "news"), row.token) << row.name;
    }
  }
}

TEST(Policy, SubscribePatternsDoNotPublishNorTheOtherWayRound) {
  const Policy policy = one_namespace(Access::token, Access::token);
  const Principal reader = with_token({"news"}, {});
  const Principal writer = with_token({}, {"news"});
  EXPECT_EQ(answer(policy, reader, Verb::subscribe, "news"), Error::none);
  EXPECT_EQ(answer(policy, reader, Verb::history, "news"), Error::none);
  EXPECT_EQ(answer(policy, reader, Verb::presence, "news"), Error::none);
  EXPECT_EQ(answer(policy, reader, Verb::publish, "news"), Error::forbidden);
  EXPECT_EQ(answer(policy, writer, Verb::publish, "news"), Error::none);
  EXPECT_EQ(answer(policy, writer, Verb::subscribe, "news"), Error::forbidden);
  EXPECT_EQ(answer(policy, writer, Verb::history, "news"), Error::forbidden);
}

TEST(Policy, RightsEndAtTheMomentTheyExpire) {
  const Policy policy = one_namespace(Access::token, Access::token);
  const Principal principal = with_token({"*"}, {"*"});
  EXPECT_EQ(answer(policy, principal, Verb::subscribe, "news", {principal.expires.ms - 1}), Error::none);
  EXPECT_EQ(answer(policy, principal, Verb::subscribe, "news", principal.expires), Error::token_expired);
}

TEST(Policy, WithoutRulesNobodyMayAnything) {
  for (const Verb verb : kVerbs) {
    EXPECT_EQ(answer(Policy{}, anonymous(), verb, "news"), Error::forbidden);
    EXPECT_EQ(answer(Policy{}, with_token({"*"}, {"*"}), verb, "news"), Error::forbidden);
    EXPECT_EQ(answer(Policy{}, with_api_key(), verb, "news"), Error::none);
  }
}

TEST(Policy, OpenPermitsEverything) {
  const Policy policy({.mode = PolicyRules::Mode::open});
  for (const Verb verb : kVerbs) {
    EXPECT_EQ(answer(policy, anonymous(), verb, "news"), Error::none);
    EXPECT_EQ(answer(policy, anonymous(), verb, "chat:1"), Error::none);
  }
}

TEST(Policy, ANamespaceIsAConfiguredPrefix) {
  const NamespacePermissions open{.subscribe = Access::anyone, .publish = Access::anyone};
  const Policy policy({.namespaces = {{.name = "chat", .permissions = open}, {.name = "", .permissions = {}}}});
  EXPECT_EQ(policy.namespace_of("chat:1"), "chat");
  EXPECT_EQ(policy.namespace_of("chat:1:2"), "chat");
  EXPECT_EQ(policy.namespace_of("chat:"), "chat");
  EXPECT_EQ(policy.namespace_of("chat"), "");
  EXPECT_EQ(policy.namespace_of("Chat:1"), "");
  EXPECT_EQ(policy.namespace_of("other:1"), "");
  EXPECT_EQ(policy.namespace_of(":1"), "");
  EXPECT_EQ(answer(policy, anonymous(), Verb::subscribe, "chat:1"), Error::none);
  EXPECT_EQ(answer(policy, anonymous(), Verb::subscribe, "chat"), Error::forbidden);
  EXPECT_EQ(answer(policy, anonymous(), Verb::subscribe, "other:1"), Error::forbidden);
}

TEST(Policy, StrictRefusesAnUnknownPrefixToEverybody) {
  const Policy policy(
      {.unknown_prefix = PolicyRules::UnknownPrefix::is_error, .namespaces = {{.name = "chat", .permissions = {}}}});
  EXPECT_EQ(policy.namespace_of("chat:1"), "chat");
  EXPECT_EQ(policy.namespace_of("plain"), "");
  EXPECT_EQ(policy.namespace_of("http://not-a-prefix"), std::unexpected(Error::forbidden));
  EXPECT_EQ(policy.namespace_of("two words:1"), "");  // not the grammar of a prefix: the whole is a plain name
  EXPECT_EQ(answer(policy, with_api_key(), Verb::publish, "other:1"), Error::forbidden);
  EXPECT_EQ(answer(policy, with_api_key(), Verb::publish, "plain"), Error::none);
}

TEST(Policy, CarriesItsVersion) {
  EXPECT_EQ(Policy{}.version(), 0U);
  EXPECT_EQ(Policy({.version = 7}).version(), 7U);
}

TEST(NamespacePrefix, FollowsItsGrammar) {
  const std::string longest(32, 'n');
  EXPECT_EQ(namespace_prefix("a:b"), "a");
  EXPECT_EQ(namespace_prefix("A-z_09:b"), "A-z_09");
  EXPECT_EQ(namespace_prefix("a:b:c"), "a");
  EXPECT_EQ(namespace_prefix("a:"), "a");
  EXPECT_EQ(namespace_prefix(longest + ":x"), longest);
  EXPECT_EQ(namespace_prefix(longest + "n:x"), "");
  EXPECT_EQ(namespace_prefix("a"), "");
  EXPECT_EQ(namespace_prefix(""), "");
  EXPECT_EQ(namespace_prefix(":b"), "");
  EXPECT_EQ(namespace_prefix("a.b:c"), "");
  EXPECT_EQ(namespace_prefix("\xc3\xa9:c"), "");
  EXPECT_TRUE(valid_namespace_name("chat"));
  EXPECT_FALSE(valid_namespace_name(""));
  EXPECT_FALSE(valid_namespace_name("a:b"));
}

}  // namespace
}  // namespace auth
