#include "loop/connect.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "loop/system_error.h"
#include "loop/tcp_options.h"

namespace loop {

std::expected<std::vector<Endpoint>, std::string> resolve(std::string_view address) {
  const std::string name(address);
  if (const std::optional<std::string_view> path = unix_path(address)) {
    const std::expected<Endpoint, std::string> endpoint = unix_endpoint(*path);
    if (!endpoint) return std::unexpected(name + ": " + endpoint.error());
    return std::vector{*endpoint};
  }
  const std::optional<HostPort> parts = split_host_port(address);
  if (!parts || parts->host.empty()) return std::unexpected(name + ": not an address; write host:port or unix:/path");
  if (const std::optional<Endpoint> endpoint = ip_endpoint(parts->host, parts->port)) return std::vector{*endpoint};

  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string host(parts->host);
  const int result = ::getaddrinfo(host.c_str(), std::to_string(parts->port).c_str(), &hints, &list);
  if (result != 0) {
    return std::unexpected(name + ": " + (result == EAI_SYSTEM ? error_text(errno) : ::gai_strerror(result)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, &::freeaddrinfo);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    Endpoint& endpoint = endpoints.emplace_back();
    std::memcpy(&endpoint.storage, entry->ai_addr, entry->ai_addrlen);
    endpoint.size = entry->ai_addrlen;
  }
  return endpoints;
}

std::expected<SocketId, std::string> start_connect(const Endpoint& endpoint) {
  const int socket = ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::unexpected("cannot open a socket: " + error_text(errno));
  set_tcp_options(socket);
  if (::connect(socket, endpoint.address(), endpoint.size) == 0 || errno == EINPROGRESS || errno == EINTR) {
    return socket;
  }
  const int error = errno;
  ::close(socket);
  return std::unexpected("cannot connect to " + to_string(to_address(endpoint)) + ": " + error_text(error));
}

std::expected<void, std::string> finish_connect(SocketId socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0) return {};
  return std::unexpected("cannot connect: " + error_text(error));
}

}  // namespace loop
