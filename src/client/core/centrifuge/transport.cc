#include "client/core/centrifuge/transport.h"

#include "base/assert.h"
#include "base/error.h"
#include "client/core/refusal.h"

namespace client::centrifuge {
namespace {

constexpr std::uint16_t kCut = 1006;

ws::Limits limits_of(const TransportOptions& options) {
  // Large histories take their time on thin lines, and some servers send them in small fragments.
  return {.message_bytes_max = options.message_bytes_max,
          .fragments_max = 4096,
          .message_time_max = std::chrono::seconds(120)};
}

}  // namespace

Transport::Transport(TransportOptions options, base::Entropy& entropy)
    : options_(std::move(options)), entropy_(entropy), limits_(limits_of(options_)), scratch_(entropy) {
  // What a server says with a refusal is a sentence, not a page.
  response_limits_.body_bytes_max = 64 * 1024;
}

void Transport::begin() {
  ASSERT(state_ == State::closed);
  state_ = State::connecting;
  output_.clear();
}

void Transport::connected() {
  if (state_ != State::connecting) return;
  state_ = State::handshaking;
  handshake_options_ = {};
  handshake_options_.host = options_.authority;
  handshake_options_.target = options_.target;
  handshake_options_.headers = options_.headers;
  handshake_options_.deflate = options_.deflate == TransportOptions::Deflate::offer;
  if (!options_.subprotocol.empty()) handshake_options_.subprotocols = {options_.subprotocol};
  handshake_ = ws::start(handshake_options_, entropy_);
  response_.emplace(response_limits_);
  output_ += handshake_.request;
}

std::size_t Transport::receive(std::span<char> bytes, base::Instant now) {
  events_.clear();
  switch (state_) {
    case State::handshaking:
      return receive_handshake(bytes);
    case State::open: {
      scratch_.clear();
      collected_ = 0;
      const std::size_t taken = session_->receive(scratch_, bytes, now);
      take_frames();
      return taken;
    }
    case State::closed:
    case State::connecting:
      break;  // what was under way when it was given up
  }
  return bytes.size();
}

std::size_t Transport::receive_handshake(std::span<char> bytes) {
  using Status = http::ResponseReader::Status;
  const std::size_t taken = response_->receive({bytes.data(), bytes.size()});
  switch (response_->status()) {
    case Status::need_more:
      return taken;
    case Status::failed:
      end(0, "The answer to the handshake is not HTTP.");
      return bytes.size();
    case Status::head_done:
    case Status::done:
      break;
  }
  if (response_->response().status != 101) {
    if (response_->status() == Status::done) refuse();
    return wanted() ? taken : bytes.size();
  }
  const auto established = ws::finish(handshake_, handshake_options_, response_->response());
  if (!established || established->subprotocol != options_.subprotocol) {
    end(0, established ? "The server does not speak " + options_.subprotocol + "."
                       : "The answer to the handshake is not that of a WebSocket server.");
    return bytes.size();
  }
  session_.emplace(ws::Role::client, limits_, established->deflate);
  response_.reset();
  state_ = State::open;
  events_.push_back({.type = Event::Type::opened});
  return taken;
}

void Transport::refuse() { end(0, read_refusal(response_->response(), response_->body()).text()); }

void Transport::take_frames() {
  const auto expected =
      options_.frames == TransportOptions::Frames::text ? ws::Event::Type::text : ws::Event::Type::binary;
  for (const ws::Event& event : scratch_.events()) {
    switch (event.type) {
      case ws::Event::Type::text:
      case ws::Event::Type::binary:
        // A frame of the other kind is no message of the protocol: an empty one says so to whoever reads it.
        events_.push_back({.type = Event::Type::message, .message = event.type == expected ? event.payload : ""});
        break;
      case ws::Event::Type::ping:
      case ws::Event::Type::pong:
        break;
      case ws::Event::Type::close: {
        collect();
        if (event.error == base::Error::none) return end(event.close_code, std::string(event.payload));
        return end(base::entry(event.error).close_code,
                   std::string(base::to_string(event.error)) + " The server broke the WebSocket protocol.");
      }
    }
  }
  collect();
}

void Transport::collect() {
  output_ += scratch_.output().substr(collected_);
  collected_ = scratch_.output().size();
}

void Transport::end(std::uint16_t code, std::string reason) {
  state_ = State::closed;
  session_.reset();
  response_.reset();
  events_.push_back({.type = Event::Type::closed, .code = code, .reason = std::move(reason)});
}

void Transport::receive_eof(std::string_view why) {
  events_.clear();
  switch (state_) {
    case State::closed:
      return;
    case State::connecting:
      return end(0, std::string(why.empty() ? "The server cannot be reached." : why));
    case State::handshaking:
      response_->receive_eof();
      if (response_->status() == http::ResponseReader::Status::done) return refuse();
      return end(0, std::string(why.empty() ? "The connection was cut during the handshake." : why));
    case State::open:
      return end(kCut, std::string(why.empty() ? "The connection was cut." : why));
  }
}

void Transport::handle_timeout(base::Instant now) {
  events_.clear();
  if (next_timeout() > now) return;
  scratch_.clear();
  collected_ = 0;
  session_->handle_timeout(scratch_, now);
  take_frames();
}

void Transport::send(std::string_view frame) {
  ASSERT(open());
  if (options_.frames == TransportOptions::Frames::text) {
    session_->send_text(scratch_, frame);
  } else {
    session_->send_binary(scratch_, frame);
  }
  collect();
}

void Transport::drop(std::uint16_t code) {
  if (open()) {
    session_->close(scratch_, code, {});
    collect();
  } else {
    output_.clear();
  }
  state_ = State::closed;
  session_.reset();
  response_.reset();
}

}  // namespace client::centrifuge
