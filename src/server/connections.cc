#include "server/connections.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "http/response.h"
#include "loop/proxy_protocol.h"
#include "server/centrifuge_session.h"
#include "server/feed.h"
#include "server/http_exchange.h"

namespace server {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;  // read budget of one connection and turn (fairness)
constexpr std::size_t kAcceptsPerTurn = 64;      // live traffic never waits for a storm of new connections
constexpr std::size_t kTimersPerTurn = 64;       // each may be a ping, of some 10 us with the kernel: 0.6 ms
// What is queued for a connection that is being closed must be taken within this time, and at this rate.
constexpr base::Duration kGoodbye = std::chrono::seconds(5);
constexpr std::size_t kGoodbyeBytesPerS = 16 * 1024;
constexpr std::uint64_t kListenerToken = std::uint64_t{1} << 63;  // or-ed with the place in listeners_

std::uint64_t token_of(const Peer& peer) { return (std::uint64_t{peer.generation & 0x7fffffff} << 32) | peer.slot; }

// There is something to read that no readiness tells of, and the peer may be heard: plaintext that waits inside
// OpenSSL, and what was put back, which was read before the peer finished sending.
bool has_unseen_input(const Peer& peer) {
  if (peer.paused == 0 && peer.tls() != nullptr && peer.tls()->has_buffered_input()) return true;
  return peer.unread() != nullptr && (peer.paused & ~static_cast<unsigned>(Pause::ended)) == 0;
}

}  // namespace

PeerExtras::PeerExtras() = default;
PeerExtras::~PeerExtras() = default;
Peer::Peer() = default;
Peer::~Peer() = default;

PeerExtras& Peer::rare() {
  if (!extras) extras = std::make_unique<PeerExtras>();
  return *extras;
}

Connections::Connections(Shared& shared, Counters& counters, loop::Sockets& sockets, loop::Poller& poller,
                         loop::Clock& clock, Protocols& protocols)
    : shared_(shared),
      counters_(counters),
      sockets_(sockets),
      poller_(poller),
      clock_(clock),
      protocols_(protocols),
      wheel_(clock.now()),
      buffer_(kBufferBytes) {}

Connections::~Connections() {
  peers_.for_each([&](Peer& peer) {
    poller_.remove(peer.socket);
    sockets_.close(peer.socket, loop::CloseMode::reset);
    if (peer.counted) shared_.admission.release(peer.address);
  });
  stop_listening();
}

void Connections::add_listener(loop::SocketId socket, const Listener& listener) {
  poller_.add(socket, kListenerToken | listeners_.size(), loop::Interest::read);
  listeners_.push_back({socket, listener});
}

void Connections::stop_listening() {
  for (const ListenerSocket& each : listeners_) {
    if (each.socket == loop::kNoSocket) continue;
    poller_.remove(each.socket);
    sockets_.close(each.socket, loop::CloseMode::graceful);
  }
  // The places stay, so that a readiness event that is already under way finds nothing.
  for (ListenerSocket& each : listeners_) each.socket = loop::kNoSocket;
}

void Connections::handle(std::span<const loop::Ready> ready) {
  accept_again_ = false;
  for (const base::PeerId id : std::exchange(buffered_, {})) {
    Peer* peer = find(id);
    if (peer == nullptr) continue;
    peer->listed = false;
    if (has_unseen_input(*peer)) read(*peer);
  }
  for (const loop::Ready& each : ready) {
    if ((each.token & kListenerToken) != 0) {
      accept_some(static_cast<std::uint16_t>(each.token));
      continue;
    }
    Peer* const found = peers_.find(static_cast<std::uint32_t>(each.token));
    if (found == nullptr || token_of(*found) != each.token || found->dying) continue;
    Peer& peer = *found;
    if (each.writable) mark_dirty(peer);
    if (peer.phase == Peer::Phase::tls_handshake) {
      continue_tls(peer);
    } else if (each.readable || each.hang_up) {
      if (peer.listed) {
        continue;  // it was read in this turn, and has more: its next turn is the next one
      } else if (peer.paused == 0) {
        read(peer);
      } else if (each.hang_up) {
        drop(peer);  // nobody will take the answers it waits for
      }
    }
  }
}

