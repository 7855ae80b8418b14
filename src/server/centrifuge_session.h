// What a connection of the Centrifuge door is beyond a peer: who it is, what it is subscribed to, what it waits for.
// Plain state; CentrifugeFront gives it meaning. Threads: owned by one worker.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/claims.h"
#include "auth/operation_limits.h"
#include "base/coarse_instant.h"
#include "door/centrifuge/carrier.h"
#include "door/centrifuge/key_bases.h"
#include "door/centrifuge/map_paging.h"
#include "egress/egress.h"
#include "hub/extras.h"
#include "hub/fan_out.h"
#include "hub/tag_filter.h"

namespace server {

// How long something lives that a token allows until `expires`.
struct Lifetime {
  std::uint32_t ttl = 0;  // s, as clients are told; 0: for ever
  base::Instant ends = base::kNever;
  base::Instant until = base::kNever;  // with the time that they have to send a new token
};

struct CentrifugeSession {
  // Of a subscription whose answer has not been sent: the answer needs what the hub says first.
  struct Pending {
    std::uint32_t command = 0;      // id of the request; 0: the server subscribes
    std::uint32_t unsubscribe = 0;  // id of a request to unsubscribe that came meanwhile
    bool recover = false;
    bool dismissed = false;  // a back end unsubscribed it meanwhile
    bool lost = false;       // what was asked for cannot be had as a whole
    hub::Position asked;     // recover; without an epoch: of any
    hub::Position reached;   // of the last message that the hub has given
    hub::Position start;     // where the subscription began
    std::vector<hub::MessageRef> messages;
    std::size_t bytes = 0;  // of them
    bool cache = false;     // the newest message stands for all
    bool known = false;     // cache: `asked` is a position that the client had
    bool rejects_unrecovered = false;
    bool map = false;
    std::vector<hub::MessageRef> state;    // map: the last page of its entries
    std::size_t messages_max = 16 * 1024;  // that the answer brings; a history is shorter by default
    auth::Payload data;                    // for the answer
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
    bool by_number : 1 = false;  // pushes carry the channel's number
    hub::SubscriptionId id;
    hub::SubscriptionId events;                         // to the companion of the channel: joins and leaves
    hub::MessageRef base;                               // delta: what was sent last
    std::unique_ptr<door::centrifuge::KeyBases> bases;  // the same of a map, by key
    base::SharedBytes info;                             // chan_info, JSON
    std::uint32_t ttl = 0;                              // s; 0: it does not expire
    base::Instant expires = base::kNever;               // with the time that clients have to renew it
    std::unique_ptr<Pending> pending;                   // joining
    std::unique_ptr<hub::TagFilter> filter;
  };
  // What is known of a subscription that may be.
  struct Permitted {
    std::uint32_t command = 0;
    Subscription::Grant grant = Subscription::Grant::policy;
    Lifetime lifetime;
    auth::ChannelOverride changes;
    std::string info;  // JSON
    auth::Payload data;
    std::unique_ptr<hub::TagFilter> filter;
    std::optional<auth::CommonClaims> token;  // of this channel, if it came with one
  };
  // A map that is being paged through: it has no place yet. Every page asks for the right anew.
  struct Loading {
    std::string channel;
    door::centrifuge::MapPaging paging;
    Permitted permitted;            // command: of the page that is being read
    std::uint32_t unsubscribe = 0;  // id of a request to unsubscribe that came meanwhile
    bool delta = false;
    door::centrifuge::KeyBases bases;  // delta: what the pages have brought
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
  std::uint16_t joining = 0;     // subscriptions that the answer to connect waits for
  std::uint16_t recovering = 0;  // place of the subscription that has begun last with something to recover
  std::uint16_t leaving = 0;     // subscriptions whose end was asked for before they began
  std::string client;            // UUID
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
  std::vector<Loading> loading;

  // Commands are worked through in order: those behind connect wait for its answer, and those behind an unsubscribe
  // until the subscription has begun and ended. Otherwise subscribe, unsubscribe, subscribe in one breath, which is how
  // some frameworks of user interfaces begin, would end with "already subscribed".
  bool waits() const { return stage == Stage::connecting || leaving > 0; }
  bool bidirectional() const { return !carrier.unidirectional; }
};

}  // namespace server
