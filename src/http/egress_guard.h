// Where the server itself may send requests to (threat T44): URLs are read so strictly that nobody after us can read
// them differently, and every address is judged when it is about to be connected to, so that a name may resolve to
// whatever it likes. Pure: names are resolved elsewhere. Stateless; any thread.
//
// Spellings that resolvers take for addresses and people for names (1.1, 0x7f.1, 2130706433, 0177.0.0.1, 127.0.0.1.,
// full-width digits, %31) are refused and not interpreted.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace http {

// As loop::Address: IPv4 is v4-mapped.
using IpBytes = std::array<std::uint8_t, 16>;

struct EgressUrl {
  enum class Scheme : std::uint8_t { http, https } scheme = Scheme::http;
  std::string host;  // lower case, without brackets
  std::uint16_t port = 0;
  std::string target;         // "/path?query", at least "/"
  std::optional<IpBytes> ip;  // if the host is an address

  // The same URL, in the one spelling that is left.
  std::string text() const;
};

inline constexpr std::size_t kEgressUrlBytesMax = 2048;

enum class EgressDenial : std::uint8_t {
  none,
  // of URLs
  too_long,
  characters,  // white space, controls, quotes, backslash, anything but ASCII
  scheme,      // neither http nor https
  user,        // user:password@
  host,        // no host, or one that is no name and no address
  number,      // an address in another spelling than 1.2.3.4
  port,        // 0, not a number, or not on the list
  fragment,    // #...
  // of addresses
  unspecified,
  loopback,
  link_local,
  metadata,  // of a cloud: credentials for whoever asks
  private_network,
  shared,        // RFC 6598: behind a carrier's NAT
  multicast,     // and broadcast
  reserved,      // documentation, tests, protocols, not handed out
  translated,    // IPv4 inside IPv6 by a mechanism that nobody needs any more
  own_listener,  // the server would ask itself
};
std::string_view to_string(EgressDenial denial);  // the end of a sentence: "has a user or password in it"

std::expected<EgressUrl, EgressDenial> parse_egress_url(std::string_view text);

struct OwnListener {
  IpBytes ip;
  std::uint16_t port;
};

struct EgressRules {
  // The networks of the machine and of the operator too (loopback, RFC 1918, RFC 4193, RFC 6598): only for URLs that
  // the operator wrote. Link-local, metadata, multicast and the like stay closed.
  bool private_too = false;
  std::span<const std::uint16_t> ports;  // empty: all but 0
  std::span<const OwnListener> own;      // every address and port on which this server listens
};

// For URLs that did not come from the operator: those of web servers.
inline constexpr std::array<std::uint16_t, 4> kWebPorts = {80, 443, 8080, 8443};

// none: the connection may be made. Asked for each address of a name, right before it is used.
EgressDenial check_egress(const IpBytes& ip, std::uint16_t port, const EgressRules& rules);

// The strict form only: "1.2.3.4" or, with `brackets`, what stands between them.
std::optional<IpBytes> parse_ipv4(std::string_view text);
std::optional<IpBytes> parse_ipv6(std::string_view text);

}  // namespace http
