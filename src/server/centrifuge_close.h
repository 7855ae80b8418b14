// How connections of the Centrifuge door end: with a code of that protocol, whatever the reason was called here.
// Threads: the worker of the peer.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "door/centrifuge/errors.h"
#include "server/desk.h"

namespace server {

// The error of the registry under which a disconnect is counted.
base::Error error_of(door::centrifuge::DisconnectCode code) noexcept;
// What clients of this door are told instead of an error of the registry. no value: the code of the registry, because
// the WebSocket itself was violated.
std::optional<door::centrifuge::DisconnectCode> disconnect_of(base::Error error) noexcept;
// The same for the answer to a command.
door::centrifuge::ErrorCode reply_error_of(base::Error error) noexcept;

// Tells the client, writes what is queued, closes. Not counted: that is for the caller, who knows why.
void disconnect(Desk& desk, Peer& peer, std::uint32_t code, std::string_view reason);
// The same, counted.
void disconnect(Desk& desk, Peer& peer, door::centrifuge::DisconnectCode code);

}  // namespace server
