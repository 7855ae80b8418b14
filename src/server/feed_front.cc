#include "server/feed_front.h"

#include "base/assert.h"
#include "door/envelope.h"
#include "door/sse/encode.h"
#include "server/announce.h"
#include "server/closing.h"

namespace server {
namespace {

constexpr std::size_t kBehindBytes = 64 * 1024;  // more than one turn's messages of a busy channel

// Nothing more fits into the answer of this long poll.
bool poll_full(const Peer& peer) {
  if (peer.door != DoorKind::poll) return false;
  return peer.feed()->records.size() >= peer.feed()->records_max ||
         peer.feed()->records_bytes >= peer.feed()->records_bytes_max;
}

// A raw WebSocket has no words for a gap but its end.
bool can_be_told_of_gaps(const Peer& peer) { return peer.door != DoorKind::websocket || peer.envelope; }

}  // namespace

void FeedFront::start(Peer& peer, std::span<const std::string> channels, std::span<const hub::Since> since,
                      Format format) {
  ASSERT(channels.size() == since.size() && peer.subscriptions.empty());
  announce_connected(desk_, peer);
  if (peer.feed()) {
    peer.feed()->places.resize(channels.size());
    for (std::size_t i = 0; i < channels.size(); ++i) {
      Feed::Place& place = peer.feed()->places[i];
      if (since[i].kind == hub::Since::Kind::position) place.position = since[i].position;
      place.resumable = since[i].kind == hub::Since::Kind::position || since[i].kind == hub::Since::Kind::now;
    }
  }
  const auto format_number = static_cast<std::uint8_t>(format);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const auto place = static_cast<std::uint16_t>(i);
    if (since[i].kind == hub::Since::Kind::now) {  // now, and not when others have caught up
      subscribe(peer, channels[i], since[i], format_number, place);
      continue;
    }
    if (!peer.starting())
      peer.rare().starting = std::make_unique<Starting>(Starting{.channels = {}, .format = format_number});
    peer.starting()->channels.push_back({channels[i], since[i], place});
  }
  start_more(peer);
}

hub::SubscriptionId FeedFront::subscribe(Peer& peer, std::string_view channel, const hub::Since& since,
                                         std::uint8_t format, std::uint16_t place) {
  const hub::SubscriptionId id = desk_.fan_out.subscribe(peer.slot, channel, since, format, place, desk_.post);
  peer.subscriptions.push_back(id);
  announce_subscribed(desk_, peer, channel);
  desk_.counters.subscriptions.set(desk_.fan_out.subscriptions());
  return id;
}

void FeedFront::start_more(Peer& peer) {
  if (!peer.starting() || peer.starting()->catching_up != hub::SubscriptionId{}) return;
  Starting& starting = *peer.starting();
  const Starting::Channel& next = starting.channels[starting.next++];
  starting.catching_up = subscribe(peer, next.name, next.since, starting.format, next.place);
  if (starting.next == starting.channels.size()) peer.forget<&PeerExtras::starting>();
}

void FeedFront::start_more() {
  for (const base::PeerId id : std::exchange(starters_, {})) {
    Peer* peer = desk_.connections.find(id);
    if (peer == nullptr || !peer->starting() || !listening(*peer)) continue;
    peer->starting()->catching_up = {};
    if (desk_.connections.has_room(*peer)) start_more(*peer);
  }
}

void FeedFront::caught_up(Peer& peer, hub::SubscriptionId id) {
  if (peer.starting() && peer.starting()->catching_up == id) starters_.push_back(peer.id());
}

void FeedFront::stop(Peer& peer) {
  for (const hub::SubscriptionId id : peer.subscriptions) {
    desk_.attendance.leave(id);
    desk_.fan_out.unsubscribe(id);
  }
  peer.subscriptions.clear();
  peer.forget<&PeerExtras::starting>();
  desk_.counters.subscriptions.set(desk_.fan_out.subscriptions());
}

void FeedFront::resume(Peer& peer) {
  for (const hub::SubscriptionId id : peer.subscriptions) {
    if (!listening(peer)) return;
    desk_.fan_out.resume(id, *this, desk_.post);
  }
  start_more(peer);
}

bool FeedFront::can_take_page(hub::PeerSlot slot) {
  Peer& peer = desk_.connections.at(slot);
  return peer.door != DoorKind::poll && desk_.connections.has_room(peer);
}

bool FeedFront::can_go_on(hub::PeerSlot slot, hub::SlowReader policy) {
  Peer& peer = desk_.connections.at(slot);
  if (!listening(peer)) return false;
  if (policy == hub::SlowReader::conflate && !desk_.connections.is_flowing(peer)) return false;
  return desk_.connections.has_room(peer);
}

