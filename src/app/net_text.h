// Addresses as they are written in the configuration. Stateless, any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "server/options.h"

namespace app {

// "[http:// | https://] IP:PORT | [IPv6]:PORT | localhost:PORT", or unix:/path. Port 0: any free one. The error is the
// end of a sentence.
std::expected<server::Listener, std::string> parse_listener(std::string_view text);

// 127.0.0.0/8, ::1 and Unix sockets: not reachable from other machines. `address` as in a Listener.
bool is_loopback(std::string_view address);

// An IP address, or a network with /bits and no bits set behind them.
std::expected<void, std::string> check_network(std::string_view text);

// "scheme://host[:port]" as browsers send it, or "*".
std::expected<void, std::string> check_origin(std::string_view text);

}  // namespace app
