// Publishes each argument as one message and says what became of it.
//
//   build/release/examples/cpp/example_publish http://127.0.0.1:8000 news 'Hello' '{"a":1}'
#include <iostream>

#include "client/publisher.h"

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: example_publish URL CHANNEL MESSAGE...\n";
    return 2;
  }
  auto opened = client::Publisher::open({.endpoint = {.url = argv[1]}});
  if (!opened) {
    std::cerr << opened.error() << '\n';
    return 2;
  }
  client::Publisher& publisher = **opened;
  for (int i = 3; i < argc; ++i) {
    client::Outcome outcome = publisher.publish({.channel = argv[2], .payload = argv[i]});
    switch (outcome.result) {
      case client::Outcome::Result::accepted:
        std::cout << to_string(outcome.position) << '\n';
        break;
      case client::Outcome::Result::refused:
      case client::Outcome::Result::unreached:
        std::cerr << "not published: " << outcome.code << ' ' << outcome.message << '\n';
        return 1;
      case client::Outcome::Result::unknown:
        std::cerr << "perhaps published: " << outcome.message << '\n';
        return 3;
    }
  }
}
