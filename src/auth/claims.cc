#include "auth/claims.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "auth/members.h"
#include "auth/pattern.h"
#include "codec/base64.h"
#include "codec/json_in.h"

namespace auth {
namespace {

using codec::JsonValue;
using Type = JsonValue::Type;

constexpr std::array<std::string_view, 19> kKnownNames = {
    "exp",  "nbf",     "iat",  "jti",       "iss",     "aud",  "channels", "subscribe", "publish", "info",
    "data", "b64info", "meta", "expire_at", "b64data", "subs", "channel",  "client",    "override"};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// NumericDate of RFC 7519 section 2.
std::optional<base::WallTime> numeric_date(const JsonValue& value) {
  const auto seconds = value.number();
  if (!seconds || !(*seconds >= 0) || !(*seconds <= static_cast<double>(kSecondsMax))) return std::nullopt;
  return base::WallTime{static_cast<std::int64_t>(std::floor(*seconds * 1000))};
}

// Texts that `valid` accepts.
bool append_texts(const JsonValue& value, bool (*valid)(std::string_view), std::vector<std::string>& texts) {
  if (value.type() != Type::array) return false;
  codec::JsonElements elements(value);
  while (const auto element = elements.next()) {
    auto text = element->string();
    if (!text || !valid(*text)) return false;
    texts.push_back(*std::move(text));
  }
  return true;
}

bool any_text(std::string_view) { return true; }

// Reads claims out of an object. The first problem stays; what is read after one is worthless.
class Reader {
 public:
  explicit Reader(const Members& members) : members_(members) {}

  std::string_view problem() const { return problem_; }

  void time(std::string_view name, std::optional<base::WallTime>& to, std::string_view hint) {
    if (const JsonValue* value = members_.find(name)) expect((to = numeric_date(*value)).has_value(), hint);
  }

  void text(std::string_view name, bool (*valid)(std::string_view), std::string& to, std::string_view hint) {
    const JsonValue* const value = members_.find(name);
    if (value == nullptr) return;
    auto found = value->string();
    if (expect(found && valid(*found), hint)) to = *std::move(found);
  }

  void texts(std::string_view name, bool (*valid)(std::string_view), std::vector<std::string>& to,
             std::string_view hint) {
    if (const JsonValue* value = members_.find(name)) expect(append_texts(*value, valid, to), hint);
  }

  void common(std::string_view user_claim, CommonClaims& to) {
    constexpr std::string_view kTime = "A claim of it (exp, nbf or iat) is no time in seconds since 1970.";
    time("exp", to.expires, kTime);
    time("nbf", to.not_before, kTime);
    time("iat", to.issued, kTime);
    text(user_claim, valid_subject, to.subject,
         "Its claim with the user (sub) is no text of up to 255 bytes without control characters.");
    text("jti", valid_subject, to.token_id, "Its claim jti is no text of up to 255 bytes without control characters.");
    text("iss", any_text, to.issuer, "Its claim iss is no text.");
    const JsonValue* const audience = members_.find("aud");
    if (audience == nullptr) return;
    if (auto one = audience->string()) {
      to.audience.push_back(*std::move(one));
    } else {
      expect(append_texts(*audience, any_text, to.audience), "Its claim aud is neither a text nor a list of texts.");
    }
  }

  void permissions(Permissions& to) {
    constexpr std::string_view kPatterns =
        "A claim of it (channels, subscribe or publish) is no list of channel names and patterns.";
    texts("channels", valid_pattern, to.subscribe, kPatterns);
    to.publish = to.subscribe;
    texts("subscribe", valid_pattern, to.subscribe, kPatterns);
    texts("publish", valid_pattern, to.publish, kPatterns);
  }

  void expire_at(std::optional<ExpireAt>& to) {
    std::optional<base::WallTime> moment;
    time("expire_at", moment, "Its claim expire_at is no time in seconds since 1970.");
    if (moment) to = ExpireAt{.never = moment->ms == 0, .time = *moment};
  }

  void payload(std::string_view json_name, std::string_view base64_name, Payload& to) {
    if (const JsonValue* value = members_.find(json_name)) to = {Payload::Kind::json, std::string(value->raw())};
    const JsonValue* const value = members_.find(base64_name);
    if (value == nullptr) return;
    const auto text = value->string();
    if (text && text->empty()) return;  // as if it were not there: what a struct of a back end writes for none
    auto bytes = text ? codec::base64_decode(*text) : std::nullopt;
    if (expect(bytes.has_value(), "A claim of it (b64info or b64data) is no base64.")) {
      to = {Payload::Kind::binary, *std::move(bytes)};
    }
  }

