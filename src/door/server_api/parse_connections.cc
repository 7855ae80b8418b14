#include "door/server_api/parse_connections.h"

#include <algorithm>
#include <utility>

#include "door/server_api/fields.h"

namespace door::server_api {
namespace {

using base::Refusal;
using codec::JsonValue;

constexpr std::string_view kUser = "user: at most 255 bytes without control characters";
constexpr std::string_view kExpireAt = "expire_at: whole seconds since 1970";

template <typename Value>
std::expected<Command, Refusal> finish(const Fields& in, Value value) {
  if (in.refusal()) return std::unexpected(*in.refusal());
  return value;
}

Target read_target(Fields& in) {
  Target target{.user = in.name("user", kUser),
                .client = in.name("client", "client: at most 255 bytes without control characters"),
                .session = in.name("session", "session: at most 255 bytes without control characters")};
  if (target.user.empty() && target.client.empty() && target.session.empty()) {
    in.refuse("user, or client, or session: whose connections?");
  }
  return target;
}

std::string read_user(Fields& in) {
  std::string user = in.name("user", kUser);
  if (user.empty()) in.refuse("user: who?");
  return user;
}

// {"value":true}
std::optional<bool> read_override(Fields& in, std::string_view name) {
  static constexpr std::string_view kFields[] = {"value"};
  constexpr std::string_view kHint = "override: objects with value true or false";
  const JsonValue* member = in.find(name);
  if (member == nullptr || member->type() == JsonValue::Type::null) return std::nullopt;
  Fields of(*member, kFields, kHint);
  const bool value = of.boolean("value", kHint);
  if (of.refusal()) in.refuse(*of.refusal());
  return value;
}

void read_overrides(Fields& in, Subscribe& subscribe) {
  static constexpr std::string_view kFields[] = {"presence", "join_leave", "force_recovery", "force_positioning",
                                                 "force_push_join_leave"};
  const JsonValue* member = in.find("override");
  if (member == nullptr) return;
  Fields of(*member, kFields,
            "override: presence, join_leave, force_recovery, force_positioning, force_push_join_leave");
  subscribe.presence = read_override(of, "presence");
  subscribe.join_leave = read_override(of, "join_leave");
  subscribe.force_recovery = read_override(of, "force_recovery");
  subscribe.force_positioning = read_override(of, "force_positioning");
  subscribe.force_push_join_leave = read_override(of, "force_push_join_leave");
  if (of.refusal()) in.refuse(*of.refusal());
}

std::optional<hub::Position> read_recover_since(Fields& in) {
  static constexpr std::string_view kFields[] = {"offset", "epoch"};
  constexpr std::string_view kHint = "recover_since: an object with offset and epoch";
  const JsonValue* member = in.find("recover_since");
  if (member == nullptr || member->type() == JsonValue::Type::null) return std::nullopt;
  Fields of(*member, kFields, kHint);
  hub::Position position{.offset = of.number("offset", kHint).value_or(0)};
  const std::string epoch = of.text("epoch", 255, kHint);
  if (!epoch.empty()) position.epoch.text.fill('?');  // no epoch of ours
  if (const auto known = hub::parse_position(epoch + ":0")) position.epoch = known->epoch;
  if (of.refusal()) in.refuse(*of.refusal());
  return position;
}

// 4000 to 4999 for applications, 3000 to 3999 as the protocol has them. Browsers take no other ones from a server.
void read_disconnect(Fields& in, Disconnect& disconnect) {
  static constexpr std::string_view kFields[] = {"code", "reason", "reconnect"};
  constexpr std::string_view kHint = "disconnect: code (3000 to 4999) and reason (at most 32 visible ASCII characters)";
  const JsonValue* member = in.find("disconnect");
  if (member == nullptr || member->type() == JsonValue::Type::null) return;
  Fields of(*member, kFields, kHint);
  const std::uint64_t code = of.number("code", kHint).value_or(0);
  disconnect.reason = of.text("reason", 32, kHint);
  of.boolean("reconnect", kHint);  // old libraries say it; the code says it too
  const bool visible = std::ranges::all_of(disconnect.reason, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (code != 0 && (code < 3000 || code > 4999)) of.refuse(kHint);
  if (!visible) of.refuse(kHint);
  if (of.refusal()) return in.refuse(*of.refusal());
  if (code != 0) disconnect.code = static_cast<std::uint16_t>(code);
}

}  // namespace

std::expected<Command, Refusal> parse_subscribe(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user", "client",  "session",   "channel",       "info",    "b64info",
                                                 "data", "b64data", "expire_at", "recover_since", "override"};
  Fields in(body, kFields,
            "fields: user, channel, client, session, info or b64info, data or b64data, expire_at, recover_since, "
            "override; each once");
  Subscribe subscribe{.target = read_target(in),
                      .channel = in.channel(),
                      .info = in.json("info", "b64info", kInfoBytesMax, "info: at most 16 KiB of JSON"),
                      .data = in.json("data", "b64data", kInfoBytesMax, "data: at most 16 KiB of JSON"),
                      .expires = in.seconds("expire_at", kExpireAt),
                      .recover_since = read_recover_since(in)};
  read_overrides(in, subscribe);
  return finish(in, std::move(subscribe));
}

std::expected<Command, Refusal> parse_unsubscribe(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user", "client", "session", "channel"};
  Fields in(body, kFields, "fields: user, channel, client, session; each once");
  Target target = read_target(in);
  return finish(in, Unsubscribe{.target = std::move(target), .channel = in.channel()});
}

std::expected<Command, Refusal> parse_disconnect(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user", "client", "session", "disconnect", "whitelist"};
  Fields in(body, kFields, "fields: user, client, session, disconnect, whitelist; each once");
  Disconnect disconnect{.target = read_target(in), .reason = {}, .whitelist = {}};
  read_disconnect(in, disconnect);
  disconnect.whitelist = in.names("whitelist", kWhitelistMax, "whitelist: at most 1000 client ids");
  return finish(in, std::move(disconnect));
}

std::expected<Command, Refusal> parse_refresh(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user", "client", "session", "expired", "expire_at", "info"};
  Fields in(body, kFields, "fields: user, client, session, expired, expire_at, info; each once");
  Refresh refresh{.target = read_target(in),
                  .expires = in.seconds("expire_at", kExpireAt),
                  .info = in.json("info", {}, kInfoBytesMax, "info: at most 16 KiB of JSON")};
  if (in.boolean("expired", "expired: true or false")) refresh.verdict = Refresh::Verdict::expired;
  return finish(in, std::move(refresh));
}

std::expected<Command, Refusal> parse_connections(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user", "limit", "cursor"};
  constexpr std::string_view kLimit = "limit: 1 to 1000";
  Fields in(body, kFields, "fields: user, limit, cursor; each once");
  Connections connections{.user = in.name("user", kUser),
                          .cursor = in.name("cursor", "cursor: that of the answer before")};
  if (const std::optional<std::uint64_t> limit = in.number("limit", kLimit)) {
    if (*limit < 1 || *limit > kPageLimitMax) in.refuse(kLimit);
    connections.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(*limit, kPageLimitMax));
  }
  return finish(in, std::move(connections));
}

