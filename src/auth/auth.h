// Who may do what: credentials in, principal and verdict out. Pure: time is an argument. One authorize() call
// (auth/policy.h) serves every door and every delivery path (architecture rule 6). Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace auth {

enum class Verb : std::uint8_t { subscribe, publish, remove, history, presence };  // remove: keys of a map

// Who a connection is. Immutable after the handshake; owned by the peer (side table) or shared by value.
struct Principal {
  enum class Kind : std::uint8_t { anonymous, token, api_key };
  Kind kind = Kind::anonymous;
  std::string subject;                 // `sub`, at most 255 bytes; empty if the token has none
  base::WallTime expires{INT64_MAX};   // the rights end at this moment: `exp` plus the skew that is allowed
  std::vector<std::string> subscribe;  // channel patterns of the token (claims `channels` and `subscribe`)
  std::vector<std::string> publish;    // (claims `channels` and `publish`)
  base::WallTime issued{0};            // `iat`; 0: the token does not say
  std::string token_id;                // `jti`; empty if the token has none
  friend bool operator==(const Principal&, const Principal&) = default;
};

// Who may do one thing in the channels of a namespace; each includes those before it but `nobody`. The table is in
// policy.h.
enum class Access : std::uint8_t {
  nobody,
  token,   // whose token names the channel
  user,    // and whoever has a token with a subject
  anyone,  // and whoever has none
};

struct NamespacePermissions {
  Access subscribe = Access::nobody;
  Access publish = Access::nobody;
  Access remove = Access::nobody;
  std::optional<Access> history;   // none: whoever is subscribed or may subscribe
  std::optional<Access> presence;  // the same
  // Beside those: whoever is subscribed.
  bool publish_for_subscriber = false;
  bool remove_for_subscriber = false;
  bool history_for_subscriber = false;
  bool presence_for_subscriber = false;
  // Of channels with a `#`, those whom the last part names ("dialog#ann,bob") may subscribe, whatever `subscribe` says,
  // and no other user is one of `user` or `anyone` there.
  bool user_limited_channels = false;
  friend bool operator==(const NamespacePermissions&, const NamespacePermissions&) = default;
};

}  // namespace auth
