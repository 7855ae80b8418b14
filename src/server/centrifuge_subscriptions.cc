// Subscriptions of the Centrifuge door: who may have one, how it begins, what was missed, how it ends.
#include <algorithm>
#include <utility>

#include "auth/token.h"
#include "base/assert.h"
#include "codec/base64.h"
#include "door/centrifuge/publication.h"
#include "door/channel_name.h"
#include "hub/events_channel.h"
#include "server/announce.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"
#include "server/feed_front.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::SubRefreshRequest;
using door::centrifuge::SubscribeRequest;
using door::centrifuge::SubscribeResult;
using door::centrifuge::UnsubscribeCode;
using door::centrifuge::UnsubscribeRequest;

namespace {

// What one answer brings of what was missed. A channel's history is shorter by default; beyond, the client is told
// that it was not recovered and reads the history in pages.
constexpr std::size_t kRecoveredMessagesMax = 16 * 1024;
constexpr std::size_t kRecoveredBytesMax = 8 << 20;
constexpr std::uint16_t kEventsIndex = 0x8000;  // in FanOut's index: the subscription is to the companion

bool rejects_unrecovered(const SubscribeRequest& request) {
  return (request.flag & static_cast<std::int64_t>(door::centrifuge::SubscribeFlag::reject_unrecovered)) != 0;
}

void flatten(const door::centrifuge::FilterNode& node, std::vector<hub::FilterNode>& out) {
  out.push_back({.op = node.op,
                 .key = node.key,
                 .cmp = node.cmp,
                 .val = node.val,
                 .vals = node.vals,
                 .nodes = static_cast<std::uint32_t>(node.nodes.size())});
  for (const auto& each : node.nodes) flatten(each, out);
}

// A token for one channel is revoked as any other.
bool is_revoked(const Desk& desk, const auth::CommonClaims& claims) {
  const auth::Principal bearer{.kind = auth::Principal::Kind::token,
                               .subject = claims.subject,
                               .issued = claims.issued.value_or(base::WallTime{0}),
                               .token_id = claims.token_id};
  return desk.shared.revocations.verdict(bearer, desk.clock.wall()) != Revocations::Verdict::good;
}

}  // namespace

std::optional<hub::Epoch> epoch_of(std::string_view text) {
  if (text.empty()) return hub::Epoch{};
  const auto position = hub::parse_position(std::string(text) + ":0");
  return position ? std::optional(position->epoch) : std::nullopt;
}

