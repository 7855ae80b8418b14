#include "server/feed_front.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "door/envelope.h"
#include "door/plain/encode.h"
#include "door/sse/encode.h"
#include "http/response.h"
#include "server/http_exchange.h"
#include "ws/deflate.h"
#include "ws/frame.h"

namespace server {
namespace {

constexpr std::size_t kBehindBytes = 64 * 1024;  // more than one turn's messages of a busy channel

// Nothing more fits into the answer of this long poll.
bool poll_full(const Peer& peer) {
  if (peer.door != DoorKind::poll) return false;
  return peer.feed()->records.size() >= peer.feed()->records_max ||
         peer.feed()->records_bytes >= peer.feed()->records_bytes_max;
}

}  // namespace

void FeedFront::start(Peer& peer, std::span<const std::string> channels, std::span<const hub::Since> since,
                      Format format) {
  ASSERT(channels.size() == since.size() && peer.subscriptions.empty());
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
  for (const hub::SubscriptionId id : peer.subscriptions) desk_.fan_out.unsubscribe(id);
  peer.subscriptions.clear();
  peer.forget<&PeerExtras::starting>();
  desk_.counters.subscriptions.set(desk_.fan_out.subscriptions());
}

void FeedFront::resume(Peer& peer) {
  for (const hub::SubscriptionId id : peer.subscriptions) desk_.fan_out.resume(id, desk_.post);
  start_more(peer);
}

bool FeedFront::can_take_page(hub::PeerSlot slot) {
  Peer& peer = desk_.connections.at(slot);
  return peer.door != DoorKind::poll && desk_.connections.has_room(peer);
}

void FeedFront::on_start(hub::PeerSlot slot, hub::SubscriptionId id, const hub::Position& start,
                         const std::optional<hub::Gap>& gap) {
  Peer& peer = desk_.connections.at(slot);
  if (!listening(peer)) return;
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
void FeedFront::on_messages(std::span<const hub::Target> targets, hub::Batch& batch) {
  if (batch.source == hub::Batch::Source::replay) desk_.counters.caught_up.add(batch.messages.size() * targets.size());
  const base::SharedBytes* block = nullptr;
  std::uint32_t block_format = 0;
  for (const hub::Target& target : targets) {
    Peer& peer = desk_.connections.at(target.peer);
    if (!listening(peer)) continue;
    if (target.format == static_cast<std::uint32_t>(Format::individual)) {
      deliver_individually(peer, desk_.fan_out.id_of(target.subscription), batch);
      continue;
    }
    if (block == nullptr || block_format != target.format) {
      block_format = target.format;
      block = &encoded(target.format, batch);
    }
    enqueue(peer, batch, *block);
  }
}

const base::SharedBytes& FeedFront::encoded(std::uint8_t format, hub::Batch& batch) {
  auto& block = batch.encoded[format];
  if (!block) {
    block = encode(static_cast<Format>(format), batch);
    desk_.counters.fan_out_blocks.add();
    if (batch.source == hub::Batch::Source::live) {
      desk_.counters.delivery_time.observe(desk_.clock.now() - batch.messages.front()->ingested());
    }
  }
  return *block;
}

void FeedFront::enqueue(Peer& peer, const hub::Batch& batch, const base::SharedBytes& block) {
  if (!peer.out.empty() && too_slow(peer, batch, block.size())) return close_slow(desk_, peer);
  desk_.counters.messages_out.add(batch.messages.size());
  if (batch.source == hub::Batch::Source::replay) peer.replay_bytes += static_cast<std::uint32_t>(block.size());
  desk_.connections.send(peer, block);
}

// Caps are strict: what would not fit is not queued, the reader is told to come back instead. A page of catch-up was
// asked for because there was room for it, and does not make a reader slow. Whose queue is empty is not behind,
// whatever the size of a block.
bool FeedFront::too_slow(const Peer& peer, const hub::Batch& batch, std::size_t bytes) const {
  if (batch.source != hub::Batch::Source::live) return false;
  const Options& options = desk_.options();
  if (peer.out.bytes() - peer.replay_bytes + bytes > options.queue_bytes_max) return true;
  if (peer.out.blocks() >= options.queue_messages_max) return true;
  // When all queues together are too long, those that are behind go first; who keeps up is not touched.
  if (peer.out.bytes() <= kBehindBytes) return false;
  return desk_.shared.overload.at_least(Overload::Level::close_slow) ||
         desk_.counters.queue_bytes.get() > desk_.snapshot->queues_bytes_max(desk_.shared.workers());
}

base::SharedBytes FeedFront::encode(Format format, const hub::Batch& batch) {
  text_.clear();
  for (const hub::MessageRef& message : batch.messages) {
    switch (format) {
      case Format::ws_raw:
        door::plain::append_raw(text_, *message);
        break;
      case Format::ws_envelope:
        door::plain::append_envelope(text_, batch.channel, batch.epoch, *message);
        break;
      case Format::ws_raw_deflate:
        text_ +=
            ws::encode_deflated_server_frame(door::plain::raw_opcode(*message), message->payload(), deflater_).view();
        break;
      case Format::ws_envelope_deflate:
        record_.clear();
        door::append_envelope(record_, batch.channel, batch.epoch, *message);
        text_ += ws::encode_deflated_server_frame(ws::Opcode::text, record_, deflater_).view();
        break;
      case Format::sse_envelope:
      case Format::sse_raw:
        cursor_.clear();
        hub::append_position(cursor_, {batch.epoch, message->offset()});
        if (format == Format::sse_envelope) {
          door::sse::append_envelope(text_, cursor_, batch.channel, batch.epoch, *message);
        } else {
          door::sse::append_raw(text_, cursor_, *message);
        }
        break;
      case Format::individual:
      case Format::count:
        ASSERT(false);
    }
  }
  return base::SharedBytes::copy(text_);
}

void FeedFront::deliver_individually(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch) {
  text_.clear();
  const std::size_t index = desk_.fan_out.index_of(id);
  for (const hub::MessageRef& message : batch.messages) {
    if (poll_full(peer)) break;
    if (peer.feed()) peer.feed()->places[index].position = {batch.epoch, message->offset()};
    switch (peer.door) {
      case DoorKind::poll:
        record_.clear();
        door::append_envelope(record_, batch.channel, batch.epoch, *message);
        add_poll_record(peer);
        break;
      case DoorKind::sse:
        cursor_.clear();
        if (!peer.feed()->append_cursor(cursor_)) cursor_.clear();
        door::sse::append_envelope(text_, cursor_, batch.channel, batch.epoch, *message);
        break;
      default:  // compression with context takeover: this connection's own deflater
        desk_.scratch.clear();
        if (peer.envelope) {
          record_.clear();
          door::append_envelope(record_, batch.channel, batch.epoch, *message);
          peer.session.send_text(desk_.scratch, record_);
        } else if (message->kind() == hub::Kind::binary) {
          peer.session.send_binary(desk_.scratch, message->payload());
        } else {
          peer.session.send_text(desk_.scratch, message->payload());
        }
        text_ += desk_.scratch.output();
    }
  }
  if (peer.door == DoorKind::poll) {
    polls_.push_back(peer.id());
  } else if (!text_.empty()) {
    enqueue(peer, batch, base::SharedBytes::copy(text_));
  }
}

void FeedFront::on_gap(hub::PeerSlot slot, hub::SubscriptionId id, const hub::Gap& gap, const hub::Position& after) {
  Peer& peer = desk_.connections.at(slot);
  // An answer that is full has left messages out, and the gap lies behind them: the next poll finds it again.
  if (!listening(peer) || poll_full(peer)) return;
  if (peer.feed()) peer.feed()->places[desk_.fan_out.index_of(id)].position = after;
  send_gap(peer, id, gap, after);
}

void FeedFront::send_gap(Peer& peer, hub::SubscriptionId id, const hub::Gap& gap, const hub::Position& after) {
  desk_.counters.gaps.add();
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
  if (listening(peer) && peer.door != DoorKind::poll) caught_up(peer, id);
}

void FeedFront::on_refused(hub::PeerSlot slot, hub::SubscriptionId, base::Error error) {
  Peer& peer = desk_.connections.at(slot);
  if (!listening(peer)) return;
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

void close_slow(Desk& desk, Peer& peer) {
  desk.counters.queue_bytes.subtract(peer.out.bytes());
  peer.out.drop_unsent();
  desk.counters.queue_bytes.add(peer.out.bytes());
  close_with(desk, peer, base::Error::slow_consumer);
}

void close_with(Desk& desk, Peer& peer, base::Error error, std::string_view detail) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  desk.refused(peer, error);
  if (peer.phase == Peer::Phase::websocket) {
    desk.scratch.clear();
    peer.session.close(desk.scratch, error);
    desk.connections.send(peer, desk.scratch.output());
  } else if (peer.phase == Peer::Phase::http) {
    std::string answer;
    const bool later = base::entry(error).http_status == 503 || base::entry(error).http_status == 429;
    http::append_error(answer, error, http::Connection::close, detail, later ? 1 : -1);
    desk.connections.send(peer, answer);
  }
  desk.connections.close(peer);
}

}  // namespace server
