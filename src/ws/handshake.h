// The opening handshake (RFC 6455 section 4) as values: checks a request's headers and says what to answer; makes a
// client's request and checks the server's answer. No I/O, stateless, any thread.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/error.h"
#include "http/request.h"
#include "ws/deflate_params.h"

namespace ws {

enum class DeflateOffer : std::uint8_t { refuse, no_context_takeover, context_takeover };

struct ServerOptions {
  std::span<const std::string_view> subprotocols;  // ours, best first; "wirebird.bearer.*" is never chosen
  DeflateOffer deflate = DeflateOffer::refuse;
};

struct Accepted {
  std::string accept;       // Sec-WebSocket-Accept
  std::string subprotocol;  // empty: none
  std::string extensions;   // Sec-WebSocket-Extensions value, empty: none
  DeflateParams deflate;
};

// True if the request asks for a WebSocket at all (GET, Upgrade: websocket among its tokens).
bool asks_for_websocket(const http::Request& request) noexcept;
// Checks method, version, Host, Upgrade, Connection, Key (16 bytes of base64), Version 13, no body. Errors:
// bad_handshake (400), upgrade_required (426, version), bad_extension (400), method_not_allowed.
std::expected<Accepted, base::Error> accept(const http::Request& request, const ServerOptions& options);
// Tokens of every Sec-WebSocket-Protocol header; nullopt if one is not an RFC 9110 token or is doubled.
std::expected<std::vector<std::string_view>, base::Error> offered_subprotocols(const http::Request& request);
// The bytes of the 101 answer.
std::string switching_protocols(const Accepted& accepted);

struct ClientOptions {
  std::string host;  // Host header, with the port where it is not the default
  std::string target = "/";
  std::vector<std::string> subprotocols;
  std::vector<std::pair<std::string, std::string>> headers;
  bool deflate = false;
};

struct ClientHandshake {
  std::string request;  // bytes to send
  std::string key;
};
ClientHandshake start(const ClientOptions& options, base::Entropy& entropy);

struct Established {
  std::string subprotocol;
  DeflateParams deflate;
};
// Checks status 101, Upgrade, Connection, Accept, that subprotocol and extensions were offered (section 4.1).
std::expected<Established, base::Error> finish(const ClientHandshake& handshake, const ClientOptions& options,
                                               const http::ResponseHead& response);

}  // namespace ws