std::optional<std::size_t> CentrifugeFront::place_of(const Peer& peer, std::string_view channel) const {
  const auto& all = peer.centrifuge()->subscriptions;
  for (std::size_t place = 0; place < all.size(); ++place) {
    if (all[place].state != Subscription::State::free && channel_of(all[place]) == channel) return place;
  }
  return std::nullopt;
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const SubscribeRequest& request) {
  auto permitted = permit(peer, command, request);
  if (!permitted) return;
  const NamespaceOptions& options = *desk_.snapshot->options_of(request.channel);
  const bool cached = options.recovery_mode == RecoveryMode::cache && (request.recover || options.auto_cache_recover);
  if (permitted->grant == Subscription::Grant::hook) {
    ask_subscribe(peer, command, options.subscribe_hook, request, *std::move(permitted));
  } else if (cached && !options.cache_empty_hook.empty()) {
    look_for_last_value(peer, request, *std::move(permitted));
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
  if (request.type != 0) return refused(ErrorCode::not_available);
  if (place_of(peer, channel) || undecided(peer, channel) != nullptr) return refused(ErrorCode::already_subscribed);
  const auto taken = std::ranges::count_if(
      session.subscriptions, [](const Subscription& each) { return each.state != Subscription::State::free; });
  if (static_cast<std::size_t>(taken) + session.undecided.size() >= desk_.options().channels_per_peer_max) {
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
    if (is_revoked(desk_, claims.common)) return refused(ErrorCode::permission_denied);
    const auto lifetime = lifetime_of(token->expires, desk_.clock.wall(), desk_.now);
    if (!lifetime) return refused(ErrorCode::token_expired);
    permitted.grant = Subscription::Grant::token;
    permitted.lifetime = *lifetime;
    permitted.changes = claims.changes;
    permitted.info = json_of(claims.info);
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

void CentrifugeFront::subscribe_by_server(Peer& peer, const std::vector<auth::ServerSubscription>& wanted,
                                          const door::centrifuge::Map<SubscribeRequest>& requests) {
  Session& session = *peer.centrifuge();
  for (const auth::ServerSubscription& each : wanted) {
    if (!door::check_channel_name(each.channel) || !desk_.snapshot->policy().namespace_of(each.channel)) {
      return refuse_connect(peer, ErrorCode::unknown_channel);
    }
    if (place_of(peer, each.channel)) continue;
    const auto asked =
        std::ranges::find(requests, std::string_view(each.channel), [](const auto& request) { return request.first; });
    SubscribeRequest request{.positioned = true, .recoverable = true, .join_leave = true};
    if (asked != requests.end()) {
      request.recover = asked->second.recover;
      request.epoch = asked->second.epoch;
      request.offset = asked->second.offset;
    }
    ++session.joining;
    subscribe(
        peer, each.channel, request,
        {.grant = Subscription::Grant::server, .changes = each.changes, .info = json_of(each.info), .data = each.data});
  }
  if (!session.carrier.unidirectional) return;
  // A unidirectional client has no other way to ask for channels; it needs the right that any client needs.
  for (const auto& [channel, request] : requests) {
    if (place_of(peer, channel)) continue;
    SubscribeRequest whole = request;
    whole.channel = channel;
    whole.positioned = whole.recoverable = whole.join_leave = true;
    auto permitted = permit(peer, 0, whole);
    if (peer.dying || peer.phase == Peer::Phase::closing) return;
    if (!permitted) continue;  // it has the others
    if (permitted->grant == Subscription::Grant::hook) continue;  // hooks are asked of commands only
    ++session.joining;
    subscribe(peer, channel, whole, *std::move(permitted));
  }
}

void CentrifugeFront::subscribe(Peer& peer, std::string_view channel, const SubscribeRequest& request,
                                Permitted permitted) {
  Session& session = *peer.centrifuge();
  const NamespaceOptions& options = *desk_.snapshot->options_of(channel);
  const auth::ChannelOverride& changes = permitted.changes;
  const auto free = std::ranges::find(session.subscriptions, Subscription::State::free, &Subscription::state);
  const auto place = static_cast<std::size_t>(free - session.subscriptions.begin());
  if (free == session.subscriptions.end()) session.subscriptions.emplace_back();
  Subscription& subscription = session.subscriptions[place];

  const bool has_history = options.history_messages_max > 0;
  const bool recoverable =
      changes.force_recovery.value_or(options.force_recovery) || (request.recoverable && options.allow_recovery);
  const bool positioned = changes.force_positioning.value_or(options.force_positioning) ||
                          (request.positioned && options.allow_positioning);
  subscription.state = Subscription::State::joining;
  subscription.grant = permitted.grant;
  subscription.recoverable = recoverable && has_history;
  subscription.positioned = (positioned || recoverable) && has_history;
  subscription.server_side = permitted.command == 0;
  subscription.listed = changes.presence.value_or(options.presence);
  subscription.announced = changes.join_leave.value_or(options.join_leave);
  subscription.tells_events =
      subscription.announced &&
      (request.join_leave || changes.force_push_join_leave.value_or(options.force_push_join_leave));
  subscription.delta = request.delta == "fossil" && options.allow_delta && !permitted.filter;
  const bool refreshed_by_hook = permitted.grant == Subscription::Grant::hook && !options.sub_refresh_hook.empty();
  subscription.ttl = refreshed_by_hook ? 0 : permitted.lifetime.ttl;
  subscription.expires = refreshed_by_hook ? permitted.lifetime.ends : permitted.lifetime.until;
  subscription.info = base::SharedBytes::copy(permitted.info);
  subscription.filter = std::move(permitted.filter);
  subscription.pending = std::make_unique<Session::Pending>();
  Session::Pending& pending = *subscription.pending;
  pending.command = permitted.command;
  pending.rejects_unrecovered = rejects_unrecovered(request);
  pending.data = std::move(permitted.data);

  hub::Since since;
  const bool cache = options.recovery_mode == RecoveryMode::cache;
  pending.recover = subscription.recoverable && (request.recover || (cache && options.auto_cache_recover));
  if (pending.recover) {
    const auto epoch = epoch_of(request.epoch);
    pending.asked = {epoch.value_or(hub::Epoch{}), request.offset};
    if (cache) {
      pending.cache = true;
      pending.known = request.recover && request.offset > 0 && epoch.has_value();
      since = {.kind = hub::Since::Kind::last, .count = 1};
    } else if (!epoch) {
      pending.lost = true;
    } else {
      since = {.kind = hub::Since::Kind::position, .position = pending.asked, .any_epoch = request.epoch.empty()};
    }
  }
  subscription.id = desk_.fan_out.subscribe(peer.slot, channel, since, format_of(session, subscription),
                                            static_cast<std::uint16_t>(place), desk_.post);
  peer.subscriptions.push_back(subscription.id);
  desk_.counters.subscriptions.set(desk_.fan_out.subscriptions());
  if (subscription.expires != base::kNever) arm(peer);
}

// Shared with others where what goes out does not depend on the subscription.
std::uint8_t CentrifugeFront::format_of(const Session& session, const Subscription& subscription) const {
  using Carrier = door::centrifuge::Carrier;
  Format format = Format::individual;
  if (!subscription.filter && !subscription.delta && !session.carrier.unidirectional &&
      session.carrier.transport == Carrier::Transport::websocket) {
    format = session.carrier.format == Carrier::Format::json ? Format::centrifuge_json : Format::centrifuge_protobuf;
  }
  return static_cast<std::uint8_t>(format);
}

void CentrifugeFront::on_start(Peer& peer, hub::SubscriptionId id, const hub::Position& start,
                               const std::optional<hub::Gap>& gap) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & kEventsIndex) != 0) return;
  Session::Pending& pending = *peer.centrifuge()->subscriptions[place].pending;
  pending.start = pending.reached = start;
  if (gap) pending.lost = true;
}

