// Maps of the Centrifuge door: how a client comes to one page by page (door/centrifuge/map_paging.h), and how it
// changes one. Facts of the protocol: docs/centrifuge.md, Maps.
#include <algorithm>
#include <concepts>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "door/centrifuge/publication.h"
#include "door/channel_name.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"
#include "server/presence_maps.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::MapPaging;
using door::centrifuge::PublicationScope;
using door::centrifuge::PublishRequest;
using door::centrifuge::SubscribeRequest;
using door::centrifuge::SubscribeResult;
using door::centrifuge::SubscriptionPhase;

namespace {

constexpr std::int32_t kMap = 1;  // what answers call all three types

door::centrifuge::MapPagingRules rules_of(const NamespaceOptions& options) {
  return {.recoverable = options.map_mode != hub::MapMode::ephemeral,
          .page_sizes = {.min = options.map_page_entries_min, .max = options.map_page_entries_max},
          .catch_up_max = options.map_catch_up_max};
}

bool is_first_page(const SubscribeRequest& request) {
  return request.phase == static_cast<std::int32_t>(SubscriptionPhase::state) && request.cursor.empty();
}

ErrorCode error_of_page(base::Error error) {
  switch (error) {
    case base::Error::unrecoverable_position:
      return ErrorCode::unrecoverable_position;
    case base::Error::bad_cursor:
    case base::Error::channel_type:
      return ErrorCode::bad_request;
    default:
      return ErrorCode::internal;
  }
}

}  // namespace

void CentrifugeFront::subscribe_to_map(Peer& peer, std::uint32_t command, const SubscribeRequest& request) {
  if (request.channel.empty()) return end(peer, DisconnectCode::bad_request);
  if (request.type == static_cast<std::int32_t>(door::centrifuge::SubscriptionType::shared_poll)) {
    return refuse(peer, command, ErrorCode::not_available);
  }
  // Who has begun and does not go on keeps no place.
  auto& all = peer.centrifuge()->loading;
  std::erase_if(all, [&](const Session::Loading& each) {
    return each.channel != request.channel && !each.paging.reading() && each.paging.late(desk_.now);
  });
  const Session::Loading* loading = loading_of(peer, request.channel);
  if (undecided(peer, request.channel) != nullptr || (loading != nullptr && loading->paging.reading())) {
    return refuse(peer, command, ErrorCode::concurrent_pagination);
  }
  if (loading != nullptr && is_first_page(request)) {
    stop_loading(peer, request.channel);
    loading = nullptr;
  }
  if (loading != nullptr) {
    if (const auto code = refusal_of(peer, *loading)) {
      stop_loading(peer, request.channel);
      return refuse(peer, command, *code);
    }
    return load(peer, command, request);
  }
  auto permitted = permit(peer, command, request);
  if (!permitted) return;
  const NamespaceOptions& options = *desk_.snapshot->options_of(request.channel);
  if (const auto code = MapPaging::begins(request, rules_of(options))) return refuse(peer, command, *code);
  if (permitted->grant == Subscription::Grant::hook) {
    return ask_subscribe(peer, command, options.subscribe_hook, request, *std::move(permitted));
  }
  begin_loading(peer, request, *std::move(permitted));
}

void CentrifugeFront::begin_loading(Peer& peer, const SubscribeRequest& request, Permitted permitted) {
  const NamespaceOptions& options = *desk_.snapshot->options_of(request.channel);
  const std::uint32_t command = permitted.command;
  // Who is there has no payload.
  const bool delta = request.delta == "fossil" && options.allow_delta && !permitted.filter &&
                     options.subscription_type == hub::SubscriptionType::map;
  peer.centrifuge()->loading.push_back({.channel = std::string(request.channel),
                                        .paging = MapPaging(rules_of(options), desk_.now),
                                        .permitted = std::move(permitted),
                                        .delta = delta});
  load(peer, command, request);
}

