// Who may have a subscription of the Centrifuge door, and until when: the policy, tokens, a hook's word.
#include <algorithm>
#include <utility>

#include "auth/token.h"
#include "door/channel_name.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::SubRefreshRequest;
using door::centrifuge::SubscribeRequest;
using door::centrifuge::UnsubscribeCode;

namespace {

void flatten(const door::centrifuge::FilterNode& node, std::vector<hub::FilterNode>& out) {
  out.push_back({.op = node.op,
                 .key = node.key,
                 .cmp = node.cmp,
                 .val = node.val,
                 .vals = node.vals,
                 .nodes = static_cast<std::uint32_t>(node.nodes.size())});
  for (const auto& each : node.nodes) flatten(each, out);
}

}  // namespace

// A token for one channel is revoked as any other.
bool CentrifugeFront::is_revoked(const auth::CommonClaims& claims) const {
  const auth::Principal bearer{.kind = auth::Principal::Kind::token,
                               .subject = claims.subject,
                               .issued = claims.issued.value_or(base::WallTime{0}),
                               .token_id = claims.token_id};
  return desk_.shared.revocations.verdict(bearer, desk_.clock.wall()) != Revocations::Verdict::good;
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const SubscribeRequest& request) {
  if (request.type != 0) return subscribe_to_map(peer, command, request);
  auto permitted = permit(peer, command, request);
  if (!permitted) return;
  const NamespaceOptions& options = *desk_.snapshot->options_of(request.channel);
  const bool cached = options.recovery_mode == RecoveryMode::cache && (request.recover || options.auto_cache_recover);
  if (permitted->grant == Subscription::Grant::hook) {
    ask_subscribe(peer, command, options.subscribe_hook, request, *std::move(permitted));
  } else if (cached && !options.cache_empty_hook.empty()) {
    look_for_last_value(peer, request, *std::move(permitted));
  } else if ((request.recover || cached) && !may_recover(peer)) {
    peer.centrifuge()->undecided.push_back({std::string(request.channel)});
    Asked asked{.peer = peer.id(), .command = command, .channel = std::string(request.channel)};
    asked.permitted = std::make_unique<Permitted>(*std::move(permitted));
    recover_later(peer, request, std::move(asked));
  } else {
    subscribe(peer, request.channel, request, *std::move(permitted));
  }
}

std::optional<CentrifugeFront::Permitted> CentrifugeFront::permit(Peer& peer, std::uint32_t command,
                                                                  const SubscribeRequest& request) {
  const auto refused = [&](ErrorCode code) {
    if (command != 0) refuse(peer, command, code);  // else of the connect of a unidirectional client: it is left out
    return std::nullopt;
  };
  const auto ended = [&](DisconnectCode code) {
    end(peer, code);
    return std::nullopt;
  };
  const Session& session = *peer.centrifuge();
  const std::string_view channel = request.channel;
  if (channel.empty()) return ended(DisconnectCode::bad_request);
  if (!request.delta.empty() && request.delta != "fossil") return ended(DisconnectCode::bad_request);
  if (!door::check_channel_name(channel)) return refused(ErrorCode::bad_request);
  if (place_of(peer, channel) || undecided(peer, channel) != nullptr) return refused(ErrorCode::already_subscribed);
  const auto taken = std::ranges::count_if(
      session.subscriptions, [](const Subscription& each) { return each.state != Subscription::State::free; });
  if (static_cast<std::size_t>(taken) + session.undecided.size() + session.loading.size() >=
      desk_.options().channels_per_peer_max) {
    return refused(ErrorCode::limit_exceeded);
  }
  const Snapshot& snapshot = *desk_.snapshot;
  if (!snapshot.policy().namespace_of(channel)) return refused(ErrorCode::unknown_channel);

  Permitted permitted{.command = command};
  if (!request.token.empty()) {
    auto token = snapshot.tokens().verify_subscription(request.token, desk_.clock.wall());
    if (!token) {
      const base::Refusal refusal = refusal_of_token(desk_, request.token, token.error());
      if (refusal == base::Error::busy) return refused(ErrorCode::internal);  // it comes again
      desk_.refused(peer, refusal);
      const bool expired = token.error() == base::Error::token_expired;
      return refused(expired ? ErrorCode::token_expired : ErrorCode::permission_denied);
    }
    const auth::SubscriptionClaims& claims = token->claims;
    const bool own = claims.channel == channel && claims.common.subject == session.identity.user.view() &&
                     (claims.client.empty() || claims.client == session.client);
    if (!own) return ended(DisconnectCode::invalid_token);
    if (is_revoked(claims.common)) return refused(ErrorCode::permission_denied);
    const auto lifetime = lifetime_of(token->expires, desk_.clock.wall(), desk_.now);
    if (!lifetime) return refused(ErrorCode::token_expired);
    permitted.grant = Subscription::Grant::token;
    permitted.lifetime = *lifetime;
    permitted.changes = claims.changes;
    permitted.info = json_of(claims.info);
    permitted.token = claims.common;
  }
  const NamespaceOptions& options = *snapshot.options_of(channel);
  // A private channel opens with a token only.
  const bool asks_hook = permitted.grant == Subscription::Grant::policy && !options.subscribe_hook.empty() &&
                         !snapshot.policy().is_private(channel) &&
                         !auth::names_user(channel, session.identity.user.view());
  if (asks_hook) {
    permitted.grant = Subscription::Grant::hook;
  } else {
    const auto allowed =
        snapshot.policy().authorize(desk_.principal_of(peer), auth::Verb::subscribe, channel, desk_.clock.wall(),
                                    {.channel_token = permitted.grant == Subscription::Grant::token});
    if (!allowed) return refused(reply_error_of(allowed.error()));
  }
  if (request.type != static_cast<std::int32_t>(options.subscription_type)) return refused(ErrorCode::bad_request);
  // Watching a channel that nobody watches makes one: an address may do that only so often.
  if (!desk_.fan_out.watches(channel) && !desk_.new_channels.take(auth::address_prefix(peer.address.ip), desk_.now)) {
    return refused(ErrorCode::too_many_requests);
  }
  if (const auto code = add_filter(options, request, permitted)) return refused(*code);
  return permitted;
}

