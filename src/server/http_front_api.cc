// What is asked of the hub by one request and answered when the hub has answered: publishing and the HTTP API.
#include <algorithm>
#include <iterator>

#include "base/hash.h"
#include "codec/json_out.h"
#include "door/channel_name.h"
#include "door/payload_format.h"
#include "door/publish/publish.h"
#include "http/response.h"
#include "server/http_front.h"
#include "server/operator_pages.h"

namespace server {

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
  if (request.body.size() > desk_.options().message_bytes_max) {
    return respond_error(peer, base::Error::payload_too_big);
  }
  std::optional<std::string> key;
  if (request.count("Idempotency-Key") > 0) {
    const auto value = request.find("Idempotency-Key");
    if (!value || !door::publish::is_valid_idempotency_key(*value)) {
      return respond_error(peer, {base::Error::bad_parameter, "Idempotency-Key: 1 to 255 visible ASCII characters"});
    }
    key = *value;
  }
  auto content = door::publish::content_of(request.find("Content-Type"), request.body);
  if (!content) return respond_error(peer, content.error());
  send_publish(peer,
               {.channel = *std::move(channel), .content = *std::move(content), .tags = {}, .idempotency_key = key});
}

void HttpFront::send_publish(Peer& peer, door::publish::ApiPublish command) {
  if (desk_.shared.overload.at_least(Overload::Level::no_publishing)) return respond_error(peer, base::Error::memory);
  if (const NamespaceOptions* const channels = desk_.snapshot->options_of(command.channel)) {
    const auto fits = door::check_payload(channels->payload_format, command.content.kind, command.content.payload);
    if (!fits) return respond_error(peer, fits.error());
  }
  hub::Publish publish;
  publish.request = Desk::request_of(peer);
  if (command.idempotency_key) {
    std::string scope = command.channel;
    scope += '\0';  // cannot occur in either
    scope += *command.idempotency_key;
    publish.idempotency_key = base::hash128(scope, desk_.shared.secret());
    publish.content = door::publish::content_hash(command.content, command.tags, desk_.shared.secret());
  }
  publish.message = hub::Message::make(command.content.kind, command.content.payload, desk_.clock.now(),
                                       {.tags = std::move(command.tags)});
  desk_.counters.messages_in.add();
  peer.http()->waiting = HttpExchange::Waiting::publish;
  peer.http()->channel = command.channel;
  publish.channel = std::move(command.channel);
  const base::WorkerId home = desk_.home_of(publish.channel);
  desk_.post.send(home, std::move(publish));
}

void HttpFront::published(Peer& peer, const hub::Published& answer) {
  if (!peer.http() || peer.http()->waiting != HttpExchange::Waiting::publish) return;
  if (answer.error != base::Error::none) return respond_error(peer, answer.error);
  std::string body;
  door::publish::append_published(body, peer.http()->channel, answer);
  respond(peer, body);
}

void HttpFront::issue_ticket(Peer& peer, const Request& request) {
  auto principal = identify(desk_, request, {});
  if (!principal) return respond_error(peer, principal.error());
  if (!*principal) return respond_error(peer, base::Error::token_missing);
  const auto ticket = desk_.shared.tickets.issue(**principal, desk_.now, desk_.entropy);
  if (!ticket) return respond_error(peer, ticket.error());
  std::string body = "{\"ticket\":";
  codec::append_json_string(body, *ticket);
  body += ",\"expires_in\":30}";
  respond(peer, body);
}

void HttpFront::api(Peer& peer, const Request& request, const codec::Query& query, std::string_view method) {
  if (!desk_.options().dev && !has_api_key(desk_, request)) return respond_error(peer, base::Error::api_key);
  const bool post = request.method == "POST";
  if (method == "publish") {
    if (!post) return refuse_method(peer, "POST");
    auto parsed = door::publish::parse_api_publish(request.body);
    if (!parsed) return respond_error(peer, parsed.error());
    if (parsed->content.payload.size() > desk_.options().message_bytes_max) {
      return respond_error(peer, base::Error::payload_too_big);
    }
    return send_publish(peer, *std::move(parsed));
  }
  if (method == "history") {
    auto parsed = post ? door::publish::parse_api_history(request.body) : door::publish::parse_api_history(query);
    if (!parsed) return respond_error(peer, parsed.error());
    peer.http()->waiting = HttpExchange::Waiting::history;
    peer.http()->channel = parsed->channel;
    const base::WorkerId home = desk_.home_of(parsed->channel);
    return desk_.post.send(home, hub::Read{.request = Desk::request_of(peer),
                                           .channel = std::move(parsed->channel),
                                           .since = parsed->since,
                                           .messages_max = parsed->limit});
  }
  if (method == "channels") {
    auto parsed = post ? door::publish::parse_api_channels(request.body) : door::publish::parse_api_channels(query);
    if (!parsed) return respond_error(peer, parsed.error());
    return ask_all_workers(peer, HttpExchange::Waiting::channels, parsed->prefix, parsed->limit);
  }
  if (method == "info") return ask_all_workers(peer, HttpExchange::Waiting::information, {}, 0);
  respond_error(peer, base::Error::not_found);
}

void HttpFront::ask_all_workers(Peer& peer, HttpExchange::Waiting waiting, std::string_view prefix,
                                std::uint32_t limit) {
  peer.http()->waiting = waiting;
  peer.http()->channels_max = limit;
  peer.http()->answers_missing = desk_.shared.workers();
  for (base::WorkerId worker = 0; worker < desk_.shared.workers(); ++worker) {
    desk_.post.send(worker,
                    hub::List{.request = Desk::request_of(peer), .prefix = std::string(prefix), .channels_max = limit});
  }
}

void HttpFront::history(Peer& peer, const hub::Page& page) {
  if (!peer.http() || peer.http()->waiting != HttpExchange::Waiting::history) return;
  std::string body;
  door::publish::append_history(body, peer.http()->channel, page);
  respond(peer, body);
}

void HttpFront::listed(Peer& peer, hub::Listed& listed) {
  if (!peer.http() || peer.http()->answers_missing == 0) return;
  HttpExchange& exchange = *peer.http();
  std::move(listed.channels.begin(), listed.channels.end(), std::back_inserter(exchange.channels));
  std::move(listed.watched.begin(), listed.watched.end(), std::back_inserter(exchange.watched));
  exchange.channels_total += listed.channels_total;
  exchange.log_bytes += listed.log_bytes;
  if (--exchange.answers_missing > 0) return;
  std::string body;
  if (exchange.waiting == HttpExchange::Waiting::channels) {
    append_channels(body, exchange);
  } else {
    append_information(body, desk_, exchange);
  }
  respond(peer, body);
}

}  // namespace server