void CentrifugeFront::load(Peer& peer, std::uint32_t command, const SubscribeRequest& request) {
  Session::Loading& loading = *loading_of(peer, request.channel);
  loading.permitted.command = command;
  const auto asked = loading.paging.ask(request, desk_.now);
  if (const auto* error = std::get_if<ErrorCode>(&asked)) return fail_loading(peer, request.channel, *error);
  if (const auto* code = std::get_if<DisconnectCode>(&asked)) return end(peer, *code);
  if (const auto* join = std::get_if<MapPaging::Join>(&asked)) return join_map(peer, request.channel, *join, {});
  const base::WorkerId home = desk_.home_of(request.channel);
  if (const auto* changes = std::get_if<MapPaging::ReadChanges>(&asked)) {
    hub::Read read{.channel = loading.channel,
                   .since = {.kind = hub::Since::Kind::position, .position = changes->after},
                   .messages_max = changes->messages_max,
                   .window = {}};
    read.request = ask({.peer = peer.id(), .command = command, .channel = loading.channel, .map_changes = true});
    return desk_.post.send(home, std::move(read));
  }
  hub::ReadState read{.channel = loading.channel,
                      .cursor = std::string(request.cursor),
                      .entries_max = std::get<MapPaging::ReadState>(asked).entries_max,
                      .order = request.asc ? hub::ReadState::Order::ascending : hub::ReadState::Order::usual};
  read.request = ask({.peer = peer.id(), .command = command, .channel = loading.channel});
  desk_.post.send(home, std::move(read));
}

// Asked at every page, when it is asked for and when it has come.
std::optional<ErrorCode> CentrifugeFront::refusal_of(const Peer& peer, const Session::Loading& loading) {
  const NamespaceOptions* options = desk_.snapshot->options_of(loading.channel);
  if (options == nullptr) return ErrorCode::unknown_channel;
  if (options->subscription_type == hub::SubscriptionType::stream) return ErrorCode::bad_request;
  const Permitted& permitted = loading.permitted;
  if (permitted.lifetime.ends <= desk_.now) return ErrorCode::token_expired;
  if (permitted.token && is_revoked(*permitted.token)) return ErrorCode::permission_denied;
  if (permitted.grant == Subscription::Grant::hook) return std::nullopt;
  const auto allowed = desk_.snapshot->policy().authorize(
      desk_.principal_of(peer), auth::Verb::subscribe, loading.channel, desk_.clock.wall(),
      {.channel_token = permitted.grant == Subscription::Grant::token});
  if (allowed) return std::nullopt;
  return reply_error_of(allowed.error());
}

CentrifugeFront::Session::Loading* CentrifugeFront::loading_of(const Peer& peer, std::string_view channel) {
  auto& all = peer.centrifuge()->loading;
  const auto found = std::ranges::find(all, channel, &Session::Loading::channel);
  return found == all.end() ? nullptr : &*found;
}

CentrifugeFront::Session::Loading CentrifugeFront::stop_loading(Peer& peer, std::string_view channel) {
  auto& all = peer.centrifuge()->loading;
  const auto found = std::ranges::find(all, channel, &Session::Loading::channel);
  ASSERT(found != all.end());
  Session::Loading stopped = std::move(*found);
  all.erase(found);
  return stopped;
}

// What waits for its end is answered too.
void CentrifugeFront::fail_loading(Peer& peer, std::string_view channel, ErrorCode code) {
  const Session::Loading stopped = stop_loading(peer, channel);
  refuse(peer, stopped.permitted.command, code);
  if (stopped.unsubscribe != 0) unsubscribe_late(peer, stopped.channel, stopped.unsubscribe);
}

// An end that was asked for while something else was on its way, and counted as leaving.
void CentrifugeFront::unsubscribe_late(Peer& peer, std::string_view channel, std::uint32_t command) {
  if (const auto place = place_of(peer, channel)) {
    peer.centrifuge()->subscriptions[*place].pending->unsubscribe = command;
    return;
  }
  if (Session::Loading* loading = loading_of(peer, channel)) {
    if (loading->paging.reading()) {
      loading->unsubscribe = command;
      return;
    }
    stop_loading(peer, channel);
  }
  --peer.centrifuge()->leaving;
  reply(peer, {.id = command, .body = door::centrifuge::UnsubscribeResult{}});
  unsettled_.push_back(peer.id());  // for what waits behind it
}

