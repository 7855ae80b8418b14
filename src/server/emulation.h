// Names of connections for clients that reach them by other requests (POST /emulation of the Centrifuge protocol): the
// node says which worker, the session which connection there, and that the client is the one it was told to. Stateless.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "hub/mail.h"
#include "server/shared.h"

namespace server {

struct EmulationSession {
  base::PeerId connection;
  hub::ForwardSecret secret{};

  static std::optional<EmulationSession> parse(std::string_view text);
  std::string text() const;
};

// Of this process and worker; another process has another name for its own.
std::string node_of(base::WorkerId worker, const Shared& shared);
// Nothing: not of this process.
std::optional<base::WorkerId> worker_of_node(std::string_view node, const Shared& shared);

}  // namespace server