void Connections::accept_some(std::uint16_t index) {
  const ListenerSocket& listener = listeners_[index];
  for (std::size_t accepted = 0; accepted < kAcceptsPerTurn; ++accepted) {
    if (listener.socket == loop::kNoSocket) return;
    const loop::Accepted each = sockets_.accept(listener.socket);
    if (each.socket == loop::kNoSocket) {
      if (each.error != 0) counters_.count(base::Error::too_many_connections);
      return;
    }
    counters_.accepted.add();
    open(each.socket, each.address, index);
  }
  accept_again_ = true;
}

Peer* Connections::open(loop::SocketId socket, const loop::Address& address, std::uint16_t listener) {
  Peer& peer = peers_.take();
  peer.socket = socket;
  peer.address = address;
  peer.listener = listener;
  peer.opened = clock_.now();
  peer.interest = loop::Interest::read;
  counters_.peers.set(count());
  poller_.add(socket, token_of(peer), loop::Interest::read);
  if (listeners_[listener].listener.proxy_protocol) {
    peer.phase = Peer::Phase::proxy_header;
    peer.rare().proxy_header = std::make_unique<std::string>();
    peer.deadline = peer.opened + snapshot_->options().request_time_max;
    arm(peer);
  } else {
    start_transport(peer, {});
  }
  return &peer;
}

// Admission comes before TLS, so that a refused connection costs no handshake.
void Connections::start_transport(Peer& peer, std::string_view received) {
  const Options& options = snapshot_->options();
  const bool behind_proxy = snapshot_->trusted_proxies().contains(peer.address);
  const bool overloaded = shared_.overload.at_least(Overload::Level::no_connections) && !listener_of(peer).admin;
  const base::Error refused = overloaded
                                  ? base::Error::memory
                                  : shared_.admission.admit(peer.address, options.connections_max,
                                                            behind_proxy ? 0 : options.connections_per_address_max);
  peer.counted = refused == base::Error::none;
  const bool tls = listener_of(peer).tls && snapshot_->tls() != nullptr;
  const bool rate_ok =
      !tls ||
      handshakes_.take(auth::per_second(options.handshakes_per_s_max, options.handshakes_per_s_max), peer.opened);
  if (refused != base::Error::none || !rate_ok) {
    counters_.count(refused != base::Error::none ? refused : base::Error::rate);
    peer.phase = Peer::Phase::closing;
    if (!tls) {
      std::string answer;
      http::append_error(answer, refused, http::Connection::close, {}, 5);
      send(peer, answer);
      return close(peer);
    }
    return drop(peer);
  }
  if (tls) {
    peer.phase = Peer::Phase::tls_handshake;
    peer.rare().tls = std::make_unique<loop::TlsConnection>(*snapshot_->tls());
    peer.deadline = peer.opened + options.tls_handshake_time_max;
    arm(peer);
    if (!received.empty()) peer.tls()->take_received(received);
    continue_tls(peer);
  } else {
    transport_ready(peer);
  }
}

void Connections::continue_tls(Peer& peer) {
  switch (peer.tls()->handshake(sockets_, peer.socket)) {
    case loop::HandshakeStatus::done:
      transport_ready(peer);
      read(peer);  // the first request may have come with the last handshake message
      break;
    case loop::HandshakeStatus::failed:
      counters_.count(base::Error::bad_handshake);
      peer.tls()->flush(sockets_, peer.socket);  // the alert
      drop(peer);
      break;
    case loop::HandshakeStatus::want_read:
    case loop::HandshakeStatus::want_write:
      set_interest(peer);
      break;
  }
}

void Connections::transport_ready(Peer& peer) {
  peer.phase = Peer::Phase::http;
  peer.gauged = true;
  counters_.open[static_cast<std::size_t>(peer.door)].add();
  protocols_.opened(peer);
  arm(peer);
  set_interest(peer);
}

