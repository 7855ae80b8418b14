#include "http/egress_guard.h"

#include <algorithm>
#include <charconv>

namespace http {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// RFC 3986 section 2, without what only looks harmless: no backslash, quotes or braces, no raw non-ASCII.
constexpr bool is_url_char(char c) {
  constexpr std::string_view kMarks = "-._~:/?#[]@!$&'()*+,;=%";
  return is_digit(c) || is_letter(c) || (c >= 'A' && c <= 'Z') || kMarks.find(c) != std::string_view::npos;
}

// Some resolver would take a host with such a last label for a number (WHATWG URL, "ends in a number").
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.starts_with("0x")) return std::all_of(label.begin() + 2, label.end(), is_hex);
  return !label.empty() && std::ranges::all_of(label, is_digit);
}

bool is_label(std::string_view label) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, fits) && label.front() != '-' &&
         label.back() != '-';
}

// Of letters, digits, - and _ (container networks have names with it).
bool is_name(std::string_view host) {
  if (host.size() > 253) return false;
  while (true) {
    const std::size_t dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

struct Network {
  IpBytes ip;
  std::uint8_t bits;
  EgressDenial denial;
};

constexpr IpBytes v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}
constexpr IpBytes v6(std::uint16_t a, std::uint16_t b = 0, std::uint16_t c = 0, std::uint16_t d = 0,
                     std::uint16_t e = 0, std::uint16_t f = 0, std::uint16_t g = 0, std::uint16_t h = 0) {
  IpBytes ip{};
  const std::array<std::uint16_t, 8> words = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) {
    ip[2 * i] = static_cast<std::uint8_t>(words[i] >> 8);
    ip[2 * i + 1] = static_cast<std::uint8_t>(words[i] & 0xff);
  }
  return ip;
}

using enum EgressDenial;

// The first that contains an address decides. Sources: the special-purpose registries of IANA (RFC 6890 and after),
// and the pages of the clouds for their metadata.
constexpr auto kNetworks = std::to_array<Network>({
    {v4(169, 254, 169, 254), 128, metadata},                   // AWS, Google, Azure, DigitalOcean, ...
    {v4(169, 254, 170, 2), 128, metadata},                     // AWS ECS
    {v4(100, 100, 100, 200), 128, metadata},                   // Alibaba
    {v4(168, 63, 129, 16), 128, metadata},                     // Azure's wire server
    {v4(192, 0, 0, 192), 128, metadata},                       // Oracle
    {v6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128, metadata},  // AWS
    {v6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23), 128, metadata},   // AWS EKS
    {v6(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128, metadata},   // Google
    {v4(0, 0, 0, 0), 104, unspecified},
    {v4(127, 0, 0, 0), 104, loopback},
    {v4(10, 0, 0, 0), 104, private_network},
    {v4(172, 16, 0, 0), 108, private_network},
    {v4(192, 168, 0, 0), 112, private_network},
    {v4(100, 64, 0, 0), 106, shared},
    {v4(169, 254, 0, 0), 112, link_local},
    {v4(192, 0, 0, 0), 120, reserved},
    {v4(192, 0, 2, 0), 120, reserved},
    {v4(192, 88, 99, 0), 120, reserved},
    {v4(198, 18, 0, 0), 111, reserved},
    {v4(198, 51, 100, 0), 120, reserved},
    {v4(203, 0, 113, 0), 120, reserved},
    {v4(224, 0, 0, 0), 100, multicast},
    {v4(255, 255, 255, 255), 128, multicast},
    {v4(240, 0, 0, 0), 100, reserved},
    {v4(0, 0, 0, 0), 96, none},  // the rest of IPv4
    {v6(0), 128, unspecified},
    {v6(0, 0, 0, 0, 0, 0, 0, 1), 128, loopback},
    {v6(0), 96, translated},                      // IPv4-compatible
    {v6(0, 0, 0, 0, 0xffff, 0), 96, translated},  // RFC 2765
    {v6(0x64, 0xff9b, 1), 48, translated},        // RFC 8215: NAT64 inside one network
    {v6(0xfc00), 7, private_network},
    {v6(0xfe80), 10, link_local},
    {v6(0xfec0), 10, private_network},  // site-local, RFC 3879
    {v6(0xff00), 8, multicast},
    {v6(0x2001, 0), 32, translated},  // Teredo
    {v6(0x2002), 16, translated},     // 6to4
    {v6(0x2001, 0), 23, reserved},    // protocols
    {v6(0x2001, 0xdb8), 32, reserved},
    {v6(0x3fff), 20, reserved},
    {v6(0x5f00), 16, reserved},
    {v6(0x2000), 3, none},  // global unicast
});

