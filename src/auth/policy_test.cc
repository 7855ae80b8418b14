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
             base::WallTime now = kNow, Standing standing = {}) {
  const auto verdict = policy.authorize(principal, verb, channel, now, standing);
  return verdict ? Error::none : verdict.error();
}

Policy one_namespace(Access subscribe, Access publish) {
  return Policy({.namespaces = {{.name = "", .permissions = {.subscribe = subscribe, .publish = publish}}}});
}

// Every cell of the table in the header, for every verb and both sides of the permissions.
TEST(Policy, AnswersAsItsTableSays) {
  Principal expired = with_token({"*"}, {"*"});
  expired.expires = kNow;
  const auto without_subject = [](Principal principal) {
    principal.subject.clear();
    return principal;
  };
  struct Row {
    const char* name;
    Principal principal;
    Error nobody, token, user, anyone;
  };
  const Row rows[] = {
      {"anonymous", anonymous(), Error::forbidden, Error::token_missing, Error::token_missing, Error::none},
      {"token that covers", with_token({"n*"}, {"n*"}), Error::forbidden, Error::none, Error::none, Error::none},
      {"the same without a subject", without_subject(with_token({"n*"}, {"n*"})), Error::forbidden, Error::none,
       Error::none, Error::none},
      {"token that does not", with_token({"x"}, {"x"}), Error::forbidden, Error::forbidden, Error::none, Error::none},
      {"token without patterns", with_token({}, {}), Error::forbidden, Error::forbidden, Error::none, Error::none},
      {"token without subject", without_subject(with_token({}, {})), Error::forbidden, Error::forbidden,
       Error::forbidden, Error::none},
      {"expired token", expired, Error::forbidden, Error::token_expired, Error::token_expired, Error::none},
      {"api key", with_api_key(), Error::none, Error::none, Error::none, Error::none},
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
      EXPECT_EQ(answer(with(Access::user), row.principal, verb, "news"), row.user) << row.name;
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

TEST(Policy, HistoryAndPresenceMayHaveAnAccessOfTheirOwn) {
  const auto policy = [](std::optional<Access> history, std::optional<Access> presence) {
    return Policy(
        {.namespaces = {
             {.name = "", .permissions = {.subscribe = Access::token, .history = history, .presence = presence}}}});
  };
  const Principal user = with_token({}, {});
  EXPECT_EQ(answer(policy(Access::user, {}), user, Verb::history, "news"), Error::none);
  EXPECT_EQ(answer(policy(Access::user, {}), user, Verb::presence, "news"), Error::forbidden);
  EXPECT_EQ(answer(policy({}, Access::user), user, Verb::presence, "news"), Error::none);
  EXPECT_EQ(answer(policy({}, Access::user), user, Verb::history, "news"), Error::forbidden);
  EXPECT_EQ(answer(policy(Access::anyone, {}), user, Verb::subscribe, "news"), Error::forbidden);
  const Principal reader = with_token({"news"}, {});
  EXPECT_EQ(answer(policy(Access::nobody, Access::nobody), reader, Verb::subscribe, "news"), Error::none);
  EXPECT_EQ(answer(policy(Access::nobody, Access::nobody), reader, Verb::history, "news"), Error::forbidden);
  EXPECT_EQ(answer(policy(Access::nobody, Access::nobody), reader, Verb::presence, "news"), Error::forbidden);
}

TEST(Policy, WhoIsSubscribedMayDoWhatIsLeftToSubscribers) {
  const auto with = [](NamespacePermissions permissions) {
    return Policy({.namespaces = {{.name = "", .permissions = permissions}}});
  };
  const Standing subscribed{.subscribed = true};
  const NamespacePermissions closed{.history = Access::nobody, .presence = Access::nobody};
  for (const Verb verb : kVerbs) {
    for (const Verb left : {Verb::publish, Verb::history, Verb::presence}) {
      NamespacePermissions permissions = closed;
      (left == Verb::publish   ? permissions.publish_for_subscriber
       : left == Verb::history ? permissions.history_for_subscriber
                               : permissions.presence_for_subscriber) = true;
      const Error expected = verb == left ? Error::none : Error::forbidden;
      EXPECT_EQ(answer(with(permissions), anonymous(), verb, "news", kNow, subscribed), expected);
      EXPECT_EQ(answer(with(permissions), anonymous(), verb, "news"), Error::forbidden);
    }
  }
  // Without an access of their own, history and presence go with the subscription.
  EXPECT_EQ(answer(with({}), anonymous(), Verb::history, "news", kNow, subscribed), Error::none);
  EXPECT_EQ(answer(with({}), anonymous(), Verb::presence, "news", kNow, subscribed), Error::none);
  EXPECT_EQ(answer(with({}), anonymous(), Verb::publish, "news", kNow, subscribed), Error::forbidden);
  EXPECT_EQ(answer(with({}), anonymous(), Verb::subscribe, "news", kNow, subscribed), Error::forbidden);
}

TEST(Policy, ATokenForTheChannelIsAsGoodAsOneThatNamesIt) {
  const Standing shown{.channel_token = true};
  const Error refused = Error::forbidden;
  for (const Access access : {Access::nobody, Access::token, Access::user, Access::anyone}) {
    const Policy policy = one_namespace(access, access);
    const Error expected = access == Access::nobody ? refused : Error::none;
    EXPECT_EQ(answer(policy, anonymous(), Verb::subscribe, "news", kNow, shown), expected);
    EXPECT_EQ(answer(policy, anonymous(), Verb::history, "news", kNow, shown), expected);
    EXPECT_EQ(answer(policy, with_token({}, {}), Verb::subscribe, "news", kNow, shown), expected);
  }
  EXPECT_EQ(answer(one_namespace(Access::token, Access::token), with_token({}, {}), Verb::publish, "news", kNow, shown),
            refused);
}

Policy private_channels(Access subscribe, Access publish) {
  const NamespacePermissions permissions{.subscribe = subscribe, .publish = publish};
  return Policy(
      {.private_channels = true,
       .namespaces = {{.name = "", .permissions = permissions}, {.name = "chat", .permissions = permissions}}});
}

TEST(Policy, APrivateChannelIsForThoseWithATokenForIt) {
  for (const std::string_view channel : {"$news", "$chat:1"}) {
    for (const Access access : {Access::token, Access::user, Access::anyone}) {
      const Policy policy = private_channels(access, access);
      EXPECT_EQ(answer(policy, anonymous(), Verb::subscribe, channel), Error::token_missing);
      EXPECT_EQ(answer(policy, with_token({}, {}), Verb::subscribe, channel), Error::forbidden);
      EXPECT_EQ(answer(policy, with_token({}, {}), Verb::publish, channel), Error::forbidden);
      EXPECT_EQ(answer(policy, with_token({std::string(channel)}, {}), Verb::subscribe, channel), Error::none);
      EXPECT_EQ(answer(policy, with_token({}, {}), Verb::subscribe, channel, kNow, {.channel_token = true}),
                Error::none);
      EXPECT_EQ(answer(policy, with_token({}, {}), Verb::publish, channel, kNow, {.subscribed = true}),
                access == Access::token ? Error::forbidden : Error::none);
      EXPECT_EQ(answer(policy, with_api_key(), Verb::subscribe, channel), Error::none);
    }
    EXPECT_EQ(answer(private_channels(Access::nobody, Access::nobody), with_token({"*"}, {"*"}), Verb::subscribe,
                     channel, kNow, {.channel_token = true}),
              Error::forbidden);
  }
  const Policy policy = private_channels(Access::anyone, Access::anyone);
  EXPECT_EQ(policy.namespace_of("$chat:1"), "chat");
  EXPECT_EQ(policy.namespace_of("$other:1"), "");
  EXPECT_TRUE(policy.is_private("$chat:1"));
  EXPECT_FALSE(policy.is_private("chat:$1"));
  EXPECT_EQ(answer(policy, anonymous(), Verb::subscribe, "chat:$1"), Error::none);
}

TEST(Policy, ADollarIsALetterLikeAnyOtherUnlessConfigured) {
  const NamespacePermissions open{.subscribe = Access::anyone, .publish = Access::nobody};
  const Policy policy({.namespaces = {{.name = "", .permissions = open}, {.name = "chat", .permissions = {}}}});
  EXPECT_EQ(policy.namespace_of("$chat:1"), "");
  EXPECT_FALSE(policy.is_private("$chat:1"));
  EXPECT_EQ(answer(policy, anonymous(), Verb::subscribe, "$chat:1"), Error::none);
}

TEST(Policy, StrictLooksBehindTheDollar) {
  const Policy policy({.unknown_prefix = PolicyRules::UnknownPrefix::is_error,
                       .private_channels = true,
                       .namespaces = {{.name = "chat", .permissions = {}}}});
  EXPECT_EQ(policy.namespace_of("$chat:1"), "chat");
  EXPECT_EQ(policy.namespace_of("$other:1"), std::unexpected(Error::forbidden));
}

Principal user(std::string name) {
  Principal principal = with_token({}, {});
  principal.subject = std::move(name);
  return principal;
}

TEST(Policy, AUserLimitedChannelIsForThoseItNames) {
  const auto with = [](Access subscribe, Access publish) {
    return Policy(
        {.namespaces = {{.name = "",
                         .permissions = {.subscribe = subscribe, .publish = publish, .user_limited_channels = true}}}});
  };
  const std::string_view channel = "dialog#ann,bob";
  for (const Access access : {Access::nobody, Access::token, Access::user, Access::anyone}) {
    const Policy policy = with(access, access);
    for (const Verb verb : {Verb::subscribe, Verb::history, Verb::presence}) {
      EXPECT_EQ(answer(policy, user("ann"), verb, channel), Error::none);
      EXPECT_EQ(answer(policy, user("bob"), verb, channel), Error::none);
      EXPECT_EQ(answer(policy, user("eve"), verb, channel), Error::forbidden);
      EXPECT_EQ(answer(policy, user(""), verb, channel), Error::forbidden);
      EXPECT_EQ(answer(policy, anonymous(), verb, channel),
                access == Access::nobody ? Error::forbidden : Error::token_missing);
    }
    const bool users_publish = access == Access::user || access == Access::anyone;
    EXPECT_EQ(answer(policy, user("ann"), Verb::publish, channel), users_publish ? Error::none : Error::forbidden);
    EXPECT_EQ(answer(policy, user("eve"), Verb::publish, channel), Error::forbidden);
    EXPECT_EQ(answer(policy, with_api_key(), Verb::subscribe, channel), Error::none);
  }
  // A token for the channel lets others in too.
  EXPECT_EQ(
      answer(with(Access::token, Access::nobody), user("eve"), Verb::subscribe, channel, kNow, {.channel_token = true}),
      Error::none);
  EXPECT_EQ(answer(with(Access::token, Access::nobody), with_token({"dialog*"}, {}), Verb::subscribe, channel),
            Error::none);
  Principal late = user("ann");
  late.expires = kNow;
  EXPECT_EQ(answer(with(Access::user, Access::nobody), late, Verb::subscribe, channel), Error::token_expired);
  // Other channels of the namespace are what they were.
  EXPECT_EQ(answer(with(Access::user, Access::nobody), user("eve"), Verb::subscribe, "dialog"), Error::none);
  // Without the option a '#' is a letter like any other.
  EXPECT_EQ(answer(one_namespace(Access::user, Access::nobody), user("eve"), Verb::subscribe, channel), Error::none);
  EXPECT_EQ(answer(one_namespace(Access::nobody, Access::nobody), user("ann"), Verb::subscribe, channel),
            Error::forbidden);
}

TEST(Policy, APrivateChannelNamesNoUsers) {
  const Policy policy(
      {.private_channels = true,
       .namespaces = {{.name = "", .permissions = {.subscribe = Access::user, .user_limited_channels = true}}}});
  EXPECT_EQ(answer(policy, user("ann"), Verb::subscribe, "$dialog#ann"), Error::forbidden);
  EXPECT_EQ(answer(policy, user("ann"), Verb::subscribe, "dialog#ann"), Error::none);
}

TEST(NamesUser, LooksBehindTheLastBoundary) {
  EXPECT_TRUE(names_user("d#ann", "ann"));
  EXPECT_TRUE(names_user("d#ann,bob", "bob"));
  EXPECT_TRUE(names_user("d#eve#ann", "ann"));
  EXPECT_TRUE(names_user("#ann", "ann"));
  EXPECT_FALSE(names_user("d#eve#ann", "eve"));
  EXPECT_FALSE(names_user("d#ann,bob", "ann,bob"));
  EXPECT_FALSE(names_user("d#ann", "an"));
  EXPECT_FALSE(names_user("d#ann", "annn"));
  EXPECT_FALSE(names_user("d#", ""));
  EXPECT_FALSE(names_user("d#,", ""));
  EXPECT_FALSE(names_user("ann", "ann"));
}

TEST(Policy, NamesThatDoNotFitThePatternDoNotExist) {
  const NamespacePermissions open{.subscribe = Access::anyone, .publish = Access::anyone};
  const auto pattern = [](std::string_view text) { return *NamePattern::parse(text); };
  for (const auto mode : {PolicyRules::Mode::closed, PolicyRules::Mode::open}) {
    const Policy policy({.mode = mode,
                         .private_channels = true,
                         .namespaces = {{.name = "", .permissions = open, .pattern = pattern("[a-z]+")},
                                        {.name = "chat", .permissions = open, .pattern = pattern("[0-9]+")},
                                        {.name = "free", .permissions = open}}});
    for (const Verb verb : kVerbs) {
      EXPECT_EQ(answer(policy, with_api_key(), verb, "news"), Error::none);
      EXPECT_EQ(answer(policy, with_api_key(), verb, "News"), Error::bad_channel);
      EXPECT_EQ(answer(policy, anonymous(), verb, "chat:12"), Error::none);
      EXPECT_EQ(answer(policy, anonymous(), verb, "chat:12a"), Error::bad_channel);
      EXPECT_EQ(answer(policy, anonymous(), verb, "chat:"), Error::bad_channel);
      EXPECT_EQ(answer(policy, anonymous(), verb, "other:12"), Error::bad_channel);  // a name of the default namespace
      EXPECT_EQ(answer(policy, anonymous(), verb, "free:X y"), Error::none);
      EXPECT_EQ(answer(policy, with_api_key(), verb, "$chat:12"), Error::none);
      EXPECT_EQ(answer(policy, with_api_key(), verb, "$chat:a"), Error::bad_channel);
    }
  }
}

// What is published inside a wildcard, for whom.
TEST(Policy, AWildcardOpensNoMoreThanItsChannels) {
  const auto pattern = [](std::string_view text) { return *NamePattern::parse(text); };
  const Policy policy(
      {.private_channels = true,
       .namespaces = {{.name = "", .permissions = {.subscribe = Access::anyone}},
                      {.name = "user", .permissions = {.subscribe = Access::user}, .pattern = pattern("[a-z]+*")},
                      {.name = "token", .permissions = {.subscribe = Access::token}},
                      {.name = "mixed", .permissions = {.subscribe = Access::user, .user_limited_channels = true}}}});
  const Principal ann{.kind = Principal::Kind::token, .subject = "ann"};
  const Principal named{.kind = Principal::Kind::token, .subject = "", .subscribe = {"token:in*", "$token:in*"}};
  const base::WallTime now{1000};
  const auto inside = [&](const Principal& who, std::string_view wildcard, std::string_view channel,
                          bool token = false) {
    const auto allowed = policy.authorize_within(who, wildcard, channel, now, {.channel_token = token});
    return allowed ? Error::none : allowed.error();
  };
  EXPECT_TRUE(policy.is_covered("user:*", "user:a"));
  EXPECT_TRUE(policy.is_covered("mixed:*", "mixed:a"));
  EXPECT_TRUE(policy.is_covered("*", "a"));
  EXPECT_FALSE(policy.is_covered("*", "$a"));
  EXPECT_FALSE(policy.is_covered("**", "user:a"));
  EXPECT_FALSE(policy.is_covered("mixed:*", "mixed:a#ann"));
  EXPECT_FALSE(policy.is_covered("token:*", "token:a"));

  EXPECT_EQ(inside(ann, "mixed:*", "mixed:a#ann"), Error::none);
  EXPECT_EQ(inside(ann, "mixed:*", "mixed:a#bob"), Error::forbidden);
  EXPECT_EQ(inside(ann, "mixed:*", "mixed:a#bob", true), Error::forbidden);
  EXPECT_EQ(inside(with_api_key(), "mixed:*", "mixed:a#bob"), Error::none);
  EXPECT_EQ(inside(named, "token:*", "token:in-1"), Error::none);
  EXPECT_EQ(inside(named, "token:*", "token:out-1"), Error::forbidden);
  EXPECT_EQ(inside(ann, "token:*", "token:out-1", true), Error::none);
  EXPECT_EQ(inside(ann, "**", "user:a"), Error::forbidden);  // of another namespace
  EXPECT_EQ(inside(with_api_key(), "**", "user:a"), Error::forbidden);
  EXPECT_EQ(inside(ann, "*", "$secret", true), Error::forbidden);
  EXPECT_EQ(inside(ann, "$token:*", "$token:secret", true), Error::none);
  EXPECT_EQ(inside(named, "$token:*", "$token:in-1"), Error::none);

  // A wildcard is no name that a pattern could refuse; channels are.
  EXPECT_EQ(answer(policy, ann, Verb::subscribe, "user:*"), Error::bad_channel);
  EXPECT_TRUE(policy.authorize(ann, Verb::subscribe, "user:*", now, {.wildcard = true}));
  EXPECT_FALSE(policy.authorize(anonymous(), Verb::subscribe, "user:*", now, {.wildcard = true}));
  EXPECT_EQ(policy.check_name("user:A").error(), Error::bad_channel);
  EXPECT_TRUE(policy.check_name("user:a"));
  EXPECT_TRUE(policy.is_user_limited("mixed:a#ann"));
  EXPECT_FALSE(policy.is_user_limited("mixed:a"));
  EXPECT_FALSE(policy.is_user_limited("$mixed:a#ann"));
  EXPECT_FALSE(policy.is_user_limited("user:a#ann"));
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
