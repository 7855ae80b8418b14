// What a subscriber of the Centrifuge door missed while it was away, and the answer that tells it.
#include <utility>
#include "door/centrifuge/publication.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::SubscribeResult;

namespace {

// What one answer brings of what was missed. A channel's history is shorter by default; beyond, the client is told
// that it was not recovered and reads the history in pages.
constexpr std::size_t kRecoveredMessagesMax = 16 * 1024;
constexpr std::size_t kRecoveredBytesMax = 8 << 20;

}  // namespace

std::optional<hub::Epoch> epoch_of(std::string_view text) {
  if (text.empty()) return hub::Epoch{};
  const auto position = hub::parse_position(std::string(text) + ":0");
  return position ? std::optional(position->epoch) : std::nullopt;
}

void CentrifugeFront::on_start(Peer& peer, hub::SubscriptionId id, const hub::Position& start,
                               const std::optional<hub::Gap>& gap) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return;
  Session::Pending& pending = *peer.centrifuge()->subscriptions[place].pending;
  pending.start = pending.reached = start;
  if (gap) pending.lost = true;
}

void CentrifugeFront::on_replay(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return;
  Session::Pending& pending = *peer.centrifuge()->subscriptions[place].pending;
  pending.reached.offset = batch.last();
  if (pending.lost) return;
  for (const hub::MessageRef& message : batch.messages) {
    pending.bytes += message->charged_bytes();
    pending.messages.push_back(message);
  }
  if (pending.messages.size() <= kRecoveredMessagesMax && pending.bytes <= kRecoveredBytesMax) return;
  pending.lost = true;
  pending.messages.clear();
}

bool CentrifugeFront::on_gap(Peer& peer, hub::SubscriptionId id, const hub::Position& after) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return true;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.state == Subscription::State::joining) {
    subscription.pending->lost = true;
    subscription.pending->reached = after;
    return true;
  }
  if (!subscription.positioned) return true;  // it was promised no more than what comes
  subscription.state = Subscription::State::broken;
  unsettled_.push_back(peer.id());
  return false;
}

void CentrifugeFront::on_live(Peer& peer, hub::SubscriptionId id) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.state != Subscription::State::joining) return;
  if (subscription.wildcard && --subscription.pending->feeds > 0) return;
  subscription.state = Subscription::State::live;
  unsettled_.push_back(peer.id());
  answer_subscribe(peer, subscription);
}

void CentrifugeFront::on_refused(Peer& peer, hub::SubscriptionId id, base::Error error) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.state == Subscription::State::broken) return;  // another feed of a wildcard
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
  if (const NamespaceOptions* options = desk_.snapshot->options_of(channel_of(subscription))) {
    const auto debounce = std::chrono::duration_cast<std::chrono::milliseconds>(options->publish_debounce);
    result.publish_debounce = static_cast<std::uint32_t>(debounce.count());
  }
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

}  // namespace server
