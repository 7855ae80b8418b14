// The doors that begin with an HTTP request: WebSocket, event streams, long polls.
#include "base/assert.h"
#include "door/plain/ws_request.h"
#include "door/poll/poll.h"
#include "door/sse/encode.h"
#include "http/response.h"
#include "server/http_front.h"
#include "ws/deflate.h"
#include "ws/handshake.h"

namespace server {
namespace {

constexpr std::uint32_t kSseRetryMs = 1000;
constexpr std::size_t kSseChannelsMax = 32;
constexpr std::string_view kSubprotocols[] = {"wirebird"};

}  // namespace

bool HttpFront::may_watch(Peer& peer, const std::vector<std::string>& channels) {
  for (const std::string& channel : channels) {
    const auto allowed = desk_.snapshot->policy().authorize(desk_.principal_of(peer), auth::Verb::subscribe, channel,
                                                            desk_.clock.wall());
    if (!allowed) {
      respond_error(peer, allowed.error());
      return false;
    }
    // Watching a channel that nobody watches makes one: an address may do that only so often.
    if (!desk_.fan_out.watches(channel) && !desk_.new_channels.take(auth::address_prefix(peer.address.ip), desk_.now)) {
      respond_error(peer, {base::Error::rate, "This address makes too many new channels."});
      return false;
    }
  }
  return true;
}

void HttpFront::set_principal(Peer& peer, PrincipalRef principal) {
  if (!principal) {
    peer.forget<&PeerExtras::principal>();
    return;
  }
  peer.rare().principal = std::move(principal);
}

std::optional<std::string> HttpFront::switch_to_websocket(Peer& peer, const Request& request, const Switch& to) {
  const Options& options = desk_.options();
  const bool deflate_now =
      to.may_deflate && options.deflate && !desk_.shared.overload.at_least(Overload::Level::no_compression);
  const bool context_now =
      options.deflate_context_takeover &&
      (desk_.contexts + 1) * ws::kContextBytes <= options.deflate_context_bytes_max / desk_.shared.workers();
  const auto deflate = !deflate_now  ? ws::DeflateOffer::refuse
                       : context_now ? ws::DeflateOffer::context_takeover
                                     : ws::DeflateOffer::no_context_takeover;
  const auto accepted = ws::accept(request, {.subprotocols = to.subprotocols, .deflate = deflate});
  if (!accepted) {
    respond_error(peer, accepted.error());
    return std::nullopt;
  }
  desk_.connections.send(peer, ws::switching_protocols(*accepted));
  peer.session = ws::Session(ws::Role::server, desk_.ws_limits(), accepted->deflate);
  if (peer.session.keeps_context()) ++desk_.contexts;
  leave_http(peer, Peer::Phase::websocket, to.door);
  peer.ping_at = desk_.jittered(desk_.options().ping_interval);
  desk_.connections.arm(peer);
  return accepted->subprotocol;
}

void HttpFront::leave_http(Peer& peer, Peer::Phase phase, DoorKind door) {
  peer.forget<&PeerExtras::http>();
  peer.phase = phase;
  peer.deadline = desk_.expiry_of(peer);
  desk_.counters.open[static_cast<std::size_t>(peer.door)].subtract();
  peer.door = door;
  desk_.counters.open[static_cast<std::size_t>(door)].add();
  desk_.counters.handshake_time.observe(desk_.clock.now() - peer.opened);
}

void HttpFront::open_websocket(Peer& peer, const Request& request, const codec::Query& query,
                               std::string_view channel) {
  auto wanted = door::plain::parse_ws_request(channel, query, desk_.options().channels_per_peer_max);
  if (!wanted) return respond_error(peer, wanted.error());
  if (!ws::asks_for_websocket(request)) return respond_error(peer, base::Error::upgrade_required);
  auto principal = identify(desk_, request, query);
  if (!principal) return respond_error(peer, principal.error());
  set_principal(peer, *std::move(principal));
  if (!may_watch(peer, wanted->feed.channels)) return;
  if (!switch_to_websocket(peer, request, {DoorKind::websocket, kSubprotocols})) return;
  desk_.roster.enter(peer.id(), desk_.principal_of(peer));

  peer.envelope = wanted->envelope;
  peer.json_input = wanted->json_input;
  peer.may_publish = wanted->may_publish;
  Format format = peer.envelope ? Format::ws_envelope : Format::ws_raw;
  if (const std::uint8_t bits = peer.session.shared_deflate_bits(); bits >= ws::kDeflateBitsMax) {
    format = peer.envelope ? Format::ws_envelope_deflate : Format::ws_raw_deflate;
  } else if (bits >= ws::kDeflateBitsMin) {
    format = peer.envelope ? Format::ws_envelope_deflate_small : Format::ws_raw_deflate_small;
  } else if (peer.session.deflate_enabled()) {
    format = Format::individual;
  }
  feeds_.start(peer, wanted->feed.channels, wanted->feed.since, format);
}

void HttpFront::open_echo(Peer& peer, const Request& request) {
  if (!ws::asks_for_websocket(request)) return respond_error(peer, base::Error::upgrade_required);
  switch_to_websocket(peer, request, {DoorKind::echo, kSubprotocols});
}

void HttpFront::open_events(Peer& peer, const Request& request, const codec::Query& query, std::string_view channel) {
  auto wanted = door::parse_feed_request(channel, query, request.find("Last-Event-ID").value_or(""), kSseChannelsMax);
  if (!wanted) return respond_error(peer, wanted.error());
  const bool several = wanted->channels.size() > 1;
  peer.envelope = wanted->meta.value_or(true);
  if (!peer.envelope && several) return respond_error(peer, {base::Error::bad_parameter, "meta=0 takes one channel"});
  auto principal = identify(desk_, request, query);
  if (!principal) return respond_error(peer, principal.error());
  set_principal(peer, *std::move(principal));
  if (!may_watch(peer, wanted->channels)) return;

  std::string head;
  door::sse::append_head(head, peer.http()->allow_origin, kSseRetryMs);
  http::insert_date(head, desk_.date());
  desk_.connections.send(peer, head);
  if (peer.http()->head_only) return desk_.connections.close(peer);
  leave_http(peer, Peer::Phase::events, DoorKind::sse);
  desk_.roster.enter(peer.id(), desk_.principal_of(peer));
  peer.ping_at = desk_.jittered(desk_.options().sse_heartbeat_interval);
  desk_.connections.arm(peer);
  peer.rare().feed = std::make_unique<Feed>();
  const Format format = several ? Format::individual : peer.envelope ? Format::sse_envelope : Format::sse_raw;
  feeds_.start(peer, wanted->channels, wanted->since, format);
}

void HttpFront::open_poll(Peer& peer, const Request& request, const codec::Query& query, std::string_view channel) {
  auto wanted = door::poll::parse_poll_request(channel, query, desk_.options().channels_per_peer_max);
  if (!wanted) return respond_error(peer, wanted.error());
  auto principal = identify(desk_, request, query);
  if (!principal) return respond_error(peer, principal.error());
  set_principal(peer, *std::move(principal));
  if (!may_watch(peer, wanted->feed.channels)) return;

  desk_.counters.open[static_cast<std::size_t>(peer.door)].subtract();
  peer.door = DoorKind::poll;
  desk_.counters.open[static_cast<std::size_t>(peer.door)].add();
  peer.http()->waiting = HttpExchange::Waiting::poll;
  desk_.roster.enter(peer.id(), desk_.principal_of(peer));
  peer.deadline = desk_.now + wanted->timeout;
  desk_.connections.arm(peer);
  peer.rare().feed = std::make_unique<Feed>();
  peer.feed()->records_max = wanted->limit;
  peer.feed()->records_bytes_max = desk_.options().queue_bytes_max;
  peer.feed()->answer_when_started = !wanted->feed.since_given;
  feeds_.start(peer, wanted->feed.channels, wanted->feed.since, Format::individual);
}

void HttpFront::answer_polls() {
  for (const base::PeerId id : feeds_.take_polls()) {
    Peer* peer = desk_.connections.find(id);
    if (peer != nullptr && peer->feed() && peer->door == DoorKind::poll && FeedFront::poll_ready(*peer)) {
      finish_poll(*peer);
    }
  }
}

void HttpFront::finish_poll(Peer& peer) {
  std::string cursor;
  const bool known = peer.feed()->append_cursor(cursor);  // or the hub has not even said where the channels stand
  std::string body;
  if (known) door::poll::append_answer(body, peer.feed()->records, cursor);
  desk_.counters.messages_out.add(known ? peer.feed()->records.size() : 0);
  feeds_.stop(peer);
  peer.forget<&PeerExtras::feed>();
  desk_.counters.open[static_cast<std::size_t>(peer.door)].subtract();
  peer.door = DoorKind::http;
  desk_.counters.open[static_cast<std::size_t>(peer.door)].add();
  if (!known) return respond_error(peer, desk_.shared.draining() ? base::Error::draining : base::Error::busy);
  respond(peer, body);
}

}  // namespace server
