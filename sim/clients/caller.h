// One HTTP request and its answer, for tests: sends whatever bytes it is given and reads one response.
#pragma once

#include <string>

#include "http/response_reader.h"
#include "sim/crowd.h"

namespace sim {

class Caller final : public Guest {
 public:
  // finish: sends FIN right behind the request, as simple clients do.
  enum class Then : std::uint8_t { wait, finish };
  Caller(Crowd& crowd, const Link& link, std::string_view request, Then then = Then::wait)
      : wire_(crowd, crowd.join(*this)), response_(kLimits) {
    wire_.connect(link);
    wire_.send(request);
    if (then == Then::finish) wire_.finish();
  }

  bool answered() const { return response_.status() == http::ResponseReader::Status::done; }
  bool ended() const { return ended_; }  // the connection, in whatever way
  std::uint16_t status() const { return response_.response().status; }
  std::string_view body() const { return response_.body(); }
  Wire& wire() { return wire_; }

  void ready() override {
    wire_.flush();
    for (;;) {
      const Wire::Input input = wire_.read(input_);
      if (input == Wire::Input::nothing) return;
      if (input != Wire::Input::bytes) {
        if (input == Wire::Input::ended) response_.receive_eof();
        ended_ = true;
        return wire_.close(loop::CloseMode::graceful);
      }
      std::string_view rest = input_;
      while (!rest.empty() && !answered() && response_.status() != http::ResponseReader::Status::failed) {
        rest.remove_prefix(response_.receive(rest));
      }
    }
  }
  void handle_timeout() override {}

 private:
  static constexpr http::ResponseLimits kLimits{};
  Wire wire_;
  http::ResponseReader response_;
  std::string input_;
  bool ended_ = false;
};

}  // namespace sim
