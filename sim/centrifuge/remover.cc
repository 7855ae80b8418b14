#include "sim/centrifuge/remover.h"

#include "base/assert.h"

namespace sim::centrifuge {
namespace {

constexpr http::ResponseLimits kResponseLimits;

}  // namespace

Remover::Remover(Crowd& crowd, const Link& link, std::vector<std::string> channels, base::Duration pause_max,
                 std::vector<Removal>& removals, std::uint64_t seed)
    : crowd_(crowd),
      channels_(std::move(channels)),
      pause_max_(pause_max),
      removals_(removals),
      entropy_(seed),
      number_(crowd.join(*this)),
      wire_(crowd, number_),
      response_(kResponseLimits) {
  wire_.connect(link);
  crowd_.wake_at(number_, crowd_.world().now() + pause_max_);
}

void Remover::handle_timeout() {
  if (stopping_ || waiting_) return;
  const std::string& channel = channels_[entropy_.below(static_cast<std::uint32_t>(channels_.size()))];
  const std::string body = "{\"channel\":\"" + channel + "\"}";
  waiting_ = true;
  removals_.push_back({.channel = channel, .sent = crowd_.world().now()});
  wire_.send(
      "POST /api/history_remove HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
}

void Remover::ready() {
  wire_.flush();
  for (;;) {
    const Wire::Input input = wire_.read(input_);
    if (input == Wire::Input::nothing) return;
    ASSERT(input == Wire::Input::bytes);
    std::string_view rest = input_;
    while (!rest.empty()) {
      rest.remove_prefix(response_.receive(rest));
      if (response_.status() != http::ResponseReader::Status::done) continue;
      ASSERT(response_.response().status == 200);
      response_.reset();
      waiting_ = false;
      removals_.back().answered = crowd_.world().now();
      const auto pause = static_cast<std::uint64_t>(pause_max_.count());
      crowd_.wake_at(number_,
                     crowd_.world().now() + base::Duration(static_cast<std::int64_t>(entropy_.next() % pause)));
    }
  }
}

}  // namespace sim::centrifuge
