// One request of the server's API while its commands are asked of the hub and answered. Owned by ApiFront.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "door/server_api/answers.h"
#include "door/server_api/request.h"
#include "hub/mail.h"

namespace server {

// A command that waits for answers.
struct ApiCommand {
  std::size_t place = 0;                        // in the request
  std::size_t asked = 0;                        // broadcast: channels that were asked
  std::uint32_t missing = 0;                    // answers
  std::vector<door::server_api::Answer> parts;  // broadcast: one per channel
  door::server_api::ListedChannels listed;      // channels, info: of all workers
  std::uint64_t log_bytes = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t users = 0;
  std::uint64_t connections = 0;
  std::vector<hub::ConnectionSummary> connections_listed;
  std::vector<door::server_api::Member> members;  // presence, page by page
  std::size_t members_bytes = 0;
  hub::StatePage state;  // of a map, page by page; the head is that of the first
  std::size_t state_bytes = 0;
};

struct ApiCall {
  base::PeerId peer;
  door::server_api::Request request;
  std::vector<door::server_api::Answer> answers;  // of all commands, in their order
  std::size_t begun = 0;                          // commands, answered ones too
  std::vector<std::unique_ptr<ApiCommand>> open;
  std::uint32_t in_flight = 0;  // mails that were not answered

  bool done() const { return begun == request.commands.size() && open.empty(); }
};

}  // namespace server
