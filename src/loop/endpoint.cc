#include "loop/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace loop {

std::optional<HostPort> split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  HostPort result{host, 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) {
    result.host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // a v6 address without brackets: where it ends is a guess
  }
  return result;
}

std::optional<std::string_view> unix_path(std::string_view address) {
  constexpr std::string_view kPrefix = "unix:";
  if (!address.starts_with(kPrefix)) return std::nullopt;
  return address.substr(kPrefix.size());
}

std::expected<Endpoint, std::string> unix_endpoint(std::string_view path) {
  sockaddr_un address{};
  if (path.empty()) return std::unexpected("the path is missing");
  if (path.find('\0') != std::string_view::npos) return std::unexpected("the path contains a zero byte");
  if (path.size() >= sizeof address.sun_path) {
    return std::unexpected("the path is longer than " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  Endpoint endpoint;
  std::memcpy(&endpoint.storage, &address, sizeof address);
  endpoint.size = sizeof address;
  return endpoint;
}

std::optional<Endpoint> ip_endpoint(std::string_view ip, std::uint16_t port) {
  Endpoint endpoint;
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, std::string(ip).c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&endpoint.storage, &v4, sizeof v4);
    endpoint.size = sizeof v4;
    return endpoint;
  }
  sockaddr_in6 v6{};
  const std::size_t percent = ip.find('%');
  if (::inet_pton(AF_INET6, std::string(ip.substr(0, percent)).c_str(), &v6.sin6_addr) != 1) return std::nullopt;
  if (percent != std::string_view::npos) {
    v6.sin6_scope_id = ::if_nametoindex(std::string(ip.substr(percent + 1)).c_str());
    if (v6.sin6_scope_id == 0) return std::nullopt;
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&endpoint.storage, &v6, sizeof v6);
  endpoint.size = sizeof v6;
  return endpoint;
}

Address to_address(const Endpoint& endpoint) {
  Address address;
  if (endpoint.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &endpoint.storage, sizeof v4);
    address.ip[10] = 0xff;
    address.ip[11] = 0xff;
    std::memcpy(&address.ip[12], &v4.sin_addr, 4);
    address.port = ntohs(v4.sin_port);
  } else if (endpoint.family() == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &endpoint.storage, sizeof v6);
    std::memcpy(address.ip.data(), &v6.sin6_addr, 16);
    address.port = ntohs(v6.sin6_port);
  }
  return address;
}

}  // namespace loop
