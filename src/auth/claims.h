// What tokens say (RFC 7519 section 4): three kinds, read from JSON whose signature has been checked. Nothing is judged
// here against the clock or the configuration (token.h does); a value that cannot be what its name says is an error.
//
//   permissions    what every door of Wirebird asks: "channels", "subscribe" and "publish" are lists of patterns
//                  (pattern.h); `channels` is both of the others
//   connection     what a Centrifuge client connects with: the permissions, and
//                  {"info"?: any, "b64info"?: base64, "meta"?: {...}, "expire_at"?: s, "channels"?: [names...],
//                   "subs"?: {name: {"info"?, "b64info"?, "data"?: any, "b64data"?, "override"?: {...}}}}
//   subscription   what it subscribes to one channel with:
//                  {"channel": name, "client"?: text, "info"?, "b64info"?, "expire_at"?, "override"?}
//
// and in all of them "exp", "nbf", "iat" (seconds since 1970, fractions count, 0 to the year 9999), "jti", "iss"
// (texts), "aud" (a text or a list of them), and the user's id. Names that are not known are ignored, but none may
// stand twice. JSON inside (info, data, meta) is kept as its own bytes. Of info and b64info the second wins, and so for
// data.
//
// Plain values, stateless functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace auth {

inline constexpr std::size_t kSubjectBytesMax = 255;

// 9999-12-31T23:59:59Z. Times beyond are mistakes (milliseconds, mostly) and would leave the range of WallTime.
inline constexpr std::int64_t kSecondsMax = 253'402'300'799;

bool valid_subject(std::string_view subject);  // up to 255 bytes without control characters

// A name that the configuration may choose for the claim with the user's id: 1 to 64 letters, digits and _ that is not
// the name of another claim of this page.
bool valid_user_claim(std::string_view name);

struct CommonClaims {
  std::string subject;  // empty: none
  std::string issuer;
  std::string token_id;  // jti, up to 255 bytes
  std::vector<std::string> audience;
  std::optional<base::WallTime> expires;
  std::optional<base::WallTime> not_before;
  std::optional<base::WallTime> issued;
};

struct Permissions {
  std::vector<std::string> subscribe;  // patterns; those of `channels` first
  std::vector<std::string> publish;
};

struct Payload {
  enum class Kind : std::uint8_t { none, json, binary } kind = Kind::none;
  std::string bytes;
  friend bool operator==(const Payload&, const Payload&) = default;
};

// What a token changes of its channel's options; nullopt leaves the option as it is.
struct ChannelOverride {
  std::optional<bool> presence;
  std::optional<bool> join_leave;
  std::optional<bool> force_push_join_leave;
  std::optional<bool> force_recovery;
  std::optional<bool> force_positioning;
  friend bool operator==(const ChannelOverride&, const ChannelOverride&) = default;
};

struct ServerSubscription {
  std::string channel;
  Payload info;
  Payload data;
  ChannelOverride changes;
  friend bool operator==(const ServerSubscription&, const ServerSubscription&) = default;
};

// `expire_at`: a moment at which the connection or subscription ends, whenever the token does.
struct ExpireAt {
  bool never = false;  // it was 0
  base::WallTime time;
};

struct PermissionClaims {
  CommonClaims common;
  Permissions permissions;
};

struct ConnectionClaims {
  CommonClaims common;
  Permissions permissions;
  std::optional<ExpireAt> expire_at;
  Payload info;
  std::string meta;                      // a JSON object; empty: none
  std::vector<std::string> channels;     // to subscribe to by the server, in the order of the token
  std::vector<ServerSubscription> subs;  // the same with options, by name; a name may also be in `channels`
};

struct SubscriptionClaims {
  CommonClaims common;
  std::optional<ExpireAt> expire_at;
  std::string channel;
  std::string client;  // empty: whichever
  Payload info;
  ChannelOverride changes;
};

// `user_claim` names the claim with the user's id: "sub", or a valid_user_claim(). The error is a constant sentence
// for a person that names the claim.
template <class Claims>
using ClaimsRead = std::expected<Claims, std::string_view>;
// A subscription token (one with `channel`) is neither of the first two.
ClaimsRead<PermissionClaims> read_permission_claims(std::string_view json, std::string_view user_claim);
ClaimsRead<ConnectionClaims> read_connection_claims(std::string_view json, std::string_view user_claim);
ClaimsRead<SubscriptionClaims> read_subscription_claims(std::string_view json, std::string_view user_claim);

}  // namespace auth