bool CentrifugeFront::state_read(const hub::StatePage& page) {
  Peer* peer = nullptr;
  const auto asked = take_asked(page.request, peer);
  if (!asked || peer == nullptr) return asked.has_value();
  Session::Loading* loading = loading_of(*peer, asked->channel);
  ASSERT(loading != nullptr && loading->paging.reading());
  if (page.error != base::Error::none) {
    fail_loading(*peer, asked->channel, error_of_page(page.error));
    return true;
  }
  const auto read = loading->paging.state_read(page.head, page.next.empty());
  const auto refusal = refusal_of(*peer, *loading);
  if (refusal || std::holds_alternative<ErrorCode>(read)) {
    fail_loading(*peer, asked->channel, refusal ? *refusal : std::get<ErrorCode>(read));
    return true;
  }
  std::vector<hub::MessageRef> entries;
  for (const hub::MessageRef& entry : page.entries) {
    if (loading->paging.brings(entry->offset()) && matches(loading->permitted.filter.get(), *entry)) {
      entries.push_back(entry);
    }
  }
  if (const auto* join = std::get_if<MapPaging::Join>(&read)) {
    join_map(*peer, asked->channel, *join, std::move(entries));
    return true;
  }
  const hub::Position& position = std::get<MapPaging::Page>(read).position;
  made_.clear();
  SubscribeResult result{.epoch = position.epoch.view(),
                         .offset = position.offset,
                         .type = kMap,
                         .phase = static_cast<std::int32_t>(SubscriptionPhase::state),
                         .cursor = page.next};
  add_page(*peer->centrifuge(), *loading, entries, {position.epoch.view(), keeps_history(asked->channel)},
           result.state);
  reply_in_pages(*peer, asked->command, result);
  page_answered(*peer, asked->channel);
  return true;
}

void CentrifugeFront::changes_read(Peer& peer, const Asked& asked, const hub::Page& page) {
  Session::Loading* loading = loading_of(peer, asked.channel);
  ASSERT(loading != nullptr && loading->paging.reading());
  const auto read = loading->paging.changes_read(page.head, page.end, page.gap.has_value());
  const auto refusal = refusal_of(peer, *loading);
  if (refusal || std::holds_alternative<ErrorCode>(read)) {
    return fail_loading(peer, asked.channel, refusal ? *refusal : std::get<ErrorCode>(read));
  }
  if (const auto* join = std::get_if<MapPaging::Join>(&read)) return join_map(peer, asked.channel, *join, {});
  const hub::Position& position = std::get<MapPaging::Page>(read).position;
  std::vector<hub::MessageRef> messages;
  for (const hub::MessageRef& message : page.messages) {
    if (matches(loading->permitted.filter.get(), *message)) messages.push_back(message);
  }
  made_.clear();
  SubscribeResult result{.epoch = position.epoch.view(),
                         .offset = position.offset,
                         .type = kMap,
                         .phase = static_cast<std::int32_t>(SubscriptionPhase::stream)};
  add_page(*peer.centrifuge(), *loading, messages, {position.epoch.view()}, result.publications);
  reply_in_pages(peer, asked.command, result);
  page_answered(peer, asked.channel);
}

void CentrifugeFront::page_answered(Peer& peer, std::string_view channel) {
  const Session::Loading* loading = loading_of(peer, channel);
  if (loading != nullptr && loading->unsubscribe != 0) unsubscribe_late(peer, channel, loading->unsubscribe);
}

// Whole, and where deltas were granted in the form in which they are made.
void CentrifugeFront::add_page(const Session& session, Session::Loading& loading,
                               const std::vector<hub::MessageRef>& messages, const PublicationScope& scope,
                               std::vector<door::centrifuge::Publication>& out) {
  for (const hub::MessageRef& message : messages) {
    if (!loading.delta) {
      out.push_back(door::centrifuge::publication_of(*message, scope));
      continue;
    }
    loading.bases.exchange(message);
    out.push_back(difference_for(session, nullptr, *message, scope));
  }
}

void CentrifugeFront::join_map(Peer& peer, std::string_view channel, const MapPaging::Join& join_at,
                               std::vector<hub::MessageRef> state) {
  Session::Loading loading = stop_loading(peer, channel);
  const NamespaceOptions& options = *desk_.snapshot->options_of(loading.channel);
  const std::size_t place = take_place(peer, loading.channel, false, std::move(loading.permitted));
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  // Of an ephemeral map the client knows no position; but if something is missed, it must begin anew.
  subscription.positioned = true;
  subscription.recoverable = options.map_mode != hub::MapMode::ephemeral;
  subscription.delta = loading.delta;
  if (loading.delta) {
    subscription.bases = std::make_unique<door::centrifuge::KeyBases>(std::move(loading.bases));
  }
  Session::Pending& pending = *subscription.pending;
  pending.map = true;
  pending.recover = join_at.recovering;
  pending.asked = join_at.after;
  pending.state = std::move(state);
  pending.messages_max = options.map_page_entries_max;
  pending.unsubscribe = loading.unsubscribe;
  hub::Since since;
  if (!join_at.from_now) since = {.kind = hub::Since::Kind::position, .position = join_at.after};
  join(peer, place, loading.channel, since);
}

