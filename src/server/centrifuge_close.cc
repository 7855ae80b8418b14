#include "server/centrifuge_close.h"

#include "server/announce.h"
#include "server/centrifuge_session.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;

base::Error error_of(DisconnectCode code) noexcept {
  switch (code) {
    case DisconnectCode::shutdown:
      return base::Error::draining;
    case DisconnectCode::connection_expired:
    case DisconnectCode::subscription_expired:
      return base::Error::token_expired;
    case DisconnectCode::slow:
    case DisconnectCode::write_error:
      return base::Error::slow_consumer;
    case DisconnectCode::insufficient_state:
    case DisconnectCode::state_invalidated:
      return base::Error::gap;
    case DisconnectCode::no_pong:
      return base::Error::dead_peer;
    case DisconnectCode::too_many_requests:
    case DisconnectCode::too_many_errors:
      return base::Error::rate;
    case DisconnectCode::invalid_token:
      return base::Error::token_invalid;
    case DisconnectCode::stale:
      return base::Error::request_timeout;
    case DisconnectCode::force_reconnect:
    case DisconnectCode::force_disconnect:
      return base::Error::revoked;
    case DisconnectCode::connection_limit:
      return base::Error::too_many_connections;
    case DisconnectCode::channel_limit:
      return base::Error::too_many_channels;
    case DisconnectCode::permission_denied:
      return base::Error::forbidden;
    case DisconnectCode::not_available:
      return base::Error::not_implemented;
    case DisconnectCode::bad_request:
    case DisconnectCode::inappropriate_protocol:
      return base::Error::bad_parameter;
    case DisconnectCode::connection_closed:
    case DisconnectCode::internal:
      break;
  }
  return base::Error::internal;
}

std::optional<DisconnectCode> disconnect_of(base::Error error) noexcept {
  switch (error) {
    case base::Error::draining:
      return DisconnectCode::shutdown;
    case base::Error::token_expired:
      return DisconnectCode::connection_expired;
    case base::Error::slow_consumer:
      return DisconnectCode::slow;
    case base::Error::gap:
      return DisconnectCode::insufficient_state;
    case base::Error::dead_peer:
      return DisconnectCode::no_pong;
    case base::Error::rate:
      return DisconnectCode::too_many_requests;
    case base::Error::token_invalid:
      return DisconnectCode::invalid_token;
    case base::Error::revoked:
      return DisconnectCode::force_disconnect;
    case base::Error::forbidden:
      return DisconnectCode::permission_denied;
    case base::Error::internal:
    case base::Error::memory:
    case base::Error::busy:
      return DisconnectCode::internal;
    default:
      return std::nullopt;
  }
}

ErrorCode reply_error_of(base::Error error) noexcept {
  switch (error) {
    case base::Error::forbidden:
    case base::Error::token_missing:
      return ErrorCode::permission_denied;
    case base::Error::token_expired:
      return ErrorCode::token_expired;
    case base::Error::rate:
    case base::Error::busy:
      return ErrorCode::too_many_requests;
    case base::Error::too_many_channels:
    case base::Error::map_full:
      return ErrorCode::limit_exceeded;
    case base::Error::bad_channel:
    case base::Error::channel_type:
    case base::Error::bad_parameter:
    case base::Error::bad_json:
    case base::Error::json_depth:
    case base::Error::payload_format:
    case base::Error::payload_too_big:
    case base::Error::conflict:
      return ErrorCode::bad_request;
    case base::Error::gap:
      return ErrorCode::unrecoverable_position;
    default:
      return ErrorCode::internal;
  }
}

// The close frame tells a bidirectional WebSocket; all others need a push.
void disconnect(Desk& desk, Peer& peer, std::uint32_t code, std::string_view reason) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  announce_disconnected(desk, peer, code, reason);
  const CentrifugeSession& session = *peer.centrifuge();
  const bool websocket = session.carrier.transport == door::centrifuge::Carrier::Transport::websocket;
  if (!websocket || session.carrier.unidirectional) {
    door::centrifuge::Packer packer(session.carrier);
    packer.add({.body = door::centrifuge::Push{
                    .body = door::centrifuge::DisconnectPush{code, reason, door::centrifuge::reconnects(code)}}});
    desk.connections.send(peer, packer.take());
  }
  if (websocket) {
    desk.scratch.clear();
    peer.session.close(desk.scratch, static_cast<std::uint16_t>(code), reason);
    desk.connections.send(peer, desk.scratch.output());
  }
  desk.connections.close(peer);
}

void disconnect(Desk& desk, Peer& peer, DisconnectCode code) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  desk.refused(peer, error_of(code));
  const auto push = door::centrifuge::to_push(code);
  disconnect(desk, peer, push.code, push.reason);
}

}  // namespace server
