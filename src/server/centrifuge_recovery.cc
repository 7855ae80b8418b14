// What a subscriber of the Centrifuge door missed while it was away, and the answer that tells it.
#include <utility>

#include "door/centrifuge/protobuf_out.h"
#include "door/centrifuge/publication.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::SubscribeRequest;
using door::centrifuge::SubscribeResult;

namespace {

// What one answer brings of what was missed. A channel's history is shorter by default; beyond, the client is told
// that it was not recovered and reads the history in pages.
constexpr std::size_t kRecoveredBytesMax = 8 << 20;

}  // namespace

std::optional<hub::Epoch> epoch_of(std::string_view text) {
  if (text.empty()) return hub::Epoch{};
  const auto position = hub::parse_position(std::string(text) + ":0");
  return position ? std::optional(position->epoch) : std::nullopt;
}

bool CentrifugeFront::may_recover(Peer& peer) {
  const Session& session = *peer.centrifuge();
  if (session.recovering < session.subscriptions.size()) {
    const Subscription& last = session.subscriptions[session.recovering];
    const bool begun = last.state == Subscription::State::joining && last.pending->recover;
    if (begun && last.pending->command != 0) return false;
  }
  return desk_.connections.has_room(peer);
}

void CentrifugeFront::recover_later(Peer& peer, const SubscribeRequest& request, Asked asked) {
  SubscribeRequest rest = request;  // without what has been looked at: how long it is the client decides
  rest.token = {};
  rest.data = {};
  rest.tf.reset();
  std::string kept;
  door::centrifuge::append_protobuf(kept, door::centrifuge::Command{1, rest});
  asked.kept = std::move(kept);
  recoveries_[peer.slot].push_back(std::move(asked));
}

void CentrifugeFront::recover_next(Peer& peer) {
  const auto waiting = recoveries_.find(peer.slot);
  if (waiting == recoveries_.end()) return;
  while (!peer.dying && peer.phase != Peer::Phase::closing && may_recover(peer)) {
    Asked next = std::move(waiting->second.front());
    waiting->second.pop_front();
    const bool was_last = waiting->second.empty();
    if (was_last) recoveries_.erase(waiting);
    subscribe_kept(peer, std::move(next));
    if (was_last) return;
  }
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
  const Session& session = *peer.centrifuge();
  Session::Pending& pending = *session.subscriptions[place].pending;
  pending.reached.offset = batch.last();
  if (pending.lost || !(pending.recover || pending.map)) return;  // without recovery it begins behind them
  for (const hub::MessageRef& message : batch.messages) {
    if (pending.cache) {  // the newest stands for all
      if (message->has(hub::Mark::transient)) continue;
      pending.messages.clear();
      pending.bytes = 0;
    }
    pending.bytes += message->charged_bytes();
    pending.messages.push_back(message);
  }
  std::size_t messages = pending.messages.size(), bytes = pending.bytes;
  if (session.stage == Session::Stage::connecting) {  // one answer for all of them
    messages = bytes = 0;
    for (const Subscription& each : session.subscriptions) {
      if (!each.pending) continue;
      messages += each.pending->messages.size();
      bytes += each.pending->bytes;
    }
  }
  if (messages <= pending.messages_max && bytes <= kRecoveredBytesMax) return;
  pending.lost = true;
  pending.messages = {};
  pending.bytes = 0;
}

bool CentrifugeFront::on_gap(Peer& peer, hub::SubscriptionId id, const hub::Position& after) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return true;
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
  if ((place & Session::kEventsIndex) != 0) return;
  Subscription& subscription = peer.centrifuge()->subscriptions[place];
  if (subscription.state != Subscription::State::joining) return;
  subscription.state = Subscription::State::live;
  unsettled_.push_back(peer.id());
  answer_subscribe(peer, subscription);
}

void CentrifugeFront::on_refused(Peer& peer, hub::SubscriptionId id, base::Error error) {
  const std::uint16_t place = desk_.fan_out.index_of(id);
  if ((place & Session::kEventsIndex) != 0) return;
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
  if (pending.map) return answer_of_map(session, subscription);
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
  // Who leaves a channel and comes to another may get the same number again, behind everything that was sent by it.
  if (subscription.by_number) result.id = desk_.fan_out.number_of(channel_of(subscription));
  if (subscription.positioned) {
    result.epoch = top.epoch.view();
    result.offset = top.offset;
  }
  if (!pending.recover || pending.lost) return result;
  result.recovered = true;
  if (!pending.cache) result.offset = pending.asked.offset;
  const door::centrifuge::PublicationScope scope{top.epoch.view()};
  for (const hub::MessageRef& message : pending.messages) {
    if (!matches(subscription.filter.get(), *message)) continue;
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
  } else if (pending.lost && (pending.map || (pending.rejects_unrecovered && pending.recover))) {
    refuse(peer, pending.command, ErrorCode::unrecoverable_position);
    subscription.state = Subscription::State::broken;
    pending.command = 0;
    return;
  } else {
    reply_in_pages(peer, pending.command, result);
  }
  pending.command = 0;
}

// What a client missed was asked for, and does not make it a slow reader.
void CentrifugeFront::reply_in_pages(Peer& peer, std::uint32_t command, const SubscribeResult& result) {
  const std::size_t before = peer.out.bytes();
  reply(peer, {.id = command, .body = result});
  if (result.publications.empty() && result.state.empty()) return;
  peer.replay_bytes += static_cast<std::uint32_t>(peer.out.bytes() - before);
}

}  // namespace server