SubscribeResult CentrifugeFront::answer_of_map(const Session& session, Subscription& subscription) {
  Session::Pending& pending = *subscription.pending;
  const hub::Position& top = pending.reached;
  SubscribeResult result{.expires = subscription.ttl > 0,
                         .ttl = subscription.ttl,
                         .recoverable = subscription.recoverable,
                         .epoch = top.epoch.view(),
                         .recovered = pending.recover,
                         .offset = top.offset,
                         .data = payload_of(pending.data),
                         .was_recovering = pending.recover,
                         .delta = subscription.delta,
                         .type = kMap};
  const PublicationScope scope{top.epoch.view(), subscription.recoverable};
  for (const hub::MessageRef& entry : pending.state) {
    if (subscription.delta) {
      subscription.bases->exchange(entry);
      result.state.push_back(difference_for(session, nullptr, *entry, scope));
    } else {
      result.state.push_back(door::centrifuge::publication_of(*entry, scope));
    }
  }
  for (const hub::MessageRef& message : pending.messages) {
    if (!matches(subscription.filter.get(), *message)) continue;
    result.publications.push_back(publication_for(session, subscription, message, scope));
  }
  return result;
}

void CentrifugeFront::change_map(Peer& peer, std::uint32_t command, const PublishRequest& request) {
  const std::string_view channel = request.channel;
  if (!request.removed && request.data.absent()) return end(peer, DisconnectCode::bad_request);
  if (!door::check_channel_name(channel)) return refuse(peer, command, ErrorCode::bad_request);
  const NamespaceOptions* options = desk_.snapshot->options_of(channel);
  if (options == nullptr) return refuse(peer, command, ErrorCode::unknown_channel);
  const Session& session = *peer.centrifuge();
  std::string_view key = request.key;
  if (options->map_client_key == ClientKey::client_id) key = session.client;
  if (options->map_client_key == ClientKey::user_id) key = session.identity.user.view();
  const auto verb = request.removed ? auth::Verb::remove : auth::Verb::publish;
  if (const auto refusal = refusal_of(peer, verb, channel)) return refuse(peer, command, *refusal);
  if (options->subscription_type != hub::SubscriptionType::map || key.empty() ||
      key.size() > hub::kMessageKeyBytesMax) {
    return refuse(peer, command, ErrorCode::bad_request);
  }
  // The hook knows no keys, and must not be passed by.
  if (!options->publish_hook.empty()) return refuse(peer, command, ErrorCode::not_available);
  publish(peer, command, channel, request.removed ? door::centrifuge::Payload{} : request.data, nullptr,
          {.key = std::string(key), .removed = request.removed});
}

// Nobody waits for the answer, and a key that is not there is none to complain of.
void CentrifugeFront::remove_own_key(const Session& session, const Subscription& subscription) {
  const std::string_view channel = channel_of(subscription);
  const NamespaceOptions* options = desk_.snapshot->options_of(channel);
  if (options == nullptr || !options->map_remove_client_on_unsubscribe || !subscription.settled) return;
  hub::Publish publish;
  publish.channel = channel;
  publish.request = ask({});
  publish.message =
      hub::Message::make(hub::Kind::json, {}, desk_.clock.now(), {.key = session.client, .removed = true});
  publish.change = std::make_unique<hub::MapChange>();
  const base::WorkerId home = desk_.home_of(channel);
  desk_.post.send(home, std::move(publish));
}

void CentrifugeFront::leave_maps(const Peer& peer) {
  const Session& session = *peer.centrifuge();
  for (const Subscription& each : session.subscriptions) {
    if (each.state == Subscription::State::free) continue;
    remove_own_key(session, each);
    leave_presence_maps(desk_, each.id);
  }
}

}  // namespace server
