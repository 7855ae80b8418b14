// A chat in the terminal, with Wirebird or any other server of the Centrifuge protocol:
//
//   chat ws://127.0.0.1:8000/connection/websocket room [TOKEN]
//
// What you type is published as JSON; what others say is printed, also what they said while you were away.
#include <wirebird/client.h>

#include <cstdio>
#include <iostream>
#include <string>

namespace {

std::string json_string(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (static_cast<unsigned char>(c) >= ' ') json += c;
  }
  return json + "\"";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: chat URL CHANNEL [TOKEN]\n");
    return 2;
  }
  wirebird::ClientOptions options;
  options.name = "chat";
  if (argc > 3) options.token = argv[3];
  auto created = wirebird::Client::create(argv[1], options);
  if (!created) {
    std::fprintf(stderr, "%s\n", created.error().message.c_str());
    return 2;
  }
  wirebird::Client& client = **created;
  client.on_connected([](const wirebird::ConnectedEvent& event) {
    std::printf("connected as %s\n", event.client.c_str());
    std::fflush(stdout);
  });
  client.on_connecting(
      [](const wirebird::ConnectingEvent& event) { std::printf("connecting: %s\n", event.reason.c_str()); });
  client.on_disconnected([](const wirebird::DisconnectedEvent& event) {
    std::printf("disconnected: %u %s\n", event.code, event.reason.c_str());
  });
  client.on_error([](const wirebird::Error& error) { std::printf("error: %s\n", error.message.c_str()); });

  wirebird::SubscriptionOptions wishes;
  wishes.recoverable = true;
  const auto subscription = *client.new_subscription(argv[2], wishes);
  subscription->on_subscribed([](const wirebird::SubscribedEvent& event) {
    std::printf("subscribed%s\n", event.was_recovering && !event.recovered ? ", some messages are lost" : "");
    std::fflush(stdout);
  });
  subscription->on_unsubscribed([](const wirebird::UnsubscribedEvent& event) {
    std::printf("unsubscribed: %u %s\n", event.code, event.reason.c_str());
    std::fflush(stdout);
  });
  subscription->on_publication([](const wirebird::Publication& publication) {
    std::printf("> %s\n", publication.data.c_str());
    std::fflush(stdout);
  });
  subscription->subscribe();
  client.connect();

  std::string line;
  while (std::getline(std::cin, line)) {
    // Waits for the answer: the callbacks run on the client's own thread meanwhile.
    const auto published = subscription->publish(json_string(line)).get();
    if (!published) std::fprintf(stderr, "not published: %s\n", published.error().message.c_str());
  }
}