bool contains(const Network& network, const IpBytes& ip) {
  const std::size_t whole = network.bits / 8U;
  if (!std::equal(ip.begin(), ip.begin() + static_cast<std::ptrdiff_t>(whole), network.ip.begin())) return false;
  const unsigned rest = network.bits % 8U;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8 - rest);
  return ((ip[whole] ^ network.ip[whole]) & mask) == 0;
}

// NAT64 (RFC 6052): how a machine with IPv6 only reaches IPv4. Judged is where it ends. ISATAP (RFC 5214) hides an
// IPv4 address in the lower half of any prefix.
IpBytes destination_of(const IpBytes& ip) {
  constexpr Network kNat64{v6(0x64, 0xff9b), 96, none};
  if (contains(kNat64, ip)) return v4(ip[12], ip[13], ip[14], ip[15]);
  return ip;
}
bool is_isatap(const IpBytes& ip) {
  const bool v4_mapped = contains({v4(0, 0, 0, 0), 96, none}, ip);
  return !v4_mapped && (ip[8] & 0xfcU) == 0 && ip[9] == 0 && ip[10] == 0x5e && ip[11] == 0xfe;
}

EgressDenial denial_of(const IpBytes& ip) {
  if (is_isatap(ip)) return translated;
  const auto found = std::ranges::find_if(kNetworks, [&](const Network& each) { return contains(each, ip); });
  return found == kNetworks.end() ? reserved : found->denial;  // what is not handed out yet
}

std::expected<std::uint16_t, EgressDenial> parse_port(std::string_view digits) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number == 0) return std::unexpected(port);
  return number;
}

}  // namespace

std::string_view to_string(EgressDenial denial) {
  switch (denial) {
    case none:
      return "is fine";
    case too_long:
      return "is longer than 2048 bytes";
    case characters:
      return "has a character in it that does not belong into a URL";
    case scheme:
      return "does not begin with http:// or https://";
    case user:
      return "has a user or password in it; send a header instead";
    case host:
      return "has a host that is neither a name of letters, digits, - and . nor an address";
    case number:
      return "has a number as its host; write an address as 1.2.3.4";
    case port:
      return "has a port that is none, or none that may be used";
    case fragment:
      return "has a # in it";
    case unspecified:
      return "leads to 0.0.0.0 or ::";
    case loopback:
      return "leads to this machine";
    case link_local:
      return "leads to a link-local address";
    case metadata:
      return "leads to the metadata of a cloud";
    case private_network:
      return "leads to a private network";
    case shared:
      return "leads to the network of a carrier";
    case multicast:
      return "leads to many machines at once";
    case reserved:
      return "leads to an address that is reserved";
    case translated:
      return "leads to an IPv4 address hidden in an IPv6 address";
    case own_listener:
      break;
  }
  return "leads back to this server";
}

std::optional<IpBytes> parse_ipv4(std::string_view text) {
  IpBytes ip = v4(0, 0, 0, 0);
  for (std::size_t part = 0; part < 4; ++part) {
    const std::size_t dot = text.find('.');
    const std::string_view digits = text.substr(0, dot);
    if ((dot == std::string_view::npos) != (part == 3)) return std::nullopt;
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
    if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
    unsigned value = 0;
    for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 255) return std::nullopt;
    ip[12 + part] = static_cast<std::uint8_t>(value);
    text.remove_prefix(std::min(dot + 1, text.size()));
    if (part == 3) return ip;
    if (text.empty()) return std::nullopt;
  }
  return std::nullopt;
}

