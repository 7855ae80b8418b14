#include "client/link.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace client {
namespace {

// "TLS: certificate verify failed", and no "TLS: " twice.
std::string text_of(const loop::TlsConnection& tls) {
  std::string text = tls.error_text();
  return text.starts_with("TLS") ? text : "TLS: " + text;
}

std::string text_of(int error) { return error == 0 ? "The connection was cut." : std::strerror(error); }

}  // namespace

void Link::open(const Destination& destination) {
  ASSERT(state_ == State::down);
  destination_ = &destination;
  next_address_ = 0;
  output_.clear();
  written_ = 0;
  why_ = "The server has no address.";
  try_next_address();
}

void Link::try_next_address() {
  while (next_address_ < destination_->addresses().size()) {
    auto socket = loop::start_connect(destination_->addresses()[next_address_++]);
    if (!socket) {
      why_ = socket.error();
      continue;
    }
    socket_ = *socket;
    state_ = State::connecting;
    interest_ = loop::Interest::write;
    system_.poller->add(socket_, token_, interest_);
    return;
  }
}

void Link::watch(loop::Interest interest) {
  if (interest == interest_) return;
  interest_ = interest;
  system_.poller->modify(socket_, token_, interest);
}

void Link::handle_ready() {
  switch (state_) {
    case State::down:
      break;
    case State::connecting:
      finish_tcp();
      break;
    case State::securing:
      secure();
      break;
    case State::up:
      flush();
      break;
  }
}

void Link::finish_tcp() {
  auto connected = loop::finish_connect(socket_);
  if (!connected) {
    fail(connected.error());
    return try_next_address();
  }
  tcp_established_ = system_.clock.now();
  if (destination_->tls() == nullptr) {
    state_ = State::up;
    return watch(loop::Interest::read);
  }
  tls_ = std::make_unique<loop::TlsConnection>(*destination_->tls(), destination_->url().host);
  state_ = State::securing;
  secure();
}

void Link::secure() {
  switch (tls_->handshake(system_.sockets, socket_)) {
    case loop::HandshakeStatus::done:
      state_ = State::up;
      return watch(tls_->wants_write() ? loop::Interest::read_write : loop::Interest::read);
    case loop::HandshakeStatus::want_read:
      return watch(loop::Interest::read);
    case loop::HandshakeStatus::want_write:
      return watch(loop::Interest::read_write);
    case loop::HandshakeStatus::failed:
      return fail(text_of(*tls_));
  }
}

void Link::send(std::string_view bytes) {
  if (state_ != State::up || bytes.empty()) return;
  output_ += bytes;
  flush();
}

void Link::flush() {
  while (written_ < output_.size() || (tls_ && tls_->wants_write())) {
    std::string_view rest = std::string_view(output_).substr(written_);
    loop::IoResult result = rest.empty() ? tls_->flush(system_.sockets, socket_)
                            : tls_       ? tls_->write(system_.sockets, socket_, {&rest, 1})
                                         : system_.sockets.write(socket_, {&rest, 1});
    if (result.status == loop::IoStatus::would_block) return watch(loop::Interest::read_write);
    // A failed write is not the end: what the peer said last (a Close, an HTTP refusal) may still be there to
    // read, and the read will report the failure.
    if (result.status != loop::IoStatus::ok) {
      output_.clear();
      written_ = 0;
      return watch(loop::Interest::read);
    }
    written_ += result.bytes;
  }
  output_.clear();
  written_ = 0;
  watch(loop::Interest::read);
}

loop::IoResult Link::read(std::span<char> into) {
  if (state_ != State::up) return {loop::IoStatus::would_block};
  loop::IoResult result = tls_ ? tls_->read(system_.sockets, socket_, into) : system_.sockets.read(socket_, into);
  if (result.status == loop::IoStatus::eof) {
    close(loop::CloseMode::graceful);
  } else if (result.status == loop::IoStatus::failed) {
    fail(tls_ ? text_of(*tls_) : text_of(result.error));
  }
  return result;
}

void Link::fail(std::string why) {
  close(loop::CloseMode::graceful);
  why_ = std::move(why);
}

void Link::close(loop::CloseMode mode) {
  if (state_ == State::down) return;
  if (tls_ && state_ == State::up && mode == loop::CloseMode::graceful) tls_->shutdown(system_.sockets, socket_);
  system_.poller->remove(socket_);
  system_.sockets.close(socket_, mode);
  socket_ = loop::kNoSocket;
  tls_.reset();
  state_ = State::down;
  why_.clear();
}

}  // namespace client
