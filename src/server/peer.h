// One connection, from accept to close: a slot in its worker's slab that glues transport, session and door. It decides
// nothing; Connections moves its bytes, the fronts (HttpFront, SocketFront, FeedFront) give them meaning.
//
// Lives on one worker; destroyed by Connections::reap() at the end of a turn and nowhere else. Others hold its PeerId.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/auth.h"
#include "base/coarse_instant.h"
#include "base/ids.h"
#include "base/time.h"
#include "hub/fan_out.h"
#include "loop/io.h"
#include "loop/tls.h"
#include "server/counters.h"
#include "server/out_queue.h"
#include "server/subscription_list.h"
#include "ws/session.h"

namespace server {

struct HttpExchange;
struct Feed;

// The channels of a request that are not subscribed to yet, because they have something to catch up on: each begins
// when the one before it has caught up and the queue is short, so that what is replayed at once does not grow with
// their number.
struct Starting {
  struct Channel {
    std::string name;
    hub::Since since;
    std::uint16_t place;  // in the request
  };
  std::vector<Channel> channels;
  std::uint8_t format = 0;
  std::size_t next = 0;             // the first that is not subscribed to
  hub::SubscriptionId catching_up;  // the one before it; none: it may begin
};

// What a connection needs only while it is not an idle plain WebSocket.
struct PeerExtras {
  std::shared_ptr<const auth::Principal> principal;  // null: anonymous
  std::string proxy_header;                          // partial, while in Phase::proxy_header
};

// Why a connection is not read from now. Each reason is set and lifted by its own owner.
enum class Pause : std::uint8_t {
  request = 1,  // its requests wait for the mail to have credits again (Worker)
  answer = 2,   // more came behind a request that is being answered (HttpFront)
  room = 4,     // it does not read its answers (HttpFront)
  ended = 8,    // it has finished sending (Connections)
};

struct Peer {
  enum class Phase : std::uint8_t {
    free,
    proxy_header,  // the PROXY protocol header has not arrived completely
    tls_handshake,
    http,  // reading a request or answering it
    websocket,
    events,   // an event stream that is only written to
    closing,  // what is queued is still written, then FIN; input is discarded
  };

  // --- identity
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  loop::SocketId socket = loop::kNoSocket;
  Phase phase = Phase::free;
  DoorKind door = DoorKind::http;
  loop::Interest interest = loop::Interest::read;  // as the poller knows it
  std::uint8_t pings_unanswered = 0;
  bool dirty = false;       // in Connections' list of peers with output
  bool dying = false;       // in Connections' list of peers to destroy
  std::uint8_t paused = 0;  // Pause, or-ed
  bool wants_room = false;  // somebody waits for the queue to be short: Protocols::drained() once it is
  bool listed = false;      // in Connections' list of peers with input that no readiness tells of
  bool heard = false;       // something came since the last ping
  bool gauged = false;      // counted in the gauge of its door
  bool shut = false;        // FIN sent
  bool envelope = false;    // WebSocket, SSE: messages come with channel and position
  bool may_publish = false;
  bool json_input = false;  // text frames are JSON
  bool counted = false;     // in Admission
  std::uint16_t listener = 0;
  loop::Address address;  // of the client, behind trusted proxies too

  // --- output
  OutQueue out;
  std::uint32_t replay_bytes = 0;  // of catch-up in the queue, at most: they do not make a reader slow

  // --- time
  base::Instant opened;
  base::CoarseInstant stalled_since = base::kNever;  // the socket takes nothing since then
  base::CoarseInstant deadline = base::kNever;       // of the phase: handshake, request, keep-alive, token, linger
  base::CoarseInstant ping_at = base::kNever;        // next ping or heartbeat

  // --- sessions
  std::optional<ws::Session> session;  // Phase::websocket
  SubscriptionList subscriptions;
  std::unique_ptr<Feed> feed;          // several channels, SSE, poll
  std::unique_ptr<HttpExchange> http;  // Phase::http, while a request is in progress
  std::unique_ptr<loop::TlsConnection> tls;
  std::unique_ptr<PeerExtras> extras;
  std::unique_ptr<std::string> unread;  // Connections::put_back
  std::unique_ptr<Starting> starting;
  std::unique_ptr<loop::Address> proxy;  // the trusted proxy the connection comes from, if it named a client

  // Nothing is to be done when all that was queued has been written.
  bool at_ease() const {
    return interest == loop::Interest::read && phase != Phase::closing && stalled_since == base::kNever && !wants_room;
  }
  bool watches_one_channel() const { return subscriptions.size() == 1 && !starting; }
  const loop::Address& transport_address() const { return proxy ? *proxy : address; }
  base::PeerId id() const { return {slot, generation}; }
  Peer();
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
};

}  // namespace server
