#include "loop/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "loop/endpoint.h"

namespace loop {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_v4(const std::array<std::uint8_t, 16>& ip) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin());
}

bool same_network(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xff00u >> (bits % 8) & 0xffu;
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

std::optional<Address> parse_ip_or_any(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  Address address;
  if (::inet_pton(AF_INET, terminated.c_str(), address.ip.data() + kMappedPrefix.size()) == 1) {
    std::ranges::copy(kMappedPrefix, address.ip.begin());
    return address;
  }
  if (::inet_pton(AF_INET6, terminated.c_str(), address.ip.data()) == 1) return address;
  return std::nullopt;
}

}  // namespace

bool is_unix(const Address& address) { return address == Address{}; }

std::string ip_to_string(const Address& address) {
  if (is_unix(address)) return "unix";
  char text[INET6_ADDRSTRLEN];
  const bool v4 = is_v4(address.ip);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? address.ip.data() + kMappedPrefix.size() : address.ip.data(), text,
              sizeof text);
  return text;
}

std::string to_string(const Address& address) {
  const std::string ip = ip_to_string(address);
  if (is_unix(address)) return ip;
  const std::string port = ":" + std::to_string(address.port);
  return is_v4(address.ip) ? ip + port : "[" + ip + "]" + port;
}

std::optional<Address> parse_ip(std::string_view text) {
  std::optional<Address> address = parse_ip_or_any(text);
  return address && is_unix(*address) ? std::nullopt : address;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    std::optional<Address> address = parse_ip(text.substr(1, text.size() - 2));
    // Brackets belong to v6 addresses.
    return address && text.find(':') != std::string_view::npos ? address : std::nullopt;
  }
  if (std::optional<Address> address = parse_ip(text)) return address;
  const std::optional<HostPort> parts = split_host_port(text);
  if (!parts) return std::nullopt;
  std::optional<Address> address = parse_ip(parts->host);
  if (!address || text.starts_with('[') != (parts->host.find(':') != std::string_view::npos)) return std::nullopt;
  address->port = parts->port;
  return address;
}

std::expected<NetworkList, std::string> NetworkList::parse(std::span<const std::string> texts) {
  NetworkList list;
  for (const std::string& text : texts) {
    if (text == "unix") {
      list.unix_ = true;
      continue;
    }
    const std::string_view view = text;
    const std::size_t slash = view.find('/');
    const std::string_view ip_text = view.substr(0, slash);
    const std::optional<Address> address = parse_ip_or_any(ip_text);
    if (!address)
      return std::unexpected("\"" + text + "\" is not a network; write 10.0.0.0/8, fd00::/8 or one address");
    // Written as v4, a prefix counts from the v4 part.
    const bool v4 = ip_text.find(':') == std::string_view::npos;
    const unsigned bits_max = v4 ? 32 : 128;
    unsigned bits = bits_max;
    if (slash != std::string_view::npos) {
      const char* const end = view.data() + view.size();
      const auto [stop, error] = std::from_chars(view.data() + slash + 1, end, bits);
      if (error != std::errc() || stop != end || bits > bits_max) {
        return std::unexpected("\"" + text + "\": the prefix length must be a number from 0 to " +
                               std::to_string(bits_max));
      }
    }
    Network network{address->ip, static_cast<std::uint8_t>(v4 ? bits + 96 : bits)};
    Network cleared = network;
    for (unsigned bit = network.bits; bit < 128; ++bit) {
      cleared.ip[bit / 8] = static_cast<std::uint8_t>(cleared.ip[bit / 8] & ~(0x80u >> (bit % 8)));
    }
    // 10.1.2.3/8 is more often a slip than a wish, and in a list of trusted proxies a slip trusts strangers.
    if (cleared.ip != network.ip) {
      return std::unexpected("\"" + text + "\" has bits set behind its prefix; did you mean " +
                             ip_to_string({cleared.ip, 1}) + view.substr(slash).data() + "?");
    }
    list.networks_.push_back(network);
  }
  return list;
}

bool NetworkList::contains(const Address& address) const {
  if (is_unix(address)) return unix_;
  return std::ranges::any_of(
      networks_, [&](const Network& network) { return same_network(address.ip, network.ip, network.bits); });
}

}  // namespace loop
