#include "server/centrifuge_front.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/protobuf_in.h"
#include "server/centrifuge_close.h"
#include "server/closing.h"
#include "server/emulation.h"
#include "ws/frame.h"

namespace server {

using door::centrifuge::Carrier;
using door::centrifuge::Command;
using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
using door::centrifuge::Next;
using door::centrifuge::Reply;

namespace {

constexpr base::Duration kConnectTimeMax = std::chrono::seconds(15);  // from the open transport to connect
// Whatever the interval: a loaded machine answers pings of every second late too. Less than the 10 s beyond the
// interval after which SDKs miss a ping.
constexpr base::Duration kPongTimeMax = std::chrono::seconds(8);
constexpr std::size_t kHeldBytesMax = 64 * 1024;  // of commands behind connect: subscriptions, mostly

std::optional<auth::Operation> operation_of(const door::centrifuge::Request& request) {
  using auth::Operation;
  namespace c = door::centrifuge;
  if (std::holds_alternative<c::PublishRequest>(request)) return Operation::publish;
  if (std::holds_alternative<c::SubscribeRequest>(request)) return Operation::subscribe;
  if (std::holds_alternative<c::HistoryRequest>(request)) return Operation::history;
  if (std::holds_alternative<c::PresenceRequest>(request)) return Operation::presence;
  if (std::holds_alternative<c::PresenceStatsRequest>(request)) return Operation::presence;
  if (std::holds_alternative<c::RpcRequest>(request)) return Operation::rpc;
  if (std::holds_alternative<c::SendRequest>(request)) return Operation::rpc;
  return std::nullopt;
}

}  // namespace

void CentrifugeFront::open(Peer& peer, Carrier carrier, PrincipalRef principal, bool frame_pings,
                           std::vector<egress::Header> headers) {
  peer.rare().centrifuge = std::make_unique<Session>(carrier);
  if (principal) peer.rare().principal = std::move(principal);
  peer.centrifuge()->frame_pings = frame_pings;
  peer.centrifuge()->headers = std::move(headers);
  peer.centrifuge()->stale_at = desk_.now + kConnectTimeMax;
  if (carrier.transport != Carrier::Transport::websocket) {
    Session& session = *peer.centrifuge();
    session.secret = {desk_.entropy.next(), desk_.entropy.next()};
    session.session = EmulationSession{peer.id(), session.secret}.text();
    if (!carrier.unidirectional) session.node = node_of(desk_.worker, desk_.shared);
  }
  peer.ping_at = base::kNever;
  arm(peer);
}

bool CentrifugeFront::receive(const hub::Forward& forward) {
  Peer* peer = desk_.connections.find(forward.connection);
  if (peer == nullptr || !peer->centrifuge() || peer->dying || peer->phase == Peer::Phase::closing) return false;
  const Session& session = *peer->centrifuge();
  if (session.node.empty() || session.secret != forward.secret) return false;
  receive(*peer, forward.bytes);
  return true;
}

void CentrifugeFront::receive(Peer& peer, std::string_view frame) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  Session& session = *peer.centrifuge();
  if (session.waits()) return hold(peer, frame);
  ASSERT(speaking_ == nullptr);
  speaking_ = &peer;
  packer_.emplace(session.carrier);
  if (session.carrier.unidirectional) {
    receive_connect(peer, frame);
  } else if (session.carrier.format == Carrier::Format::json) {
    receive_commands<door::centrifuge::JsonReader>(peer, frame);
  } else {
    receive_commands<door::centrifuge::ProtobufReader>(peer, frame);
  }
  speaking_ = nullptr;
  flush(peer);
  // Who does not read answers asks for no more of them.
  if (!peer.dying && peer.phase != Peer::Phase::closing && !desk_.connections.has_room(peer)) {
    desk_.connections.pause(peer, Pause::room);
  }
}

template <class Reader>
void CentrifugeFront::receive_commands(Peer& peer, std::string_view frame) {
  Reader reader(frame);
  Command command;
  for (;;) {
    const Next next = reader.next(command);
    if (next == Next::end) return;
    if (next == Next::malformed) return end(peer, DisconnectCode::bad_request);
    handle(peer, command);
    if (peer.dying || peer.phase == Peer::Phase::closing) return;
    if (peer.centrifuge()->waits()) return hold(peer, reader.rest());
  }
}

