// Any request is accepted or refused with an error that the contract names, and what our server answers our client
// takes. Input: a mode, then a whole HTTP request, or the value of one header in an otherwise good request, or a
// response.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/request_reader.h"
#include "http/response_reader.h"
#include "ws/handshake.h"

namespace {

using base::Error;

constexpr http::RequestLimits kRequestLimits;
constexpr http::ResponseLimits kResponseLimits;
const ws::ClientOptions& client_options() {
  static const ws::ClientOptions options{.host = "h", .subprotocols = {"wirebird", "b"}, .deflate = true};
  return options;
}

void check_accept(const http::Request& request) {
  static constexpr std::string_view kOurs[] = {"wirebird.bearer.x", "wirebird"};
  for (const auto deflate :
       {ws::DeflateOffer::refuse, ws::DeflateOffer::no_context_takeover, ws::DeflateOffer::context_takeover}) {
    const auto accepted = ws::accept(request, {.subprotocols = kOurs, .deflate = deflate});
    if (!accepted.has_value()) {
      const Error error = accepted.error();
      ASSERT(error == Error::bad_handshake || error == Error::upgrade_required || error == Error::bad_extension ||
             error == Error::method_not_allowed);
      continue;
    }
    ASSERT(ws::asks_for_websocket(request));
    ASSERT(accepted->subprotocol.empty() || accepted->subprotocol == "wirebird");
    ASSERT(accepted->deflate.enabled == !accepted->extensions.empty());
    const std::string answer = ws::switching_protocols(*accepted);
    http::ResponseReader reader(kResponseLimits);
    ASSERT(reader.receive(answer) == answer.size());
    ASSERT(reader.status() == http::ResponseReader::Status::done);
    const ws::ClientHandshake handshake{.request = {}, .key = std::string(*request.find("Sec-WebSocket-Key"))};
    const auto established = ws::finish(handshake, client_options(), reader.response());
    ASSERT(established.has_value());
    ASSERT(!accepted->deflate.enabled || established->deflate == accepted->deflate);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 == 0) {
    http::RequestReader reader(kRequestLimits);
    reader.receive(bytes);
    if (reader.status() == http::RequestReader::Status::done) check_accept(reader.request());
  } else if (data[0] % 4 == 1) {
    http::ResponseReader reader(kResponseLimits);
    reader.receive(bytes);
    if (reader.status() == http::ResponseReader::Status::done) {
      (void)ws::finish({.request = {}, .key = "dGhlIHNhbXBsZSBub25jZQ=="}, client_options(), reader.response());
    }
  } else {
    http::Request request;
    request.method = "GET";
    request.headers = {{"Host", "h"},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                       {"Sec-WebSocket-Version", "13"},
                       {data[0] % 4 == 2 ? "Sec-WebSocket-Extensions" : "Sec-WebSocket-Protocol", bytes}};
    check_accept(request);
  }
  return 0;
}
