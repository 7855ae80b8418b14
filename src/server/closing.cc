#include "server/closing.h"

#include <string>

#include "http/response.h"
#include "server/centrifuge_close.h"

namespace server {

void close_slow(Desk& desk, Peer& peer) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  for (const hub::SubscriptionId id : peer.subscriptions) desk.fan_out.count_closed(id);
  desk.counters.queue_bytes.subtract(peer.out.bytes());
  peer.out.drop_unsent();
  desk.counters.queue_bytes.add(peer.out.bytes());
  close_with(desk, peer, base::Error::slow_consumer);
}

void close_with(Desk& desk, Peer& peer, base::Error error, std::string_view detail) {
  if (peer.dying || peer.phase == Peer::Phase::closing) return;
  desk.refused(peer, error);
  if (const auto code = disconnect_of(error); code && peer.centrifuge()) {
    const auto told = door::centrifuge::to_push(*code);
    return disconnect(desk, peer, told.code, told.reason);
  }
  if (peer.phase == Peer::Phase::websocket) {
    desk.scratch.clear();
    peer.session.close(desk.scratch, error);
    desk.connections.send(peer, desk.scratch.output());
  } else if (peer.phase == Peer::Phase::http) {
    std::string answer;
    const bool later = base::entry(error).http_status == 503 || base::entry(error).http_status == 429;
    http::append_error(answer, error, http::Connection::close, detail, later ? 1 : -1);
    desk.connections.send(peer, answer);
  }
  desk.connections.close(peer);
}

}  // namespace server
