// Who a connection of the Centrifuge door is: connect and refresh.
#include <algorithm>
#include <utility>

#include "auth/token.h"
#include "codec/base64.h"
#include "server/announce.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"
#include "server/version.h"

namespace server {

using door::centrifuge::ConnectRequest;
using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::RefreshRequest;

namespace {

// As the original does: clients show it, and some compare the numbers in front.
const std::string& version_text() {
  static const std::string kText = std::string(kVersion) + " Wirebird";
  return kText;
}
constexpr base::Duration kRefreshGrace = std::chrono::seconds(25);       // to send a new token
constexpr std::int64_t kNeverMs = std::int64_t{365} * 24 * 3600 * 1000;  // what is valid longer outlives its connection

// RFC 9562 section 5.4.
std::string make_uuid(base::Entropy& entropy) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  std::uint64_t bits = entropy.next();
  for (int i = 0; i < 32; ++i) {
    if (i == 16) bits = entropy.next();
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    auto digit = static_cast<unsigned>(bits & 15);
    bits >>= 4;
    if (i == 12) digit = 4;
    if (i == 16) digit = 8 | (digit & 3);
    text += kDigits[digit];
  }
  return text;
}

// What clients are told: whole seconds that are left, without the skew that is allowed to clocks. Nothing: it does not
// expire.
std::optional<std::int64_t> ttl_of(base::WallTime expires, base::WallTime now) {
  if (expires.ms == auth::kNoExpiry.ms || expires.ms - now.ms > kNeverMs) return std::nullopt;
  return (expires.ms - auth::kSkewMs - now.ms + 999) / 1000;
}

}  // namespace

std::string json_of(const auth::Payload& payload) {
  if (payload.kind != auth::Payload::Kind::binary) return payload.bytes;
  return "{\"base64\":\"" + codec::base64_encode(payload.bytes) + "\"}";
}

door::centrifuge::Payload payload_of(const auth::Payload& payload) {
  return {payload.bytes, payload.kind == auth::Payload::Kind::binary ? hub::Kind::binary : hub::Kind::json};
}

std::optional<Lifetime> lifetime_of(base::WallTime expires, base::WallTime wall, base::Instant now) {
  const auto ttl = ttl_of(expires, wall);
  if (!ttl) return Lifetime{};
  if (*ttl <= 0) return std::nullopt;
  const base::Instant ends = now + std::chrono::seconds(*ttl);
  return Lifetime{static_cast<std::uint32_t>(*ttl), ends, ends + kRefreshGrace};
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const ConnectRequest& request) {
  Session& session = *peer.centrifuge();
  session.connect_command = command;
  session.client = make_uuid(desk_.entropy);
  if (!request.token.empty()) {
    auto token = desk_.snapshot->tokens().verify_connection(request.token, desk_.clock.wall());
    if (!token && token.error() == base::Error::token_expired) return refuse_connect(peer, ErrorCode::token_expired);
    if (!token) {
      const base::Refusal refusal = refusal_of_token(desk_, request.token, token.error());
      if (refusal == base::Error::busy) return refuse_connect(peer, ErrorCode::internal);  // it comes again
      desk_.refused(peer, refusal);
      return end(peer, DisconnectCode::invalid_token);
    }
    peer.rare().principal = std::make_shared<const auth::Principal>(std::move(token->principal));
    return admit(peer, &token->claims, request);
  }
  if (!desk_.options().connect_hook.empty()) return ask_connect(peer, request);
  admit_unnamed(peer, request);
}

void CentrifugeFront::admit_unnamed(Peer& peer, const ConnectRequest& request) {
  const Options& options = desk_.options();
  const bool known = desk_.principal_of(peer).kind != auth::Principal::Kind::anonymous;
  const bool anybody = options.dev || options.insecure_clients || options.anonymous_without_token;
  if (!known && !anybody) return end(peer, DisconnectCode::bad_request);
  admit(peer, nullptr, request);
}

void CentrifugeFront::refuse_connect(Peer& peer, ErrorCode code) {
  Session& session = *peer.centrifuge();
  if (session.carrier.unidirectional) return end(peer, door::centrifuge::disconnect_instead_of(code));
  session.stage = Session::Stage::refused;
  refuse(peer, session.connect_command, code);
}

