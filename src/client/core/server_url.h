// Where a server is, from the URL a person types. A value; no name is looked up here. Any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace client {

struct ServerUrl {
  enum class Transport : std::uint8_t { tcp, tls, unix_socket } transport = Transport::tcp;
  std::string host;         // a name or an address, without brackets; empty for a Unix socket
  std::uint16_t port = 80;  // 0 for a Unix socket
  std::string socket_path;  // only for a Unix socket
  std::string authority;    // for the Host header: brackets kept, default port left out; "localhost" for a Unix socket
  std::string path;         // "" or "/a/b" without a trailing slash, as typed (not decoded)
  std::string query;        // after '?', as typed
};

// Takes
//   (http|https|ws|wss) "://" host [":" port] [path] ["?" query]
//   "unix:" socket-path [":" path ["?" query]]
//   host [":" port]                                    (as http://)
// The error is a sentence for a person. User names, fragments, spaces and control characters are refused: the parts
// end up in a request line and a Host header (T42).
std::expected<ServerUrl, std::string> parse_server_url(std::string_view url);

}  // namespace client
