// What back ends ask of connections of the Centrifuge door (action_front.h).
#include <algorithm>
#include <utility>

#include "auth/token.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::UnsubscribeCode;

namespace {

std::string_view reason_of(std::uint32_t code) {
  for (const door::centrifuge::DisconnectRow& row : door::centrifuge::all_disconnects()) {
    if (static_cast<std::uint32_t>(row.code) == code) return row.reason;
  }
  return "disconnected";
}

auth::Payload json_payload(const std::string& json) {
  if (json.empty()) return {};
  return {.kind = auth::Payload::Kind::json, .bytes = json};
}

// As a token would say it: with the skew that is allowed to clocks.
base::WallTime expiry_of(base::WallTime until) {
  if (until.ms == 0 || until.ms >= auth::kNoExpiry.ms - auth::kSkewMs) return auth::kNoExpiry;
  return {until.ms + auth::kSkewMs};
}

}  // namespace

// Who is connecting can be ended; there is nothing else to do to it yet.
bool CentrifugeFront::act(Peer& peer, const hub::UserAction& action) {
  const bool connected = peer.centrifuge()->stage == Session::Stage::connected;
  if (!connected && action.kind != hub::UserAction::Kind::disconnect) return false;
  switch (action.kind) {
    case hub::UserAction::Kind::subscribe:
      return subscribe_by_back_end(peer, action);
    case hub::UserAction::Kind::unsubscribe:
      return unsubscribe_by_back_end(peer, action.channel);
    case hub::UserAction::Kind::disconnect:
      disconnect(desk_, peer, action.code, action.reason.empty() ? reason_of(action.code) : action.reason);
      return true;
    case hub::UserAction::Kind::refresh:
      refresh_by_back_end(peer, action);
      return true;
    case hub::UserAction::Kind::recheck:
    case hub::UserAction::Kind::list:
      break;
  }
  return false;
}

bool CentrifugeFront::subscribe_by_back_end(Peer& peer, const hub::UserAction& action) {
  if (place_of(peer, action.channel)) return false;
  if (peer.subscriptions.size() >= desk_.options().channels_per_peer_max) return false;
  const auto lifetime = lifetime_of(expiry_of(action.expires), desk_.clock.wall(), desk_.now);
  if (!lifetime) return false;
  door::centrifuge::SubscribeRequest request{.positioned = true, .recoverable = true, .join_leave = true};
  if (action.recover) {
    request.recover = true;
    request.offset = action.recover->offset;
    request.epoch = action.recover->epoch.view();
  }
  subscribe(peer, action.channel, request,
            {.grant = Subscription::Grant::server,
             .lifetime = *lifetime,
             .changes = {.presence = action.presence,
                         .join_leave = action.join_leave,
                         .force_push_join_leave = action.force_push_join_leave,
                         .force_recovery = action.force_recovery,
                         .force_positioning = action.force_positioning},
             .info = action.info,
             .data = json_payload(action.data)});
  return true;
}

bool CentrifugeFront::unsubscribe_by_back_end(Peer& peer, std::string_view channel) {
  const auto place = place_of(peer, channel);
  if (!place) return false;
  Subscription& subscription = peer.centrifuge()->subscriptions[*place];
  if (subscription.state == Subscription::State::joining) {  // once that is answered
    subscription.pending->dismissed = true;
    return true;
  }
  const std::string name(channel);
  unsubscribe(peer, *place);
  push(peer, name, door::centrifuge::to_push(UnsubscribeCode::server));
  return true;
}

void CentrifugeFront::refresh_by_back_end(Peer& peer, const hub::UserAction& action) {
  Session& session = *peer.centrifuge();
  const base::WallTime expires = expiry_of(action.expires);
  const auto lifetime = lifetime_of(expires, desk_.clock.wall(), desk_.now);
  if (action.expired || !lifetime) return end(peer, DisconnectCode::connection_expired);
  session.expires = lifetime->until;
  session.ttl = lifetime->ttl;
  if (!action.info.empty()) session.identity.conn_info = base::SharedBytes::copy(action.info);
  auth::Principal refreshed = desk_.principal_of(peer);
  refreshed.expires = expires;
  peer.rare().principal = std::make_shared<const auth::Principal>(std::move(refreshed));
  arm(peer);
  push(peer, {}, door::centrifuge::RefreshPush{.expires = session.ttl > 0, .ttl = session.ttl});
}

}  // namespace server
