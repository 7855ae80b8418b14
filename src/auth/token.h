// Tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256, in the compact form of RFC 7515, and no other kind. The
// algorithm is fixed here and never taken from the token (threat T33); the signature is checked before a single byte of
// the token is read as JSON (T32).
//
//   token   = header "." claims "." signature      each base64url without padding, exactly as an encoder writes it
//   header  = {"alg":"HS256", "typ"?: "JWT", ...}  "crit" is refused (RFC 7515 section 4.1.11); "kid" picks no key
//   claims  = {"exp": s, "nbf"?: s, "iat"?: s, "sub"?: text, "channels"?: [...], "subscribe"?: [...], "publish"?:
//   [...], ...}
//
// Times are seconds since 1970; fractions count. `channels` may be subscribed to and published to, the other two say
// one. Their elements are patterns (pattern.h). A claim or header parameter that is named here and stands there twice
// makes the token invalid; others are ignored. Clocks may differ by kSkew.
//
// Immutable value; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth.h"
#include "base/error.h"
#include "base/refusal.h"
#include "base/secret.h"
#include "base/time.h"

namespace auth {

inline constexpr std::size_t kTokenBytesMax = 4096;  // what fits the header limits of browsers, proxies and ours
inline constexpr std::size_t kSubjectBytesMax = 255;
inline constexpr std::int64_t kSkewMs = 60'000;  // of wall clocks (robustness.md F16)

class TokenVerifier {
 public:
  TokenVerifier() = default;  // accepts nothing
  // Every key is tried, so that keys can be rotated. Empty ones are left out: they never match.
  explicit TokenVerifier(const std::vector<base::Secret>& keys);

  // token_invalid with what is wrong (before the signature was checked: nothing that was read in the token), or
  // token_expired if nothing else is wrong with it.
  std::expected<Principal, base::Refusal> verify(std::string_view token, base::WallTime now) const;

  bool empty() const { return keys_.empty(); }

 private:
  bool signed_by_a_key(std::string_view text, std::string_view signature) const;

  std::vector<base::Secret> keys_;
};

struct TokenClaims {
  std::string subject;  // left out if empty
  std::int64_t issued_at_s = 0;
  std::int64_t expires_at_s = 0;
  std::vector<std::string> channels;
  std::vector<std::string> subscribe;
  std::vector<std::string> publish;
};

// A token that a TokenVerifier with `key` accepts until it expires. `key` is not empty; the texts are valid UTF-8.
// bad_channel for an impossible pattern, bad_parameter for an impossible subject or time, payload_too_big above
// kTokenBytesMax.
std::expected<std::string, base::Error> sign_token(const TokenClaims& claims, const base::Secret& key);

}  // namespace auth
