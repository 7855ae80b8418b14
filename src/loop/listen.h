// Opens listeners. For the start of a server: may block on the file system; every error is a text for the operator.
//
//   address = "127.0.0.1:8000" | "[::1]:8000" | "[::]:8000" (IPv4 as well) | ":8000" (every address)
//           | "unix:/run/wirebird.sock"
// Port 0 asks the kernel for a free one. Sockets are non-blocking and close-on-exec; what a peer's socket needs
// (loop/tcp_options.h) is set on the listener, from which Linux copies it to every accepted socket.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "loop/io.h"

namespace loop {

struct ListenOptions {
  int backlog = 4096;       // the kernel caps it at net.core.somaxconn, 4096 by default: a reconnect storm fits
  mode_t unix_mode = 0660;  // of the socket file
};

// One listener. A Unix socket file that nobody answers on is replaced; one that is alive is an error.
std::expected<SocketId, std::string> listen_on(std::string_view address, const ListenOptions& options = {});

// `count` listeners on one address, one per worker. TCP: SO_REUSEPORT, the kernel spreads connections by hash; a port
// that another process holds is still an error, even if that process shares it. Unix: descriptors of one listener.
std::expected<std::vector<SocketId>, std::string> listen_on_shared(std::string_view address, std::size_t count,
                                                                   const ListenOptions& options = {});

// The TCP port of a listener; 0 for a Unix one.
std::uint16_t bound_port(SocketId listener);

}  // namespace loop
