// Subscriptions of the Centrifuge door: how one begins and ends. Who may have one is decided in
// centrifuge_permission.cc, what it missed in centrifuge_recovery.cc.
#include <algorithm>
#include <utility>

#include "door/channel_name.h"
#include "hub/events_channel.h"
#include "server/announce.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"
#include "server/feed_front.h"
#include "server/presence_maps.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::SubscribeRequest;
using door::centrifuge::UnsubscribeCode;
using door::centrifuge::UnsubscribeRequest;

namespace {

bool asks_for_numbers(const SubscribeRequest& request) {
  return (request.flag & static_cast<std::int64_t>(door::centrifuge::SubscribeFlag::channel_compaction)) != 0;
}

bool rejects_unrecovered(const SubscribeRequest& request) {
  return (request.flag & static_cast<std::int64_t>(door::centrifuge::SubscribeFlag::reject_unrecovered)) != 0;
}

}  // namespace

std::optional<std::size_t> CentrifugeFront::place_of(const Peer& peer, std::string_view channel) const {
  const auto& all = peer.centrifuge()->subscriptions;
  for (std::size_t place = 0; place < all.size(); ++place) {
    if (all[place].state != Subscription::State::free && channel_of(all[place]) == channel) return place;
  }
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
    if (request.type != 0) continue;  // a map needs more than one request
    SubscribeRequest whole = request;
    whole.channel = channel;
    whole.positioned = whole.recoverable = whole.join_leave = true;
    auto permitted = permit(peer, 0, whole);
    if (peer.dying || peer.phase == Peer::Phase::closing) return;
    if (!permitted) continue;  // it has the others
    ++session.joining;
    if (permitted->grant == Subscription::Grant::hook) {
      ask_subscribe(peer, 0, desk_.snapshot->options_of(channel)->subscribe_hook, whole, *std::move(permitted));
    } else {
      subscribe(peer, channel, whole, *std::move(permitted));
    }
  }
}

std::size_t CentrifugeFront::take_place(Peer& peer, std::string_view channel, bool wants_events, Permitted permitted) {
  Session& session = *peer.centrifuge();
  const NamespaceOptions& options = *desk_.snapshot->options_of(channel);
  const auth::ChannelOverride& changes = permitted.changes;
  const auto free = std::ranges::find(session.subscriptions, Subscription::State::free, &Subscription::state);
  const auto place = static_cast<std::size_t>(free - session.subscriptions.begin());
  if (free == session.subscriptions.end()) session.subscriptions.emplace_back();
  Subscription& subscription = session.subscriptions[place];

  subscription.state = Subscription::State::joining;
  subscription.grant = permitted.grant;
  subscription.server_side = permitted.command == 0;
  // Members of maps that the server keeps are those of other channels; of many channels nobody is a member.
  const bool lists_others = options.subscription_type == hub::SubscriptionType::map_clients ||
                            options.subscription_type == hub::SubscriptionType::map_users;
  subscription.wildcard = is_wildcard(options, channel);
  const bool has_members = !lists_others && !subscription.wildcard;
  subscription.listed = changes.presence.value_or(options.presence) && has_members;
  subscription.announced = changes.join_leave.value_or(options.join_leave) && has_members;
  subscription.tells_events =
      subscription.announced && (wants_events || changes.force_push_join_leave.value_or(options.force_push_join_leave));
  const bool refreshed_by_hook = permitted.grant == Subscription::Grant::hook && !options.sub_refresh_hook.empty();
  subscription.ttl = refreshed_by_hook ? 0 : permitted.lifetime.ttl;
  subscription.expires = refreshed_by_hook ? permitted.lifetime.ends : permitted.lifetime.until;
  subscription.info = base::SharedBytes::copy(permitted.info);
  subscription.filter = std::move(permitted.filter);
  subscription.pending = std::make_unique<Session::Pending>();
  subscription.pending->command = permitted.command;
  subscription.pending->data = std::move(permitted.data);
  return place;
}

void CentrifugeFront::join(Peer& peer, std::size_t place, std::string_view channel, const hub::Since& since) {
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  const auto watch = [&](std::string_view name) {
    const std::uint8_t format = format_of(*peer.centrifuge(), subscription);
    const hub::SubscriptionId id =
        desk_.fan_out.subscribe(peer.slot, name, since, format, static_cast<std::uint16_t>(place), desk_.post);
    peer.subscriptions.push_back(id);
    return id;
  };
  if (subscription.wildcard) {
    subscription.pending->feeds = desk_.shared.workers();
    for (base::WorkerId home = 0; home < desk_.shared.workers(); ++home) {
      subscription.feeds.push_back(watch(hub::wildcard_feed(channel, home)));
    }
    subscription.id = subscription.feeds.front();
  } else {
    subscription.id = watch(channel);
  }
  desk_.counters.subscriptions.set(desk_.fan_out.subscriptions());
  if (subscription.expires != base::kNever) arm(peer);
}

