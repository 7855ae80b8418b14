#include "client/core/server_url.h"

#include <charconv>

namespace client {
namespace {

bool alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool visible(std::string_view text) {
  for (char c : text) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

bool name_or_v4(std::string_view host) {
  for (char c : host) {
    if (!alphanumeric(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return !host.empty();
}

bool v6_literal(std::string_view host) {
  for (char c : host) {
    bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!hex && c != ':' && c != '.') return false;
  }
  return host.find(':') != std::string_view::npos;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void split_target(std::string_view target, ServerUrl& url) {
  auto question = target.find('?');
  if (question != std::string_view::npos) {
    url.query = target.substr(question + 1);
    target = target.substr(0, question);
  }
  while (target.ends_with('/')) target.remove_suffix(1);
  url.path = target;
}

std::expected<ServerUrl, std::string> parse_unix(std::string_view rest) {
  ServerUrl url;
  url.transport = ServerUrl::Transport::unix_socket;
  url.port = 0;
  url.authority = "localhost";
  take_prefix(rest, "//");
  auto colon = rest.find(':');
  url.socket_path = rest.substr(0, colon);
  if (url.socket_path.empty()) return std::unexpected("The URL has no socket path; write unix:/path/to/socket.");
  // sockaddr_un holds 107 bytes and a NUL.
  if (url.socket_path.size() > 107) return std::unexpected("The socket path is longer than 107 bytes.");
  if (colon != std::string_view::npos) {
    std::string_view target = rest.substr(colon + 1);
    if (!target.starts_with('/')) return std::unexpected("After unix:SOCKET: comes a path that starts with '/'.");
    split_target(target, url);
  }
  return url;
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  unsigned value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value == 0 || value > 65535) {
    return std::unexpected("The port is a number from 1 to 65535.");
  }
  return static_cast<std::uint16_t>(value);
}

}  // namespace

std::expected<ServerUrl, std::string> parse_server_url(std::string_view text) {
  if (text.empty()) return std::unexpected("The URL is empty.");
  if (!visible(text))
    return std::unexpected("The URL has a space, a control character or non-ASCII; percent-encode it.");
  if (text.find('#') != std::string_view::npos) return std::unexpected("The URL has a fragment (#).");
  if (take_prefix(text, "unix:")) return parse_unix(text);

  ServerUrl url;
  bool secure = false;
  if (take_prefix(text, "https://") || take_prefix(text, "wss://")) {
    secure = true;
  } else if (!take_prefix(text, "http://") && !take_prefix(text, "ws://") &&
             text.find("://") != std::string_view::npos) {
    return std::unexpected("The URL starts with http, https, ws, wss or unix.");
  }
  url.transport = secure ? ServerUrl::Transport::tls : ServerUrl::Transport::tcp;
  const std::uint16_t default_port = secure ? 443 : 80;
  url.port = default_port;

  auto target_at = text.find_first_of("/?");
  std::string_view authority = text.substr(0, target_at);
  if (target_at != std::string_view::npos) split_target(text.substr(target_at), url);
  if (authority.find('@') != std::string_view::npos) {
    return std::unexpected("A user name in the URL is refused; use a token.");
  }

  std::string_view host = authority;
  std::string_view port;
  bool has_port = false;
  bool literal = host.starts_with('[');
  if (literal) {
    auto bracket = host.find(']');
    if (bracket == std::string_view::npos) return std::unexpected("The address has no closing bracket.");
    std::string_view after = host.substr(bracket + 1);
    host = host.substr(1, bracket - 1);
    if (!v6_literal(host)) return std::unexpected("What stands in brackets is not an IPv6 address.");
    if (!after.empty()) {
      if (!after.starts_with(':')) return std::unexpected("After the bracket comes ':' and a port.");
      has_port = true;
      port = after.substr(1);
    }
  } else {
    auto colon = host.find(':');
    if (colon != std::string_view::npos) {
      has_port = true;
      port = host.substr(colon + 1);
      host = host.substr(0, colon);
    }
    if (!name_or_v4(host)) return std::unexpected("The URL has no valid host name.");
  }
  if (has_port) {
    auto number = parse_port(port);
    if (!number) return std::unexpected(number.error());
    url.port = *number;
  }
  url.host = host;
  url.authority = literal ? "[" + url.host + "]" : url.host;
  if (url.port != default_port) url.authority += ":" + std::to_string(url.port);
  return url;
}

}  // namespace client