void FeedFront::on_start(hub::PeerSlot slot, hub::SubscriptionId id, const hub::Position& start,
                         const std::optional<hub::Gap>& gap) {
  Peer& peer = desk_.connections.at(slot);
  if (!listening(peer)) return;
  if (peer.centrifuge()) return centrifuge_.on_start(peer, id, start, gap);
  if (peer.feed()) {
    peer.feed()->places[desk_.fan_out.index_of(id)] = {start, true, true};
    ++peer.feed()->started;
  }
  if (gap) send_gap(peer, id, *gap, start);
  if (!listening(peer)) return;
  if (peer.door == DoorKind::poll) {
    polls_.push_back(peer.id());
    caught_up(peer, id);  // a poll takes one page of each channel
  } else if (peer.door == DoorKind::websocket && peer.envelope) {
    text_.clear();
    door::append_position_record(text_, desk_.fan_out.channel_of(id), start);
    send_record(peer, text_);
  } else if (peer.door == DoorKind::sse) {
    std::string cursor;
    if (!peer.feed()->append_cursor(cursor)) return;
    text_.clear();
    door::sse::append_cursor(text_, cursor);
    desk_.connections.send(peer, text_);
  }
}

// The hot path of the product: everything here is done once for each receiver of each batch.
hub::Sink::Taken FeedFront::on_messages(std::span<const hub::Target> targets, hub::Batch& batch) {
  const bool replay = batch.source == hub::Batch::Source::replay;
  if (replay) desk_.counters.caught_up.add(batch.messages.size() * targets.size());
  const base::SharedBytes* block = nullptr;
  std::uint32_t block_format = 0;
  lagging_.clear();
  std::uint64_t left_out = 0;
  const CentrifugeFront::Reach reach = replay ? CentrifugeFront::Reach{} : centrifuge_.reach_of(batch);
  for (const hub::Target& target : targets) {
    Peer& peer = desk_.connections.at(target.peer);
    if (!listening(peer)) {
      left_out += batch.messages.size();
    } else if ((replay || peer.unanswered) && peer.centrifuge()) {
      centrifuge_.on_replay(peer, desk_.fan_out.id_of(target.subscription), batch);
    } else if (target.format == static_cast<std::uint32_t>(Format::individual) ||
               (!reach.everybody() && peer.centrifuge() &&
                !centrifuge_.takes_shared(peer, desk_.fan_out.id_of(target.subscription), batch, reach))) {
      left_out += batch.messages.size() - deliver_individually(peer, target.subscription, batch);
    } else {
      if (block == nullptr || block_format != target.format) {
        block_format = target.format;
        block = &encoded(target.format, batch);
      }
      if (!peer.out.empty() && !fits(peer, target.subscription, batch, block->size())) {
        left_out += batch.messages.size();
        continue;
      }
      if (replay) peer.replay_bytes += static_cast<std::uint32_t>(block->size());
      desk_.connections.send(peer, *block);
    }
  }
  const std::uint64_t taken = batch.messages.size() * targets.size() - left_out;
  desk_.counters.messages_out.add(taken);
  return {taken, lagging_};
}

const base::SharedBytes& FeedFront::encoded(std::uint8_t format, hub::Batch& batch) {
  auto& block = batch.encoded[format];
  if (!block) {
    block = encode(static_cast<Format>(format), batch);
    if (batch.source == hub::Batch::Source::live) {
      desk_.counters.delivery_time.observe(desk_.clock.now() - batch.messages.front()->ingested());
    }
  }
  return *block;
}

// For a peer with something in its queue. Caps are strict: what would not fit is not queued. A page of catch-up was
// asked for because there was room for it, and does not make a reader slow. Whose queue is empty is not behind,
// whatever the size of a block.
bool FeedFront::fits(Peer& peer, std::uint32_t subscription, const hub::Batch& batch, std::size_t bytes) {
  if (batch.source != hub::Batch::Source::live) return true;
  const Options& options = desk_.options();
  const bool full = peer.out.bytes() - peer.replay_bytes + bytes > options.queue_bytes_max ||
                    peer.out.blocks() >= options.queue_messages_max;
  // When all queues together are too long, those that are behind go first, whatever the policy; who keeps up is not
  // touched.
  const bool too_much = peer.out.bytes() > kBehindBytes &&
                        (desk_.shared.overload.at_least(Overload::Level::close_slow) ||
                         desk_.counters.queue_bytes.get() > desk_.snapshot->queues_bytes_max(desk_.shared.workers()));
  if (!too_much && can_be_told_of_gaps(peer)) {
    const bool lags = (full && batch.slow_reader != hub::SlowReader::close) ||
                      (batch.slow_reader == hub::SlowReader::conflate && !desk_.connections.is_flowing(peer));
    if (lags) {
      peer.wants_room = true;
      lagging_.push_back(subscription);
      return false;
    }
  }
  if (!full && !too_much) return true;
  close_slow(desk_, peer);
  return false;
}