std::expected<Command, Refusal> parse_block_user(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user", "expire_at"};
  Fields in(body, kFields, "fields: user, expire_at; each once");
  BlockUser block{.user = read_user(in), .expires = in.seconds("expire_at", kExpireAt)};
  return finish(in, std::move(block));
}

std::expected<Command, Refusal> parse_unblock_user(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user"};
  Fields in(body, kFields, "fields: user");
  return finish(in, UnblockUser{read_user(in)});
}

std::expected<Command, Refusal> parse_revoke_token(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"uid", "expire_at"};
  Fields in(body, kFields, "fields: uid (the token's jti), expire_at; each once");
  RevokeToken revoke{.token_id = in.name("uid", "uid: the token's jti, at most 255 bytes"),
                     .expires = in.seconds("expire_at", kExpireAt)};
  if (revoke.token_id.empty()) in.refuse("uid: which token?");
  return finish(in, std::move(revoke));
}

std::expected<Command, Refusal> parse_invalidate_user_tokens(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"user", "issued_before", "expire_at"};
  Fields in(body, kFields, "fields: user, issued_before, expire_at; each once");
  InvalidateUserTokens invalidate{
      .user = read_user(in),
      .issued_before = in.seconds("issued_before", "issued_before: whole seconds since 1970"),
      .expires = in.seconds("expire_at", kExpireAt)};
  return finish(in, std::move(invalidate));
}

}  // namespace door::server_api