  void changes(ChannelOverride& to) {
    const JsonValue* const value = members_.find("override");
    if (value == nullptr) return;
    constexpr std::string_view kOverride = "Its claim override is no object of {\"value\": true or false}.";
    const auto options = Members::of(*value);
    if (!expect(options.has_value(), kOverride)) return;
    const auto take = [&](std::string_view name, std::optional<bool>& option) {
      const JsonValue* const found = options->find(name);
      if (found == nullptr) return;
      const auto inner = Members::of(*found);
      const JsonValue* const truth = inner ? inner->find("value") : nullptr;
      option = truth == nullptr ? std::nullopt : truth->boolean();
      expect(option.has_value(), kOverride);
    };
    take("presence", to.presence);
    take("join_leave", to.join_leave);
    take("force_push_join_leave", to.force_push_join_leave);
    take("force_recovery", to.force_recovery);
    take("force_positioning", to.force_positioning);
  }

  void subscriptions(std::vector<ServerSubscription>& to) {
    const JsonValue* const value = members_.find("subs");
    if (value == nullptr) return;
    constexpr std::string_view kSubs = "Its claim subs is no object of channel names with objects.";
    const auto channels = Members::of(*value);
    if (!expect(channels.has_value(), kSubs)) return;
    for (const codec::JsonMember& member : channels->all()) {
      const auto options = Members::of(member.value);
      if (!expect(options && valid_pattern(member.name), kSubs)) return;
      ServerSubscription made{.channel = member.name};
      Reader reader(*options);
      reader.payload("info", "b64info", made.info);
      reader.payload("data", "b64data", made.data);
      reader.changes(made.changes);
      if (!expect(reader.problem().empty(), reader.problem())) return;
      to.push_back(std::move(made));
    }
  }

  // As it is written in the token.
  void meta(std::string& to) {
    const JsonValue* const value = members_.find("meta");
    if (value == nullptr) return;
    if (expect(value->type() == Type::object, "Its claim meta is no JSON object.")) to = value->raw();
  }

  bool has(std::string_view name) const { return members_.find(name) != nullptr; }

  bool expect(bool fine, std::string_view hint) {
    if (!fine && problem_.empty()) problem_ = hint;
    return fine;
  }

 private:
  const Members& members_;
  std::string_view problem_;
};

// Reads `json` with `read`, which fills in the claims.
template <class Claims, class Read>
ClaimsRead<Claims> read_claims(std::string_view json, Read read) {
  const auto members = Members::parse(json);
  if (!members) return std::unexpected("Its claims are no JSON object, or a claim stands there twice.");
  Claims claims;
  Reader reader(*members);
  read(reader, claims);
  if (!reader.problem().empty()) return std::unexpected(reader.problem());
  return claims;
}

}  // namespace

bool valid_subject(std::string_view subject) {
  return subject.size() <= kSubjectBytesMax &&
         std::ranges::none_of(subject, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool valid_user_claim(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_word_character) &&
         std::ranges::find(kKnownNames, name) == kKnownNames.end();
}

ClaimsRead<PermissionClaims> read_permission_claims(std::string_view json, std::string_view user_claim) {
  return read_claims<PermissionClaims>(json, [&](Reader& reader, PermissionClaims& claims) {
    reader.expect(!reader.has("channel"), "It is a token for a subscription (claim channel), not for a connection.");
    reader.common(user_claim, claims.common);
    reader.permissions(claims.permissions);
  });
}

ClaimsRead<ConnectionClaims> read_connection_claims(std::string_view json, std::string_view user_claim) {
  return read_claims<ConnectionClaims>(json, [&](Reader& reader, ConnectionClaims& claims) {
    reader.expect(!reader.has("channel"), "It is a token for a subscription (claim channel), not for a connection.");
    reader.common(user_claim, claims.common);
    reader.permissions(claims.permissions);
    reader.expire_at(claims.expire_at);
    reader.payload("info", "b64info", claims.info);
    reader.meta(claims.meta);
    reader.texts("channels", valid_pattern, claims.channels, "Its claim channels is no list of channel names.");
    reader.subscriptions(claims.subs);
  });
}

ClaimsRead<SubscriptionClaims> read_subscription_claims(std::string_view json, std::string_view user_claim) {
  return read_claims<SubscriptionClaims>(json, [&](Reader& reader, SubscriptionClaims& claims) {
    reader.expect(reader.has("channel"), "It has no claim channel.");
    reader.common(user_claim, claims.common);
    reader.expire_at(claims.expire_at);
    reader.text("channel", valid_pattern, claims.channel, "Its claim channel is no channel name.");
    reader.text("client", valid_subject, claims.client, "Its claim client is no text of up to 255 bytes.");
    reader.payload("info", "b64info", claims.info);
    reader.changes(claims.changes);
  });
}

}  // namespace auth
