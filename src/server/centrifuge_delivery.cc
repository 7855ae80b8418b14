// Publications as one connection of the Centrifuge door gets them: filtered, as deltas, in its own packing.
#include <algorithm>
#include <utility>

#include "codec/base64.h"
#include "codec/delta.h"
#include "codec/json_out.h"
#include "door/centrifuge/publication.h"
#include "hub/events_channel.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::Carrier;
using door::centrifuge::Publication;
using door::centrifuge::PublicationScope;

namespace {

constexpr std::uint16_t kEventsIndex = 0x8000;

bool is_sender(const CentrifugeSession& session, const hub::Message& message) {
  if (!message.has(hub::Mark::not_to_sender) || message.extras() == nullptr) return false;
  return message.extras()->publisher.client.view() == session.client;
}

// What a JSON client parses, whatever the kind: deltas are made of these texts.
std::string json_text_of(const hub::Message& message) {
  std::string text;
  switch (message.kind()) {
    case hub::Kind::json:
      text = message.payload();
      break;
    case hub::Kind::text:
      codec::append_json_string(text, message.payload());
      break;
    case hub::Kind::binary:
      text.append("{\"base64\":\"").append(codec::base64_encode(message.payload())).append("\"}");
      break;
  }
  return text;
}

}  // namespace

bool CentrifugeFront::matches(const Subscription& subscription, const hub::Message& message) {
  static const hub::Tags kNone;
  return subscription.filter->matches(message.extras() != nullptr ? message.extras()->tags : kNone);
}

bool CentrifugeFront::may_have(const Peer& peer, const Subscription& subscription, std::string_view wildcard,
                               const hub::Message& message) const {
  const auth::Policy& policy = desk_.snapshot->policy();
  const std::string_view channel = message.extras()->channel.view();
  return policy.is_covered(wildcard, channel) ||
         policy.authorize_within(desk_.principal_of(peer), wildcard, channel, desk_.clock.wall(),
                                 {.channel_token = subscription.grant != Subscription::Grant::policy});
}

CentrifugeFront::Reach CentrifugeFront::reach_of(const hub::Batch& batch) const {
  const auto& messages = batch.messages;
  Reach reach{.feed = hub::is_wildcard_feed(batch.channel)};
  reach.senders =
      std::ranges::any_of(messages, [](const hub::MessageRef& each) { return each->has(hub::Mark::not_to_sender); });
  if (!reach.feed) return reach;
  const std::string_view wildcard = hub::wildcard_of(batch.channel);
  reach.covered = std::ranges::all_of(messages, [&](const hub::MessageRef& each) {
    return desk_.snapshot->policy().is_covered(wildcard, each->extras()->channel.view());
  });
  return reach;
}

bool CentrifugeFront::takes_shared(const Peer& peer, hub::SubscriptionId id, const hub::Batch& batch,
                                   const Reach& reach) const {
  const Session& session = *peer.centrifuge();
  if (reach.feed) {
    const bool live = session.subscriptions[desk_.fan_out.index_of(id)].state == Subscription::State::live;
    if (!live || !reach.covered) return false;
  }
  return !reach.senders ||
         std::ranges::none_of(batch.messages, [&](const hub::MessageRef& each) { return is_sender(session, *each); });
}

// Facts: the first publication is whole, each other one a delta against the one that was sent before it, unless that
// would be longer. JSON clients get either as a string.
Publication CentrifugeFront::publication_for(const Session& session, Subscription& subscription,
                                             const hub::MessageRef& message, const PublicationScope& scope) {
  Publication publication = door::centrifuge::publication_of(*message, scope);
  if (!subscription.delta) return publication;
  const bool json = session.carrier.format == Carrier::Format::json;
  const hub::MessageRef base = std::exchange(subscription.base, message);
  std::string whole = json ? json_text_of(*message) : std::string(message->payload());
  if (base && message->has(hub::Mark::delta)) {
    std::string delta = json ? codec::make_delta(json_text_of(*base), whole, codec::Utf8::whole_code_points)
                             : codec::make_delta(base->payload(), whole);
    if (delta.size() < whole.size()) {
      whole = std::move(delta);
      publication.delta = true;
    }
  }
  made_.push_front(std::move(whole));
  publication.data = {made_.front(), json ? hub::Kind::text : hub::Kind::binary};
  return publication;
}

std::string CentrifugeFront::encode_for(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch) {
  Session& session = *peer.centrifuge();
  const std::uint16_t place = desk_.fan_out.index_of(id);
  Subscription& subscription = session.subscriptions[place % kEventsIndex];
  if (subscription.state == Subscription::State::broken) return {};
  // Its other feeds have not begun: nothing comes before the answer.
  if (subscription.wildcard && subscription.state == Subscription::State::joining) return {};
  made_.clear();
  const std::string_view channel = hub::wildcard_of(batch.channel);
  const PublicationScope scope{batch.epoch.view(), keeps_history(batch.channel)};
  door::centrifuge::Packer packer(session.carrier);
  for (const hub::MessageRef& message : batch.messages) {
    if ((place & kEventsIndex) != 0) {
      packer.add({.body = door::centrifuge::push_of(batch.channel, *message, scope)});
      continue;
    }
    if (subscription.filter && !matches(subscription, *message)) continue;
    if (subscription.wildcard && !may_have(peer, subscription, channel, *message)) continue;
    if (is_sender(session, *message)) continue;
    packer.add({.body = door::centrifuge::Push{.channel = channel,
                                               .body = publication_for(session, subscription, message, scope)}});
  }
  return packer.take();
}

std::string CentrifugeFront::encode_shared(Carrier::Format format, const hub::Batch& batch) {
  const PublicationScope scope{batch.epoch.view(), keeps_history(batch.channel)};
  door::centrifuge::Packer packer({.format = format});
  for (const hub::MessageRef& message : batch.messages) {
    packer.add({.body = door::centrifuge::push_of(batch.channel, *message, scope)});
  }
  return packer.take();
}

bool CentrifugeFront::keeps_history(std::string_view channel) const {
  if (hub::is_wildcard_feed(channel)) return false;
  const NamespaceOptions* options = desk_.snapshot->options_of(hub::events_of(channel));
  return options != nullptr && options->history_messages_max > 0;
}

}  // namespace server
