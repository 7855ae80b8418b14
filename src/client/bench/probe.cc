#include "client/bench/probe.h"

#include <utility>

#include "base/assert.h"
#include "client/core/refusal.h"

namespace client::bench {

void Probe::start(base::Instant now) {
  ASSERT(state_ != State::opening && state_ != State::open);
  state_ = State::opening;
  started_ = now;
  why_.clear();
  link_.open(rig_.destination);
  if (link_.state() == Link::State::down) end(link_.why());
}

void Probe::handle_ready() {
  bool was_up = link_.up();
  may_read_ = true;
  link_.handle_ready();
  if (link_.state() == Link::State::down) return end(link_.why());
  if (was_up || !link_.up()) return;
  asked_ = rig_.system.clock.now();
  if (kind_ == Kind::websocket) return ask_for_upgrade();
  post_ = std::make_unique<PostSession>(rig_.response_limits, target_, header_fields());
  state_ = State::open;
  opened_ = asked_;
}

void Probe::ask_for_upgrade() {
  opening_ = std::make_unique<Opening>(rig_.response_limits);
  opening_->options.host = rig_.destination.url().authority;
  opening_->options.target = target_;
  if (!rig_.dialect.subprotocol().empty()) opening_->options.subprotocols = {rig_.dialect.subprotocol()};
  if (!rig_.destination.token().empty()) {
    opening_->options.headers.emplace_back("Authorization", "Bearer " + rig_.destination.token());
  }
  opening_->handshake = ws::start(opening_->options, rig_.system.entropy);
  link_.send(opening_->handshake.request);
}

std::string Probe::header_fields() const {
  const bool is_text = rig_.dialect.frames() == BenchOptions::Frames::text;
  std::string fields = "Host: " + rig_.destination.url().authority + "\r\nContent-Type: ";
  fields += is_text ? "text/plain; charset=utf-8\r\n" : "application/octet-stream\r\n";
  if (!rig_.destination.token().empty()) fields += "Authorization: Bearer " + rig_.destination.token() + "\r\n";
  return fields;
}

std::optional<std::span<const ws::Event>> Probe::next() {
  rig_.scratch.clear();
  if (state_ != State::opening && state_ != State::open) return std::nullopt;
  if (!rig_.unread.empty()) return receive();
  if (!link_.up() || !may_read_) return std::nullopt;
  loop::IoResult result = link_.read(rig_.buffer);
  read_at_ = rig_.system.clock.now();
  // A buffer that was not filled emptied the socket (link.h). Asking again would let one fast connection keep the turn.
  may_read_ = result.status == loop::IoStatus::ok && result.bytes == rig_.buffer.size();
  if (result.status == loop::IoStatus::would_block) return std::nullopt;
  if (result.status != loop::IoStatus::ok) {
    end(link_.why().empty() ? "The connection was cut." : link_.why());
    return std::nullopt;
  }
  if (kind_ == Kind::post) {
    receive_post({rig_.buffer.data(), result.bytes});
    return rig_.scratch.events();
  }
  rig_.unread = std::span(rig_.buffer.data(), result.bytes);
  if (state_ == State::opening && !receive_answer(rig_.unread)) {
    rig_.unread = {};
    return rig_.scratch.events();
  }
  if (rig_.unread.empty()) return rig_.scratch.events();
  return receive();
}

// True once the connection is open; `bytes` is then what belongs to it.
bool Probe::receive_answer(std::span<char>& bytes) {
  using Status = http::ResponseReader::Status;
  http::ResponseReader& response = opening_->response;
  while (!bytes.empty() && response.status() != Status::done && response.status() != Status::failed) {
    bytes = bytes.subspan(response.receive({bytes.data(), bytes.size()}));
  }
  if (response.status() == Status::failed) {
    end("The answer to the handshake is not HTTP.");
    return false;
  }
  if (response.status() != Status::done) return false;
  if (response.response().status != 101) {
    end(read_refusal(response.response(), response.body()).text());
    return false;
  }
  auto established = ws::finish(opening_->handshake, opening_->options, response.response());
  if (!established) {
    end("The answer to the handshake is not that of a WebSocket server.");
    return false;
  }
  session_.emplace(ws::Role::client, rig_.session_limits, established->deflate);
  opening_.reset();
  state_ = State::open;
  opened_ = read_at_;
  return true;
}

std::span<const ws::Event> Probe::receive() {
  const bool was_partial = session_->next_timeout() != base::kNever;
  if (!was_partial) partial_since_ = read_at_;
  first_byte_ = partial_since_;
  rig_.unread = rig_.unread.subspan(session_->receive(rig_.scratch, rig_.unread, read_at_));
  link_.send(rig_.scratch.output());
  for (const ws::Event& event : rig_.scratch.events()) {
    // What is partial after a complete message has begun in this read.
    if (event.type == ws::Event::Type::text || event.type == ws::Event::Type::binary) partial_since_ = read_at_;
    if (event.type == ws::Event::Type::close) {
      rig_.unread = {};
      end(event.error == base::Error::none ? std::to_string(event.close_code) + " " + std::string(event.payload)
                                           : "The server broke the WebSocket protocol.");
      break;
    }
  }
  return rig_.scratch.events();
}

void Probe::receive_post(std::string_view bytes) {
  auto answered = post_->receive(bytes, read_at_);
  if (!answered) return end(answered.error());
  answer_time_ = *answered;
}

bool Probe::may_send(std::size_t queued_bytes_max) const {
  return state_ == State::open && !waits_for_answer() && link_.queued_bytes() <= queued_bytes_max;
}

void Probe::send(std::string_view message) {
  if (post_) {
    rig_.request.clear();
    post_->request(rig_.request, message, rig_.system.clock.now());
    return link_.send(rig_.request);
  }
  rig_.outgoing.clear();
  if (rig_.dialect.frames() == BenchOptions::Frames::text) {
    session_->send_text(rig_.outgoing, message);
  } else {
    session_->send_binary(rig_.outgoing, message);
  }
  link_.send(rig_.outgoing.output());
}

void Probe::give_up(std::string_view why) { end(why); }

void Probe::end(std::string_view why) {
  why_ = why;
  state_ = state_ == State::open ? State::dropped : State::failed;
  link_.close(loop::CloseMode::graceful);
  opening_.reset();
}

void Probe::finish() {
  if (state_ != State::open) return;
  if (session_) {
    rig_.outgoing.clear();
    session_->close(rig_.outgoing, 1000, {});
    link_.send(rig_.outgoing.output());
  }
  state_ = State::closed;
  link_.close(loop::CloseMode::graceful);
}

void Probe::cut() {
  // A reset leaves no socket in TIME_WAIT: a storm would use up the ports of this side.
  link_.close(loop::CloseMode::reset);
  opening_.reset();
  session_.reset();
  post_.reset();
  may_read_ = false;
  state_ = State::closed;
}

}  // namespace client::bench
