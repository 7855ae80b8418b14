// Tells events.h what happens to connections and their subscriptions, whatever door they came by. Long polls are left
// out: each answer would be a connection of its own. Each connection that was announced is announced as gone once, and
// so is each of its subscriptions, before it. Threads: the worker of the peer.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/desk.h"

namespace server {

// Its door is open, and who it is is known.
void announce_connected(Desk& desk, Peer& peer);
// It ends, with a code of its door; 0: it is just gone. Nothing happens if it was not announced.
void announce_disconnected(Desk& desk, Peer& peer, std::uint32_t code = 0, std::string_view reason = {});

void announce_subscribed(Desk& desk, const Peer& peer, std::string_view channel);
void announce_unsubscribed(Desk& desk, const Peer& peer, std::string_view channel);

}  // namespace server
