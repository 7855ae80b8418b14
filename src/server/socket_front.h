// Open WebSockets: what clients send becomes publishes (or an echo), pings keep the connection honest, closes are
// answered. Threads: owned by one worker.
#pragma once

#include <span>

#include "server/desk.h"
#include "server/feed_front.h"
#include "ws/frame.h"

namespace server {

class SocketFront {
 public:
  SocketFront(Desk& desk, CentrifugeFront& centrifuge) : desk_(desk), centrifuge_(centrifuge) {}

  void receive(Peer& peer, std::span<char> bytes);
  void receive_eof(Peer& peer);
  void handle_timeout(Peer& peer);
  // A publish of this peer was refused by the home.
  void publish_refused(Peer& peer, base::Error error);

 private:
  // `received`: what the session was given, where the payload may stand.
  void handle(Peer& peer, const ws::Event& event, std::span<char> received);
  void echo(Peer& peer, const ws::Event& event, std::span<char> received);
  void publish(Peer& peer, const ws::Event& event);
  void refuse(Peer& peer, const base::Refusal& refusal);
  void ping(Peer& peer);
  void flush_scratch(Peer& peer);
  void end_if_closed(Peer& peer);

  Desk& desk_;
  CentrifugeFront& centrifuge_;
  const base::SharedBytes ping_frame_ = ws::encode_server_frame(ws::Opcode::ping, {});
};

}  // namespace server
