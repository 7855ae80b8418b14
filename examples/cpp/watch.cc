// Prints every message of a channel. It remembers in a file where it stopped, so that a restart goes on there.
//
//   build/release/examples/cpp/example_watch http://127.0.0.1:8000 news news.cursor
#include <fstream>
#include <iostream>
#include <string>

#include "client/subscriber.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: example_watch URL CHANNEL CURSOR-FILE\n";
    return 2;
  }
  const std::string cursor_file = argv[3];
  client::SubscriberOptions options;
  options.endpoint.url = argv[1];
  options.channels = {argv[2]};
  std::getline(std::ifstream(cursor_file), options.since);

  auto opened = client::Subscriber::open(std::move(options));
  if (!opened) {
    std::cerr << opened.error() << '\n';
    return 2;
  }
  client::Subscriber& subscriber = **opened;
  while (auto event = subscriber.next()) {
    if (auto* message = std::get_if<client::MessageEvent>(&*event)) {
      std::cout << message->message.payload << std::endl;
    } else if (auto* gap = std::get_if<client::GapEvent>(&*event)) {
      std::cerr << "missed " << gap->from << " to " << gap->to << " (" << gap->reason << ")\n";
    } else if (auto* cut = std::get_if<client::DisconnectedEvent>(&*event)) {
      std::cerr << "not connected: " << cut->code << ' ' << cut->reason << '\n';
    }
    std::ofstream(cursor_file) << subscriber.cursor() << '\n';
  }
  return 1;  // refused for good; the last "not connected" said why
}
