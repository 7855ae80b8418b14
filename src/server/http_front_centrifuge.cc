// The endpoints of the Centrifuge protocol: /connection/... and /emulation, by which clients of one-way transports say
// what a WebSocket would carry (docs/centrifuge.md).
#include "door/centrifuge/carrier.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/protobuf_in.h"
#include "http/cors.h"
#include "http/response.h"
#include "server/emulation.h"
#include "server/http_front.h"
#include "ws/handshake.h"

namespace server {

using door::centrifuge::Carrier;

namespace {

constexpr std::string_view kJsonSubprotocol = "centrifuge-json";
constexpr std::string_view kProtobufSubprotocol = "centrifuge-protobuf";
constexpr std::string_view kProtobufType = "application/octet-stream";

bool is_protobuf(const http::Request& request) {
  return request.find("Content-Type").value_or("").starts_with(kProtobufType);
}

}  // namespace

void HttpFront::open_centrifuge(Peer& peer, const Request& request, const codec::Query& query,
                                std::string_view endpoint) {
  const bool get = request.method == "GET";
  const bool post = request.method == "POST";
  const bool unidirectional = endpoint.starts_with("uni_");
  if (unidirectional) endpoint.remove_prefix(4);
  if (endpoint == "websocket") {
    return get ? open_centrifuge_socket(peer, request, query, unidirectional) : refuse_method(peer, "GET");
  }
  if (endpoint == "sse") {
    if (!get && !post) return refuse_method(peer, "GET, POST");
    return open_centrifuge_stream(peer, request, query,
                                  {.transport = Carrier::Transport::sse, .unidirectional = unidirectional});
  }
  if (endpoint == "http_stream") {
    if (!post) return refuse_method(peer, "POST");
    const auto format = is_protobuf(request) ? Carrier::Format::protobuf : Carrier::Format::json;
    return open_centrifuge_stream(peer, request, query, {format, Carrier::Transport::stream, unidirectional});
  }
  respond_error(peer, base::Error::not_found);
}

void HttpFront::open_centrifuge_socket(Peer& peer, const Request& request, const codec::Query& query,
                                       bool unidirectional) {
  static constexpr std::string_view kSubprotocols[] = {kJsonSubprotocol, kProtobufSubprotocol};
  if (!ws::asks_for_websocket(request)) return respond_error(peer, base::Error::upgrade_required);
  auto principal = identify(desk_, request, query);
  if (!principal) return respond_error(peer, principal.error());
  const bool asks_for_protobuf = query.find("format") == "protobuf" || query.find("cf_protocol") == "protobuf";
  const bool frame_pings = query.find("cf_ws_frame_ping_pong") == "true";
  const std::string first(query.find("cf_connect").value_or(""));
  auto headers = headers_for_hooks(*desk_.snapshot, request);
  const auto subprotocol = switch_to_websocket(
      peer, request, {.door = DoorKind::centrifuge, .subprotocols = kSubprotocols, .may_deflate = false});
  if (!subprotocol) return;
  const bool protobuf = *subprotocol == kProtobufSubprotocol || (subprotocol->empty() && asks_for_protobuf);
  const auto format = protobuf ? Carrier::Format::protobuf : Carrier::Format::json;
  centrifuge_.open(peer, {format, Carrier::Transport::websocket, unidirectional}, *std::move(principal), frame_pings,
                   std::move(headers));
  if (unidirectional && !first.empty()) centrifuge_.receive(peer, first);
}

// The first commands come with the request: in the body, or, where there can be none, in the query.
void HttpFront::open_centrifuge_stream(Peer& peer, const Request& request, const codec::Query& query, Carrier carrier) {
  auto principal = identify(desk_, request, query);
  if (!principal) return respond_error(peer, principal.error());
  if (peer.http()->body_unread) return respond_error(peer, base::Error::payload_too_big);
  const std::string commands(request.method == "POST" ? std::string_view(request.body)
                                                      : query.find("cf_connect").value_or(""));
  if (commands.empty() && !carrier.unidirectional) {
    return respond_error(peer, {base::Error::bad_parameter, "The commands are missing."});
  }
  auto headers = headers_for_hooks(*desk_.snapshot, request);
  const bool sse = carrier.transport == Carrier::Transport::sse;
  const bool json = carrier.format == Carrier::Format::json;
  std::vector<http::Field> fields = http::cors_fields(peer.http()->allow_origin);
  fields.push_back({"Content-Type", sse ? "text/event-stream" : json ? "application/json" : kProtobufType});
  fields.push_back({"Cache-Control", "no-store, no-transform"});  // proxies that compress hold messages back
  fields.push_back({"X-Accel-Buffering", "no"});
  fields.push_back({"X-Content-Type-Options", "nosniff"});
  std::string head;
  http::append_head(head, 200, fields, http::Connection::close, http::Body::none);
  http::insert_date(head, desk_.date());
  if (sse) head += ":\n\n";  // some clients take the stream as open with the first byte only
  desk_.connections.send(peer, head);
  leave_http(peer, Peer::Phase::events, DoorKind::centrifuge);
  centrifuge_.open(peer, carrier, *std::move(principal), false, std::move(headers));
  centrifuge_.receive(peer, commands);
}

void HttpFront::emulate(Peer& peer, const Request& request) {
  door::centrifuge::EmulationRequest said;
  door::centrifuge::JsonReader json(request.body);
  door::centrifuge::ProtobufReader protobuf(request.body);
  const bool read = is_protobuf(request) ? protobuf.read(said) : json.read(said);
  if (!read) return respond_error(peer, {base::Error::bad_parameter, "The body is no emulation request."});
  if (said.data.size() > desk_.options().message_bytes_max) return respond_error(peer, base::Error::payload_too_big);
  const auto session = EmulationSession::parse(said.session);
  const auto worker = worker_of_node(said.node, desk_.shared);
  if (!session || !worker) return respond_error(peer, {base::Error::not_found, "There is no such session."});
  peer.http()->waiting = HttpExchange::Waiting::emulation;
  desk_.post.send(*worker, hub::Forward{.request = Desk::request_of(peer),
                                        .connection = session->connection,
                                        .secret = session->secret,
                                        .bytes = std::string(said.data)});
}

void HttpFront::forwarded(Peer& peer, const hub::Forwarded& answer) {
  if (!peer.http() || peer.http()->waiting != HttpExchange::Waiting::emulation) return;
  if (!answer.found) return respond_error(peer, {base::Error::not_found, "There is no such session."});
  const std::vector<http::Field> fields = http::cors_fields(peer.http()->allow_origin);
  std::string head;
  http::append_head(head, 204, fields, peer.http()->connection, http::Body::none);
  send_answer(peer, std::move(head));
}

}  // namespace server
