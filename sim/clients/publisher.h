// Clients that publish: over HTTP with keep-alive and pipelining, where every message is sent again with the same
// idempotency key until it is acknowledged; and over WebSocket, where nothing is acknowledged and nothing is sent
// again. They are cut off like everybody else.
#pragma once

#include <deque>
#include <memory>

#include "http/response_reader.h"
#include "sim/clients/ws_client.h"
#include "sim/crowd.h"
#include "sim/log.h"

namespace sim {

struct PublisherPlan {
  std::vector<std::string> channels;
  Link link;
  std::uint32_t payload_bytes_max = 200;
  base::Duration pause_max = base::Duration::zero();  // between two messages; zero: full speed
  std::uint32_t pipeline_max = 1;                     // HTTP: requests that wait for their answers
  std::uint32_t cut_percent = 1;                      // of its messages are followed by the end of the connection
  bool alike = false;                                 // messages differ little, so that deltas are worth it
};

// The next message of a publisher: unique in its channel, of any kind.
Publication make_publication(const PublisherPlan& plan, std::uint32_t publisher, std::uint64_t number,
                             base::Entropy& entropy);

class HttpPublisher final : public Guest {
 public:
  HttpPublisher(Crowd& crowd, PublisherPlan plan, Log& log, std::uint64_t seed);

  void stop() { stopping_ = true; }
  void close() { wire_.close(loop::CloseMode::graceful); }  // once finished
  bool finished() const { return stopping_ && waiting_.empty(); }
  void ready() override;
  void handle_timeout() override;

 private:
  void reconnect();
  void send_more();
  void send(std::size_t publication);
  void take_answer();

  Crowd& crowd_;
  PublisherPlan plan_;
  Log& log_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  http::ResponseReader response_;
  std::deque<std::size_t> waiting_;  // publications without an answer, in order
  std::uint64_t made_ = 0;
  base::Instant next_at_;
  std::string input_;
  bool stopping_ = false;
};

class WsPublisher final : public Guest {
 public:
  WsPublisher(Crowd& crowd, PublisherPlan plan, Log& log, std::uint64_t seed);  // one channel

  void stop() { stopping_ = true; }
  bool finished() const { return finished_; }
  void ready() override;
  void handle_timeout() override;

 private:
  void connect();
  void receive();
  void publish();

  Crowd& crowd_;
  PublisherPlan plan_;
  Log& log_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  ws::ClientOptions options_;
  ws::ClientHandshake handshake_;
  std::unique_ptr<http::ResponseReader> response_;
  ws::Scratch scratch_;
  std::optional<ws::Session> session_;
  std::uint64_t made_ = 0;
  std::string input_;
  bool json_ = false;
  bool stopping_ = false, closing_ = false, finished_ = false;
};

}  // namespace sim
