// What back ends ask of connections (hub::UserAction), done to those of this worker, whatever their door. Connections
// of the Centrifuge door do all of it. Others watch what they asked for in their URL: they can be listed and ended, and
// whatever would take a channel away from them ends them.
// Threads: owned by one worker.
#pragma once

#include <string>
#include <vector>

#include "hub/mail.h"
#include "server/centrifuge_front.h"
#include "server/desk.h"

namespace server {

class ActionFront {
 public:
  ActionFront(Desk& desk, CentrifugeFront& centrifuge) : desk_(desk), centrifuge_(centrifuge) {}

  hub::Acted act(const hub::Act& act);

 private:
  // Those that the action names, but for its client and session.
  std::vector<base::PeerId> candidates(const hub::UserAction& action);
  bool is_meant(const Peer& peer, const hub::UserAction& action) const;
  bool act(Peer& peer, const hub::UserAction& action);  // true: it was done
  std::string id_of(const Peer& peer) const;
  hub::ConnectionSummary summary_of(const Peer& peer) const;
  void list(const hub::UserAction& action, hub::Acted& answer);

  Desk& desk_;
  CentrifugeFront& centrifuge_;
};

}  // namespace server
