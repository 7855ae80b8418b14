// What a namespace says about its channels, as the hub needs it. Resolved by the owner of the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "hub/channel_log.h"

namespace hub {

// What happens to a subscriber that does not take what is published. Whoever knows the peers decides that it does not
// (Sink); the hub keeps the place where it stands.
enum class SlowReader : std::uint8_t {
  close,     // it is cut off and comes back with its cursor
  drop,      // what does not fit its queue is left out, and announced once there is room again
  conflate,  // while nothing can be written it gets nothing; then the newest message, and what it missed is announced
};

// What a channel is to those who subscribe to it.
enum class SubscriptionType : std::uint8_t {
  stream,       // messages, one after the other
  map,          // keyed state, and the stream of its changes (map_state.h)
  map_clients,  // a map that the server keeps: by id, the connections that are subscribed to another channel
  map_users,    // the same, by user
};

enum class MapMode : std::uint8_t {
  ephemeral,    // entries expire; of changes only what those need who are on their way to the live end
  recoverable,  // entries expire; who comes back gets the changes that it missed
  persistent,   // entries stay until they are removed
};

// What makes a channel a map; the change stream is its log.
struct MapRules {
  SubscriptionType type = SubscriptionType::map;  // but not stream
  MapMode mode = MapMode::recoverable;
  bool ordered = false;       // pages go by score instead of by key
  base::Duration key_ttl{0};  // an entry goes that much after its last change; 0: it stays
  std::uint32_t keys_max = 100'000;
  std::uint32_t bytes_max = 64 << 20;  // MapState::bytes()
};

struct ChannelRules {
  LogLimits log;
  bool last_value = false;  // the newest message is kept apart from the log and outlives it
  // How long a delivery may be held back so that more messages leave with it; 0: not at all.
  base::Duration max_delay{0};
  SlowReader slow_reader = SlowReader::close;
  bool occupancy = false;       // the owner of the home is told when it is occupied and vacated (occupancy.h)
  std::optional<MapRules> map;  // none: a stream
  bool durable = false;         // numbered and kept by the ledger; `log` is what of it is in memory too
};

class Rules {
 public:
  virtual ~Rules() = default;
  // The pointer must stay valid until the next call of Home::rules_changed() and FanOut::rules_changed().
  virtual const ChannelRules* rules_of(std::string_view channel) const = 0;
};

}  // namespace hub