std::optional<ErrorCode> CentrifugeFront::add_filter(const NamespaceOptions& options, const SubscribeRequest& request,
                                                     Permitted& permitted) {
  if (!request.tf) return std::nullopt;
  if (!options.allow_tags_filter) return ErrorCode::permission_denied;
  std::vector<hub::FilterNode> nodes;
  flatten(*request.tf, nodes);
  auto filter = hub::TagFilter::compile(nodes);
  if (!filter || !request.delta.empty()) return ErrorCode::bad_request;
  permitted.filter = std::make_unique<hub::TagFilter>(*std::move(filter));
  return std::nullopt;
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const SubRefreshRequest& request) {
  if (request.channel.empty()) return end(peer, DisconnectCode::bad_request);
  if (request.type != 0) return refuse(peer, command, ErrorCode::not_available);
  const auto place = place_of(peer, request.channel);
  if (!place) return refuse(peer, command, ErrorCode::permission_denied);
  Session& session = *peer.centrifuge();
  Subscription& subscription = session.subscriptions[*place];
  if (subscription.ttl == 0) return refuse(peer, command, ErrorCode::bad_request);
  auto token = desk_.snapshot->tokens().verify_subscription(request.token, desk_.clock.wall());
  if (!token && token.error() == base::Error::token_expired) return refuse(peer, command, ErrorCode::expired);
  if (!token && refusal_of_token(desk_, request.token, token.error()) == base::Error::busy) {
    return refuse(peer, command, ErrorCode::internal);
  }
  const bool own = token && token->claims.channel == request.channel &&
                   token->claims.common.subject == session.identity.user.view() &&
                   (token->claims.client.empty() || token->claims.client == session.client);
  if (!own) {
    desk_.refused(peer, base::Error::token_invalid);
    return end(peer, DisconnectCode::invalid_token);
  }
  if (is_revoked(token->claims.common)) return refuse(peer, command, ErrorCode::permission_denied);
  const auto lifetime = lifetime_of(token->expires, desk_.clock.wall(), desk_.now);
  if (!lifetime) return refuse(peer, command, ErrorCode::expired);
  subscription.ttl = lifetime->ttl;
  subscription.expires = lifetime->until;
  arm(peer);
  reply(peer, {.id = command,
               .body = door::centrifuge::SubRefreshResult{.expires = subscription.ttl > 0, .ttl = subscription.ttl}});
}

void CentrifugeFront::expire_subscriptions(Peer& peer) {
  auto& all = peer.centrifuge()->subscriptions;
  for (std::size_t place = 0; place < all.size(); ++place) {
    if (all[place].state != Subscription::State::live || all[place].expires > desk_.now) continue;
    const NamespaceOptions* options = desk_.snapshot->options_of(channel_of(all[place]));
    const bool by_hook = all[place].grant == Subscription::Grant::hook;
    if (by_hook && options != nullptr && !options->sub_refresh_hook.empty()) {
      ask_sub_refresh(peer, place);
    } else {
      expire(peer, place);
    }
  }
}

void CentrifugeFront::expire(Peer& peer, std::size_t place) {
  const std::string channel(channel_of(peer.centrifuge()->subscriptions[place]));
  unsubscribe(peer, place);
  push(peer, channel, door::centrifuge::to_push(UnsubscribeCode::subscription_expired));
}

void CentrifugeFront::reauthorise(Peer& peer) {
  bool changed = false;
  for (Subscription& each : peer.centrifuge()->subscriptions) {
    if (each.state == Subscription::State::free) continue;
    if (each.grant == Subscription::Grant::server || each.grant == Subscription::Grant::hook) continue;
    const auto allowed = desk_.snapshot->policy().authorize(
        desk_.principal_of(peer), auth::Verb::subscribe, channel_of(each), desk_.clock.wall(),
        {.channel_token = each.grant == Subscription::Grant::token});
    if (allowed) continue;
    each.state = Subscription::State::broken;
    changed = true;
  }
  if (changed) unsettled_.push_back(peer.id());
}

}  // namespace server
