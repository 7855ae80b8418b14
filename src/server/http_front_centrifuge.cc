// The endpoints of the Centrifuge protocol: /connection/...
#include "door/centrifuge/carrier.h"
#include "http/response.h"
#include "server/http_front.h"
#include "ws/handshake.h"

namespace server {

using door::centrifuge::Carrier;

namespace {

constexpr std::string_view kJsonSubprotocol = "centrifuge-json";
constexpr std::string_view kProtobufSubprotocol = "centrifuge-protobuf";

}  // namespace

void HttpFront::open_centrifuge(Peer& peer, const Request& request, const codec::Query& query,
                                std::string_view endpoint) {
  const bool get = request.method == "GET";
  if (endpoint == "websocket" || endpoint == "uni_websocket") {
    if (!get) return refuse_method(peer, "GET");
    return open_centrifuge_socket(peer, request, query, endpoint == "uni_websocket");
  }
  respond_error(peer, base::Error::not_found);
}

void HttpFront::open_centrifuge_socket(Peer& peer, const Request& request, const codec::Query& query,
                                       bool unidirectional) {
  static constexpr std::string_view kSubprotocols[] = {kJsonSubprotocol, kProtobufSubprotocol};
  if (!ws::asks_for_websocket(request)) return respond_error(peer, base::Error::upgrade_required);
  auto principal = identify(desk_, request, query);
  if (!principal) return respond_error(peer, principal.error());
  const bool asks_for_protobuf =
      query.find("format") == "protobuf" || query.find("cf_protocol") == "protobuf";
  const bool frame_pings = query.find("cf_ws_frame_ping_pong") == "true";
  const std::string first(query.find("cf_connect").value_or(""));
  const auto subprotocol = switch_to_websocket(
      peer, request, {.door = DoorKind::centrifuge, .subprotocols = kSubprotocols, .may_deflate = false});
  if (!subprotocol) return;
  const bool protobuf = *subprotocol == kProtobufSubprotocol || (subprotocol->empty() && asks_for_protobuf);
  centrifuge_.open(peer,
                   {.format = protobuf ? Carrier::Format::protobuf : Carrier::Format::json,
                    .transport = Carrier::Transport::websocket,
                    .unidirectional = unidirectional},
                   *std::move(principal), frame_pings);
  if (unidirectional && !first.empty()) centrifuge_.receive(peer, first);
}

}  // namespace server
