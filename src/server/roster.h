// The connections of one worker by user and by token, for what back ends ask of them: WebSockets and event streams of
// every door, and long polls while they wait. Anonymous ones without a token are not in it. Owned by one worker.
#pragma once

#include "auth/auth.h"
#include "base/ids.h"
#include "server/user_index.h"

namespace server {

struct Roster {
  UserIndex users;
  UserIndex tokens;  // by id

  void enter(base::PeerId peer, const auth::Principal& principal) {
    if (!principal.subject.empty()) users.add(principal.subject, peer);
    if (!principal.token_id.empty()) tokens.add(principal.token_id, peer);
  }
  // Nothing happens if it is not there.
  void leave(base::PeerId peer, const auth::Principal& principal) {
    if (!principal.subject.empty()) users.remove(principal.subject, peer);
    if (!principal.token_id.empty()) tokens.remove(principal.token_id, peer);
  }
};

}  // namespace server
