#include "http/origin.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "http/syntax.h"

namespace http {
namespace {

// "https://app.example.com:8443" taken apart; scheme and host in lower case.
struct Origin {
  std::string scheme;
  std::string host;
  std::string_view port;  // digits; empty: the default one
};

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

// A host (is_host) into name and port; the scheme's default port counts as none.
void split_host(std::string_view host, Origin& origin) {
  const std::size_t bracket = host.find(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  origin.host = lowered(host.substr(0, colon));
  if (colon != std::string_view::npos) origin.port = host.substr(colon + 1);
  const std::string_view default_port = origin.scheme == "https" ? "443" : origin.scheme == "http" ? "80" : "";
  if (origin.port == default_port) origin.port = {};
}

// scheme "://" host [ ":" port ] and nothing else (RFC 6454 section 6.2); `null` is not among them.
std::optional<Origin> parse_origin(std::string_view text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos || !is_token(text.substr(0, end)) || !is_host(text.substr(end + 3)))
    return std::nullopt;
  Origin origin;
  origin.scheme = lowered(text.substr(0, end));
  split_host(text.substr(end + 3), origin);
  return origin;
}

bool same(const Origin& a, const Origin& b) { return a.scheme == b.scheme && a.host == b.host && a.port == b.port; }

// A plain request may have come over TLS to a proxy that took it off, so its page may be either kind; a request that
// came to us by TLS has no excuse.
bool is_same_origin(const Origin& origin, const Request& request, const OriginRules& rules) {
  if (request.host.empty()) return false;
  if (origin.scheme != "https" && (rules.tls || origin.scheme != "http")) return false;
  Origin ours;
  ours.scheme = origin.scheme;
  split_host(request.host, ours);
  return same(origin, ours);
}

bool is_loopback(const Origin& origin) {
  if (origin.scheme != "http" && origin.scheme != "https") return false;
  return origin.host == "localhost" || origin.host == "127.0.0.1" || origin.host == "[::1]";
}

// Four decimal numbers, the first 127: a name such as 127.0.0.1.example.com is none.
bool is_loopback_ipv4(std::string_view name) {
  for (int part = 0; part < 4; ++part) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || number > 255 || (part == 0 && number != 127)) return false;
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    if (part == 3) return name.empty();
    if (!name.starts_with('.')) return false;
    name.remove_prefix(1);
  }
  return false;
}

bool is_listed(std::string_view text, const std::optional<Origin>& origin, std::span<const std::string> allowed) {
  return std::ranges::any_of(allowed, [&](const std::string& entry) {
    if (entry == text) return true;
    const std::optional<Origin> listed = parse_origin(entry);
    return origin && listed && same(*origin, *listed);
  });
}

}  // namespace

bool is_name_of_this_machine(std::string_view host) {
  if (!is_host(host)) return false;
  Origin ours;
  split_host(host, ours);
  const std::string_view name = ours.host;
  return name == "localhost" || name.ends_with(".localhost") || name == "[::1]" || is_loopback_ipv4(name);
}

std::expected<std::string, base::Error> check_origin(const Request& request, const OriginRules& rules) {
  if (request.count("Origin") == 0) return std::string{};
  const std::optional<std::string_view> text = request.find("Origin");
  if (!text || text->empty()) return std::unexpected(base::Error::origin);
  const std::optional<Origin> origin = parse_origin(*text);
  if (origin && is_same_origin(*origin, request, rules)) return std::string{};
  if (std::ranges::find(rules.allowed, "*") != rules.allowed.end()) return "*";
  if (!origin && *text != "null") return std::unexpected(base::Error::origin);
  const bool allowed =
      is_listed(*text, origin, rules.allowed) || (rules.allow_loopback && origin && is_loopback(*origin));
  if (!allowed) return std::unexpected(base::Error::origin);
  return std::string(*text);
}

}  // namespace http
