// A subscription to one or several channels that stays: connects, reconnects and resumes by itself, and hands out one
// event after the other. The simplest way to read from a Wirebird server; docs/client-cpp.md has examples.
//
//   auto subscriber = client::Subscriber::open({.endpoint = {.url = "http://127.0.0.1:8000"}, .channels = {"news"}});
//   while (auto event = (*subscriber)->next()) {
//     if (auto* message = std::get_if<client::MessageEvent>(&*event)) use(message->message.payload);
//   }
//
// What the events mean and what is promised stands in client/core/stream.h. Everything happens inside next(): a program
// that does not call it reads nothing, and after about a minute the server lets it go (it comes back by itself).
//
// One thread. Name look-ups block.
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/core/stream.h"
#include "client/destination.h"
#include "client/endpoint.h"
#include "client/link.h"
#include "client/system.h"

namespace client {

struct SubscriberOptions {
  Endpoint endpoint;
  std::vector<std::string> channels;  // 1 to 128, each once
  std::string since;                  // cursor(), -N or a time; empty: from now
  StreamOptions::Deflate deflate = StreamOptions::Deflate::no;
  StreamOptions::Retry retry = StreamOptions::Retry::forever;
  loop::SocketId stop = loop::kNoSocket;  // a descriptor: as soon as it is readable, next() returns (once)
};

class Subscriber {
 public:
  // Checks the options; connects with the first next(). The error is a sentence for a person.
  static std::expected<std::unique_ptr<Subscriber>, std::string> open(SubscriberOptions options);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // The next event, waiting at most `timeout`. Nothing if the time has passed, the stop descriptor became readable, or
  // finished().
  std::optional<StreamEvent> next(base::Duration timeout = base::Duration::max());
  // No event will come any more.
  bool finished() const { return events_.empty() && stream_.finished(); }
  bool stopped() const { return stopped_; }  // the stop descriptor has become readable
  // Says good-bye to the server; next() still hands out what had come before and ends with the disconnected event.
  void close();

  // The place after the last event handed out by next(): store it, and give it as `since` to go on there, also in
  // another process.
  const std::string& cursor() const { return cursor_; }
  const std::vector<std::string>& channels() const { return stream_.options().channels; }

 private:
  Subscriber(std::unique_ptr<System> system, Destination destination, SubscriberOptions options);

  void settle();
  void stop();
  void handle_link();
  void take();
  void remember(const StreamEvent& event);

  std::unique_ptr<System> system_;
  Destination destination_;
  loop::SocketId stop_;
  Stream stream_;
  Scratch scratch_;
  Link link_;
  std::deque<StreamEvent> events_;
  Cursor positions_;
  std::string cursor_;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace client