// What was sent before decides about the bytes. Returns how many of the messages are on their way.
std::size_t FeedFront::deliver_individually(Peer& peer, std::uint32_t subscription, hub::Batch& batch) {
  const hub::SubscriptionId id = desk_.fan_out.id_of(subscription);
  if (peer.door == DoorKind::poll) return add_to_poll(peer, id, batch);
  if (peer.centrifuge()) {
    const base::SharedBytes block = centrifuge_.block_for(peer, id, batch);
    if (block.empty()) return batch.messages.size();
    if (!peer.out.empty() && !fits(peer, subscription, batch, block.size())) return 0;
    desk_.connections.send(peer, block);
    centrifuge_.delivered(peer, id, batch);
    return batch.messages.size();
  }
  if (peer.door == DoorKind::sse) {
    hub::Position& position = peer.feed()->places[desk_.fan_out.index_of(id)].position;
    const hub::Position before = position;
    append_events(peer, position, batch);
    if (!peer.out.empty() && !fits(peer, subscription, batch, text_.size())) {
      position = before;  // a cursor does not count what did not come
      return 0;
    }
  } else {
    // What a compressor with context has seen must be sent, unless the connection ends: where it may stay, whether it
    // fits is asked before, with the size that the messages have without compression.
    const bool stays = batch.slow_reader != hub::SlowReader::close && can_be_told_of_gaps(peer);
    const auto plain = static_cast<std::uint8_t>(Format::ws_envelope);
    if (stays && !peer.out.empty() && !fits(peer, subscription, batch, encoded(plain, batch).size())) return 0;
    append_compressed(peer, batch);
    if (!stays && !peer.out.empty() && !fits(peer, subscription, batch, text_.size())) return 0;
  }
  if (batch.source == hub::Batch::Source::replay) peer.replay_bytes += static_cast<std::uint32_t>(text_.size());
  desk_.connections.send(peer, text_);
  return batch.messages.size();
}

// How many of the messages go into the answer.
std::size_t FeedFront::add_to_poll(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch) {
  Feed::Place& place = peer.feed()->places[desk_.fan_out.index_of(id)];
  std::size_t added = 0;
  for (const hub::MessageRef& message : batch.messages) {
    if (poll_full(peer)) break;
    place.position = {batch.epoch, message->offset()};
    record_.clear();
    door::append_envelope(record_, batch.channel, batch.epoch, *message);
    add_poll_record(peer);
    ++added;
  }
  polls_.push_back(peer.id());
  return added;
}

bool FeedFront::on_gap(hub::PeerSlot slot, hub::SubscriptionId id, const hub::Gap& gap, const hub::Position& after) {
  Peer& peer = desk_.connections.at(slot);
  // An answer that is full has left messages out, and the gap lies behind them: the next poll finds it again.
  if (!listening(peer) || poll_full(peer)) return false;
  if (peer.centrifuge()) return centrifuge_.on_gap(peer, id, after);
  if (peer.feed()) peer.feed()->places[desk_.fan_out.index_of(id)].position = after;
  send_gap(peer, id, gap, after);
  return true;
}

void FeedFront::send_gap(Peer& peer, hub::SubscriptionId id, const hub::Gap& gap, const hub::Position& after) {
  desk_.counters.gaps.add();
  desk_.counters.missed[static_cast<std::size_t>(gap.reason)].add(gap.messages());
  if (peer.door == DoorKind::websocket && !peer.envelope) return close_with(desk_, peer, base::Error::gap);
  record_.clear();
  door::append_gap_record(record_, desk_.fan_out.channel_of(id), gap, after);
  switch (peer.door) {
    case DoorKind::websocket:
      return send_record(peer, record_);
    case DoorKind::sse:
      cursor_.clear();
      if (!peer.feed()->append_cursor(cursor_)) cursor_.clear();
      text_.clear();
      door::sse::append_gap(text_, cursor_, record_);
      return desk_.connections.send(peer, text_);
    case DoorKind::poll:
      add_poll_record(peer);
      return polls_.push_back(peer.id());
    default:
      ASSERT(false);
  }
}

void FeedFront::add_poll_record(Peer& peer) {
  peer.feed()->records_bytes += record_.size();
  peer.feed()->records.push_back(record_);
}

void FeedFront::on_live(hub::PeerSlot slot, hub::SubscriptionId id) {
  Peer& peer = desk_.connections.at(slot);
  if (!listening(peer)) return;
  if (peer.centrifuge()) return centrifuge_.on_live(peer, id);
  if (peer.door != DoorKind::poll) caught_up(peer, id);
}

void FeedFront::on_refused(hub::PeerSlot slot, hub::SubscriptionId id, base::Error error) {
  Peer& peer = desk_.connections.at(slot);
  if (!listening(peer)) return;
  if (peer.centrifuge()) return centrifuge_.on_refused(peer, id, error);
  close_with(desk_, peer, error);
}

void FeedFront::send_record(Peer& peer, std::string_view json) {
  desk_.scratch.clear();
  peer.session.send_text(desk_.scratch, json);
  desk_.connections.send(peer, desk_.scratch.output());
}

bool FeedFront::poll_ready(const Peer& peer) {
  const Feed& feed = *peer.feed();
  return feed.all_started() && (feed.answer_when_started || !feed.records.empty());
}

}  // namespace server