void CentrifugeFront::on_replay(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & kEventsIndex) != 0) return;
  Session::Pending& pending = *peer.centrifuge()->subscriptions[place].pending;
  pending.reached.offset = batch.last();
  if (pending.lost || !pending.recover) return;  // without recovery it begins behind them
  for (const hub::MessageRef& message : batch.messages) {
    if (pending.cache) {  // the newest stands for all
      if (message->has(hub::Mark::transient)) continue;
      pending.messages.clear();
      pending.bytes = 0;
    }
    pending.bytes += message->charged_bytes();
    pending.messages.push_back(message);
  }
  if (pending.messages.size() <= kRecoveredMessagesMax && pending.bytes <= kRecoveredBytesMax) return;
  pending.lost = true;
  pending.messages.clear();
}

bool CentrifugeFront::on_gap(Peer& peer, hub::SubscriptionId id, const hub::Position& after) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & kEventsIndex) != 0) return true;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.state == Subscription::State::joining || peer.unanswered) {
    subscription.pending->lost = true;
    subscription.pending->reached = after;
    return true;
  }
  subscription.base.reset();                  // what comes next is whole: a delta's base may be among what is missing
  if (!subscription.positioned) return true;  // it was promised no more than what comes
  subscription.state = Subscription::State::broken;
  unsettled_.push_back(peer.id());
  return false;
}

void CentrifugeFront::on_live(Peer& peer, hub::SubscriptionId id) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & kEventsIndex) != 0) return;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.state != Subscription::State::joining) return;
  subscription.state = Subscription::State::live;
  unsettled_.push_back(peer.id());
  answer_subscribe(peer, subscription);
}

void CentrifugeFront::on_refused(Peer& peer, hub::SubscriptionId id, base::Error error) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & kEventsIndex) != 0) return;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.pending->command == 0) return end(peer, DisconnectCode::internal);
  refuse(peer, subscription.pending->command, reply_error_of(error));
  subscription.pending->command = 0;
  subscription.state = Subscription::State::broken;
  unsettled_.push_back(peer.id());
}

// Decides what became of what was missed; the views live as long as the pending state.
SubscribeResult CentrifugeFront::answer_of(const Session& session, Subscription& subscription) {
  Session::Pending& pending = *subscription.pending;
  const hub::Position& top = pending.reached;
  if (pending.cache && !pending.lost) {
    const bool at_top = pending.known && pending.asked == top;
    if (at_top) {
      pending.messages.clear();
    } else if (pending.messages.empty() && (top.offset > 0 || pending.known)) {
      pending.lost = true;  // there was one, and it has expired
    }
  }
  SubscribeResult result{.expires = subscription.ttl > 0,
                         .ttl = subscription.ttl,
                         .recoverable = subscription.recoverable,
                         .positioned = subscription.positioned,
                         .data = payload_of(pending.data),
                         .was_recovering = pending.recover,
                         .delta = subscription.delta};
  if (subscription.positioned) {
    result.epoch = top.epoch.view();
    result.offset = top.offset;
  }
  if (!pending.recover || pending.lost) return result;
  result.recovered = true;
  if (!pending.cache) result.offset = pending.asked.offset;
  const door::centrifuge::PublicationScope scope{top.epoch.view()};
  for (const hub::MessageRef& message : pending.messages) {
    if (subscription.filter && !matches(subscription, *message)) continue;
    result.publications.push_back(publication_for(session, subscription, message, scope));
  }
  return result;
}

