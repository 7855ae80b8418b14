// HTTP requests: reads them, sends each to its route, answers. Routes that open a door (WebSocket, SSE, long polling)
// check origin, credentials and permissions here, before any state is made. The operator's routes are in api_front.h.
// Threads: owned by one worker.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/url.h"
#include "http/request.h"
#include "hub/mail.h"
#include "server/api_front.h"
#include "server/credentials.h"
#include "server/desk.h"
#include "server/feed_front.h"
#include "server/http_exchange.h"

namespace server {

class HttpFront {
 public:
  HttpFront(Desk& desk, FeedFront& feeds, CentrifugeFront& centrifuge)
      : desk_(desk), feeds_(feeds), centrifuge_(centrifuge), api_(desk) {}

  void opened(Peer& peer);
  // Returns how many bytes were taken; fewer than given only if the connection has switched to WebSocket.
  std::size_t receive(Peer& peer, std::string_view bytes);
  void receive_eof(Peer& peer);
  void handle_timeout(Peer& peer);

  // Answers of the hub to requests of this peer.
  void published(Peer& peer, const hub::Published& answer);
  void forwarded(Peer& peer, const hub::Forwarded& answer);
  // Answers of the hub to requests of the API (ApiFront::owns).
  void api_published(const hub::Published& answer);
  void api_paged(const hub::Page& page);
  void api_listed(hub::Listed& listed);
  void api_present(const hub::Present& present);
  void api_state(hub::StatePage& page);
  void api_acted(hub::Acted& acted);

  // Once per turn: long polls that have something to tell get their answer.
  void answer_polls();
  // The permissions changed: closes what is no longer permitted.
  void reauthorise();
  // While draining: a request is under way; then the close.
  bool busy(const Peer& peer) const;
  void say_goodbye(Peer& peer);

 private:
  using Request = http::Request;

  std::size_t read_requests(Peer& peer, std::string_view bytes);
  void handle(Peer& peer);
  void open_websocket(Peer& peer, const Request& request, const codec::Query& query, std::string_view channel);
  void open_echo(Peer& peer, const Request& request);
  void open_events(Peer& peer, const Request& request, const codec::Query& query, std::string_view channel);
  void open_poll(Peer& peer, const Request& request, const codec::Query& query, std::string_view channel);
  void publish(Peer& peer, const Request& request, const codec::Query& query, std::string_view channel);
  void issue_ticket(Peer& peer, const Request& request);
  void api(Peer& peer, const Request& request, const codec::Query& query, std::string_view method);
  void respond_api(Peer& peer, const ApiFront::Finished& finished);
  void respond_api_refusal(Peer& peer, const base::Refusal& refusal);
  void finish_api();
  void open_centrifuge(Peer& peer, const Request& request, const codec::Query& query, std::string_view endpoint);
  void open_centrifuge_stream(Peer& peer, const Request& request, const codec::Query& query,
                              door::centrifuge::Carrier carrier);
  void emulate(Peer& peer, const Request& request);
  void open_centrifuge_socket(Peer& peer, const Request& request, const codec::Query& query, bool unidirectional);
  struct Switch {
    DoorKind door;
    std::span<const std::string_view> subprotocols;
    bool may_deflate = true;
  };
  // Its subprotocol (empty: none); nothing: it was refused.
  std::optional<std::string> switch_to_websocket(Peer& peer, const Request& request, const Switch& to);
  bool admit_client(Peer& peer, const Request& request);
  bool answers_to(const Peer& peer, const Request& request) const;
  bool serves_api(const Peer& peer) const;
  bool may_watch(Peer& peer, const std::vector<std::string>& channels);
  void set_principal(Peer& peer, PrincipalRef principal);
  void finish_poll(Peer& peer);

  bool too_long_to_publish(const Request& request) const;
  bool takes_body(Peer& peer, const Request& request);
  void leave_http(Peer& peer, Peer::Phase phase, DoorKind door);

  // http_front_answers.cc
  void respond(Peer& peer, std::string_view json);
  void respond_error(Peer& peer, const base::Refusal& refusal);
  void refuse_method(Peer& peer, std::string_view allowed);
  void send_answer(Peer& peer, std::string answer);
  void next_request(Peer& peer);

  Desk& desk_;
  FeedFront& feeds_;
  CentrifugeFront& centrifuge_;
  ApiFront api_;
};

}  // namespace server
