// Publishes messages one after the other and waits for each answer. The simplest way to write to a Wirebird server;
// docs/client-cpp.md has examples.
//
//   auto publisher = client::Publisher::open({.endpoint = {.url = "http://127.0.0.1:8000"}});
//   client::Outcome outcome = (*publisher)->publish({.channel = "news", .payload = "hello"});
//
// Attempts that end without an answer are repeated with the same Idempotency-Key, so nothing is published twice; what
// `unknown` means stands in client/core/publish_session.h. One thread. Name look-ups block.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "client/core/publish_session.h"
#include "client/destination.h"
#include "client/endpoint.h"
#include "client/link.h"
#include "client/system.h"

namespace client {

struct PublisherOptions {
  Endpoint endpoint;
  base::Duration message_time_max = std::chrono::seconds(30);  // of one message with its retries; at most kRetryMax
  loop::SocketId stop = loop::kNoSocket;  // a descriptor: as soon as it is readable, publish() and idle() return
};

class Publisher {
 public:
  // Checks the options; connects with the first message. The error is a sentence for a person.
  static std::expected<std::unique_ptr<Publisher>, std::string> open(PublisherOptions options);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // A key that is not 1 to 255 visible ASCII characters is refused without asking the server.
  Outcome publish(const Publication& publication);
  // Keeps the connection in order for so long while there is nothing to publish.
  void idle(base::Duration time);
  bool stopped() const { return stopped_; }

 private:
  Publisher(std::unique_ptr<System> system, Destination destination, const PublisherOptions& options);

  void turn(base::Instant until);
  void settle();
  void handle_link();
  void take();

  std::unique_ptr<System> system_;
  Destination destination_;
  loop::SocketId stop_;
  PublishSession session_;
  Link link_;
  std::string output_;
  bool stopped_ = false;
};

}  // namespace client
