#include "auth/token.h"

#include <algorithm>
#include <utility>

#include "auth/compact_token.h"
#include "auth/pattern.h"
#include "auth/signature.h"
#include "base/assert.h"
#include "codec/base64.h"
#include "codec/json_out.h"

namespace auth {
namespace {

constexpr std::string_view kTooLong = "It is longer than 4096 bytes.";
constexpr std::string_view kMessageTooLong = "It is longer than 12288 bytes.";
static_assert(kTokenBytesMax == 4096 && kMessageTokenBytesMax == 12288);

base::Refusal invalid(std::string_view hint) { return {base::Error::token_invalid, hint}; }

// When what the token is for ends. Sums cannot overflow: claims reach to the year 9999.
base::WallTime end_of(const std::optional<ExpireAt>& expire_at, const std::optional<base::WallTime>& expires) {
  if (expire_at) return expire_at->never ? kNoExpiry : base::WallTime{expire_at->time.ms + kSkewMs};
  return expires ? base::WallTime{expires->ms + kSkewMs} : kNoExpiry;
}

Principal principal_of(const CommonClaims& common, const Permissions& permissions, base::WallTime expires) {
  return {.kind = Principal::Kind::token,
          .subject = common.subject,
          .expires = expires,
          .subscribe = permissions.subscribe,
          .publish = permissions.publish,
          .issued = common.issued.value_or(base::WallTime{}),
          .token_id = common.token_id};
}

void write_patterns(codec::JsonWriter& json, std::string_view name, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return;
  json.key(name).begin_array();
  for (const std::string& pattern : patterns) json.string(pattern);
  json.end_array();
}

bool in_range(std::int64_t seconds) { return seconds >= 0 && seconds <= kSecondsMax; }

}  // namespace

TokenVerifier::TokenVerifier(const std::vector<base::Secret>& secrets, TokenRules rules) : rules_(std::move(rules)) {
  for (const base::Secret& secret : secrets) {
    if (auto key = Key::secret(secret, {}, kHmacAlgorithms, rules_.secrets)) keys_.add(*std::move(key));
  }
}

std::expected<TokenVerifier, std::string> TokenVerifier::make(const std::vector<base::Secret>& secrets,
                                                              std::string_view public_keys_pem, TokenRules rules) {
  TokenVerifier made(secrets, std::move(rules));
  if (public_keys_pem.empty()) return made;
  auto keys = public_keys_of_pem(public_keys_pem);
  if (!keys) return std::unexpected(std::move(keys.error()));
  for (Key& key : *keys) {
    if (!made.keys_.add(std::move(key))) return std::unexpected("has keys that find no room beside the others");
  }
  return made;
}

std::expected<TokenVerifier::Opened, base::Refusal> TokenVerifier::open(std::string_view token,
                                                                        std::size_t bytes_max) const {
  if (token.size() > bytes_max)
    return std::unexpected(invalid(bytes_max == kTokenBytesMax ? kTooLong : kMessageTooLong));
  const auto parts = parse_compact_token(token);
  if (!parts) return std::unexpected(invalid(parts.error()));
  const auto& [signed_text, claims_text, signature, algorithm, kid] = *parts;
  KeySet::Answer signer = keys_.find_signer(algorithm, kid, signed_text, signature);
  Opened opened;
  if (signer.outcome == KeySet::Outcome::signed_by_key) opened.signers.push_back(&rules_);
  // Several domains may have the key, and then any of them whose rules allow the token does. All together they cost no
  // more public keys than a set of one's own.
  std::size_t tries = 0;
  for (const TokenDomain& domain : domains_) {
    if (domain.keys == nullptr) continue;
    const KeySet::Answer found =
        domain.keys->find_signer(algorithm, kid, signed_text, signature, KeySet::kPublicTriesMax - tries);
    tries += found.public_tries;
    if (found.outcome == KeySet::Outcome::signed_by_key) opened.signers.push_back(&domain.rules);
    if (found.outcome != KeySet::Outcome::no_key && opened.signers.empty()) signer = found;
  }
  if (opened.signers.empty() && signer.outcome == KeySet::Outcome::no_key) {
    return std::unexpected(invalid("No key of this server is for its alg and kid."));
  }
  if (opened.signers.empty()) return std::unexpected(invalid("Its signature fits no key of this server."));
  auto claims = codec::base64url_decode(claims_text);
  if (!claims) return std::unexpected(invalid("It is malformed: its claims are no base64url."));
  opened.claims = *std::move(claims);
  return opened;
}

bool TokenVerifier::names_unknown_key(std::string_view token) const {
  if (domains_.empty() || token.size() > kMessageTokenBytesMax) return false;
  const auto parts = parse_compact_token(token);
  if (!parts || kHmacAlgorithms.contains(parts->algorithm)) return false;
  const auto fits = [&](const Key& key) {
    return parts->kid ? key.kid() == *parts->kid : key.algorithms().contains(parts->algorithm);
  };
  return std::ranges::none_of(domains_, [&](const TokenDomain& domain) {
    return domain.keys != nullptr && std::ranges::any_of(domain.keys->keys(), fits);
  });
}

std::optional<base::Refusal> TokenVerifier::judge(const Opened& token, const CommonClaims& claims, base::WallTime now) {
  std::optional<base::Refusal> refusal;
  for (const TokenRules* rules : token.signers) {
    refusal = judge(*rules, claims, now);
    if (!refusal || *refusal == base::Error::token_expired) break;
  }
  return refusal;
}

std::optional<base::Refusal> TokenVerifier::judge(const TokenRules& rules, const CommonClaims& claims,
                                                  base::WallTime now) {
  // now + skew cannot overflow: a wall clock is milliseconds since 1970.
  const base::WallTime latest{now.ms + kSkewMs};
  if (claims.not_before > latest) return invalid("It is not valid yet (nbf).");
  if (claims.issued > latest) return invalid("It was issued in the future (iat).");
  if (!rules.audience.empty() && std::ranges::find(claims.audience, rules.audience) == claims.audience.end()) {
    return invalid("It is for another audience than this server (aud).");
  }
  if (!rules.issuer.empty() && claims.issuer != rules.issuer) {
    return invalid("It comes from another issuer than this server trusts (iss).");
  }
  // Last: token_expired invites a client to come back with a new one, which must then be good.
  if (claims.expires && now.ms >= claims.expires->ms + kSkewMs) return base::Error::token_expired;
  return std::nullopt;
}

std::expected<Principal, base::Refusal> TokenVerifier::verify(std::string_view token, base::WallTime now) const {
  const auto opened = open(token, kTokenBytesMax);
  if (!opened) return std::unexpected(opened.error());
  const auto claims = read_permission_claims(opened->claims, rules_.user_claim);
  if (!claims) return std::unexpected(invalid(claims.error()));
  if (!claims->common.expires) return std::unexpected(invalid("It has no exp."));
  if (const auto refusal = judge(*opened, claims->common, now)) return std::unexpected(*refusal);
  return principal_of(claims->common, claims->permissions, end_of({}, claims->common.expires));
}

std::expected<ConnectionToken, base::Refusal> TokenVerifier::verify_connection(std::string_view token,
                                                                               base::WallTime now) const {
  const auto opened = open(token, kMessageTokenBytesMax);
  if (!opened) return std::unexpected(opened.error());
  auto claims = read_connection_claims(opened->claims, rules_.user_claim);
  if (!claims) return std::unexpected(invalid(claims.error()));
  if (const auto refusal = judge(*opened, claims->common, now)) return std::unexpected(*refusal);
  const base::WallTime end = end_of(claims->expire_at, claims->common.expires);
  if (now >= end) return std::unexpected(base::Error::token_expired);
  ConnectionToken made{.principal = principal_of(claims->common, claims->permissions, end), .claims = {}};
  made.claims = *std::move(claims);
  return made;
}

std::expected<SubscriptionToken, base::Refusal> TokenVerifier::verify_subscription(std::string_view token,
                                                                                   base::WallTime now) const {
  const auto opened = open(token, kMessageTokenBytesMax);
  if (!opened) return std::unexpected(opened.error());
  auto claims = read_subscription_claims(opened->claims, rules_.user_claim);
  if (!claims) return std::unexpected(invalid(claims.error()));
  if (const auto refusal = judge(*opened, claims->common, now)) return std::unexpected(*refusal);
  const base::WallTime end = end_of(claims->expire_at, claims->common.expires);
  if (now >= end) return std::unexpected(base::Error::token_expired);
  return SubscriptionToken{.claims = *std::move(claims), .expires = end};
}

std::expected<std::string, base::Error> token_to_sign(const TokenClaims& claims, Algorithm algorithm,
                                                      std::string_view kid) {
  if (!valid_subject(claims.subject) || !in_range(claims.issued_at_s) || !in_range(claims.expires_at_s)) {
    return std::unexpected(base::Error::bad_parameter);
  }
  for (const auto* patterns : {&claims.channels, &claims.subscribe, &claims.publish}) {
    if (!std::ranges::all_of(*patterns, valid_pattern)) return std::unexpected(base::Error::bad_channel);
  }
  std::string header;
  codec::JsonWriter head(header);
  head.begin_object().key("alg").string(to_string(algorithm)).key("typ").string("JWT");
  if (!kid.empty()) head.key("kid").string(kid);
  head.end_object();

  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  if (!claims.subject.empty()) json.key(claims.user_claim).string(claims.subject);
  if (!claims.issuer.empty()) json.key("iss").string(claims.issuer);
  if (!claims.audience.empty()) json.key("aud").string(claims.audience);
  json.key("iat").number(claims.issued_at_s).key("exp").number(claims.expires_at_s);
  write_patterns(json, "channels", claims.channels);
  write_patterns(json, "subscribe", claims.subscribe);
  write_patterns(json, "publish", claims.publish);
  json.end_object();
  return codec::base64url_encode(header) + "." + codec::base64url_encode(body);
}

std::expected<std::string, base::Error> signed_token(std::string text, std::string_view signature) {
  text += "." + codec::base64url_encode(signature);
  if (text.size() > kTokenBytesMax) return std::unexpected(base::Error::payload_too_big);
  return text;
}

std::expected<std::string, base::Error> sign_token(const TokenClaims& claims, const base::Secret& key,
                                                   Algorithm algorithm, std::string_view kid) {
  auto text = token_to_sign(claims, algorithm, kid);
  if (!text) return text;
  const std::string signature = hmac_signature(algorithm, key.reveal(), *text);
  return signed_token(*std::move(text), signature);
}

}  // namespace auth
