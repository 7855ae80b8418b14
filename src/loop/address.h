// Addresses of peers and networks as text: for logs, `Forwarded` headers and the list of trusted proxies. Pure values.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loop/io.h"

namespace loop {

// "1.2.3.4" or "::1", without port or brackets. The strict forms of inet_pton(3): no octal, no "1.2", no scope.
// Not "::", which is nobody's address and would look like a Unix peer.
std::optional<Address> parse_ip(std::string_view text);

// "1.2.3.4", "1.2.3.4:5", "::1", "[::1]", "[::1]:5": what proxies write into X-Forwarded-For and Forwarded.
std::optional<Address> parse_address(std::string_view text);

// The address without its port: "1.2.3.4", "::1", "unix".
std::string ip_to_string(const Address& address);

bool is_unix(const Address& address);

// A set of networks: "10.0.0.0/8", "fd00::/8", "127.0.0.1" (one address), "unix" (every Unix peer).
class NetworkList {
 public:
  NetworkList() = default;  // contains nobody
  static std::expected<NetworkList, std::string> parse(std::span<const std::string> texts);

  bool contains(const Address& address) const;
  bool empty() const { return networks_.empty() && !unix_; }

 private:
  struct Network {
    std::array<std::uint8_t, 16> ip;
    std::uint8_t bits;  // of 128; v4 networks are v4-mapped
  };
  std::vector<Network> networks_;
  bool unix_ = false;
};

}  // namespace loop