void Connections::read(Peer& peer) {
  if (peer.unread()) {
    const std::unique_ptr<std::string> unread = std::move(peer.extras->unread);
    peer.forget<&PeerExtras::unread>();
    protocols_.receive(peer, *unread);
    return note_buffered(peer);
  }
  const loop::IoResult result =
      peer.tls() ? peer.tls()->read(sockets_, peer.socket, buffer_) : sockets_.read(peer.socket, buffer_);
  switch (result.status) {
    case loop::IoStatus::would_block:
      break;
    case loop::IoStatus::failed:
      drop(peer);
      return;
    case loop::IoStatus::eof:
      if (peer.phase == Peer::Phase::proxy_header || (peer.phase == Peer::Phase::closing && peer.shut)) {
        return drop(peer);
      }
      pause(peer, Pause::ended);  // level-triggered: the end of input would be reported for ever
      // What is still queued for a closing peer goes out first; then both directions have ended, and handle() drops it.
      if (peer.phase != Peer::Phase::closing) protocols_.receive_eof(peer);
      return;
    case loop::IoStatus::ok:
      counters_.bytes_in.add(result.bytes);
      peer.heard = true;
      if (peer.phase == Peer::Phase::proxy_header) {
        peer.extras->proxy_header->append(buffer_.data(), result.bytes);
        read_proxy_header(peer);
      } else if (peer.phase != Peer::Phase::closing) {
        protocols_.receive(peer, std::span(buffer_).first(result.bytes));
      }
      break;
  }
  if (peer.tls() && peer.tls()->wants_write()) mark_dirty(peer);
  note_buffered(peer);
}

// The poller does not see it: the peer has its turn at reading with the next turn.
void Connections::note_buffered(Peer& peer) {
  if (peer.dying || peer.listed || !has_unseen_input(peer)) return;
  peer.listed = true;
  buffered_.push_back(peer.id());
}

void Connections::put_back(Peer& peer, std::span<const char> bytes) {
  if (bytes.empty() || peer.dying) return;
  if (!peer.unread()) peer.rare().unread = std::make_unique<std::string>();
  peer.unread()->append(bytes.data(), bytes.size());
}

bool Connections::has_room(Peer& peer) {
  const Options& options = snapshot_->options();
  if (peer.out.bytes() <= options.queue_bytes_max / 2 && peer.out.blocks() <= options.queue_messages_max / 2)
    return true;
  peer.wants_room = true;
  return false;
}

bool Connections::is_flowing(Peer& peer) {
  if (peer.stalled_since == base::kNever) return true;
  peer.wants_room = true;
  return false;
}

void Connections::read_proxy_header(Peer& peer) {
  const loop::ProxyHeader header = loop::read_proxy_header(*peer.extras->proxy_header);
  if (header.status == loop::ProxyHeader::Status::need_more) return;
  const bool trusted = snapshot_->trusted_proxies().contains(peer.address);
  if (header.status == loop::ProxyHeader::Status::failed || !trusted) {
    counters_.count(base::Error::bad_request);
    return close(peer);
  }
  if (header.address) peer.address = *header.address;
  std::string rest = peer.extras->proxy_header->substr(header.consumed);
  peer.forget<&PeerExtras::proxy_header>();
  start_transport(peer, rest);
  if (!rest.empty() && !peer.dying && peer.phase == Peer::Phase::http) protocols_.receive(peer, rest);
}

void Connections::close(Peer& peer) {
  if (peer.dying) return;
  if (peer.phase == Peer::Phase::tls_handshake) return drop(peer);  // there is no way yet to say anything
  peer.phase = Peer::Phase::closing;
  peer.ping_at = base::kNever;
  peer.deadline = clock_.now() + kGoodbye + std::chrono::seconds(peer.out.bytes() / kGoodbyeBytesPerS);
  peer.paused = 0;
  peer.stalled_since = base::kNever;  // it has the time of a goodbye now, however slow it was before
  peer.forget<&PeerExtras::unread>();
  arm(peer);
  mark_dirty(peer);
}

