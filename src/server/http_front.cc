#include "server/http_front.h"

#include <algorithm>
#include <charconv>

#include "door/channel_name.h"
#include "door/sse/encode.h"
#include "http/cors.h"
#include "http/origin.h"
#include "http/response.h"
#include "server/closing.h"
#include "server/forwarded.h"
#include "server/operator_pages.h"
#include "ws/handshake.h"

namespace server {
namespace {

constexpr std::uint64_t kSmallBodyBytes = 16 * 1024;   // read from anybody, and in need too
constexpr std::uint64_t kConnectBytesMax = 64 * 1024;  // a token and many channels to recover
constexpr std::size_t kRestBytesMax = 64 * 1024;       // pipelined requests that wait for the answer of an earlier one

// What stands behind `prefix` in the path: "" for the prefix itself, nullopt if the path is another one.
std::optional<std::string_view> rest_after(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (path.empty()) return path;
  if (path.front() != '/') return std::nullopt;
  path.remove_prefix(1);
  return path.empty() ? std::nullopt : std::optional(path);
}

bool announces_body(const http::Request& request) {
  return request.count("Transfer-Encoding") > 0 || request.find("Content-Length").value_or("0") != "0";
}

bool announces_large_body(const http::Request& request, std::uint64_t bytes_max = kSmallBodyBytes) {
  if (request.count("Transfer-Encoding") > 0) return true;
  const std::string_view length = request.find("Content-Length").value_or("0");
  std::uint64_t bytes = 0;
  const auto parsed = std::from_chars(length.data(), length.data() + length.size(), bytes);
  return parsed.ec != std::errc{} || bytes > bytes_max;
}

// What was compressed would be published as it came, and nobody could read it.
bool is_encoded(const http::Request& request) {
  const std::size_t headers = request.count("Content-Encoding");
  if (headers == 0) return false;
  return headers > 1 || !http::same_name(request.find("Content-Encoding").value_or(""), "identity");
}

}  // namespace

void HttpFront::opened(Peer& peer) {
  // The first byte of the first request has as long as a whole request.
  peer.deadline = desk_.now + desk_.options().request_time_max;
}

std::size_t HttpFront::receive(Peer& peer, std::string_view bytes) {
  if (peer.http() && peer.http()->waiting != HttpExchange::Waiting::nothing) {
    peer.http()->rest += bytes;
    if (peer.http()->rest.size() > kRestBytesMax) desk_.connections.pause(peer, Pause::answer);
    return bytes.size();
  }
  return read_requests(peer, bytes);
}

std::size_t HttpFront::read_requests(Peer& peer, std::string_view bytes) {
  const std::size_t given = bytes.size();
  while (!bytes.empty() && peer.phase == Peer::Phase::http && !peer.dying) {
    if (!peer.http()) {
      if (!desk_.connections.has_room(peer)) {  // who does not read answers asks for no more of them
        desk_.connections.put_back(peer, bytes);
        desk_.connections.pause(peer, Pause::room);
        return given;
      }
      peer.rare().http = std::make_unique<HttpExchange>(desk_.request_limits());
      peer.deadline = desk_.now + desk_.options().request_time_max;
      desk_.connections.arm(peer);
    }
    HttpExchange& exchange = *peer.http();
    bytes.remove_prefix(exchange.reader.receive(bytes));
    switch (exchange.reader.status()) {
      case http::RequestReader::Status::need_more:
        break;
      case http::RequestReader::Status::head_done:
        // A request to switch protocols has no body, or its bytes could be taken for frames or for another request.
        if (ws::asks_for_websocket(exchange.reader.request())) {
          exchange.connection = http::Connection::close;
          respond_error(peer, {base::Error::bad_handshake, "It must have no body."});
          return given;
        }
        if (is_encoded(exchange.reader.request())) {
          exchange.connection = http::Connection::close;
          respond_error(peer, base::Error::content_encoding);
          return given;
        }
        if (too_long_to_publish(exchange.reader.request())) {
          exchange.connection = http::Connection::close;
          respond_error(peer, base::Error::payload_too_big);
          return given;
        }
        if (announces_large_body(exchange.reader.request()) &&
            desk_.shared.overload.at_least(Overload::Level::no_connections)) {
          exchange.connection = http::Connection::close;
          respond_error(peer, base::Error::memory);
          return given;
        }
        // A body is not read for somebody who may not send it: the request is answered without it, and that was all.
        if (announces_body(exchange.reader.request()) && !takes_body(peer, exchange.reader.request())) {
          exchange.body_unread = true;
          handle(peer);
          return given;
        }
        if (exchange.reader.request().expects_continue) {
          std::string go_on;
          http::append_continue(go_on);
          desk_.connections.send(peer, go_on);
        }
        break;
      case http::RequestReader::Status::failed:
        exchange.connection = http::Connection::close;
        respond_error(peer, exchange.reader.error());
        return given;
      case http::RequestReader::Status::done:
        handle(peer);
        if (peer.http() && peer.http()->waiting != HttpExchange::Waiting::nothing) {
          peer.http()->rest = bytes;
          return given;
        }
        break;
    }
  }
  if (peer.phase == Peer::Phase::http && !peer.http() && peer.has_finished()) desk_.connections.close(peer);
  return peer.phase == Peer::Phase::websocket ? given - bytes.size() : given;
}

// A payload that says it is too long is refused before it is read; one that does not say, afterwards.
bool HttpFront::too_long_to_publish(const Request& request) const {
  const auto length = request.find("Content-Length");
  if (!length || !rest_after(request.path, "/pub")) return false;
  std::uint64_t bytes = 0;
  const auto parsed = std::from_chars(length->data(), length->data() + length->size(), bytes);
  return parsed.ec == std::errc{} && bytes > desk_.options().message_bytes_max;
}

// Whether to read the body of this request: it is for a path that takes one, and from somebody who may send it. What
// was sent before that is known stays below the limit of a head (docs/ARCHITECTURE.md).
bool HttpFront::takes_body(Peer& peer, const Request& request) {
  if (request.method != "POST") return false;
  const bool dev = desk_.options().dev;
  // Who may speak is said by what is spoken there: a token, or the name of a session.
  if (request.path == "/emulation") return true;
  if (rest_after(request.path, "/connection")) return !announces_large_body(request, kConnectBytesMax);
  if (rest_after(request.path, "/api")) {
    if (request.path == "/api/ticket") return false;
    return dev || (serves_api(peer) && has_api_key(desk_, request));
  }
  const auto path_channel = rest_after(request.path, "/pub");
  if (!path_channel || path_channel->empty()) return false;
  const auto channel = door::channel_from_path(*path_channel);
  const auto query = codec::Query::parse(request.query);
  if (!channel || !query) return false;
  const auto may_publish = [&](const auth::Principal& principal) {
    const auto allowed =
        desk_.snapshot->policy().authorize(principal, auth::Verb::publish, *channel, desk_.clock.wall());
    return allowed.has_value();
  };
  if (query->count("ticket") > 0) {  // only looked at: it is used up when the request is whole
    const auto principal = desk_.shared.tickets.peek(query->find("ticket").value_or(""), desk_.now);
    return principal && may_publish(*principal);
  }
  auto principal = identify(desk_, request, *query);
  if (!principal || !may_publish(*principal ? **principal : auth::Principal{})) return false;
  set_principal(peer, *std::move(principal));
  peer.http()->identified = true;
  return true;
}

bool HttpFront::serves_api(const Peer& peer) const {
  const Options& options = desk_.options();
  return options.dev || options.public_api || desk_.connections.listener_of(peer).admin;
}

void HttpFront::receive_eof(Peer& peer) {
  // Half-closed after a request that is being answered is what simple clients do; a long poll's client is gone.
  if (peer.http() && peer.http()->waiting != HttpExchange::Waiting::nothing &&
      peer.http()->waiting != HttpExchange::Waiting::poll) {
    return;  // what came behind it is answered too; then the connection ends
  }
  // Not a reset: it would overtake the last answer.
  desk_.connections.close(peer);
}

void HttpFront::handle_timeout(Peer& peer) {
  if (peer.phase == Peer::Phase::events) {
    if (peer.deadline <= desk_.now) return close_with(desk_, peer, base::Error::token_expired);
    if (peer.ping_at > desk_.now) return;
    std::string heartbeat;
    door::sse::append_heartbeat(heartbeat);
    desk_.connections.send(peer, heartbeat);
    peer.ping_at = desk_.jittered(desk_.options().sse_heartbeat_interval);
    return;
  }
  if (peer.deadline > desk_.now) return;
  if (!peer.http()) return desk_.connections.close(peer);  // idle between two requests
  if (peer.http()->waiting == HttpExchange::Waiting::poll) return finish_poll(peer);
  if (peer.http()->waiting != HttpExchange::Waiting::nothing) {
    peer.deadline = base::kNever;  // the hub always answers; its answer may take longer than the request did
    return;
  }
  peer.http()->connection = http::Connection::close;
  respond_error(peer, base::Error::request_timeout);
}

void HttpFront::handle(Peer& peer) {
  HttpExchange& exchange = *peer.http();
  const Request& request = exchange.reader.request();
  desk_.counters.requests.add();
  exchange.connection = request.keep_alive && !exchange.body_unread && !desk_.shared.draining()
                            ? http::Connection::keep_alive
                            : http::Connection::close;
  // After a request to switch protocols nothing more is read as HTTP, whatever became of it (threat T40).
  if (request.count("Upgrade") > 0) exchange.connection = http::Connection::close;
  exchange.head_only = request.method == "HEAD";
  const bool get = request.method == "GET" || exchange.head_only;
  const bool post = request.method == "POST";
  const std::string_view path = request.path;

  const Options& options = desk_.options();
  if (!admit_client(peer, request)) return;
  if (!answers_to(peer, request)) return respond_error(peer, base::Error::host);
  const bool https =
      peer.tls() != nullptr || forwarded_https(request, peer.transport_address(), desk_.snapshot->trusted_proxies());
  auto origin =
      http::check_origin(request, {.allowed = options.allowed_origins, .allow_loopback = options.dev, .tls = https});
  const bool admin_listener = desk_.connections.listener_of(peer).admin;
  if (!origin) return respond_error(peer, origin.error());
  exchange.allow_origin = *std::move(origin);
  if (http::is_preflight(request)) {
    std::string answer;
    http::append_preflight_answer(answer, exchange.allow_origin, "GET, POST", exchange.connection);
    return send_answer(peer, std::move(answer));
  }
  const auto query = codec::Query::parse(request.query);
  if (!query) return respond_error(peer, query.error());

  if (path == "/ws/" || path == "/sse/" || path == "/poll/" || path == "/pub/") {
    return respond_error(peer, {base::Error::bad_channel, "This one is empty."});
  }
  if (const auto channel = rest_after(path, "/ws")) {
    return get ? open_websocket(peer, request, *query, *channel) : refuse_method(peer, "GET");
  }
  if (path == "/echo" && (options.dev || options.echo)) {
    return get ? open_echo(peer, request) : refuse_method(peer, "GET");
  }
  if (const auto endpoint = rest_after(path, "/connection")) return open_centrifuge(peer, request, *query, *endpoint);
  if (path == "/emulation") return post ? emulate(peer, request) : refuse_method(peer, "POST");
  if (const auto channel = rest_after(path, "/sse")) {
    return get ? open_events(peer, request, *query, *channel) : refuse_method(peer, "GET, HEAD");
  }
  if (const auto channel = rest_after(path, "/poll")) {
    return get ? open_poll(peer, request, *query, *channel) : refuse_method(peer, "GET, HEAD");
  }
  if (const auto channel = rest_after(path, "/pub"); channel && !channel->empty()) {
    return post ? publish(peer, request, *query, *channel) : refuse_method(peer, "POST");
  }
  if (path == "/api/ticket") {
    return post ? issue_ticket(peer, request) : refuse_method(peer, "POST");
  }
  const bool operator_here = options.dev || admin_listener;
  if (const auto method = rest_after(path, "/api"); method && serves_api(peer) && *method != "openapi.yaml") {
    return post || get ? api(peer, request, *query, *method) : refuse_method(peer, "GET, HEAD, POST");
  }
  std::string page;
  const auto visibility = operator_here ? OperatorPages::all : OperatorPages::health_only;
  if (append_operator_page(page, desk_, request, visibility, exchange.connection)) {
    return get ? send_answer(peer, std::move(page)) : refuse_method(peer, "GET, HEAD");
  }
  respond_error(peer, base::Error::not_found);
}

// In dev everybody may do everything, so a page of another site must not reach us by a name of its own (threat T30). A
// browser always says which name it asked for; it cannot ask a Unix socket at all.
bool HttpFront::answers_to(const Peer& peer, const Request& request) const {
  const Options& options = desk_.options();
  if (!options.dev || options.dev_public || request.host.empty()) return true;
  return desk_.connections.listener_of(peer).address.starts_with("unix:") ||
         http::is_name_of_this_machine(request.host);
}

// Behind a trusted proxy the limit per address counts for the client, who is known only now.
bool HttpFront::admit_client(Peer& peer, const Request& request) {
  const auto client = forwarded_address(request, peer.transport_address(), desk_.snapshot->trusted_proxies());
  if (!client || client->ip == peer.address.ip) return true;
  const loop::Address proxy = peer.transport_address();
  desk_.shared.admission.release(peer.address);
  const base::Error refused = desk_.shared.admission.admit(*client, desk_.options().connections_max,
                                                           desk_.options().connections_per_address_max);
  if (refused == base::Error::none) {
    peer.address = *client;
    peer.rare().proxy = std::make_unique<loop::Address>(proxy);
    return true;
  }
  peer.counted = false;
  peer.http()->connection = http::Connection::close;
  respond_error(peer, refused);
  return false;
}

void HttpFront::reauthorise() {
  desk_.connections.for_each([&](Peer& peer) {
    if (peer.centrifuge()) return centrifuge_.reauthorise(peer);
    bool revoked = false;
    const auto check = [&](std::string_view channel) {
      revoked = revoked || !desk_.snapshot->policy().authorize(desk_.principal_of(peer), auth::Verb::subscribe, channel,
                                                               desk_.clock.wall());
    };
    for (const hub::SubscriptionId id : peer.subscriptions) check(desk_.fan_out.channel_of(id));
    if (const Starting* starting = peer.starting(); starting != nullptr) {
      for (std::size_t i = starting->next; i < starting->channels.size(); ++i) check(starting->channels[i].name);
    }
    if (revoked) close_with(desk_, peer, base::Error::revoked);
  });
}

}  // namespace server
