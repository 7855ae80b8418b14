// What clients of the Centrifuge door ask beside subscriptions: publish, history, presence, RPC.
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "codec/json_in.h"
#include "codec/utf8.h"
#include "door/centrifuge/publication.h"
#include "door/channel_name.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::HistoryRequest;
using door::centrifuge::PingRequest;
using door::centrifuge::PresenceRequest;
using door::centrifuge::PresenceStatsRequest;
using door::centrifuge::PublishRequest;
using door::centrifuge::SendRequest;

namespace {

constexpr std::uint32_t kHistoryMessagesMax = 300;  // of one answer, as the original
constexpr std::uint32_t kPresencePage = 512;
constexpr std::size_t kPresenceBytesMax = 4 << 20;  // of the members in one answer

struct Content {
  hub::Kind kind;
  std::string bytes;
};

// Bytes of a Protobuf client are what they can be: JSON clients get JSON as it is.
Content content_of(const door::centrifuge::Payload& data) {
  if (data.kind == hub::Kind::json) return {hub::Kind::json, std::string(data.bytes)};
  if (auto json = codec::validate_json(data.bytes)) return {hub::Kind::json, *std::move(json)};
  return {codec::utf8_valid(data.bytes) ? hub::Kind::text : hub::Kind::binary, std::string(data.bytes)};
}

}  // namespace

std::optional<ErrorCode> CentrifugeFront::refusal_of(const Peer& peer, auth::Verb verb, std::string_view channel) {
  if (!door::check_channel_name(channel)) return ErrorCode::bad_request;
  if (!desk_.snapshot->policy().namespace_of(channel)) return ErrorCode::unknown_channel;
  const auto place = place_of(peer, channel);
  const bool subscribed = place.has_value() && !peer.centrifuge()->subscriptions[*place].wildcard;
  const bool by_token = subscribed && peer.centrifuge()->subscriptions[*place].grant == Subscription::Grant::token;
  const auto allowed = desk_.snapshot->policy().authorize(desk_.principal_of(peer), verb, channel, desk_.clock.wall(),
                                                          {.subscribed = subscribed, .channel_token = by_token});
  if (allowed) return std::nullopt;
  return reply_error_of(allowed.error());
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const PublishRequest& request) {
  const std::string_view channel = request.channel;
  if (channel.empty()) return end(peer, DisconnectCode::bad_request);
  if (request.type == static_cast<std::int32_t>(door::centrifuge::SubscriptionType::map)) {
    return change_map(peer, command, request);
  }
  if (request.type != 0) return refuse(peer, command, ErrorCode::not_available);
  if (request.data.absent()) return end(peer, DisconnectCode::bad_request);
  if (!door::check_channel_name(channel)) return refuse(peer, command, ErrorCode::bad_request);
  const NamespaceOptions* options = desk_.snapshot->options_of(channel);
  if (options == nullptr) return refuse(peer, command, ErrorCode::unknown_channel);
  if (!options->publish_hook.empty()) return ask_publish(peer, command, options->publish_hook, request);
  if (const auto refusal = refusal_of(peer, auth::Verb::publish, channel)) return refuse(peer, command, *refusal);
  publish(peer, command, channel, request.data, nullptr, {});
}

void CentrifugeFront::publish(Peer& peer, std::uint32_t command, std::string_view channel,
                              const door::centrifuge::Payload& data, const door::hook::PublishResult* changes,
                              MapKey map) {
  const Content content = map.removed ? Content{hub::Kind::json, {}} : content_of(data);
  const NamespaceOptions* options = desk_.snapshot->options_of(channel);
  if (options == nullptr) return refuse(peer, command, ErrorCode::unknown_channel);
  if (const auto fits = door::check_payload(options->payload_format, content.kind, content.bytes);
      !fits && !map.removed) {
    return refuse(peer, command, reply_error_of(fits.error().error));
  }
  if (desk_.shared.overload.at_least(Overload::Level::no_publishing)) {
    return refuse(peer, command, ErrorCode::internal);
  }
  hub::Publish publish;
  publish.channel = channel;
  hub::Extras extras{.publisher = peer.centrifuge()->identity};
  if (const auto place = place_of(peer, channel)) {
    extras.publisher.chan_info = peer.centrifuge()->subscriptions[*place].info;
  }
  if (!map.key.empty()) publish.change = std::make_unique<hub::MapChange>();
  extras.key = std::move(map.key);
  extras.removed = map.removed;
  bool transient = false, delta = options->delta_publish;
  if (changes != nullptr) {
    std::vector<hub::Tag> tags;
    tags.reserve(changes->tags.size());
    for (const auto& [key, value] : changes->tags) tags.push_back({key, value});
    auto made = hub::Tags::make(std::move(tags));
    if (!made) return refuse(peer, command, ErrorCode::internal);  // the hook's mistake
    extras.tags = *std::move(made);
    transient = changes->skip_history;
    delta = changes->delta.value_or(delta);
    publish.version = changes->version;
    publish.version_epoch = changes->version_epoch;
    if (!changes->idempotency_key.empty()) {
      publish.idempotency_key = desk_.idempotency_key(channel, changes->idempotency_key);
      publish.content = base::hash128(content.bytes, desk_.shared.secret());
    }
  }
  publish.request = ask({.peer = peer.id(), .command = command});
  publish.message = hub::Message::make(content.kind, content.bytes, desk_.clock.now(), std::move(extras));
  if (transient) publish.message->set(hub::Mark::transient);
  if (delta) publish.message->set(hub::Mark::delta);
  // Not of a map: the state of a subscriber is made of all its changes.
  if (options->exclude_sender && map.key.empty()) publish.message->set(hub::Mark::not_to_sender);
  desk_.counters.messages_in.add();
  const base::WorkerId home = desk_.home_of(publish.channel);
  desk_.post.send(home, std::move(publish));
}

