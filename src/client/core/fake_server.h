// The other end for tests of the client's cores: takes what they send, checks the handshake as a server does, and says
// what the test tells it to. No sockets.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "http/request_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace client {

class FakeServer {
 public:
  // Takes a request without a body; true once it is complete.
  bool receive_request(std::string_view bytes) {
    reader_.receive(bytes);
    return reader_.status() == http::RequestReader::Status::done;
  }
  const http::Request& request() const { return reader_.request(); }

  // The bytes of a successful handshake.
  std::string accept(ws::DeflateOffer deflate = ws::DeflateOffer::refuse) {
    auto accepted = ws::accept(request(), ws::ServerOptions{.subprotocols = {}, .deflate = deflate});
    EXPECT_TRUE(accepted.has_value());
    if (!accepted) return {};
    session_ = ws::Session(ws::Role::server, limits_, accepted->deflate);
    return ws::switching_protocols(*accepted);
  }
  std::string text(std::string_view text) {
    scratch_.clear();
    session_.send_text(scratch_, text);
    return std::string(scratch_.output());
  }
  std::string close(std::uint16_t code, std::string_view reason) {
    scratch_.clear();
    session_.close(scratch_, code, reason);
    return std::string(scratch_.output());
  }
  // Takes frames of the client and answers as a session does; `seen` gets the types of the events.
  std::string receive(std::string_view bytes, base::Instant now, std::vector<ws::Event::Type>* seen = nullptr) {
    std::string copy(bytes);
    std::span<char> rest(copy);
    std::string output;
    while (!rest.empty()) {
      scratch_.clear();
      rest = rest.subspan(session_.receive(scratch_, rest, now));
      if (seen != nullptr) {
        for (const ws::Event& event : scratch_.events()) seen->push_back(event.type);
      }
      output += scratch_.output();
    }
    return output;
  }

 private:
  http::RequestLimits request_limits_;
  http::RequestReader reader_{request_limits_};
  ws::Limits limits_;
  base::SeededEntropy entropy_{99};
  ws::Scratch scratch_{entropy_};
  ws::Session session_{ws::Role::server, limits_};
};

}  // namespace client
