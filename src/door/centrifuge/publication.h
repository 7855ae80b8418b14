// Messages of the hub as pushes and publications of the protocol. Everything points into the message. Pure; any thread.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>

#include "door/centrifuge/carrier.h"
#include "door/centrifuge/protocol.h"
#include "hub/message.h"

namespace door::centrifuge {

struct PublicationScope {
  std::string_view epoch;     // of the channel; the first publication tells it
  bool with_position = true;  // false: the channel keeps no history, and positions mean nothing to clients
};

Publication publication_of(const hub::Message& message, const PublicationScope& scope);

// The same for a client that takes deltas and got `base` last; null: nothing yet. The difference to it if the publisher
// wants that and it is the shorter one, otherwise the whole; JSON clients get either as a string. What is made for it
// goes into `made`, and the publication points there too.
Publication publication_as_delta(const hub::Message& message, const hub::Message* base, Carrier::Format format,
                                 const PublicationScope& scope, std::forward_list<std::string>& made);

ClientInfo info_of(const hub::ClientIdentity& identity);

// Of a message of `channel`, of a wildcard's feed, or of its companion with the events of presence
// (hub/events_channel.h): a publication, a join or a leave.
Push push_of(std::string_view channel, const hub::Message& message, const PublicationScope& scope);

}  // namespace door::centrifuge
