// Policy: the permissions of every namespace as one immutable value, and the one question that every door and every
// delivery path asks. A reload makes a new policy with a higher version; whoever keeps a verdict keeps the version
// beside it and asks again when they differ.
//
// Values; any thread may call const functions.
//
// Who gets what, with P the principal and A the access of the channel's namespace for the verb:
//
//   P            A = nobody   A = anyone   A = token
//   anonymous    forbidden    ok           token_missing
//   token        forbidden    ok           token_expired once expired, else ok if a pattern of P for the verb covers
//   the
//                                          channel, else forbidden
//   api_key      ok           ok           ok
//
// subscribe, history and presence are one right. With Mode::open (--dev) every answer is ok.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/auth.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/time.h"

namespace auth {

// The part before the first ':' if it is 1 to 32 characters of [A-Za-z0-9_-], else empty. Whether such a namespace
// exists is for the configuration to say.
std::string_view namespace_prefix(std::string_view channel);

// A name that namespace_prefix can give.
bool valid_namespace_name(std::string_view name);

struct NamespaceRule {
  std::string name;  // empty: the default namespace
  NamespacePermissions permissions;
};

struct PolicyRules {
  enum class Mode : std::uint8_t { closed, open } mode = Mode::closed;
  // What a channel with an unknown prefix is: one of the default namespace, or an error.
  enum class UnknownPrefix : std::uint8_t { is_default, is_error } unknown_prefix = UnknownPrefix::is_default;
  std::vector<NamespaceRule> namespaces;  // without one with an empty name the default permits nobody
  std::uint64_t version = 0;
};

class Policy {
 public:
  Policy() = default;  // closed for everybody, version 0
  explicit Policy(PolicyRules rules);

  // `channel` is a valid channel name. forbidden, token_missing or token_expired.
  std::expected<void, base::Error> authorize(const Principal& principal, Verb verb, std::string_view channel,
                                             base::WallTime now) const;

  // The name of the namespace that `channel` belongs to (empty: the default one); forbidden if its prefix is unknown
  // and that is an error. The view lies in `channel`.
  std::expected<std::string_view, base::Error> namespace_of(std::string_view channel) const;

  std::uint64_t version() const { return version_; }

 private:
  PolicyRules::Mode mode_ = PolicyRules::Mode::closed;
  PolicyRules::UnknownPrefix unknown_prefix_ = PolicyRules::UnknownPrefix::is_default;
  std::uint64_t version_ = 0;
  std::unordered_map<std::string, NamespacePermissions, base::StringHash, std::equal_to<>> namespaces_;
};

}  // namespace auth