// The client's only message; what it says later is nothing to us.
void CentrifugeFront::receive_connect(Peer& peer, std::string_view message) {
  const Session& session = *peer.centrifuge();
  if (session.stage != Session::Stage::opened) return;
  door::centrifuge::ConnectRequest request;
  bool valid = true;
  if (session.carrier.format == Carrier::Format::protobuf) {
    door::centrifuge::ProtobufReader reader(message);
    valid = reader.read(request);
  } else if (!message.empty()) {
    door::centrifuge::JsonReader reader(message);
    if (!reader.read(request)) return end(peer, DisconnectCode::bad_request);
    return handle(peer, 0, request);
  }
  if (!valid) return end(peer, DisconnectCode::bad_request);
  handle(peer, 0, request);
}

void CentrifugeFront::hold(Peer& peer, std::string_view commands) {
  if (commands.empty()) return;
  Session& session = *peer.centrifuge();
  if (session.held.size() + commands.size() > desk_.options().message_bytes_max + kHeldBytesMax) {
    return end(peer, DisconnectCode::bad_request);
  }
  if (!session.held.empty() && session.carrier.format == Carrier::Format::json) session.held += '\n';
  session.held += commands;
  if (session.held.size() > kHeldBytesMax) desk_.connections.pause(peer, Pause::answer);
}

void CentrifugeFront::go_on(Peer& peer) {
  const std::string held = std::exchange(peer.centrifuge()->held, {});
  desk_.connections.unpause(peer, Pause::answer);
  if (!held.empty()) receive(peer, held);
}

void CentrifugeFront::handle(Peer& peer, const Command& command) {
  Session& session = *peer.centrifuge();
  const bool connect = std::holds_alternative<door::centrifuge::ConnectRequest>(command.request);
  if (session.stage == Session::Stage::refused || connect != (session.stage == Session::Stage::opened)) {
    return end(peer, DisconnectCode::bad_request);
  }
  if (command.is_pong()) return pong(peer);
  const bool needs_reply = !std::holds_alternative<door::centrifuge::SendRequest>(command.request);
  if ((needs_reply && command.id == 0) || std::holds_alternative<std::monostate>(command.request)) {
    return end(peer, DisconnectCode::bad_request);
  }
  if (const auto operation = operation_of(command.request);
      operation && !session.limits.take(desk_.snapshot->operation_rates(), *operation, desk_.now)) {
    return refuse(peer, command.id, ErrorCode::too_many_requests);
  }
  std::visit(
      [&](const auto& request) {
        if constexpr (!std::same_as<std::remove_cvref_t<decltype(request)>, std::monostate>) {
          handle(peer, command.id, request);
        }
      },
      command.request);
}

void CentrifugeFront::pong(Peer& peer) {
  Session& session = *peer.centrifuge();
  if (!std::exchange(session.awaits_pong, false)) return end(peer, DisconnectCode::bad_request);
  const base::Instant next = session.pong_by - kPongTimeMax + desk_.options().ping_interval;
  peer.ping_at = std::max(next, desk_.now);
  session.pong_by = base::kNever;
  arm(peer);
}

void CentrifugeFront::ping(Peer& peer) {
  Session& session = *peer.centrifuge();
  if (session.awaits_pong) {  // one at a time, or nobody could tell which one a pong answers
    peer.ping_at = session.pong_by;
    return;
  }
  peer.ping_at = desk_.now + desk_.options().ping_interval;
  // Who does not answer the protocol's pings answers those of its WebSocket, or has at least something to say.
  const bool websocket = session.carrier.transport == Carrier::Transport::websocket;
  if (websocket && (session.frame_pings || session.carrier.unidirectional)) {
    if (peer.pings_unanswered > 0 && !peer.heard) return end(peer, DisconnectCode::no_pong);
    peer.pings_unanswered = 1;
    peer.heard = false;
    desk_.connections.send(peer, ws::encode_server_frame(ws::Opcode::ping, {}));
  }
  if (!session.frame_pings) reply(peer, {});
  if (session.frame_pings || session.carrier.unidirectional) return;
  session.awaits_pong = true;
  session.pong_by = desk_.now + kPongTimeMax;
}

