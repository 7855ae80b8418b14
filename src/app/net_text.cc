#include "app/net_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace app {
namespace {

constexpr std::size_t kUnixPathMax = 107;  // sun_path of unix(7) without its NUL

// Address of 4 or 16 bytes.
struct Ip {
  std::array<std::uint8_t, 16> bytes{};
  unsigned size = 0;
};

std::optional<Ip> parse_ip(std::string_view text) {
  const std::string terminated(text);
  if (terminated.contains('\0')) return std::nullopt;
  Ip ip;
  if (inet_pton(AF_INET, terminated.c_str(), ip.bytes.data()) == 1) {
    ip.size = 4;
  } else if (inet_pton(AF_INET6, terminated.c_str(), ip.bytes.data()) == 1) {
    ip.size = 16;
  } else {
    return std::nullopt;
  }
  return ip;
}

template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number number{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stop == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;
  bool brackets = false;
};

std::optional<HostPort> split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  HostPort parts{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
  if (parts.host.starts_with('[') && parts.host.ends_with(']')) {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
    parts.brackets = true;
  }
  return parts;
}

}  // namespace

std::expected<server::Listener, std::string> parse_listener(std::string_view text) {
  constexpr std::string_view kForms =
      "write IP:PORT such as 127.0.0.1:8000, 0.0.0.0:8000 (every IPv4 address of the machine) or [::]:8000 (every "
      "address), or unix:/path; https:// in front for TLS";
  server::Listener listener;
  if (text.starts_with("https://")) {
    listener.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  }
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    if (!path.starts_with('/') || path.size() > kUnixPathMax || path.contains('\0')) {
      return std::unexpected(fmt::format("needs an absolute path of at most {} bytes after unix:", kUnixPathMax));
    }
    listener.address = text;
    return listener;
  }
  if (text.ends_with('/')) text.remove_suffix(1);  // as copied from a browser
  const auto parts = split_host_port(text);
  if (!parts) return std::unexpected(fmt::format("has no port; {}", kForms));
  const auto port = parse_whole<std::uint16_t>(parts->port);
  if (!port) return std::unexpected("needs a port of 0 to 65535 after the last colon (0: any free one)");
  if (parts->host == "localhost" && !parts->brackets) {
    listener.address = fmt::format("127.0.0.1:{}", *port);
    return listener;
  }
  const auto ip = parse_ip(parts->host);
  if (!ip || parts->brackets != (ip->size == 16)) return std::unexpected(fmt::format("has no IP address; {}", kForms));
  listener.address =
      parts->brackets ? fmt::format("[{}]:{}", parts->host, *port) : fmt::format("{}:{}", parts->host, *port);
  return listener;
}

bool is_loopback(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  const auto parts = split_host_port(address);
  const auto ip = parts ? parse_ip(parts->host) : std::nullopt;
  if (!ip) return false;
  if (ip->size == 4) return ip->bytes[0] == 127;
  std::array<std::uint8_t, 16> loopback{};  // ::1
  loopback[15] = 1;
  return ip->bytes == loopback;
}

std::expected<void, std::string> check_network(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::unexpected("is not an IP address or network; write 10.0.0.7, 10.0.0.0/8 or fd00::/8");
  if (slash == text.size()) return {};
  const auto bits = parse_whole<unsigned>(text.substr(slash + 1));
  if (!bits || *bits > ip->size * 8) {
    return std::unexpected(fmt::format("needs a number of 0 to {} after the slash", ip->size * 8));
  }
  for (unsigned bit = *bits; bit < ip->size * 8; ++bit) {
    if ((ip->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      return std::unexpected(
          fmt::format("names one address and not a network: bits are set behind the first {}", *bits));
    }
  }
  return {};
}

std::expected<void, std::string> check_origin(std::string_view text) {
  if (text == "*") return {};
  const std::size_t scheme_end = text.find("://");
  const std::string_view host = scheme_end == std::string_view::npos ? "" : text.substr(scheme_end + 3);
  const bool printable = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
  const bool lower = std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (scheme_end == 0 || host.empty() || host.find_first_of("/?#@*,") != std::string_view::npos || !printable ||
      !lower) {
    return std::unexpected(
        "is not an origin as browsers send it: scheme://host or scheme://host:port in lower case, nothing behind it "
        "and "
        "no wildcard, for example https://app.example.com");
  }
  if (text.starts_with("https://") && host.ends_with(":443"))
    return std::unexpected("names the port that browsers leave out; take :443 away");
  if (text.starts_with("http://") && host.ends_with(":80"))
    return std::unexpected("names the port that browsers leave out; take :80 away");
  return {};
}

}  // namespace app
