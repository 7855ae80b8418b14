#include "loop/listen.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "loop/endpoint.h"
#include "loop/system_error.h"
#include "loop/tcp_options.h"

namespace loop {

namespace {

enum class Sharing : std::uint8_t { none, port };

// Closes its socket unless it is taken.
class OpenSocket {
 public:
  explicit OpenSocket(int descriptor) : descriptor_(descriptor) {}
  ~OpenSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenSocket(const OpenSocket&) = delete;
  OpenSocket& operator=(const OpenSocket&) = delete;
  int get() const { return descriptor_; }
  int take() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

std::unexpected<std::string> refuse(std::string_view address, std::string_view reason) {
  return std::unexpected(std::string(address) + ": " + std::string(reason));
}

std::string bind_error(int error, std::uint16_t port) {
  switch (error) {
    case EADDRINUSE:
      return "address in use (is another wirebird running?)";
    case EADDRNOTAVAIL:
      return "this machine has no such address";
    case EACCES:
      if (port != 0 && port < 1024) {
        return "no permission for a port below 1024; use a higher one or grant CAP_NET_BIND_SERVICE";
      }
      return "no permission";
    default:
      return error_text(error);
  }
}

int new_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

void set_flag(int socket, int level, int option, int value) {
  const int result = ::setsockopt(socket, level, option, &value, sizeof value);
  ASSERT(result == 0);  // options every Linux since 3.9 has
}

std::expected<SocketId, std::string> bind_tcp(std::string_view address, const Endpoint& endpoint, Sharing sharing) {
  OpenSocket socket(new_socket(endpoint.family()));
  if (socket.get() < 0) return refuse(address, error_text(errno));
  // A restart must not wait for the connections of the last run to leave TIME_WAIT.
  set_flag(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (sharing == Sharing::port) set_flag(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (endpoint.family() == AF_INET6) set_flag(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set_tcp_options(socket.get());
  if (::bind(socket.get(), endpoint.address(), endpoint.size) != 0) {
    return refuse(address, bind_error(errno, to_address(endpoint).port));
  }
  return socket.take();
}

std::expected<SocketId, std::string> listen_tcp(std::string_view address, const Endpoint& endpoint, Sharing sharing,
                                                const ListenOptions& options) {
  std::expected<SocketId, std::string> bound = bind_tcp(address, endpoint, sharing);
  if (!bound) return bound;
  OpenSocket socket(*bound);
  // Two sockets may be bound to a port with SO_REUSEADDR; the second finds out here.
  if (::listen(socket.get(), options.backlog) != 0) {
    return refuse(address, bind_error(errno, to_address(endpoint).port));
  }
  return socket.take();
}

// A machine without IPv6 has IPv4 only.
bool has_ipv6() {
  const OpenSocket socket(new_socket(AF_INET6));
  return socket.get() >= 0 || errno != EAFNOSUPPORT;
}

std::expected<Endpoint, std::string> tcp_endpoint(std::string_view address) {
  const std::optional<HostPort> parts = split_host_port(address);
  if (!parts) {
    return refuse(address, "not an address; write 127.0.0.1:8000, [::1]:8000, :8000 or unix:/path");
  }
  const bool every_address = address.starts_with(':');
  const std::string_view ip = !every_address ? parts->host : has_ipv6() ? "::" : "0.0.0.0";
  const std::optional<Endpoint> endpoint = ip_endpoint(ip, parts->port);
  if (!endpoint) {
    return refuse(address, "not an IP address of this machine; write 127.0.0.1:8000, [::1]:8000 or :8000");
  }
  return *endpoint;
}

// Makes room for a socket file. Only a socket that refuses connections is removed: it was left behind by a process
// that is gone.
std::expected<void, std::string> remove_stale_socket(std::string_view address, const std::string& path,
                                                     const Endpoint& endpoint) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};  // bind() will tell about a missing folder
  if (!S_ISSOCK(status.st_mode)) return refuse(address, "a file that is not a socket is in the way");
  const OpenSocket probe(new_socket(AF_UNIX));
  if (probe.get() < 0) return refuse(address, error_text(errno));
  const bool answered = ::connect(probe.get(), endpoint.address(), endpoint.size) == 0;
  if (answered || (errno != ECONNREFUSED && errno != ENOENT)) {
    // EAGAIN: its backlog is full. EACCES: another user's.
    return refuse(address, "a process is listening on this socket (is another wirebird running?)");
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return refuse(address, "cannot remove the stale socket: " + error_text(errno));
  }
  return {};
}

std::expected<SocketId, std::string> listen_unix(std::string_view address, std::string_view path_view,
                                                 const ListenOptions& options) {
  const std::expected<Endpoint, std::string> endpoint = unix_endpoint(path_view);
  if (!endpoint) return refuse(address, endpoint.error());
  const std::string path(path_view);
  if (std::expected<void, std::string> room = remove_stale_socket(address, path, *endpoint); !room) {
    return std::unexpected(std::move(room.error()));
  }
  OpenSocket socket(new_socket(AF_UNIX));
  if (socket.get() < 0) return refuse(address, error_text(errno));
  if (::bind(socket.get(), endpoint->address(), endpoint->size) != 0) {
    const int error = errno;
    return refuse(address, error == ENOENT ? "the folder does not exist" : bind_error(error, 0));
  }
  // Nobody can connect before listen(), so the mode is right before it counts; a umask is the whole process's.
  if (::chmod(path.c_str(), options.unix_mode) != 0 || ::listen(socket.get(), options.backlog) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return refuse(address, error_text(error));
  }
  return socket.take();
}

void close_all(const std::vector<SocketId>& sockets) {
  for (const SocketId socket : sockets) ::close(socket);
}

std::expected<std::vector<SocketId>, std::string> duplicates(std::string_view address, SocketId first,
                                                             std::size_t count) {
  std::vector<SocketId> listeners{first};
  while (listeners.size() < count) {
    const int copy = ::fcntl(first, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
      const int error = errno;
      close_all(listeners);
      return refuse(address, error_text(error));
    }
    listeners.push_back(copy);
  }
  return listeners;
}

}  // namespace

std::expected<SocketId, std::string> listen_on(std::string_view address, const ListenOptions& options) {
  if (const std::optional<std::string_view> path = unix_path(address)) return listen_unix(address, *path, options);
  const std::expected<Endpoint, std::string> endpoint = tcp_endpoint(address);
  if (!endpoint) return std::unexpected(endpoint.error());
  return listen_tcp(address, *endpoint, Sharing::none, options);
}

std::expected<std::vector<SocketId>, std::string> listen_on_shared(std::string_view address, std::size_t count,
                                                                   const ListenOptions& options) {
  ASSERT(count >= 1);
  if (const std::optional<std::string_view> path = unix_path(address)) {
    const std::expected<SocketId, std::string> first = listen_unix(address, *path, options);
    if (!first) return std::unexpected(first.error());
    return duplicates(address, *first, count);
  }
  std::expected<Endpoint, std::string> endpoint = tcp_endpoint(address);
  if (!endpoint) return std::unexpected(endpoint.error());

  // SO_REUSEPORT would let us in beside another server of the same user. A listener without it does not get in, so one
  // is opened and closed first.
  {
    const std::expected<SocketId, std::string> probe = listen_tcp(address, *endpoint, Sharing::none, options);
    if (!probe) return std::unexpected(probe.error());
    ::close(*probe);
  }

  std::vector<SocketId> listeners;
  while (listeners.size() < count) {
    const std::expected<SocketId, std::string> next = listen_tcp(address, *endpoint, Sharing::port, options);
    if (!next) {
      close_all(listeners);
      return std::unexpected(next.error());
    }
    listeners.push_back(*next);
    if (listeners.size() == 1 && to_address(*endpoint).port == 0) {
      ::getsockname(*next, endpoint->address(), &endpoint->size);
    }
  }
  return listeners;
}

std::uint16_t bound_port(SocketId listener) {
  Endpoint endpoint;
  endpoint.size = sizeof endpoint.storage;
  if (::getsockname(listener, endpoint.address(), &endpoint.size) != 0) return 0;
  return to_address(endpoint).port;
}

}  // namespace loop
