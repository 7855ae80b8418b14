#include "client/destination.h"

#include <utility>

namespace client {
namespace {

// A token stands in a header: one visible ASCII word (RFC 6750 section 2.1 is narrower), or it would inject more.
bool token_is_one_word(std::string_view token) {
  for (char c : token) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

std::expected<loop::TlsClientConfig, std::string> tls_for(const Endpoint& endpoint) {
  if (endpoint.tls_verify == Endpoint::Verify::no) return loop::TlsClientConfig::insecure();
  if (!endpoint.tls_ca_file.empty()) return loop::TlsClientConfig::with_roots_file(endpoint.tls_ca_file);
  return loop::TlsClientConfig::with_system_roots();
}

}  // namespace

std::expected<Destination, std::string> Destination::from(const Endpoint& endpoint) {
  auto url = parse_server_url(endpoint.url);
  if (!url) return std::unexpected(url.error());
  if (!token_is_one_word(endpoint.token)) {
    return std::unexpected("The token has a space, a control character or non-ASCII in it.");
  }
  Destination destination;
  destination.url_ = std::move(*url);
  destination.token_ = endpoint.token;
  if (destination.url_.transport == ServerUrl::Transport::tls) {
    auto tls = tls_for(endpoint);
    if (!tls) return std::unexpected(tls.error());
    destination.tls_ = std::move(*tls);
  }
  return destination;
}

std::expected<void, std::string> Destination::resolve() {
  std::string address;
  if (url_.transport == ServerUrl::Transport::unix_socket) {
    address = "unix:" + url_.socket_path;
  } else if (url_.host.find(':') != std::string::npos) {
    address = "[" + url_.host + "]:" + std::to_string(url_.port);
  } else {
    address = url_.host + ":" + std::to_string(url_.port);
  }
  auto found = loop::resolve(address);
  if (!found) return std::unexpected(found.error());
  addresses_ = std::move(*found);
  return {};
}

}  // namespace client
