// A publish of a back end, over POST /pub or the API, on its way to the hub: what is asked of it whichever way it came.
// Stateless.
#pragma once

#include <expected>
#include <string>

#include "base/refusal.h"
#include "door/content.h"
#include "door/server_api/request.h"
#include "hub/mail.h"
#include "server/desk.h"

namespace server {

// memory if there is too little of it left for more; payload_too_big, payload_format. The caller has asked the policy
// and numbers the request.
std::expected<hub::Publish, base::Refusal> make_publish(const Desk& desk, std::string channel,
                                                        const door::server_api::Publication& publication);

// The same for a change of a map. Its version and expected position are not looked at.
std::expected<hub::Publish, base::Refusal> make_map_publish(const Desk& desk,
                                                            const door::server_api::MapPublish& command);
std::expected<hub::Publish, base::Refusal> make_map_remove(const Desk& desk,
                                                           const door::server_api::MapRemove& command);

}  // namespace server
