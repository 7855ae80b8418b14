#include "ws/handshake.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "codec/base64.h"
#include "codec/sha1.h"
#include "http/syntax.h"
#include "ws/deflate_negotiation.h"
#include "ws/extension_list.h"

namespace ws {
namespace {

constexpr std::string_view kVersion = "13";
constexpr std::size_t kKeyBytes = 16;
constexpr std::string_view kProtocolHeader = "Sec-WebSocket-Protocol";
// Carries a token from browsers, which cannot set headers; echoing it would show the secret to logs (protocol.md).
constexpr std::string_view kBearerPrefix = "wirebird.bearer.";

// RFC 6455 section 4.2.2, step 5.4.
std::string accept_key(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const std::array<char, 20> digest = codec::sha1(text);
  return codec::base64_encode({digest.data(), digest.size()});
}

bool key_valid(std::string_view key) {
  const auto bytes = codec::base64_decode(key);
  return bytes.has_value() && bytes->size() == kKeyBytes;
}

base::Error check_request(const http::Request& request) {
  using base::Error;
  if (request.method != "GET") return Error::method_not_allowed;
  if (!request.has_token("Upgrade", "websocket")) return Error::upgrade_required;
  if (request.minor_version < 1 || request.has_body || request.count("Host") != 1) return Error::bad_handshake;
  if (!request.has_token("Connection", "upgrade")) return Error::bad_handshake;
  if (request.count("Sec-WebSocket-Version") != 1) return Error::bad_handshake;
  if (request.find("Sec-WebSocket-Version") != kVersion) return Error::upgrade_required;
  if (!key_valid(request.find("Sec-WebSocket-Key").value_or(""))) return Error::bad_handshake;
  return Error::none;
}

std::string choose_subprotocol(std::span<const std::string_view> ours, const std::vector<std::string_view>& offered) {
  for (const std::string_view each : ours) {
    if (each.starts_with(kBearerPrefix)) continue;
    if (std::ranges::find(offered, each) != offered.end()) return std::string(each);
  }
  return {};
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  // A line break here would be header injection by our own caller (T42).
  ASSERT(http::is_token(name));
  ASSERT(std::ranges::all_of(value, http::is_field_value_char));
  out.append(name).append(": ").append(value).append("\r\n");
}

// The extensions of an answer to our request: at most the one we offered, once.
std::expected<DeflateParams, base::Error> take_extensions(const http::ResponseHead& response, bool offered) {
  const auto extensions = read_extensions(response);
  if (!extensions.has_value()) return std::unexpected(base::Error::bad_extension);
  if (extensions->empty()) return DeflateParams{};
  if (!offered || extensions->size() > 1) return std::unexpected(base::Error::bad_extension);
  const auto params = take_deflate_answer(extensions->front());
  if (!params.has_value()) return std::unexpected(base::Error::bad_extension);
  return *params;
}

}  // namespace

bool asks_for_websocket(const http::Request& request) noexcept {
  return request.method == "GET" && request.has_token("Upgrade", "websocket");
}

std::expected<std::vector<std::string_view>, base::Error> offered_subprotocols(const http::Request& request) {
  std::vector<std::string_view> offered;
  for (const http::Header& header : request.headers) {
    if (!http::same_name(header.name, kProtocolHeader)) continue;
    for (std::string_view list = header.value; !list.empty();) {
      const std::string_view element = http::take_element(list);
      if (element.empty()) continue;  // RFC 9110 section 5.6.1 lets lists have empty elements
      if (!http::is_token(element)) return std::unexpected(base::Error::bad_handshake);
      offered.push_back(element);
    }
  }
  std::vector<std::string_view> sorted = offered;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) return std::unexpected(base::Error::bad_handshake);
  return offered;
}

std::expected<Accepted, base::Error> accept(const http::Request& request, const ServerOptions& options) {
  if (const base::Error error = check_request(request); error != base::Error::none) return std::unexpected(error);
  const auto offered = offered_subprotocols(request);
  if (!offered.has_value()) return std::unexpected(offered.error());
  const auto extensions = read_extensions(request);
  if (!extensions.has_value()) return std::unexpected(base::Error::bad_extension);

  Accepted accepted;
  accepted.accept = accept_key(*request.find("Sec-WebSocket-Key"));
  accepted.subprotocol = choose_subprotocol(options.subprotocols, *offered);
  if (options.deflate == DeflateOffer::refuse) return accepted;
  const auto takeover =
      options.deflate == DeflateOffer::context_takeover ? ContextTakeover::if_agreed : ContextTakeover::no;
  // The client lists its offers best first (RFC 7692 section 5).
  for (const Extension& offer : *extensions) {
    auto answer = answer_deflate(offer, takeover);
    if (!answer.has_value()) continue;
    accepted.deflate = answer->params;
    accepted.extensions = std::move(answer->extension);
    break;
  }
  return accepted;
}

std::string switching_protocols(const Accepted& accepted) {
  std::string out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  append_header(out, "Sec-WebSocket-Accept", accepted.accept);
  if (!accepted.subprotocol.empty()) append_header(out, kProtocolHeader, accepted.subprotocol);
  if (!accepted.extensions.empty()) append_header(out, kExtensionsHeader, accepted.extensions);
  out += "\r\n";
  return out;
}

ClientHandshake start(const ClientOptions& options, base::Entropy& entropy) {
  std::string random;
  while (random.size() < kKeyBytes) random.push_back(static_cast<char>(entropy.next() >> 56));
  ClientHandshake handshake{.request = {}, .key = codec::base64_encode(random)};

  std::string& out = handshake.request;
  ASSERT(options.target.starts_with('/') && options.target.find_first_of(" \r\n") == std::string::npos);
  out.append("GET ").append(options.target).append(" HTTP/1.1\r\n");
  append_header(out, "Host", options.host);
  append_header(out, "Upgrade", "websocket");
  append_header(out, "Connection", "Upgrade");
  append_header(out, "Sec-WebSocket-Key", handshake.key);
  append_header(out, "Sec-WebSocket-Version", kVersion);
  std::string subprotocols;
  for (const std::string& each : options.subprotocols) {
    ASSERT(http::is_token(each));
    if (!subprotocols.empty()) subprotocols += ", ";
    subprotocols += each;
  }
  if (!subprotocols.empty()) append_header(out, kProtocolHeader, subprotocols);
  if (options.deflate) append_header(out, kExtensionsHeader, kDeflateOffer);
  for (const auto& [name, value] : options.headers) append_header(out, name, value);
  out += "\r\n";
  return handshake;
}

std::expected<Established, base::Error> finish(const ClientHandshake& handshake, const ClientOptions& options,
                                               const http::ResponseHead& response) {
  const bool switched = response.status == 101 && response.minor_version >= 1 &&
                        response.has_token("Upgrade", "websocket") && response.has_token("Connection", "upgrade") &&
                        response.find("Sec-WebSocket-Accept") == accept_key(handshake.key);
  if (!switched) return std::unexpected(base::Error::bad_handshake);

  Established established;
  if (response.count(kProtocolHeader) > 0) {
    established.subprotocol = response.find(kProtocolHeader).value_or("");
    const bool offered = std::ranges::find(options.subprotocols, established.subprotocol) != options.subprotocols.end();
    if (!offered) return std::unexpected(base::Error::bad_handshake);
  }
  const auto deflate = take_extensions(response, options.deflate);
  if (!deflate.has_value()) return std::unexpected(deflate.error());
  established.deflate = *deflate;
  return established;
}

}  // namespace ws
