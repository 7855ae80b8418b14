// What a server says in the Centrifuge protocol v2, read from frames by hand, from the open definition of the protocol
// and not from src/door: one implementation must not vouch for itself. Values; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sim::centrifuge {

struct HeardPublication {
  std::string data;  // JSON: the value as it stands in the frame
  std::uint64_t offset = 0;
  std::string epoch;
  bool delta = false;
};

struct HeardSubscription {
  bool recoverable = false, positioned = false, recovered = false, was_recovering = false, delta = false;
  std::string epoch;
  std::uint64_t offset = 0;
  std::vector<HeardPublication> publications;
};

struct Heard {
  enum class Kind : std::uint8_t {
    ping,
    connected,
    subscribed,
    unsubscribed,  // the answer to a command
    other,
    publication,
    join,
    leave,
    dismissed,  // a push: the server ends a subscription
  };
  Kind kind = Kind::ping;
  std::uint32_t id = 0;     // of the command; 0: a push
  std::uint32_t error = 0;  // the command's; 0: none
  std::string channel;      // of a push
  HeardSubscription subscription;
  std::vector<std::pair<std::string, HeardSubscription>> subscriptions;  // connected
  HeardPublication publication;
  std::string client;      // join, leave
  std::uint32_t code = 0;  // dismissed
  bool pong = false;       // connected: pings are to be answered
};

// Nothing: the frame is not of the protocol.
std::optional<std::vector<Heard>> hear_json(std::string_view frame);
std::optional<std::vector<Heard>> hear_protobuf(std::string_view frame);

// The target of a delta in the format of Fossil, made of `source`; nothing: it does not fit.
std::optional<std::string> patched(std::string_view source, std::string_view delta);

}  // namespace sim::centrifuge