bool CentrifugeFront::published(const hub::Published& answer) {
  Peer* peer = nullptr;
  const auto asked = take_asked(answer.request, peer);
  if (!asked || peer == nullptr) return asked.has_value();
  if (answer.error != base::Error::none) {
    refuse(*peer, asked->command, reply_error_of(answer.error));
  } else {
    reply(*peer, {.id = asked->command, .body = door::centrifuge::PublishResult{}});
  }
  return true;
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const HistoryRequest& request) {
  if (request.channel.empty()) return end(peer, DisconnectCode::bad_request);
  if (const auto refusal = refusal_of(peer, auth::Verb::history, request.channel)) {
    return refuse(peer, command, *refusal);
  }
  if (desk_.snapshot->options_of(request.channel)->history_messages_max == 0) {
    return refuse(peer, command, ErrorCode::not_available);
  }
  const auto wanted = request.limit < 0 ? kHistoryMessagesMax : static_cast<std::uint32_t>(request.limit);
  hub::Window window{.order = request.reverse ? hub::Window::Order::newest_first : hub::Window::Order::oldest_first,
                     .messages_max = std::min(wanted, kHistoryMessagesMax)};
  if (request.since) {
    const auto epoch = epoch_of(request.since->epoch);
    if (!epoch) return refuse(peer, command, ErrorCode::unrecoverable_position);
    window.since = {*epoch, request.since->offset};
  }
  hub::Read read{.channel = std::string(request.channel), .window = window};
  read.request = ask({.peer = peer.id(), .command = command});
  const base::WorkerId home = desk_.home_of(read.channel);
  desk_.post.send(home, std::move(read));
}

bool CentrifugeFront::history(const hub::Page& page) {
  Peer* peer = nullptr;
  auto asked = take_asked(page.request, peer);
  if (!asked || peer == nullptr) return asked.has_value();
  if (asked->map_changes) {
    changes_read(*peer, *asked, page);
    return true;
  }
  if (asked->permitted) {
    last_value_found(*peer, *std::move(asked), !page.messages.empty());
    return true;
  }
  if (page.window->status == hub::WindowView::Status::unrecoverable) {
    refuse(*peer, asked->command, ErrorCode::unrecoverable_position);
    return true;
  }
  door::centrifuge::HistoryResult result{.epoch = page.head.epoch.view(), .offset = page.head.offset};
  for (const hub::MessageRef& message : page.window->messages) {
    result.publications.push_back(door::centrifuge::publication_of(*message, {}));
  }
  reply(*peer, {.id = asked->command, .body = std::move(result)});
  return true;
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const PresenceRequest& request) {
  ask_presence(peer, command, request.channel, kPresencePage);
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const PresenceStatsRequest& request) {
  ask_presence(peer, command, request.channel, 0);
}

void CentrifugeFront::ask_presence(Peer& peer, std::uint32_t command, std::string_view channel,
                                   std::uint32_t members_max) {
  if (channel.empty()) return end(peer, DisconnectCode::bad_request);
  if (const auto refusal = refusal_of(peer, auth::Verb::presence, channel)) return refuse(peer, command, *refusal);
  if (!desk_.snapshot->options_of(channel)->presence) return refuse(peer, command, ErrorCode::not_available);
  Asked asked{.peer = peer.id(), .command = command, .members_max = members_max};
  asked.channel = channel;
  hub::Who who{.request = ask(std::move(asked)), .channel = std::string(channel), .members_max = members_max};
  const base::WorkerId home = desk_.home_of(channel);
  desk_.post.send(home, std::move(who));
}

bool CentrifugeFront::present(hub::Present& answer) {
  Peer* peer = nullptr;
  auto asked = take_asked(answer.request, peer);
  if (!asked || peer == nullptr) return asked.has_value();
  if (asked->members_max == 0) {
    reply(*peer, {.id = asked->command,
                  .body = door::centrifuge::PresenceStatsResult{static_cast<std::uint32_t>(answer.clients),
                                                                static_cast<std::uint32_t>(answer.users)}});
    return true;
  }
  for (hub::ClientIdentity& each : answer.members) {
    asked->bytes += each.charged_bytes();
    asked->members.push_back(std::move(each));
  }
  if (asked->bytes > kPresenceBytesMax) {
    refuse(*peer, asked->command, ErrorCode::limit_exceeded);
    return true;
  }
  if (answer.next != 0) {
    hub::Who who{.channel = asked->channel, .after = answer.next, .members_max = kPresencePage};
    who.request = ask(*std::move(asked));
    const base::WorkerId home = desk_.home_of(who.channel);
    desk_.post.send(home, std::move(who));
    return true;
  }
  door::centrifuge::PresenceResult result;
  for (const hub::ClientIdentity& each : asked->members) {
    result.presence.emplace_back(each.client.view(), door::centrifuge::info_of(each));
  }
  reply(*peer, {.id = asked->command, .body = std::move(result)});
  return true;
}

// The original has none either: its clients ping by the empty command.
void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const PingRequest&) {
  refuse(peer, command, ErrorCode::not_available);
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t, const SendRequest&) {
  end(peer, DisconnectCode::not_available);
}

}  // namespace server
