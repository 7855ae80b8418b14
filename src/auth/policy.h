// Policy: the permissions of every namespace as one immutable value, and the one question that every door and every
// delivery path asks. A reload makes a new policy with a higher version; whoever keeps a verdict keeps the version
// beside it and asks again when they differ.
//
// Values; any thread may call const functions.
//
// Who gets what, with P the principal and A the access of the channel's namespace for the verb:
//
//   P                    A = nobody  A = token      A = user      A = anyone
//   anonymous            forbidden   token_missing  token_missing  ok
//   token, expired       forbidden   token_expired  token_expired  ok
//   token that names it  forbidden   ok             ok             ok
//   token with subject   forbidden   forbidden      ok             ok
//   another token        forbidden   forbidden      forbidden      ok
//   api_key              ok          ok             ok             ok
//
// A token names a channel if one of its patterns for the verb covers it: `subscribe`, and for history and presence the
// same; `publish`, for removing too. Standing::channel_token is as good, but for publishing and removing.
//
// Before that: who is subscribed may do what the namespace leaves to subscribers (`..._for_subscriber`; history and
// presence also where they have no access of their own).
//
// Limited channels. A private channel begins with `$` (PolicyRules::private_channels); a user-limited one has a `#` in
// a namespace with user_limited_channels and belongs to the users that stand behind the last `#`, with `,` between
// them. Of these, `user` and `anyone` mean only who is inside: subscribed, or one of the users named. Those may also
// subscribe to it whatever A is; a private channel names nobody.
//
// With Mode::open (--dev, auth.insecure_clients) every answer about a channel that can exist is ok.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/auth.h"
#include "auth/name_pattern.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/time.h"

namespace auth {

// The part before the first ':' if it is 1 to 32 characters of [A-Za-z0-9_-], else empty. Whether such a namespace
// exists is for the configuration to say.
std::string_view namespace_prefix(std::string_view channel);

// A name that namespace_prefix can give.
bool valid_namespace_name(std::string_view name);

// Whether `user` is one of those behind the last '#' of the channel. Nobody, if there is none; never the empty user.
bool names_user(std::string_view channel, std::string_view user);

struct NamespaceRule {
  std::string name;  // empty: the default namespace
  NamespacePermissions permissions;
  std::optional<NamePattern> pattern = {};  // of what follows the prefix (the whole name in the default namespace)
};

struct PolicyRules {
  enum class Mode : std::uint8_t { closed, open } mode = Mode::closed;
  // What a channel with an unknown prefix is: one of the default namespace, or an error.
  enum class UnknownPrefix : std::uint8_t { is_default, is_error } unknown_prefix = UnknownPrefix::is_default;
  // A leading '$' makes a channel private and is not part of the namespace's name.
  bool private_channels = false;
  std::vector<NamespaceRule> namespaces;  // without one with an empty name the default permits nobody
  std::uint64_t version = 0;
};

// What the asker knows about the connection and this very channel.
struct Standing {
  bool subscribed = false;     // it is, now
  bool wildcard = false;       // the channel is one: no name, so that channel_pattern has nothing to say
  bool channel_token = false;  // it shows a token for this channel that is its own and has not expired
};

class Policy {
 public:
  Policy() = default;  // closed for everybody, version 0
  explicit Policy(PolicyRules rules);

  // `channel` is a valid channel name. bad_channel if its namespace does not have such names; forbidden, token_missing
  // or token_expired.
  std::expected<void, base::Error> authorize(const Principal& principal, Verb verb, std::string_view channel,
                                             base::WallTime now, Standing standing = {}) const;

  // bad_channel if the namespace of the channel does not have such names; forbidden as namespace_of().
  std::expected<void, base::Error> check_name(std::string_view channel) const;

  // What is published on `channel` reaches whoever subscribes to `wildcard`, which matches it (hub/wildcard.h)...
  bool is_covered(std::string_view wildcard, std::string_view channel) const;  // each of them
  // ...or this one; with Standing::channel_token for the wildcard. A wildcard stays inside its namespace, and opens no
  // user-limited channel of others. A token for it opens private channels if it begins with `$` itself.
  std::expected<void, base::Error> authorize_within(const Principal& principal, std::string_view wildcard,
                                                    std::string_view channel, base::WallTime now,
                                                    Standing standing) const;

  // The name of the namespace that `channel` belongs to (empty: the default one); forbidden if its prefix is unknown
  // and that is an error. The view lies in `channel`.
  std::expected<std::string_view, base::Error> namespace_of(std::string_view channel) const;

  // By its name; no token but one that names it lets anybody in.
  bool is_private(std::string_view channel) const { return private_channels_ && channel.starts_with('$'); }

  // It belongs to the users that its name says.
  bool is_user_limited(std::string_view channel) const;

  std::uint64_t version() const { return version_; }

 private:
  struct Rule {
    NamespacePermissions permissions;
    std::optional<NamePattern> pattern;
  };
  const Rule& rule_of(std::string_view name) const;

  PolicyRules::Mode mode_ = PolicyRules::Mode::closed;
  PolicyRules::UnknownPrefix unknown_prefix_ = PolicyRules::UnknownPrefix::is_default;
  bool private_channels_ = false;
  std::uint64_t version_ = 0;
  std::unordered_map<std::string, Rule, base::StringHash, std::equal_to<>> namespaces_;
};

}  // namespace auth
