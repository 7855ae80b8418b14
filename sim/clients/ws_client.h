// WebSocket, envelope or raw (docs/protocol.md).
#pragma once

#include "http/response_reader.h"
#include "sim/clients/door_client.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace sim {

class WsClient final : public DoorClient {
 public:
  WsClient(Visit visit, const DoorOptions& options, base::Entropy& entropy);

  std::string request() override { return handshake_.request; }
  void receive(std::span<char> bytes, base::Instant now, std::string& out) override;
  void receive_eof() override;
  void leave(std::string& out) override;

 private:
  void take(const ws::Event& event, base::Instant now);

  ws::ClientOptions client_;
  ws::ClientHandshake handshake_;
  http::ResponseReader response_;
  ws::Scratch scratch_;
  std::optional<ws::Session> session_;
};

}  // namespace sim
