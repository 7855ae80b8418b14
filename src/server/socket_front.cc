#include "server/socket_front.h"

#include <algorithm>

#include "codec/json_in.h"
#include "door/envelope.h"
#include "door/payload_format.h"
#include "server/closing.h"
#include "ws/frame.h"

namespace server {
namespace {

constexpr std::size_t kPayloadBytesPerTurn = 256 * 1024;  // of one peer: some milliseconds of inflating and deflating

// Pongs are queued whatever the data before them, within a reserve of their own: who pings on and on without reading is
// a slow reader too. What was caught up with was asked for when there was room, and one block may be larger than the
// queue if nothing stood before it; neither counts.
constexpr std::size_t kControlBytesMax = 4 * 1024;
constexpr std::size_t kControlBlocksMax = 256;

bool has_no_room_for_pongs(const Options& options, const Peer& peer, std::size_t bytes) {
  if (peer.out.empty()) return false;
  const std::size_t data = std::max<std::size_t>(options.queue_bytes_max, peer.out.front().size());
  return peer.out.bytes() - peer.replay_bytes + bytes > data + kControlBytesMax ||
         peer.out.blocks() >= options.queue_messages_max + kControlBlocksMax;
}

}  // namespace

// What the session itself answered goes out where it belongs: pongs before the answers to the events of the same call
// (RFC 6455 section 5.5.2: as soon as is practical), a Close behind them, because it is the last frame.
void SocketFront::receive(Peer& peer, std::span<char> bytes) {
  std::size_t payload_bytes = 0;
  while (!bytes.empty()) {
    // A few compressed bytes may be megabytes of messages: the rest has its turn after the other peers.
    if (payload_bytes >= kPayloadBytesPerTurn) {
      desk_.connections.put_back(peer, bytes);
      break;
    }
    desk_.scratch.clear();
    const std::span<char> received = bytes.first(peer.session.receive(desk_.scratch, bytes, desk_.now));
    bytes = bytes.subspan(received.size());
    const std::string own(desk_.scratch.output());
    const bool over = peer.session.closed();
    if (!over && !own.empty()) {
      if (has_no_room_for_pongs(desk_.options(), peer, own.size())) return close_slow(desk_, peer);
      desk_.connections.send(peer, own);
    }
    for (const ws::Event& event : desk_.scratch.events()) {
      payload_bytes += event.payload.size();
      handle(peer, event, received);
      if (peer.dying || peer.phase != Peer::Phase::websocket) break;  // the scratch may have been used for a Close
    }
    if (peer.dying) return;
    const bool open = peer.phase == Peer::Phase::websocket;
    if (open) desk_.connections.send(peer, desk_.scratch.output().substr(own.size()));
    if (over) desk_.connections.send(peer, own);
    if (!open) return;
  }
  if (peer.session.next_timeout() != base::kNever) desk_.connections.arm(peer);
  end_if_closed(peer);
}

void SocketFront::receive_eof(Peer& peer) {
  desk_.scratch.clear();
  peer.session.receive_eof(desk_.scratch);
  desk_.connections.drop(peer);
}

void SocketFront::handle(Peer& peer, const ws::Event& event, std::span<char> received) {
  switch (event.type) {
    case ws::Event::Type::text:
    case ws::Event::Type::binary:
      if (peer.door == DoorKind::echo) {
        if (peer.out.bytes() + event.payload.size() > desk_.options().queue_bytes_max && !peer.out.empty()) {
          return close_slow(desk_, peer);
        }
        echo(peer, event, received);
      } else if (peer.centrifuge()) {
        centrifuge_.receive(peer, event.payload);
      } else {
        publish(peer, event);
      }
      break;
    case ws::Event::Type::ping:
    case ws::Event::Type::pong:
      break;
    case ws::Event::Type::close:
      if (event.error != base::Error::none) desk_.refused(peer, event.error);
      break;
  }
}

// Through the session where compression was agreed; apart from it otherwise, which saves a copy, and once a Close has
// been answered, which in order comes later.
void SocketFront::echo(Peer& peer, const ws::Event& event, std::span<char> received) {
  const bool text = event.type == ws::Event::Type::text;
  if (peer.session.closing() || !peer.session.deflate_enabled()) {
    const ws::Opcode opcode = text ? ws::Opcode::text : ws::Opcode::binary;
    // A message that came alone goes back from where it stands, uncopied; several go together at the end of the turn.
    const bool alone = desk_.scratch.events().size() == 1;
    const std::string_view frame = alone ? ws::frame_in_place(opcode, received, event.payload) : std::string_view{};
    if (!frame.empty()) return desk_.connections.send_now(peer, frame);
    desk_.connections.send(peer, ws::encode_server_frame(opcode, event.payload));
  } else if (text) {
    peer.session.send_text(desk_.scratch, event.payload);
  } else {
    peer.session.send_binary(desk_.scratch, event.payload);
  }
}

void SocketFront::publish(Peer& peer, const ws::Event& event) {
  if (!peer.watches_one_channel()) {
    return refuse(peer, {base::Error::bad_parameter, "What is sent on a socket of several channels goes nowhere."});
  }
  const std::string_view channel = desk_.fan_out.channel_of(peer.subscriptions.front());
  if (!peer.may_publish) return refuse(peer, base::Error::forbidden);
  if (const auto allowed = desk_.snapshot->policy().authorize(desk_.principal_of(peer), auth::Verb::publish, channel,
                                                              desk_.clock.wall(), {.subscribed = true});
      !allowed) {
    return refuse(peer, allowed.error());
  }
  if (desk_.shared.overload.at_least(Overload::Level::no_publishing)) return refuse(peer, base::Error::memory);
  hub::Publish publish;
  publish.request = Desk::request_of(peer);
  publish.channel = channel;
  if (event.type == ws::Event::Type::binary) {
    publish.message = std::make_unique<hub::Message>(hub::Kind::binary, event.payload, desk_.clock.now());
  } else if (peer.json_input) {
    auto json = codec::validate_json(event.payload);
    if (!json) return refuse(peer, json.error());
    publish.message = std::make_unique<hub::Message>(hub::Kind::json, *json, desk_.clock.now());
  } else {
    publish.message = std::make_unique<hub::Message>(hub::Kind::text, event.payload, desk_.clock.now());
  }
  const auto fits = door::check_payload(desk_.snapshot->options_of(channel)->payload_format, publish.message->kind(),
                                        publish.message->payload());
  if (!fits) return refuse(peer, fits.error());
  desk_.counters.messages_in.add();
  desk_.post.send(desk_.home_of(channel), std::move(publish));
}

void SocketFront::publish_refused(Peer& peer, base::Error error) { refuse(peer, error); }

// An envelope connection is told and goes on; a raw one has no words for it and is closed.
void SocketFront::refuse(Peer& peer, const base::Refusal& refusal) {
  if (!peer.envelope) return close_with(desk_, peer, refusal.error);
  desk_.refused(peer, refusal);
  std::string record;
  const std::string_view channel =
      peer.watches_one_channel() ? desk_.fan_out.channel_of(peer.subscriptions.front()) : std::string_view{};
  door::append_error_record(record, channel, refusal);
  if (peer.out.bytes() + record.size() > desk_.options().queue_bytes_max) return close_slow(desk_, peer);
  desk_.connections.send(peer, ws::encode_server_frame(ws::Opcode::text, record));
}

void SocketFront::handle_timeout(Peer& peer) {
  if (peer.session.next_timeout() <= desk_.now) {
    desk_.scratch.clear();
    peer.session.handle_timeout(desk_.scratch, desk_.now);
    flush_scratch(peer);
    for (const ws::Event& event : desk_.scratch.events()) handle(peer, event, {});
    return end_if_closed(peer);
  }
  if (peer.centrifuge()) return centrifuge_.handle_timeout(peer);
  if (peer.deadline <= desk_.now) return close_with(desk_, peer, base::Error::token_expired);
  if (peer.ping_at <= desk_.now) ping(peer);
}

// A peer that vanished is found within 60 s (T15): at most 30 s until it is asked, 10 s until it is asked again, and 10
// s more.
void SocketFront::ping(Peer& peer) {
  const base::Duration interval = desk_.options().ping_interval;
  const base::Duration patience = interval * 2 / 5;
  // Anything heard since the last ping is a sign of life, not only a pong.
  if (peer.pings_unanswered > 0 && peer.heard) {
    peer.pings_unanswered = 0;
    peer.ping_at = desk_.jittered(interval - patience);
    return;
  }
  if (peer.pings_unanswered >= 2) {
    return close_with(desk_, peer, base::Error::dead_peer);  // one that only forgot to answer is told
  }
  ++peer.pings_unanswered;
  peer.heard = false;
  desk_.connections.send(peer, ping_frame_);
  peer.ping_at = desk_.now + patience;
}

void SocketFront::flush_scratch(Peer& peer) { desk_.connections.send(peer, desk_.scratch.output()); }

// The server closes the TCP connection first (RFC 6455 section 7.1.1), after its last frame has left.
void SocketFront::end_if_closed(Peer& peer) {
  if (!peer.dying && peer.phase == Peer::Phase::websocket && peer.session.closed()) desk_.connections.close(peer);
}

}  // namespace server
