#include "server/action_front.h"

#include <algorithm>
#include <utility>

#include "server/closing.h"

namespace server {

using Kind = hub::UserAction::Kind;

namespace {

// It has said who it is, and is told something.
bool is_connection(const Peer& peer) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return false;
  if (const CentrifugeSession* session = peer.centrifuge()) {
    return session->stage == CentrifugeSession::Stage::connecting ||
           session->stage == CentrifugeSession::Stage::connected;
  }
  return peer.phase == Peer::Phase::websocket || peer.phase == Peer::Phase::events || peer.door == DoorKind::poll;
}

std::string_view transport_of(const Peer& peer) {
  using Transport = door::centrifuge::Carrier::Transport;
  if (const CentrifugeSession* session = peer.centrifuge()) {
    const bool one_way = session->carrier.unidirectional;
    switch (session->carrier.transport) {
      case Transport::websocket:
        return one_way ? "uni_websocket" : "websocket";
      case Transport::sse:
        return one_way ? "uni_sse" : "sse";
      case Transport::stream:
        return one_way ? "uni_http_stream" : "http_stream";
    }
  }
  if (peer.phase == Peer::Phase::websocket) return "websocket";
  return peer.door == DoorKind::poll ? "poll" : "sse";
}

std::string_view protocol_of(const Peer& peer) {
  const CentrifugeSession* session = peer.centrifuge();
  if (session == nullptr) return "raw";
  return session->carrier.format == door::centrifuge::Carrier::Format::json ? "json" : "protobuf";
}

}  // namespace

hub::Acted ActionFront::act(const hub::Act& act) {
  const hub::UserAction& action = *act.action;
  hub::Acted answer{.request = act.request, .listed = {}};
  if (action.kind == Kind::list) {
    list(action, answer);
    return answer;
  }
  for (const base::PeerId id : candidates(action)) {
    Peer* const peer = desk_.connections.find(id);
    if (peer != nullptr && is_meant(*peer, action) && this->act(*peer, action)) ++answer.connections;
  }
  return answer;
}

std::vector<base::PeerId> ActionFront::candidates(const hub::UserAction& action) {
  if (!action.user.empty()) return desk_.roster.users.find(action.user);
  if (!action.token_id.empty()) return desk_.roster.tokens.find(action.token_id);
  std::vector<base::PeerId> all;
  desk_.connections.for_each([&](Peer& peer) {
    if (is_connection(peer)) all.push_back(peer.id());
  });
  return all;
}

bool ActionFront::is_meant(const Peer& peer, const hub::UserAction& action) const {
  if (!is_connection(peer)) return false;
  if (!action.client.empty() && id_of(peer) != action.client) return false;
  const CentrifugeSession* session = peer.centrifuge();
  return action.session.empty() || (session != nullptr && session->session == action.session);
}

bool ActionFront::act(Peer& peer, const hub::UserAction& action) {
  if (action.kind == Kind::recheck) {
    const auto verdict = desk_.shared.revocations.verdict(desk_.principal_of(peer), desk_.clock.wall());
    if (verdict == Revocations::Verdict::good) return false;
    close_with(desk_, peer, base::Error::revoked);
    return true;
  }
  if (action.kind == Kind::disconnect && std::ranges::find(action.whitelist, id_of(peer)) != action.whitelist.end()) {
    return false;
  }
  if (peer.centrifuge()) return centrifuge_.act(peer, action);
  switch (action.kind) {
    case Kind::unsubscribe: {
      const auto watches = [&](hub::SubscriptionId id) { return desk_.fan_out.channel_of(id) == action.channel; };
      if (!std::any_of(peer.subscriptions.begin(), peer.subscriptions.end(), watches)) return false;
      close_with(desk_, peer, base::Error::revoked);
      return true;
    }
    case Kind::disconnect:
      close_with(desk_, peer, base::Error::revoked);
      return true;
    case Kind::refresh: {
      if (action.expired) {
        close_with(desk_, peer, base::Error::token_expired);
        return true;
      }
      auth::Principal refreshed = desk_.principal_of(peer);
      refreshed.expires = action.expires.ms == 0 ? base::WallTime{INT64_MAX} : action.expires;
      peer.rare().principal = std::make_shared<const auth::Principal>(std::move(refreshed));
      if (peer.phase == Peer::Phase::http) return true;  // its deadline is that of the poll
      peer.deadline = desk_.expiry_of(peer);
      desk_.connections.arm(peer);
      return true;
    }
    case Kind::subscribe:
    case Kind::recheck:
    case Kind::list:
      break;
  }
  return false;
}

std::string ActionFront::id_of(const Peer& peer) const {
  if (const CentrifugeSession* session = peer.centrifuge()) return session->client;
  return "peer-" + std::to_string(desk_.worker) + "-" + std::to_string(peer.slot) + "-" +
         std::to_string(peer.generation);
}

hub::ConnectionSummary ActionFront::summary_of(const Peer& peer) const {
  const auth::Principal& principal = desk_.principal_of(peer);
  const CentrifugeSession* session = peer.centrifuge();
  hub::ConnectionSummary summary{
      .id = id_of(peer),
      .user = session != nullptr ? std::string(session->identity.user.view()) : principal.subject,
      .transport = std::string(transport_of(peer)),
      .protocol = std::string(protocol_of(peer)),
      .token_id = principal.token_id,
      .issued = principal.issued,
      .channels = {},
      .meta = session != nullptr ? session->meta : std::string()};
  if (session != nullptr) {
    for (const auto& each : session->subscriptions) {
      if (each.state == CentrifugeSession::Subscription::State::live) {
        summary.channels.emplace_back(hub::wildcard_of(desk_.fan_out.channel_of(each.id)));
      }
    }
  } else {
    for (const hub::SubscriptionId id : peer.subscriptions) summary.channels.emplace_back(desk_.fan_out.channel_of(id));
  }
  return summary;
}

// The first of them by id, as a heap whose root is the last.
void ActionFront::list(const hub::UserAction& action, hub::Acted& answer) {
  std::vector<std::pair<std::string, base::PeerId>> first;
  for (const base::PeerId id : candidates(action)) {
    const Peer* const peer = desk_.connections.find(id);
    if (peer == nullptr || !is_meant(*peer, action)) continue;
    ++answer.connections;
    std::string name = id_of(*peer);
    if (!action.after.empty() && name <= action.after) continue;
    if (first.size() == action.connections_max) {
      if (name >= first.front().first) continue;
      std::ranges::pop_heap(first);
      first.pop_back();
    }
    first.emplace_back(std::move(name), id);
    std::ranges::push_heap(first);
  }
  for (const auto& [name, id] : first) answer.listed.push_back(summary_of(*desk_.connections.find(id)));
}

}  // namespace server