// RFC 4291 section 2.2: eight groups of one to four hex digits, at most one "::", the last two may be an IPv4 address.
std::optional<IpBytes> parse_ipv6(std::string_view text) {
  IpBytes ip{};
  std::size_t at = 0;  // bytes that are filled
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (at == 16) return std::nullopt;
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, end);
    if (group.find('.') != std::string_view::npos) {
      const auto ipv4 = parse_ipv4(group);
      if (!ipv4 || end != text.size() || at > 12) return std::nullopt;
      std::copy(ipv4->begin() + 12, ipv4->end(), ip.begin() + static_cast<std::ptrdiff_t>(at));
      at += 4;
      break;
    }
    if (group.empty() || group.size() > 4) return std::nullopt;
    const std::string digits = lower(group);
    if (!std::ranges::all_of(digits, is_hex)) return std::nullopt;
    unsigned value = 0;
    for (const char c : digits) value = value * 16 + static_cast<unsigned>(is_digit(c) ? c - '0' : c - 'a' + 10);
    ip[at++] = static_cast<std::uint8_t>(value >> 8);
    ip[at++] = static_cast<std::uint8_t>(value & 0xff);
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (gap) return std::nullopt;
      gap = at;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return std::nullopt;  // ends with one colon
    }
  }
  if (!gap) return at == 16 ? std::optional(ip) : std::nullopt;
  if (at == 16) return std::nullopt;  // nothing is left that "::" could stand for
  std::rotate(ip.begin() + static_cast<std::ptrdiff_t>(*gap), ip.begin() + static_cast<std::ptrdiff_t>(at), ip.end());
  return ip;
}

std::expected<EgressUrl, EgressDenial> parse_egress_url(std::string_view text) {
  if (text.size() > kEgressUrlBytesMax) return std::unexpected(too_long);
  if (!std::ranges::all_of(text, is_url_char)) return std::unexpected(characters);
  EgressUrl url;
  const std::size_t colon = text.find("://");
  const std::string name = lower(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (name != "http" && name != "https") return std::unexpected(scheme);
  url.scheme = name == "http" ? EgressUrl::Scheme::http : EgressUrl::Scheme::https;
  text.remove_prefix(colon + 3);
  if (text.find('#') != std::string_view::npos) return std::unexpected(fragment);

  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (url.target.find_first_of("[]") != std::string::npos) return std::unexpected(characters);
  if (authority.find('@') != std::string_view::npos) return std::unexpected(user);

  std::string_view rest;  // behind the host
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return std::unexpected(host);
    url.host = lower(authority.substr(1, close - 1));
    url.ip = parse_ipv6(url.host);
    if (!url.ip) return std::unexpected(host);
    rest = authority.substr(close + 1);
  } else {
    const std::size_t host_end = std::min(authority.find(':'), authority.size());
    url.host = lower(authority.substr(0, host_end));
    rest = authority.substr(host_end);
    if (ends_in_number(url.host)) {
      url.ip = parse_ipv4(url.host);
      if (!url.ip) return std::unexpected(number);
    } else if (!is_name(url.host)) {
      return std::unexpected(host);
    }
  }
  url.port = url.scheme == EgressUrl::Scheme::http ? 80 : 443;
  if (rest.empty()) return url;
  if (!rest.starts_with(':')) return std::unexpected(host);
  const auto given = parse_port(rest.substr(1));
  if (!given) return std::unexpected(given.error());
  url.port = *given;
  return url;
}

std::string EgressUrl::text() const {
  std::string out = scheme == Scheme::http ? "http://" : "https://";
  const bool brackets = host.find(':') != std::string::npos;
  out += brackets ? "[" + host + "]" : host;
  out += ':' + std::to_string(port) + target;
  return out;
}

EgressDenial check_egress(const IpBytes& ip, std::uint16_t port_number, const EgressRules& rules) {
  const IpBytes destination = destination_of(ip);
  const EgressDenial denial = denial_of(destination);
  const bool of_operator = denial == loopback || denial == private_network || denial == shared;
  if (denial != none && !(rules.private_too && of_operator)) return denial;
  const bool listed = rules.ports.empty() || std::ranges::find(rules.ports, port_number) != rules.ports.end();
  if (port_number == 0 || !listed) return port;
  const bool own = std::ranges::any_of(
      rules.own, [&](const OwnListener& each) { return each.port == port_number && each.ip == destination; });
  return own ? own_listener : none;
}

}  // namespace http