void Connections::drop(Peer& peer) {
  if (peer.dying) return;
  peer.dying = true;
  dying_.push_back(peer.slot);
}

void Connections::pause(Peer& peer, Pause reason) {
  peer.paused |= static_cast<std::uint8_t>(reason);
  set_interest(peer);
}

void Connections::unpause(Peer& peer, Pause reason) {
  if ((peer.paused & static_cast<std::uint8_t>(reason)) == 0) return;
  peer.paused &= static_cast<std::uint8_t>(~static_cast<unsigned>(reason));
  set_interest(peer);
  note_buffered(peer);
}

void Connections::set_interest(Peer& peer) {
  if (peer.dying || peer.phase == Peer::Phase::free) return;
  const bool read = peer.paused == 0;
  const bool write = !peer.out.empty() || (peer.tls() && peer.tls()->wants_write());
  const auto wanted = static_cast<loop::Interest>((read ? 1 : 0) | (write ? 2 : 0));
  if (wanted == peer.interest) return;
  peer.interest = wanted;
  poller_.modify(peer.socket, token_of(peer), wanted);
}

void Connections::arm(Peer& peer) {
  if (peer.dying) return;
  base::Instant at = std::min(peer.deadline, peer.ping_at);
  if (peer.stalled_since != base::kNever) at = std::min(at, peer.stalled_since + snapshot_->options().queue_age_max);
  at = std::min(at, protocols_.next_timeout(peer));
  if (at == base::kNever) {
    wheel_.cancel(peer.slot);
  } else {
    wheel_.schedule(peer.slot, at);
  }
}

void Connections::expire(base::Instant now) {
  due_.clear();
  wheel_.advance(now, due_, kTimersPerTurn);
  for (const std::uint32_t slot : due_) {
    Peer& peer = peers_[slot];
    if (peer.phase == Peer::Phase::free || peer.dying) continue;
    if (peer.deadline <= now && (peer.phase == Peer::Phase::closing || peer.phase == Peer::Phase::tls_handshake ||
                                 peer.phase == Peer::Phase::proxy_header)) {
      if (peer.phase != Peer::Phase::closing) counters_.count(base::Error::request_timeout);
      drop(peer);
      continue;
    }
    if (peer.stalled_since != base::kNever && now - peer.stalled_since >= snapshot_->options().queue_age_max) {
      if (peer.phase == Peer::Phase::closing) {
        drop(peer);
        continue;
      }
      protocols_.slow(peer);
    }
    if (!peer.dying && peer.phase != Peer::Phase::closing) protocols_.handle_timeout(peer);
    arm(peer);
  }
}

base::Instant Connections::next_deadline() const { return wheel_.next_deadline(); }

void Connections::reap() {
  for (std::size_t i = 0; i < dying_.size(); ++i) {
    Peer& peer = peers_[dying_[i]];
    protocols_.gone(peer);
    wheel_.cancel(peer.slot);
    poller_.remove(peer.socket);
    // A peer that was not told goodbye gets a reset, so that it does not wait for the rest of a message.
    sockets_.close(peer.socket, peer.shut ? loop::CloseMode::graceful : loop::CloseMode::reset);
    if (peer.counted) shared_.admission.release(peer.address);
    counters_.queue_bytes.subtract(peer.out.bytes());
    counters_.lifetime.observe(clock_.now() - peer.opened);
    if (peer.dirty) std::erase(dirty_, peer.slot);
    peers_.give_back(peer);
  }
  if (!dying_.empty()) counters_.peers.set(count());
  dying_.clear();
}

// The lists of a worker's turn are as long as they ever had to be.
void Connections::release_spare_memory() {
  for (auto* list : {&dirty_, &flushing_, &dying_, &due_}) list->shrink_to_fit();
  buffered_.shrink_to_fit();
  sends_ = {};
}

Peer* Connections::find(base::PeerId id) {
  Peer* peer = peers_.find(id.slot);
  return peer != nullptr && peer->generation == id.generation && !peer->dying ? peer : nullptr;
}

}  // namespace server