void CentrifugeFront::answer_subscribe(Peer& peer, Subscription& subscription) {
  Session& session = *peer.centrifuge();
  Session::Pending& pending = *subscription.pending;
  if (session.stage == Session::Stage::connecting && subscription.server_side) {
    --session.joining;
    return;  // its answer is part of the answer to connect
  }
  made_.clear();
  const SubscribeResult result = answer_of(session, subscription);
  if (subscription.server_side) {
    push(peer, channel_of(subscription),
         door::centrifuge::SubscribePush{.recoverable = result.recoverable,
                                         .epoch = result.epoch,
                                         .offset = result.offset,
                                         .positioned = result.positioned,
                                         .data = result.data});
  } else if (pending.rejects_unrecovered && pending.recover && pending.lost) {
    refuse(peer, pending.command, ErrorCode::unrecoverable_position);
    subscription.state = Subscription::State::broken;
    pending.command = 0;
    return;
  } else {
    const std::size_t before = peer.out.bytes();
    reply(peer, {.id = pending.command, .body = result});
    // What a client missed was asked for, and does not make it a slow reader.
    if (!pending.messages.empty()) peer.replay_bytes += static_cast<std::uint32_t>(peer.out.bytes() - before);
  }
  pending.command = 0;
}

// What follows an answer, or an end, outside of the callbacks of FanOut.
void CentrifugeFront::settle(Peer& peer, std::size_t place) {
  Session& session = *peer.centrifuge();
  Subscription& subscription = session.subscriptions[place];
  if (subscription.state == Subscription::State::broken) {
    const std::uint32_t unsubscribed = subscription.pending ? subscription.pending->unsubscribe : 0;
    const bool answered = !subscription.pending || subscription.pending->command == 0;
    const bool refused = subscription.pending != nullptr;
    if (subscription.server_side) return end(peer, DisconnectCode::insufficient_state);
    const std::string channel(channel_of(subscription));
    const std::uint32_t command = answered ? 0 : subscription.pending->command;
    unsubscribe(peer, place);
    if (command != 0) refuse(peer, command, ErrorCode::permission_denied);
    if (!refused) push(peer, channel, door::centrifuge::to_push(UnsubscribeCode::insufficient_state));
    if (unsubscribed != 0) reply(peer, {.id = unsubscribed, .body = door::centrifuge::UnsubscribeResult{}});
    return;
  }
  if (subscription.state != Subscription::State::live || session.stage != Session::Stage::connected) return;
  if (subscription.pending) {
    if (const std::uint32_t unsubscribed = subscription.pending->unsubscribe; unsubscribed != 0) {
      unsubscribe(peer, place);
      return reply(peer, {.id = unsubscribed, .body = door::centrifuge::UnsubscribeResult{}});
    }
    const bool dismissed = subscription.pending->dismissed;
    subscription.pending.reset();
    if (dismissed) {
      unsubscribe_by_back_end(peer, std::string(channel_of(subscription)));
      return;
    }
  }
  if (subscription.settled) return;
  subscription.settled = true;
  const std::string channel(channel_of(subscription));
  announce_subscribed(desk_, peer, channel);
  if (subscription.tells_events) {
    subscription.events = desk_.fan_out.subscribe(peer.slot, hub::events_channel(channel), {}, format_of(session, {}),
                                                  static_cast<std::uint16_t>(place | kEventsIndex), desk_.post);
    peer.subscriptions.push_back(subscription.events);
  }
  if (!subscription.listed && !subscription.announced) return;
  hub::ClientIdentity identity = session.identity;
  identity.chan_info = subscription.info;
  desk_.attendance.enter(subscription.id, base::SharedBytes::copy(channel), std::move(identity),
                         subscription.announced ? hub::Announce::yes : hub::Announce::no, desk_.post);
}

void CentrifugeFront::unsubscribe(Peer& peer, std::size_t place) {
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.settled) announce_unsubscribed(desk_, peer, channel_of(subscription));
  for (const hub::SubscriptionId id : {subscription.id, subscription.events}) {
    if (id == hub::SubscriptionId{}) continue;
    desk_.attendance.leave(id);
    desk_.fan_out.unsubscribe(id);
    peer.subscriptions.remove(id);
  }
  if (subscription.pending && subscription.pending->unsubscribe != 0) --peer.centrifuge()->leaving;
  subscription = Subscription{};
  desk_.counters.subscriptions.set(desk_.fan_out.subscriptions());
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const UnsubscribeRequest& request) {
  if (request.channel.empty()) return end(peer, DisconnectCode::bad_request);
  const auto place = place_of(peer, request.channel);
  if (place) {
    Subscription& subscription = peer.centrifuge()->subscriptions[*place];
    if (subscription.state == Subscription::State::joining) {  // once that is answered
      subscription.pending->unsubscribe = command;
      ++peer.centrifuge()->leaving;
      return;
    }
    unsubscribe(peer, *place);
  } else if (Session::Undecided* found = undecided(peer, request.channel)) {
    found->unsubscribe = command;
    ++peer.centrifuge()->leaving;
    return;
  }
  reply(peer, {.id = command, .body = door::centrifuge::UnsubscribeResult{}});
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
  if (is_revoked(desk_, token->claims.common)) return refuse(peer, command, ErrorCode::permission_denied);
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
