#include "server/announce.h"

#include <string>

#include "server/centrifuge_session.h"

namespace server {
namespace {

using door::hook::Event;
using door::hook::EventType;

std::string_view transport_of(const Peer& peer) {
  if (peer.door == DoorKind::centrifuge) return "centrifuge";
  return peer.door == DoorKind::sse ? "sse" : "websocket";
}

// The texts live as long as `id` and the peer.
Event event_of(Desk& desk, const Peer& peer, EventType type, std::string& id) {
  Event event{.type = type, .user = desk.principal_of(peer).subject};
  if (const CentrifugeSession* const session = peer.centrifuge()) {
    event.client = session->client;
    event.user = session->identity.user.view();
  } else {
    // Unlike that of any other connection that is open, and of most that are not.
    id = std::to_string(desk.worker) + "-" + std::to_string(peer.slot) + "-" + std::to_string(peer.generation);
    event.client = id;
  }
  return event;
}

}  // namespace

void announce_connected(Desk& desk, Peer& peer) {
  if (peer.door == DoorKind::poll || !desk.events.wants_any()) return;
  peer.announced = true;
  std::string id;
  Event event = event_of(desk, peer, EventType::connected, id);
  event.transport = transport_of(peer);
  desk.events.add(event);
}

void announce_disconnected(Desk& desk, Peer& peer, std::uint32_t code, std::string_view reason) {
  if (!peer.announced) return;
  if (const CentrifugeSession* const session = peer.centrifuge()) {
    for (const auto& each : session->subscriptions) {
      if (each.settled) announce_unsubscribed(desk, peer, hub::wildcard_of(desk.fan_out.channel_of(each.id)));
    }
  } else {
    for (const hub::SubscriptionId id : peer.subscriptions) {
      announce_unsubscribed(desk, peer, desk.fan_out.channel_of(id));
    }
  }
  std::string id;
  Event event = event_of(desk, peer, EventType::disconnected, id);
  event.code = code;
  event.reason = reason;
  desk.events.add(event);
  peer.announced = false;
}

void announce_subscribed(Desk& desk, const Peer& peer, std::string_view channel) {
  if (!peer.announced) return;
  std::string id;
  Event event = event_of(desk, peer, EventType::subscribed, id);
  event.channel = channel;
  desk.events.add(event);
}

void announce_unsubscribed(Desk& desk, const Peer& peer, std::string_view channel) {
  if (!peer.announced) return;
  std::string id;
  Event event = event_of(desk, peer, EventType::unsubscribed, id);
  event.channel = channel;
  desk.events.add(event);
}

}  // namespace server
