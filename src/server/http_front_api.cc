// What is asked of the hub by one request and answered when the hub has answered: publishing and the HTTP API.
#include "codec/json_out.h"
#include "door/channel_name.h"
#include "door/publish/publish.h"
#include "door/published.h"
#include "door/server_api/answers.h"
#include "door/server_api/parse.h"
#include "http/cors.h"
#include "http/response.h"
#include "server/http_front.h"
#include "server/publishing.h"

namespace server {

namespace api = door::server_api;

void HttpFront::publish(Peer& peer, const Request& request, const codec::Query& query, std::string_view path_channel) {
  auto channel = door::channel_from_path(path_channel);
  if (!channel) return respond_error(peer, channel.error());
  if (!peer.http()->identified) {
    auto principal = identify(desk_, request, query);
    if (!principal) return respond_error(peer, principal.error());
    set_principal(peer, *std::move(principal));
  }
  if (const auto allowed = desk_.snapshot->policy().authorize(desk_.principal_of(peer), auth::Verb::publish, *channel,
                                                              desk_.clock.wall());
      !allowed) {
    return respond_error(peer, allowed.error());
  }
  std::optional<std::string> key;
  if (request.count("Idempotency-Key") > 0) {
    const auto value = request.find("Idempotency-Key");
    if (!value || !door::is_valid_idempotency_key(*value)) {
      return respond_error(peer, {base::Error::bad_parameter, "Idempotency-Key: 1 to 255 visible ASCII characters"});
    }
    key = *value;
  }
  auto content = door::publish::content_of(request.find("Content-Type"), request.body);
  if (!content) return respond_error(peer, content.error());
  auto made = make_publish(desk_, *channel,
                           {.content = *std::move(content), .tags = {}, .idempotency_key = key, .version_epoch = {}});
  if (!made) return respond_error(peer, made.error());
  made->request = Desk::request_of(peer);
  desk_.counters.messages_in.add();
  peer.http()->waiting = HttpExchange::Waiting::publish;
  peer.http()->channel = *std::move(channel);
  const base::WorkerId home = desk_.home_of(made->channel);
  desk_.post.send(home, *std::move(made));
}

void HttpFront::published(Peer& peer, const hub::Published& answer) {
  if (!peer.http() || peer.http()->waiting != HttpExchange::Waiting::publish) return;
  if (answer.error != base::Error::none) return respond_error(peer, answer.error);
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  door::append_published_members(json, peer.http()->channel, answer);
  json.end_object();
  respond(peer, body);
}

void HttpFront::issue_ticket(Peer& peer, const Request& request) {
  auto principal = identify(desk_, request, {});
  if (!principal) return respond_api_refusal(peer, principal.error());
  if (!*principal) return respond_api_refusal(peer, base::Error::token_missing);
  const auto ticket = desk_.shared.tickets.issue(**principal, desk_.now, desk_.entropy);
  if (!ticket) return respond_api_refusal(peer, ticket.error());
  std::string members = "\"ticket\":";
  codec::append_json_string(members, *ticket);
  members += ",\"expires_in\":30";
  respond(peer, "{" + members + ",\"result\":{" + members + "}}");
}

void HttpFront::api(Peer& peer, const Request& request, const codec::Query& query, std::string_view method) {
  if (!desk_.options().dev && !has_api_key(desk_, request)) return respond_api_refusal(peer, base::Error::api_key);
  const bool post = request.method == "POST";
  if (method.empty() && !post) return refuse_method(peer, "POST");
  auto parsed = method.empty() ? api::parse_legacy_request(request.body)
                : post         ? api::parse_request(method, request.body)
                               : api::parse_request(method, query);
  if (!parsed) {
    if (parsed.error() == base::Error::method_not_allowed) return refuse_method(peer, "POST");
    return respond_api_refusal(peer, parsed.error());
  }
  api_.start(peer.id(), *std::move(parsed));
  if (const auto finished = api_.take_finished()) return respond_api(peer, *finished);
  peer.http()->waiting = HttpExchange::Waiting::api;
}

void HttpFront::api_published(const hub::Published& answer) {
  api_.published(answer);
  finish_api();
}

void HttpFront::api_paged(const hub::Page& page) {
  api_.paged(page);
  finish_api();
}

void HttpFront::api_listed(hub::Listed& listed) {
  api_.listed(listed);
  finish_api();
}

void HttpFront::api_present(const hub::Present& present) {
  api_.present(present);
  finish_api();
}

void HttpFront::api_state(hub::StatePage& page) {
  api_.state(page);
  finish_api();
}

void HttpFront::api_acted(hub::Acted& acted) {
  api_.acted(acted);
  finish_api();
}

void HttpFront::finish_api() {
  while (const auto finished = api_.take_finished()) {
    Peer* peer = desk_.connections.find(finished->peer);
    if (peer == nullptr || !peer->http() || peer->http()->waiting != HttpExchange::Waiting::api) continue;
    respond_api(*peer, *finished);
  }
}

void HttpFront::respond_api(Peer& peer, const ApiFront::Finished& finished) {
  if (finished.refusal) return respond_api_refusal(peer, *finished.refusal);
  respond(peer, finished.body);
}

// A caller who may not ask at all is told by the status, whatever he was promised about errors.
void HttpFront::respond_api_refusal(Peer& peer, const base::Refusal& refusal) {
  desk_.refused(peer, refusal);
  const std::uint16_t own_status = base::entry(refusal.error).http_status;
  const Request& request = peer.http()->reader.request();
  const bool by_transport = http::same_name(request.find("X-Centrifugo-Error-Mode").value_or(""), "transport");
  std::uint16_t status = own_status;
  if (by_transport) {
    status = api::status_of(api::code_of(refusal.error));
  } else if (desk_.options().api_errors == ApiErrors::body && own_status != 401) {
    status = 200;
  }
  const int retry_after_s = own_status == 503 || own_status == 429 ? 1 : -1;
  std::string body;
  api::append_refusal(body, refusal, retry_after_s);
  auto fields = http::cors_fields(peer.http()->allow_origin);
  fields.push_back({"Cache-Control", "no-store"});
  if (retry_after_s >= 0) fields.push_back({"Retry-After", "1"});
  if (status == 401) fields.push_back({"WWW-Authenticate", "Bearer"});
  std::string answer;
  http::append_response(answer, status, "application/json", body, peer.http()->connection, fields);
  send_answer(peer, std::move(answer));
}

}  // namespace server