void CentrifugeFront::subscribe(Peer& peer, std::string_view channel, const SubscribeRequest& request,
                                Permitted permitted) {
  const NamespaceOptions& options = *desk_.snapshot->options_of(channel);
  const auth::ChannelOverride& changes = permitted.changes;
  // Of many channels there is no one position.
  const bool wildcard = is_wildcard(options, channel);
  const bool has_history = options.history_messages_max > 0 && !wildcard;
  const bool recoverable =
      changes.force_recovery.value_or(options.force_recovery) || (request.recoverable && options.allow_recovery);
  const bool positioned = changes.force_positioning.value_or(options.force_positioning) ||
                          (request.positioned && options.allow_positioning);
  const std::size_t place = take_place(peer, channel, request.join_leave, std::move(permitted));
  Session& session = *peer.centrifuge();
  Subscription& subscription = session.subscriptions[place];
  subscription.recoverable = recoverable && has_history;
  subscription.positioned = (positioned || recoverable) && has_history;
  subscription.delta = request.delta == "fossil" && options.allow_delta && !subscription.filter && !wildcard;
  // Not in Protobuf: the JavaScript SDK (5.8) asks for numbers there too, and then finds no subscription by them.
  subscription.by_number = options.allow_channel_compaction && asks_for_numbers(request) && !subscription.server_side &&
                           !wildcard && session.carrier.format == door::centrifuge::Carrier::Format::json;
  Session::Pending& pending = *subscription.pending;
  pending.rejects_unrecovered = rejects_unrecovered(request);

  hub::Since since;
  const bool cache = options.recovery_mode == RecoveryMode::cache;
  pending.recover = subscription.recoverable && (request.recover || (cache && options.auto_cache_recover));
  if (pending.recover) {
    if (pending.command != 0) session.recovering = static_cast<std::uint16_t>(place);
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
  join(peer, place, channel, since);
}

// Shared with others where what goes out does not depend on the subscription.
std::uint8_t CentrifugeFront::format_of(const Session& session, const Subscription& subscription) const {
  using Carrier = door::centrifuge::Carrier;
  Format format = Format::individual;
  if (!subscription.filter && !subscription.delta && !session.carrier.unidirectional &&
      session.carrier.transport == Carrier::Transport::websocket) {
    const bool json = session.carrier.format == Carrier::Format::json;
    format = !json                    ? Format::centrifuge_protobuf
             : subscription.by_number ? Format::centrifuge_json_by_number
                                      : Format::centrifuge_json;
  }
  return static_cast<std::uint8_t>(format);
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
    Subscription plain;  // neither filtered nor differences
    plain.by_number = subscription.by_number;
    subscription.events =
        desk_.fan_out.subscribe(peer.slot, hub::events_channel(channel), {}, format_of(session, plain),
                                static_cast<std::uint16_t>(place | Session::kEventsIndex), desk_.post);
    peer.subscriptions.push_back(subscription.events);
  }
  hub::ClientIdentity identity = session.identity;
  identity.chan_info = subscription.info;
  if (!subscription.wildcard) enter_presence_maps(desk_, subscription.id, channel, identity);
  if (!subscription.listed && !subscription.announced) return;
  desk_.attendance.enter(subscription.id, base::SharedBytes::copy(channel), std::move(identity),
                         subscription.announced ? hub::Announce::yes : hub::Announce::no, desk_.post);
}

void CentrifugeFront::unsubscribe(Peer& peer, std::size_t place) {
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.settled) announce_unsubscribed(desk_, peer, channel_of(subscription));
  remove_own_key(*peer.centrifuge(), subscription);
  leave_presence_maps(desk_, subscription.id);
  const auto forget = [&](hub::SubscriptionId id) {
    if (id == hub::SubscriptionId{}) return;
    desk_.attendance.leave(id);
    desk_.fan_out.unsubscribe(id);
    peer.subscriptions.remove(id);
  };
  if (subscription.wildcard) {
    for (const hub::SubscriptionId id : subscription.feeds) forget(id);
  } else {
    forget(subscription.id);
    forget(subscription.events);
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
  } else if (Session::Loading* loading = loading_of(peer, request.channel)) {
    if (loading->paging.reading()) {
      loading->unsubscribe = command;
      ++peer.centrifuge()->leaving;
      return;
    }
    stop_loading(peer, request.channel);
  }
  reply(peer, {.id = command, .body = door::centrifuge::UnsubscribeResult{}});
}

}  // namespace server