void CentrifugeFront::admit(Peer& peer, const auth::ConnectionClaims* claims, const ConnectRequest& request) {
  Session& session = *peer.centrifuge();
  const auth::Principal& principal = desk_.principal_of(peer);
  const auto verdict = desk_.shared.revocations.verdict(principal, desk_.clock.wall());
  if (verdict == Revocations::Verdict::blocked) return end(peer, DisconnectCode::force_disconnect);
  if (verdict == Revocations::Verdict::revoked) return end(peer, DisconnectCode::invalid_token);
  const auto lifetime = lifetime_of(principal.expires, desk_.clock.wall(), desk_.now);
  if (!lifetime) return refuse_connect(peer, ErrorCode::token_expired);
  const bool refreshed_by_hook = session.by_hook && !desk_.options().refresh_hook.empty();
  session.expires = refreshed_by_hook ? lifetime->ends : lifetime->until;
  session.ttl = refreshed_by_hook ? 0 : lifetime->ttl;
  session.identity.user = base::SharedBytes::copy(principal.subject);
  session.identity.client = base::SharedBytes::copy(session.client);
  session.stage = Session::Stage::connecting;
  desk_.roster.enter(peer.id(), principal);
  std::vector<auth::ServerSubscription> subs;
  if (claims != nullptr) {
    session.identity.conn_info = base::SharedBytes::copy(json_of(claims->info));
    session.meta = claims->meta;
    subs = claims->subs;
    for (const std::string& channel : claims->channels) {
      if (channel.contains('*')) continue;  // a pattern: a right, and no channel
      const auto same = [&](const auth::ServerSubscription& each) { return each.channel == channel; };
      if (std::ranges::none_of(subs, same)) subs.push_back({.channel = channel});
    }
  }
  if (desk_.options().personal_channel) {
    const std::string& name = desk_.options().personal_channel_namespace;
    if (!principal.subject.empty()) {
      subs.push_back({.channel = (name.empty() ? std::string() : name + ':') + '#' + principal.subject});
    }
  }
  subscribe_by_server(peer, subs, request.subs);
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  if (session.joining == 0) finish_connect(peer);
}

void CentrifugeFront::finish_connect(Peer& peer) {
  Session& session = *peer.centrifuge();
  session.stage = Session::Stage::connected;
  announce_connected(desk_, peer);
  made_.clear();
  door::centrifuge::Map<door::centrifuge::SubscribeResult> subs;
  for (Subscription& each : session.subscriptions) {
    if (each.state != Subscription::State::live || !each.pending) continue;
    subs.emplace_back(channel_of(each), answer_of(session, each));
  }
  const auto interval = std::chrono::duration_cast<std::chrono::seconds>(desk_.options().ping_interval).count();
  const auto ping = session.frame_pings ? 0U : static_cast<std::uint32_t>(std::max<std::int64_t>(interval, 1));
  const door::centrifuge::Payload data = payload_of(session.data);
  if (session.carrier.unidirectional) {
    push(peer, {},
         door::centrifuge::ConnectPush{.client = session.client,
                                       .version = version_text(),
                                       .data = data,
                                       .subs = std::move(subs),
                                       .expires = session.ttl > 0,
                                       .ttl = session.ttl,
                                       .ping = ping,
                                       .session = session.session,
                                       .time = desk_.clock.wall().ms});
  } else {
    reply(peer, {.id = session.connect_command,
                 .body = door::centrifuge::ConnectResult{.client = session.client,
                                                         .version = version_text(),
                                                         .expires = session.ttl > 0,
                                                         .ttl = session.ttl,
                                                         .data = data,
                                                         .subs = std::move(subs),
                                                         .ping = ping,
                                                         .pong = ping > 0,
                                                         .session = session.session,
                                                         .node = session.node,
                                                         .time = desk_.clock.wall().ms}});
  }
  for (Subscription& each : session.subscriptions) {
    if (each.state == Subscription::State::live) each.pending.reset();
  }
  unsettled_.push_back(peer.id());
  // The first ping comes early and at random, so that those of many connections do not fall together.
  const auto half = std::chrono::duration_cast<std::chrono::microseconds>(desk_.options().ping_interval / 2).count();
  const auto spread = static_cast<std::uint32_t>(std::min<std::int64_t>(half, UINT32_MAX - 1));
  peer.ping_at =
      desk_.now + std::chrono::microseconds(half) + std::chrono::microseconds(desk_.entropy.below(spread + 1));
  arm(peer);
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const RefreshRequest& request) {
  Session& session = *peer.centrifuge();
  if (session.by_hook && !desk_.options().refresh_hook.empty()) return end(peer, DisconnectCode::bad_request);
  auto token = desk_.snapshot->tokens().verify_connection(request.token, desk_.clock.wall());
  if (!token && token.error() == base::Error::token_expired) return end(peer, DisconnectCode::connection_expired);
  if (!token && refusal_of_token(desk_, request.token, token.error()) == base::Error::busy) {
    return refuse(peer, command, ErrorCode::internal);
  }
  if (!token || token->principal.subject != session.identity.user.view()) {
    desk_.refused(peer, base::Error::token_invalid);
    return end(peer, DisconnectCode::invalid_token);
  }
  if (desk_.shared.revocations.verdict(token->principal, desk_.clock.wall()) != Revocations::Verdict::good) {
    return end(peer, DisconnectCode::invalid_token);
  }
  const auto lifetime = lifetime_of(token->principal.expires, desk_.clock.wall(), desk_.now);
  if (!lifetime) return end(peer, DisconnectCode::connection_expired);
  session.expires = lifetime->until;
  session.ttl = lifetime->ttl;
  if (token->claims.info.kind != auth::Payload::Kind::none) {
    session.identity.conn_info = base::SharedBytes::copy(json_of(token->claims.info));
  }
  desk_.roster.leave(peer.id(), desk_.principal_of(peer));
  peer.rare().principal = std::make_shared<const auth::Principal>(std::move(token->principal));
  desk_.roster.enter(peer.id(), desk_.principal_of(peer));
  arm(peer);
  reply(peer,
        {.id = command,
         .body = door::centrifuge::RefreshResult{
             .client = session.client, .version = version_text(), .expires = session.ttl > 0, .ttl = session.ttl}});
}

}  // namespace server
