// Who is subscribed to a channel, in the maps of its namespace's map_clients_presence_prefix and
// map_users_presence_prefix. A subscription is a member of such a map as it is one of its own channel
// (hub::Attendance), by an id of its own; the map's home makes keys of its members. So a key goes exactly when it
// should, also when a connection vanishes. Threads: those of the desk.
#pragma once

#include <string_view>

#include "hub/extras.h"
#include "hub/mail.h"
#include "server/desk.h"

namespace server {

void enter_presence_maps(Desk& desk, hub::SubscriptionId id, std::string_view channel,
                         const hub::ClientIdentity& identity);
// Whether it is in any or not.
void leave_presence_maps(Desk& desk, hub::SubscriptionId id);

}  // namespace server
