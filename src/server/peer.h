// One connection, from accept to close: a slot in its worker's slab that glues transport, session and door. It decides
// nothing; Connections moves its bytes, the fronts (HttpFront, SocketFront, FeedFront) give them meaning.
//
// Lives on one worker; destroyed by Connections::reap() at the end of a turn and nowhere else. Others hold its PeerId.
#pragma once

#include <cstdint>
#include <memory>
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

struct CentrifugeSession;
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

// What a connection needs only while it is not an idle plain WebSocket of one channel. Null: not there.
struct PeerExtras {
  std::unique_ptr<Feed> feed;  // several channels, SSE, poll
  std::unique_ptr<CentrifugeSession> centrifuge;
  std::unique_ptr<HttpExchange> http;  // Phase::http, while a request is in progress
  std::unique_ptr<loop::TlsConnection> tls;
  std::unique_ptr<Starting> starting;
  std::unique_ptr<std::string> unread;        // Connections::put_back
  std::unique_ptr<std::string> proxy_header;  // partial, while in Phase::proxy_header
  std::unique_ptr<loop::Address> proxy;       // the trusted proxy the connection comes from, if it named a client
  std::shared_ptr<const auth::Principal> principal;  // null: anonymous

  PeerExtras();
  ~PeerExtras();
  bool empty() const {
    return !(feed || centrifuge || http || tls || starting || unread || proxy_header || proxy || principal);
  }
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
  std::uint8_t paused = 0;      // Pause, or-ed
  bool dirty : 1 = false;       // in Connections' list of peers with output
  bool dying : 1 = false;       // in Connections' list of peers to destroy
  bool wants_room : 1 = false;  // somebody waits for the queue to be short: Protocols::drained() once it is
  bool listed : 1 = false;      // in Connections' list of peers with input that no readiness tells of
  bool heard : 1 = false;       // something came since the last ping
  bool gauged : 1 = false;      // counted in the gauge of its door
  bool shut : 1 = false;        // FIN sent
  bool envelope : 1 = false;    // WebSocket, SSE: messages come with channel and position
  bool may_publish : 1 = false;
  bool json_input : 1 = false;  // text frames are JSON
  bool counted : 1 = false;     // in Admission
  bool announced : 1 = false;   // to the operator's back end (announce.h)
  bool unanswered : 1 = false;  // Centrifuge: connect is being answered, and nothing goes before the answer
  std::uint16_t listener = 0;
  loop::Address address;  // of the client, behind trusted proxies too

  // --- output
  OutQueue out;
  std::uint32_t replay_bytes = 0;  // of catch-up in the queue, at most: they do not make a reader slow

  // --- time
  base::CoarseInstant stalled_since = base::kNever;  // the socket takes nothing since then
  base::CoarseInstant deadline = base::kNever;       // of the phase: handshake, request, keep-alive, token, linger
  base::CoarseInstant ping_at = base::kNever;        // next ping or heartbeat
  base::Instant opened;

  // --- sessions
  ws::Session session;  // Phase::websocket, and while such a peer is closing; otherwise it does not exist()
  SubscriptionList subscriptions;
  std::unique_ptr<PeerExtras> extras;  // null or not empty()

  Feed* feed() const { return extras ? extras->feed.get() : nullptr; }
  // Not null: a connection of that door, whatever carries it.
  CentrifugeSession* centrifuge() const { return extras ? extras->centrifuge.get() : nullptr; }
  HttpExchange* http() const { return extras ? extras->http.get() : nullptr; }
  loop::TlsConnection* tls() const { return extras ? extras->tls.get() : nullptr; }
  Starting* starting() const { return extras ? extras->starting.get() : nullptr; }
  std::string* unread() const { return extras ? extras->unread.get() : nullptr; }
  bool has_finished() const { return (paused & static_cast<unsigned>(Pause::ended)) != 0; }
  const loop::Address* proxy() const { return extras ? extras->proxy.get() : nullptr; }
  // To set one of them.
  PeerExtras& rare();
  // Destroys one of them: peer.forget<&PeerExtras::feed>().
  template <auto Member>
  void forget() {
    if (!extras) return;
    (extras.get()->*Member).reset();
    if (extras->empty()) extras.reset();
  }

  // Nothing is to be done when all that was queued has been written.
  bool at_ease() const {
    return interest == loop::Interest::read && phase != Phase::closing && stalled_since == base::kNever && !wants_room;
  }
  bool watches_one_channel() const { return subscriptions.size() == 1 && !starting(); }
  const loop::Address& transport_address() const {
    const loop::Address* const through = proxy();
    return through != nullptr ? *through : address;
  }
  base::PeerId id() const { return {slot, generation}; }
  Peer();
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
};
static_assert(sizeof(Peer) <= 144);  // most of what an idle connection costs the process

}  // namespace server
