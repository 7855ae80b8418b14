#include "auth/token.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "auth/pattern.h"
#include "auth/sha256.h"
#include "base/assert.h"
#include "codec/base64.h"
#include "codec/json_in.h"
#include "codec/json_out.h"

namespace auth {
namespace {

using codec::JsonMember;
using codec::JsonValue;

// 9999-12-31T23:59:59Z. Times beyond are mistakes (milliseconds, mostly) and would leave the range of WallTime.
constexpr std::int64_t kSecondsMax = 253'402'300'799;

struct Parts {
  std::string_view signed_text;  // header "." claims
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  // A third dot falls into the signature, where base64url refuses it.
  return Parts{token.substr(0, second), token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1)};
}

bool is_jwt(std::string_view type) {
  constexpr std::string_view kJwt = "jwt";  // RFC 7519 section 5.1: a media type, in any case
  return std::ranges::equal(type, kJwt, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

bool header_is_ours(std::string_view json) {
  const auto header = JsonValue::parse(json);
  if (!header || header->type() != JsonValue::Type::object) return false;
  int algorithms = 0;
  int types = 0;
  codec::JsonMembers members(*header);
  while (const auto member = members.next()) {
    if (member->name == "alg" && (++algorithms > 1 || member->value.string() != "HS256")) return false;
    if (member->name == "typ" && (++types > 1 || !is_jwt(member->value.string().value_or("")))) return false;
    if (member->name == "crit") return false;
  }
  return algorithms == 1;
}

// NumericDate of RFC 7519 section 2, in milliseconds.
std::optional<std::int64_t> numeric_date(const JsonValue& value) {
  const auto seconds = value.number();
  if (!seconds || !(*seconds >= 0) || !(*seconds <= static_cast<double>(kSecondsMax))) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(*seconds * 1000));
}

// Appends the patterns of an array of texts.
bool append_patterns(const JsonValue& value, std::vector<std::string>& patterns) {
  if (value.type() != JsonValue::Type::array) return false;
  codec::JsonElements elements(value);
  while (const auto element = elements.next()) {
    auto pattern = element->string();
    if (!pattern || !valid_pattern(*pattern)) return false;
    patterns.push_back(std::move(*pattern));
  }
  return true;
}

bool valid_subject(std::string_view subject) {
  return subject.size() <= kSubjectBytesMax &&
         std::ranges::none_of(subject, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::unexpected<base::Refusal> invalid(std::string_view hint) {
  return std::unexpected(base::Refusal(base::Error::token_invalid, hint));
}

// The claims that mean something here, each at most once.
class ClaimsReader {
 public:
  // False: the token is invalid.
  bool read(std::string_view json) {
    const auto claims = JsonValue::parse(json);
    if (!claims || claims->type() != JsonValue::Type::object) return false;
    codec::JsonMembers members(*claims);
    while (const auto member = members.next()) {
      if (!take(*member)) return false;
    }
    return true;
  }

  std::expected<Principal, base::Refusal> judge(base::WallTime now) {
    if (!expires_) return invalid("It has no exp.");
    // now + skew cannot overflow: a wall clock is milliseconds since 1970.
    if (not_before_.value_or(0) > now.ms + kSkewMs) return invalid("It is not valid yet (nbf).");
    if (issued_.value_or(0) > now.ms + kSkewMs) return invalid("It was issued in the future (iat).");
    principal_.kind = Principal::Kind::token;
    principal_.expires = {*expires_ + kSkewMs};
    if (now >= principal_.expires) return std::unexpected(base::Error::token_expired);
    return std::move(principal_);
  }

 private:
  bool take(const JsonMember& member) {
    constexpr std::array<std::string_view, 7> kNames = {"exp", "nbf", "iat", "sub", "channels", "subscribe", "publish"};
    const auto name = static_cast<std::size_t>(std::ranges::find(kNames, member.name) - kNames.begin());
    if (name == kNames.size()) return true;
    if (std::exchange(seen_[name], true)) return false;
    const JsonValue& value = member.value;
    if (member.name == "exp") return (expires_ = numeric_date(value)).has_value();
    if (member.name == "nbf") return (not_before_ = numeric_date(value)).has_value();
    if (member.name == "iat") return (issued_ = numeric_date(value)).has_value();
    if (member.name == "subscribe") return append_patterns(value, principal_.subscribe);
    if (member.name == "publish") return append_patterns(value, principal_.publish);
    if (member.name == "channels") {
      return append_patterns(value, principal_.subscribe) && append_patterns(value, principal_.publish);
    }
    auto subject = value.string();
    if (!subject || !valid_subject(*subject)) return false;
    principal_.subject = std::move(*subject);
    return true;
  }

  Principal principal_;
  std::optional<std::int64_t> expires_;
  std::optional<std::int64_t> not_before_;
  std::optional<std::int64_t> issued_;
  std::array<bool, 7> seen_{};
};

void write_patterns(codec::JsonWriter& json, std::string_view name, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return;
  json.key(name).begin_array();
  for (const std::string& pattern : patterns) json.string(pattern);
  json.end_array();
}

bool in_range(std::int64_t seconds) { return seconds >= 0 && seconds <= kSecondsMax; }

}  // namespace

TokenVerifier::TokenVerifier(const std::vector<base::Secret>& keys) {
  std::ranges::copy_if(keys, std::back_inserter(keys_), [](const base::Secret& key) { return !key.empty(); });
}

bool TokenVerifier::signed_by_a_key(std::string_view text, std::string_view signature) const {
  Digest claimed;
  if (signature.size() != claimed.size()) return false;
  std::memcpy(claimed.data(), signature.data(), claimed.size());
  bool accepted = false;
  for (const base::Secret& key : keys_) accepted |= equal_digests(hmac_sha256(key.reveal(), text), claimed);
  return accepted;
}

std::expected<Principal, base::Refusal> TokenVerifier::verify(std::string_view token, base::WallTime now) const {
  if (token.size() > kTokenBytesMax) return invalid("It is longer than 4096 bytes.");
  const auto parts = split(token);
  const auto signature = parts ? codec::base64url_decode(parts->signature) : std::nullopt;
  if (!signature) return invalid("It is malformed: a token is header.claims.signature in base64url.");
  if (!signed_by_a_key(parts->signed_text, *signature)) return invalid("Its signature fits no key of this server.");

  const auto header = codec::base64url_decode(parts->header);
  const auto claims = codec::base64url_decode(parts->claims);
  if (!header || !claims) return invalid("It is malformed: a token is header.claims.signature in base64url.");
  if (!header_is_ours(*header)) return invalid("Its header must say alg HS256, typ JWT or none, and no crit.");
  ClaimsReader reader;
  if (!reader.read(*claims)) return invalid("A claim of it has the wrong type or stands there twice.");
  return reader.judge(now);
}

std::expected<std::string, base::Error> sign_token(const TokenClaims& claims, const base::Secret& key) {
  ASSERT(!key.empty());
  if (!valid_subject(claims.subject) || !in_range(claims.issued_at_s) || !in_range(claims.expires_at_s)) {
    return std::unexpected(base::Error::bad_parameter);
  }
  for (const auto* patterns : {&claims.channels, &claims.subscribe, &claims.publish}) {
    if (!std::ranges::all_of(*patterns, valid_pattern)) return std::unexpected(base::Error::bad_channel);
  }
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  if (!claims.subject.empty()) json.key("sub").string(claims.subject);
  json.key("iat").number(claims.issued_at_s).key("exp").number(claims.expires_at_s);
  write_patterns(json, "channels", claims.channels);
  write_patterns(json, "subscribe", claims.subscribe);
  write_patterns(json, "publish", claims.publish);
  json.end_object();

  std::string token = codec::base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." + codec::base64url_encode(body);
  const Digest signature = hmac_sha256(key.reveal(), token);
  token += "." + codec::base64url_encode({reinterpret_cast<const char*>(signature.data()), signature.size()});
  if (token.size() > kTokenBytesMax) return std::unexpected(base::Error::payload_too_big);
  return token;
}

}  // namespace auth
