// Publications as one connection of the Centrifuge door gets them: filtered, as deltas, in its own packing.
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

bool CentrifugeFront::matches(const hub::TagFilter* filter, const hub::Message& message) {
  static const hub::Tags kNone;
  return filter == nullptr || filter->matches(message.extras() != nullptr ? message.extras()->tags : kNone);
}

// Facts: the first publication is whole, each other one a delta against the one that was sent before it, unless that
// would be longer. JSON clients get either as a string.
Publication CentrifugeFront::publication_for(const Session& session, Subscription& subscription,
                                             const hub::MessageRef& message, const PublicationScope& scope) {
  if (!subscription.delta) return door::centrifuge::publication_of(*message, scope);
  const hub::MessageRef base =
      subscription.bases ? subscription.bases->exchange(message) : std::exchange(subscription.base, message);
  return difference_for(session, base, *message, scope);
}

Publication CentrifugeFront::difference_for(const Session& session, const hub::MessageRef& base,
                                            const hub::Message& message, const PublicationScope& scope) {
  Publication publication = door::centrifuge::publication_of(message, scope);
  if (publication.removed) return publication;
  const bool json = session.carrier.format == Carrier::Format::json;
  std::string whole = json ? json_text_of(message) : std::string(message.payload());
  if (base && message.has(hub::Mark::delta)) {
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
  made_.clear();
  const PublicationScope scope{batch.epoch.view(), keeps_history(batch.channel)};
  door::centrifuge::Packer packer(session.carrier);
  for (const hub::MessageRef& message : batch.messages) {
    if ((place & kEventsIndex) != 0) {
      packer.add({.body = door::centrifuge::push_of(batch.channel, *message, scope)});
      continue;
    }
    if (!matches(subscription.filter.get(), *message)) continue;
    packer.add({.body = door::centrifuge::Push{.channel = batch.channel,
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
  const NamespaceOptions* options = desk_.snapshot->options_of(hub::events_of(channel));
  if (options == nullptr) return false;
  if (options->subscription_type != hub::SubscriptionType::stream) return options->map_mode != hub::MapMode::ephemeral;
  return options->history_messages_max > 0;
}

}  // namespace server
