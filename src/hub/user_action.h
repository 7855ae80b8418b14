// What a back end asks of connections, and what is told of them. The hub only carries it: every worker does it to its
// own connections (server/action_front.h). Values; an action is immutable and shared by all workers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "hub/position.h"

namespace hub {

struct UserAction {
  enum class Kind : std::uint8_t {
    subscribe,
    unsubscribe,
    disconnect,
    refresh,
    recheck,  // ends those whose user was blocked or whose token was revoked
    list,
  };
  Kind kind = Kind::list;

  // Which connections: of `user` (empty: of anybody; list: as well), of these that have the id `client` and the session
  // `session`, if they are not empty. recheck: `token_id` instead of a user, if that is not empty.
  std::string user, client, session, token_id;

  std::string channel;              // subscribe, unsubscribe
  std::string info;                 // subscribe, refresh: JSON; empty: none, as it was
  std::string data;                 // subscribe: JSON; empty: none
  base::WallTime expires{0};        // subscribe, refresh: 0: never
  bool expired = false;             // refresh: at once
  std::optional<Position> recover;  // subscribe: what came since is wanted
  std::optional<bool> presence, join_leave, force_recovery, force_positioning, force_push_join_leave;  // subscribe

  std::uint16_t code = 0;              // disconnect
  std::string reason;                  // disconnect
  std::vector<std::string> whitelist;  // disconnect: ids of clients that stay

  std::uint32_t connections_max = 0;  // list
  std::string after;                  // list: ids behind this one
};

// A connection as `list` tells of it.
struct ConnectionSummary {
  std::string id;  // unique among all of this server; a client id where the protocol has one
  std::string user;
  std::string transport;  // "websocket", "sse", ...
  std::string protocol;   // "json", "protobuf", "raw"
  std::string token_id;
  base::WallTime issued{0};  // of the token; 0: not known
  std::vector<std::string> channels;
  std::string meta;  // JSON; empty: none
};

}  // namespace hub
