#include "loop/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "loop/address.h"
#include "loop/endpoint.h"

namespace loop {
namespace {

bool is_v4(const Address& address) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kMapped.begin(), kMapped.end(), address.ip.begin());
}

}  // namespace

std::vector<Address> own_addresses() {
  std::vector<Address> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    const int family = each->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    Endpoint endpoint;
    endpoint.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&endpoint.storage, each->ifa_addr, endpoint.size);
    Address address = to_address(endpoint);
    address.port = 0;
    found.push_back(address);
  }
  ::freeifaddrs(list);
  return found;
}

std::vector<Address> reachable_at(std::string_view listener) {
  const auto parts = unix_path(listener) ? std::nullopt : split_host_port(listener);
  const auto endpoint = parts ? ip_endpoint(parts->host, parts->port) : std::nullopt;
  if (!endpoint) return {};
  const Address bound = to_address(*endpoint);
  const Address any_v4 = to_address(*ip_endpoint("0.0.0.0", parts->port));
  const Address any_v6 = to_address(*ip_endpoint("::", parts->port));
  if (bound != any_v4 && bound != any_v6) return {bound};
  std::vector<Address> found;
  for (Address each : own_addresses()) {
    if (bound == any_v4 && !is_v4(each)) continue;
    each.port = parts->port;
    found.push_back(each);
  }
  return found;
}

}  // namespace loop
