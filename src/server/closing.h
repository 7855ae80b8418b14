// How a connection of any door is told why it ends, and ends.
// Threads: those of the worker that owns the peer.
#pragma once

#include <string_view>

#include "base/error.h"
#include "server/desk.h"

namespace server {

// Ends a WebSocket or event stream that reads too slowly: what it has not begun to read is dropped, then it is told
// why.
void close_slow(Desk& desk, Peer& peer);
// Ends any open connection with an error of the registry, in the way of its door.
void close_with(Desk& desk, Peer& peer, base::Error error, std::string_view detail = {});

}  // namespace server
