// What a connection of the Centrifuge door is beyond a peer: who it is, what it is subscribed to, what it waits for.
// Plain state; CentrifugeFront gives it meaning. Threads: owned by one worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/claims.h"
#include "auth/operation_limits.h"
#include "base/coarse_instant.h"
#include "door/centrifuge/carrier.h"
#include "egress/egress.h"
#include "hub/extras.h"
#include "hub/fan_out.h"
#include "hub/tag_filter.h"

namespace server {

struct CentrifugeSession {
  // Of a subscription whose answer has not been sent: the answer needs what the hub says first.
  struct Pending {
    std::uint32_t command = 0;      // id of the request; 0: the server subscribes
    std::uint32_t unsubscribe = 0;  // id of a request to unsubscribe that came meanwhile
    bool recover = false;
    bool dismissed = false;   // a back end unsubscribed it meanwhile
    std::uint16_t feeds = 0;  // wildcard: that are not live yet
    bool lost = false;        // what was asked for cannot be had as a whole
    hub::Position asked;      // recover; without an epoch: of any
    hub::Position reached;    // of the last message that the hub has given
    hub::Position start;      // where the subscription began
    std::vector<hub::MessageRef> messages;
    std::size_t bytes = 0;  // of them
    bool cache = false;     // the newest message stands for all
    bool known = false;     // cache: `asked` is a position that the client had
    bool rejects_unrecovered = false;
    auth::Payload data;  // for the answer
  };
  struct Subscription {
    enum class State : std::uint8_t {
      free,
      joining,  // asked of the hub
      live,
      broken,  // messages were missed; ends with the turn
    };
    enum class Grant : std::uint8_t { policy, token, hook, server };
    State state = State::free;
    Grant grant = Grant::policy;
    bool positioned : 1 = false;
    bool recoverable : 1 = false;
    bool server_side : 1 = false;
    bool listed : 1 = false;        // in the presence of the channel
    bool announced : 1 = false;     // its coming and going are told to others
    bool tells_events : 1 = false;  // those of others are told to it
    bool settled : 1 = false;       // what follows the answer has been done
    bool delta : 1 = false;
    bool wildcard : 1 = false;  // neither presence nor a position
    hub::SubscriptionId id;
    std::vector<hub::SubscriptionId> feeds;  // wildcard: one for each home; `id` is one of them
    hub::SubscriptionId events;              // to the companion of the channel: joins and leaves
    hub::MessageRef base;                    // delta: what was sent last
    base::SharedBytes info;                  // chan_info, JSON
    std::uint32_t ttl = 0;                   // s; 0: it does not expire
    base::Instant expires = base::kNever;    // with the time that clients have to renew it
    std::unique_ptr<Pending> pending;        // joining
    std::unique_ptr<hub::TagFilter> filter;
  };
  // A subscription that a hook decides on: it has no place yet.
  struct Undecided {
    std::string channel;
    std::uint32_t unsubscribe = 0;  // id of a request to unsubscribe that came meanwhile
  };
  enum class Stage : std::uint8_t {
    opened,      // nothing but connect is taken
    connecting,  // what comes waits until the connection is answered
    connected,
    refused,  // connect was answered with an error
  };

  // In the index by which FanOut knows a subscription: it is to the companion of the channel of this place.
  static constexpr std::uint16_t kEventsIndex = 0x8000;

  explicit CentrifugeSession(door::centrifuge::Carrier how) : carrier(how) {}

  door::centrifuge::Carrier carrier;
  Stage stage = Stage::opened;
  bool awaits_pong = false;
  bool by_hook = false;      // who it is was said by a hook, which is asked again before the end
  bool frame_pings = false;  // pings of WebSocket instead of the protocol's own
  std::uint32_t connect_command = 0;
  std::uint16_t joining = 0;  // subscriptions that the answer to connect waits for
  std::uint16_t leaving = 0;  // subscriptions whose end was asked for before they began
  std::string client;         // UUID
  hub::ClientIdentity identity;
  std::string meta;                     // JSON of the token; for hooks
  std::vector<egress::Header> headers;  // of the client's request, those that hooks get
  auth::OperationLimits limits;
  auth::Payload data;  // for the answer to connect
  std::string held;    // commands that wait, as one frame of the format
  hub::ForwardSecret secret{};
  std::string session;                   // of transports that only bring messages out: what comes in names it
  std::string node;                      // the same
  std::uint32_t ttl = 0;                 // s, as the client was told; 0: it does not expire
  base::Instant expires = base::kNever;  // with the time that clients have to renew it
  base::Instant pong_by = base::kNever;
  base::Instant stale_at = base::kNever;    // unless connected
  std::vector<Subscription> subscriptions;  // places are kept: hub::FanOut knows them by number
  std::vector<Undecided> undecided;

  // Commands are worked through in order: those behind connect wait for its answer, and those behind an unsubscribe
  // until the subscription has begun and ended. Otherwise subscribe, unsubscribe, subscribe in one breath, which is how
  // some frameworks of user interfaces begin, would end with "already subscribed".
  bool waits() const { return stage == Stage::connecting || leaving > 0; }
  bool bidirectional() const { return !carrier.unidirectional; }
};

}  // namespace server
