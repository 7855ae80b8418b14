// What the clients of a simulated world saw, and what the publishers were told: all that the checker gets to see.
// Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace sim {

// A position as clients know it: text that the server gave them.
struct Place {
  std::string epoch;  // empty: none yet, start from now
  std::uint64_t offset = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

enum class Door : std::uint8_t { ws, ws_raw, sse, sse_raw, poll };
std::string_view name_of(Door door);

// How a payload was published, as far as the door tells it.
enum class PayloadKind : std::uint8_t { json, text, binary, json_or_text, any };

// One thing that the server told a client, in the order of the wire.
struct Told {
  enum class Kind : std::uint8_t {
    start,    // `place` of a channel
    message,  // `place.epoch` is empty if the door does not say (then the client has counted)
    gap,      // from..place.offset do not come
    cursor,   // the cursor of all channels, without anything else
  };
  Kind kind = Kind::message;
  std::uint8_t channel = 0;  // its number in the visit
  Place place;
  std::uint64_t gap_from = 0;
  std::string gap_reason;
  PayloadKind payload_kind = PayloadKind::json;
  std::string payload;
  std::int64_t time_ms = 0;   // of the server, 0: not told
  std::vector<Place> cursor;  // with it, if the door has cursors
  base::Instant at;           // when the client read it
};

// One request to watch channels, from the first byte sent to the end: a WebSocket or event stream, or one poll.
struct Visit {
  std::uint32_t client = 0;
  Door door = Door::ws;
  bool reconnected = false;  // on a new connection, not the first one of this client
  std::vector<std::string> channels;
  std::vector<Place> since;  // as asked, one per channel
  base::Instant asked, ended;
  std::vector<Told> told;
  enum class End : std::uint8_t { by_client, by_server, lost, answered, refused } end = End::by_client;
  std::uint16_t code = 0;  // HTTP status or close code
  std::string reason;
};

// One message that somebody published, whether or not it was acknowledged.
struct Publication {
  std::string channel;
  std::uint32_t publisher = 0;
  PayloadKind kind = PayloadKind::text;
  std::string payload;                     // unique in its channel
  bool resent_until_acknowledged = false;  // with an idempotency key: exactly once; otherwise at most once
  std::optional<Place> acknowledged;
  std::int64_t time_ms = 0;
  base::Instant sent, answered = base::kNever;
};

struct Head {
  std::string channel;
  Place place;
};

struct Log {
  std::vector<Visit> visits;  // of each client in their order
  std::vector<Publication> publications;
  std::vector<Head> heads;  // as the server told them once nobody published any more
};

}  // namespace sim
