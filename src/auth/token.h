// Tokens: JSON Web Tokens (RFC 7519), taken apart by compact_token.h, checked with the keys of a KeySet, read by
// claims.h and judged here. The signature is checked before a byte of the claims is read as JSON (threat T32), and a
// key is used with its own algorithms only (T33).
//
// Clocks may differ by kSkew. Immutable value; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth.h"
#include "auth/claims.h"
#include "auth/key_set.h"
#include "base/error.h"
#include "base/refusal.h"
#include "base/secret.h"
#include "base/time.h"

namespace auth {

inline constexpr std::size_t kTokenBytesMax = 4096;  // what fits the header limits of browsers, proxies and ours
// Tokens that come inside a message: they may carry info and data. What comes before authentication is below 16 KiB.
inline constexpr std::size_t kMessageTokenBytesMax = 12 * 1024;
inline constexpr std::int64_t kSkewMs = 60'000;  // of wall clocks (robustness.md F16)
inline constexpr base::WallTime kNoExpiry{INT64_MAX};

struct TokenRules {
  std::string audience;            // one of the token's `aud` must be this; empty: `aud` is not looked at
  std::string issuer;              // its `iss` must be this; empty: not looked at
  std::string user_claim = "sub";  // or a valid_user_claim()
  SecretLength secrets = SecretLength::safe;
  friend bool operator==(const TokenRules&, const TokenRules&) = default;
};

struct ConnectionToken {
  Principal principal;  // `expires` is the end of the connection: expire_at, else exp, plus the skew; or kNoExpiry
  ConnectionClaims claims;
};

struct SubscriptionToken {
  SubscriptionClaims claims;
  base::WallTime expires = kNoExpiry;  // of the subscription, as above
};

// Somebody else who signs tokens for this server, with keys that were fetched: a domain of trust of its own. Its keys
// verify nothing but what its rules allow, whatever names they have (threat T32).
struct TokenDomain {
  TokenRules rules;                    // the user's id stands where the verifier's own rules say
  std::shared_ptr<const KeySet> keys;  // null: not fetched yet
};

class TokenVerifier {
 public:
  static constexpr std::size_t kDomainsMax = 8;

  TokenVerifier() = default;  // accepts nothing
  explicit TokenVerifier(KeySet keys, TokenRules rules = {}) : keys_(std::move(keys)), rules_(std::move(rules)) {}
  // Secrets of HMAC, of which every one is tried, so that they can be rotated. What Key::secret() refuses is left out
  // and never matches.
  explicit TokenVerifier(const std::vector<base::Secret>& secrets, TokenRules rules = {});
  // Those, and behind them the public keys of a PEM text (key_set.h), unless it is empty. The error is that of
  // public_keys_of_pem().
  static std::expected<TokenVerifier, std::string> make(const std::vector<base::Secret>& secrets,
                                                        std::string_view public_keys_pem, TokenRules rules);

  // All three: token_invalid with what is wrong (before the signature was checked: nothing that was read in the
  // token), or token_expired if nothing else is wrong with it.

  // What every door of Wirebird takes. `exp` is required; at most kTokenBytesMax.
  std::expected<Principal, base::Refusal> verify(std::string_view token, base::WallTime now) const;
  // Of a Centrifuge client: `exp` is optional; at most kMessageTokenBytesMax. The principal has the rights that
  // verify() would give, so that one token never has two meanings.
  std::expected<ConnectionToken, base::Refusal> verify_connection(std::string_view token, base::WallTime now) const;
  // The same for its subscription to one channel. Whether user, channel and client are those of the connection is for
  // the caller to see.
  std::expected<SubscriptionToken, base::Refusal> verify_subscription(std::string_view token, base::WallTime now) const;

  // At most kDomainsMax, asked in this order after the verifier's own keys.
  void set_domains(std::vector<TokenDomain> domains) { domains_ = std::move(domains); }
  const std::vector<TokenDomain>& domains() const { return domains_; }
  // A domain may have a key for this token that was not fetched yet: it names a key that none has, or none has a key
  // for its algorithm. Nothing of it has been verified; it decides only whether fetching is worth while.
  bool names_unknown_key(std::string_view token) const;

  bool empty() const { return keys_.empty() && domains_.empty(); }
  const KeySet& keys() const { return keys_; }
  const TokenRules& rules() const { return rules_; }

 private:
  struct Opened {                            // a token with a good signature
    std::string claims;                      // JSON
    std::vector<const TokenRules*> signers;  // of whoever may have signed it, at least one
  };
  std::expected<Opened, base::Refusal> open(std::string_view token, std::size_t bytes_max) const;
  // Whether the token is good now, but for the end of what it was for.
  static std::optional<base::Refusal> judge(const Opened& token, const CommonClaims& claims, base::WallTime now);
  static std::optional<base::Refusal> judge(const TokenRules& rules, const CommonClaims& claims, base::WallTime now);

  KeySet keys_;
  TokenRules rules_;
  std::vector<TokenDomain> domains_;
};

struct TokenClaims {
  std::string subject;  // left out if empty, as are the next two
  std::string issuer;
  std::string audience;
  std::int64_t issued_at_s = 0;
  std::int64_t expires_at_s = 0;
  std::vector<std::string> channels;
  std::vector<std::string> subscribe;
  std::vector<std::string> publish;
  std::string user_claim = "sub";  // where the subject stands
};

// Header and claims of a token that verify() accepts until it expires, without the signature over exactly this text
// and the dot before it. The texts are valid UTF-8; an empty `kid` is left out. bad_channel for an impossible pattern,
// bad_parameter for an impossible subject or time.
std::expected<std::string, base::Error> token_to_sign(const TokenClaims& claims, Algorithm algorithm,
                                                      std::string_view kid = {});

// text "." signature; payload_too_big above kTokenBytesMax.
std::expected<std::string, base::Error> signed_token(std::string text, std::string_view signature);

// Both with an HMAC: `algorithm` is one of kHmacAlgorithms, `key` is not empty.
std::expected<std::string, base::Error> sign_token(const TokenClaims& claims, const base::Secret& key,
                                                   Algorithm algorithm = Algorithm::hs256, std::string_view kid = {});

}  // namespace auth