void CentrifugeFront::handle_timeout(Peer& peer) {
  Session& session = *peer.centrifuge();
  if (session.stage != Session::Stage::connected && session.stale_at <= desk_.now) {
    return end(peer, DisconnectCode::stale);
  }
  if (session.pong_by <= desk_.now) return end(peer, DisconnectCode::no_pong);
  if (session.expires <= desk_.now) {
    if (!session.by_hook || desk_.options().refresh_hook.empty()) return end(peer, DisconnectCode::connection_expired);
    ask_refresh(peer);
  }
  expire_subscriptions(peer);
  if (base::Instant(peer.ping_at) <= desk_.now) ping(peer);
  if (!peer.dying && peer.phase != Peer::Phase::closing) arm(peer);
}

void CentrifugeFront::arm(Peer& peer) {
  const Session& session = *peer.centrifuge();
  base::Instant deadline = std::min(session.pong_by, session.expires);
  if (session.stage != Session::Stage::connected) deadline = std::min(deadline, session.stale_at);
  for (const Subscription& each : session.subscriptions) deadline = std::min(deadline, each.expires);
  peer.deadline = deadline;
  desk_.connections.arm(peer);
}

void CentrifugeFront::drained(Peer& peer) { recover_next(peer); }

void CentrifugeFront::gone(Peer& peer) {
  recoveries_.erase(peer.slot);
  leave_maps(peer);
}

void CentrifugeFront::reply(Peer& peer, Reply reply) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  if (speaking_ == &peer) return packer_->add(reply);
  door::centrifuge::Packer packer(peer.centrifuge()->carrier);
  packer.add(reply);
  const std::string bytes = packer.take();
  // What a client missed was asked for, and does not make it a slow reader.
  const auto* subscribed = std::get_if<door::centrifuge::SubscribeResult>(&reply.body);
  const bool asked_for = subscribed != nullptr && !(subscribed->publications.empty() && subscribed->state.empty());
  if (!asked_for && !peer.out.empty() &&
      peer.out.bytes() - peer.replay_bytes + bytes.size() > desk_.options().queue_bytes_max) {
    return close_slow(desk_, peer);
  }
  desk_.connections.send(peer, bytes);
}

void CentrifugeFront::refuse(Peer& peer, std::uint32_t command, ErrorCode code) {
  reply(peer, {.id = command, .error = door::centrifuge::to_reply(code)});
}

void CentrifugeFront::push(Peer& peer, std::string_view channel, door::centrifuge::PushBody body) {
  reply(peer, {.body = door::centrifuge::Push{.channel = channel, .body = std::move(body)}});
}

// What was answered before goes out first.
void CentrifugeFront::end(Peer& peer, DisconnectCode code) {
  if (speaking_ == &peer) flush(peer);
  disconnect(desk_, peer, code);
}

void CentrifugeFront::flush(Peer& peer) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  desk_.connections.send(peer, packer_->take());
}

hub::RequestId CentrifugeFront::ask(Asked asked) {
  const hub::RequestId request = Desk::kNumbered | ++requests_;
  asked_.emplace(request, std::move(asked));
  return request;
}

std::optional<CentrifugeFront::Asked> CentrifugeFront::take_asked(hub::RequestId request, Peer*& peer) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return std::nullopt;
  Asked asked = std::move(found->second);
  asked_.erase(found);
  peer = desk_.connections.find(asked.peer);
  if (peer != nullptr && (peer->dying || peer->phase == Peer::Phase::closing)) peer = nullptr;
  return asked;
}

void CentrifugeFront::settle() {
  for (const base::PeerId id : std::exchange(unsettled_, {})) {
    Peer* peer = desk_.connections.find(id);
    if (peer != nullptr) settle(*peer);
  }
}

void CentrifugeFront::settle(Peer& peer) {
  const auto over = [&] { return peer.dying || peer.phase == Peer::Phase::closing; };
  Session& session = *peer.centrifuge();
  for (std::size_t place = 0; place < session.subscriptions.size() && !over(); ++place) settle(peer, place);
  if (over()) return;
  if (session.stage == Session::Stage::connecting) {
    if (session.joining == 0) finish_connect(peer);
  } else if (!session.held.empty()) {
    go_on(peer);
  }
  if (!over()) recover_next(peer);
}

}  // namespace server
