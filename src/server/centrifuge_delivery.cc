// Publications on their way to connections of the Centrifuge door: what is shared by whom.
#include "door/centrifuge/blocks.h"
#include "hub/events_channel.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::Blocks;
using door::centrifuge::Publication;
using door::centrifuge::PublicationScope;

bool CentrifugeFront::matches(const hub::TagFilter* filter, const hub::Message& message) {
  static const hub::Tags kNone;
  return filter == nullptr || filter->matches(message.extras() != nullptr ? message.extras()->tags : kNone);
}

// Of a recovery. Facts: the first publication is whole, each other one a delta against the one that was sent before it.
Publication CentrifugeFront::publication_for(const Session& session, Subscription& subscription,
                                             const hub::MessageRef& message, const PublicationScope& scope) {
  if (!subscription.delta) return door::centrifuge::publication_of(*message, scope);
  const hub::MessageRef base =
      subscription.bases ? subscription.bases->exchange(message) : std::exchange(subscription.base, message);
  return difference_for(session, base.get(), *message, scope);
}

Publication CentrifugeFront::difference_for(const Session& session, const hub::Message* base,
                                            const hub::Message& message, const PublicationScope& scope) {
  if (message.extras() != nullptr && message.extras()->removed) return door::centrifuge::publication_of(message, scope);
  return door::centrifuge::publication_as_delta(message, base, session.carrier.format, scope, made_);
}

base::SharedBytes CentrifugeFront::block_for(const Peer& peer, hub::SubscriptionId id, hub::Batch& batch) {
  Session& session = *peer.centrifuge();
  const std::uint16_t place = desk_.fan_out.index_of(id);
  Subscription& subscription = session.subscriptions[place % Session::kEventsIndex];
  if (subscription.state == Subscription::State::broken) return {};
  Blocks& blocks = blocks_of(batch);
  const std::uint64_t before = blocks.encodings();
  const door::centrifuge::Way way{session.carrier, subscription.by_number};
  base::SharedBytes block;
  if ((place & Session::kEventsIndex) != 0) {
    block = blocks.whole(way);
  } else if (subscription.filter) {
    chosen_.clear();
    for (std::uint32_t i = 0; i < batch.messages.size(); ++i) {
      if (matches(subscription.filter.get(), *batch.messages[i])) chosen_.push_back(i);
    }
    block = blocks.some(way, chosen_);
  } else if (subscription.bases) {
    // Its own, key by key. A map's subscription does not go on behind a gap, so what is made is also what was sent.
    made_.clear();
    const PublicationScope scope{batch.epoch.view(), keeps_history(batch.channel)};
    door::centrifuge::Packer packer(session.carrier);
    for (const hub::MessageRef& message : batch.messages) {
      packer.add({.body = door::centrifuge::Push{.channel = batch.channel,
                                                 .body = publication_for(session, subscription, message, scope)}});
    }
    block = base::SharedBytes::copy(packer.take());
  } else if (subscription.delta) {
    block = blocks.deltas(way, subscription.base);
  } else {
    block = blocks.whole(way);
  }
  desk_.counters.fan_out_blocks.add(blocks.encodings() - before);
  return block;
}

void CentrifugeFront::delivered(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.delta && !subscription.bases) subscription.base = batch.messages.back();
}

base::SharedBytes CentrifugeFront::shared_block(door::centrifuge::Way way, hub::Batch& batch) {
  Blocks& blocks = blocks_of(batch);
  const std::uint64_t before = blocks.encodings();
  base::SharedBytes block = blocks.whole(way);
  desk_.counters.fan_out_blocks.add(blocks.encodings() - before);
  return block;
}

Blocks& CentrifugeFront::blocks_of(hub::Batch& batch) const {
  if (!batch.made) {
    batch.made = std::make_unique<Blocks>(batch, keeps_history(batch.channel),
                                          desk_.fan_out.number_of(hub::events_of(batch.channel)));
  }
  return static_cast<Blocks&>(*batch.made);  // nobody else makes any
}

bool CentrifugeFront::keeps_history(std::string_view channel) const {
  const NamespaceOptions* options = desk_.snapshot->options_of(hub::events_of(channel));
  if (options == nullptr) return false;
  if (options->subscription_type != hub::SubscriptionType::stream) return options->map_mode != hub::MapMode::ephemeral;
  return options->history_messages_max > 0;
}

}  // namespace server
