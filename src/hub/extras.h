// What few messages carry beside their payload. A message without any pays nothing for them (message.h).
// Values; immutable once they belong to a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/shared_bytes.h"
#include "hub/tags.h"

namespace hub {

// Who published: the ClientInfo of the Centrifuge protocol. A connection makes its own once; every message that it
// publishes refers to the same bytes.
struct ClientIdentity {
  base::SharedBytes user;       // empty: not known by name
  base::SharedBytes client;     // of the connection
  base::SharedBytes conn_info;  // JSON; what the connection's token says of it
  base::SharedBytes chan_info;  // JSON; what the subscription's token says of it

  bool empty() const noexcept { return charged_bytes() == 0; }
  std::size_t charged_bytes() const noexcept {
    return user.size() + client.size() + conn_info.size() + chan_info.size();
  }
};

// Whoever makes them holds the limits of limits.h: kExtrasBytesMax in all.
struct Extras {
  Tags tags;
  ClientIdentity publisher;
  std::string event;          // the kind of message, by name
  std::string key;            // what of the channel the message is about, where a channel keeps the newest by key
  std::uint64_t version = 0;  // of what has that key; 0: none
  std::int64_t score = 0;     // its place among the keys of an ordered map
  bool removed = false;       // the key is no more; there is no payload then
  base::SharedBytes channel;  // where it was published; on the feed of a wildcard only (wildcard.h)

  bool empty() const noexcept {
    return tags.empty() && publisher.empty() && event.empty() && key.empty() && version == 0 && score == 0 &&
           !removed && channel.empty();
  }
  // As if nothing were shared.
  std::size_t charged_bytes() const noexcept {
    return sizeof(Extras) + tags.charged_bytes() + publisher.charged_bytes() + event.size() + key.size() +
           channel.size();
  }
};

}  // namespace hub
