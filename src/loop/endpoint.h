// A socket address of the kernel and the texts it is written as in configuration. Values; any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "loop/io.h"

namespace loop {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* address() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// "host:port" in two; brackets around a v6 address are taken off. Nothing if there is no port.
struct HostPort {
  std::string_view host;
  std::uint16_t port;
};
std::optional<HostPort> split_host_port(std::string_view text);

// The path of "unix:/path"; nothing if it is another kind of address.
std::optional<std::string_view> unix_path(std::string_view address);

// Of a socket file; the error says why the path cannot be one.
std::expected<Endpoint, std::string> unix_endpoint(std::string_view path);

// Of an address in numbers, v4 or v6 ("fe80::1%eth0" too). Nothing if `ip` is not one.
std::optional<Endpoint> ip_endpoint(std::string_view ip, std::uint16_t port);

// As the server knows peers: v4 is v4-mapped; a Unix socket is all zero.
Address to_address(const Endpoint& endpoint);

}  // namespace loop
