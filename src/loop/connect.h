// Outgoing connections of clients: resolve, start, finish. Not for workers: resolve() asks the system's resolver and
// blocks.
//
//   address = "host:port" | "1.2.3.4:80" | "[::1]:80" | "unix:/path"
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "loop/endpoint.h"
#include "loop/io.h"

namespace loop {

// At least one endpoint, in the order in which they should be tried.
std::expected<std::vector<Endpoint>, std::string> resolve(std::string_view address);

// A non-blocking socket that is connecting. It becomes writable when it is connected or has failed.
std::expected<SocketId, std::string> start_connect(const Endpoint& endpoint);

// After the socket became writable (or hung up): whether it is connected. The caller closes it either way.
std::expected<void, std::string> finish_connect(SocketId socket);

}  // namespace loop
