#include "sim/network.h"

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/hash.h"

namespace sim {

namespace {

bool wants(loop::Interest interest, loop::Interest what) {
  return (static_cast<unsigned>(interest) & static_cast<unsigned>(what)) != 0;
}

}  // namespace

Network::Network(Clock& clock, std::uint64_t seed) : clock_(clock), entropy_(seed) {}
Network::~Network() = default;

// --- sockets

// The last id that was closed is the next one used, as in the kernel: whoever keeps a stale id meets a stranger.
loop::SocketId Network::allocate(Socket::Kind kind) {
  if (free_.empty()) {
    free_.push_back(static_cast<loop::SocketId>(sockets_.size()));
    sockets_.emplace_back();
  }
  const loop::SocketId id = free_.back();
  free_.pop_back();
  sockets_[static_cast<std::size_t>(id)] = Socket{};
  sockets_[static_cast<std::size_t>(id)].kind = kind;
  return id;
}

void Network::release(loop::SocketId socket) {
  ASSERT(at(socket).poller == nullptr && "remove() comes before close()");
  at(socket) = Socket{};
  free_.push_back(socket);
}

Network::Socket& Network::at(loop::SocketId socket) {
  ASSERT(socket >= 0 && static_cast<std::size_t>(socket) < sockets_.size());
  return sockets_[static_cast<std::size_t>(socket)];
}

loop::SocketId Network::listen() { return allocate(Socket::Kind::listener); }

loop::SocketId Network::connect(loop::SocketId listener, const loop::Address& from, const Link& link) {
  auto made = std::make_unique<Connection>();
  Connection& connection = *made;
  connection.id = next_connection_++;
  connection.link = link;
  connection.listener = listener;
  connection.from = from;
  connections_.emplace(connection.id, std::move(made));
  const loop::SocketId socket = allocate(Socket::Kind::end);
  at(socket).connection = &connection;
  at(socket).side = Side::client;
  connection.end(Side::client).socket = socket;
  note('c', socket, connection.id);
  send(connection, Side::server, Piece::Kind::hello, {});
  return socket;
}

loop::Accepted Network::accept(loop::SocketId listener) {
  ASSERT(at(listener).kind == Socket::Kind::listener);
  if (at(listener).waiting.empty()) return {};
  Connection& connection = *connections_.at(at(listener).waiting.front());
  at(listener).waiting.pop_front();
  const loop::SocketId socket = allocate(Socket::Kind::end);
  at(socket).connection = &connection;
  at(socket).side = Side::server;
  connection.end(Side::server).socket = socket;
  note('a', socket, connection.id);
  return {socket, connection.from, 0};
}

std::size_t Network::some_of(const Link& link, std::size_t available) {
  if (available < 2 || entropy_.below(100) >= link.short_percent) return available;
  return 1 + entropy_.below(static_cast<std::uint32_t>(available));
}

loop::IoResult Network::read(loop::SocketId socket, std::span<char> into) {
  ASSERT(at(socket).kind == Socket::Kind::end && !into.empty());
  Connection& connection = *at(socket).connection;
  End& end = connection.end(at(socket).side);
  if (end.unread() == 0) {
    if (end.reset) return {loop::IoStatus::failed, 0, ECONNRESET};
    return {end.fin_arrived ? loop::IoStatus::eof : loop::IoStatus::would_block};
  }
  const std::size_t bytes = some_of(connection.link, std::min(into.size(), end.unread()));
  std::copy_n(end.arrived.data() + end.arrived_read, bytes, into.data());
  end.arrived_read += bytes;
  end.occupied -= bytes;
  if (end.unread() == 0) {
    end.arrived.clear();
    end.arrived_read = 0;
  }
  note('r', socket, bytes);
  touch(connection.end(other(at(socket).side)).socket);  // its window has room
  return {loop::IoStatus::ok, bytes};
}

loop::IoResult Network::write(loop::SocketId socket, std::span<const std::string_view> slices) {
  ASSERT(at(socket).kind == Socket::Kind::end && slices.size() <= 64);
  Connection& connection = *at(socket).connection;
  const Side side = at(socket).side;
  if (connection.end(side).reset) return {loop::IoStatus::failed, 0, ECONNRESET};
  if (connection.end(side).fin_sent) return {loop::IoStatus::failed, 0, EPIPE};
  std::size_t total = 0;
  for (const std::string_view slice : slices) total += slice.size();
  ASSERT(total > 0);
  End& target = connection.end(other(side));
  const std::size_t room = connection.link.window_bytes - target.occupied;
  if (room == 0) return {loop::IoStatus::would_block};
  const std::size_t bytes = some_of(connection.link, std::min(total, room));
  std::string taken;
  taken.reserve(bytes);
  for (const std::string_view slice : slices) taken += slice.substr(0, bytes - taken.size());
  note('w', socket, base::hash64(taken, bytes));
  target.occupied += bytes;
  send(connection, other(side), Piece::Kind::bytes, std::move(taken));
  return {loop::IoStatus::ok, bytes};
}

void Network::shutdown_write(loop::SocketId socket) {
  Connection& connection = *at(socket).connection;
  const Side side = at(socket).side;
  End& end = connection.end(side);
  if (end.fin_sent || end.reset) return;
  end.fin_sent = true;
  note('f', socket, 0);
  send(connection, other(side), Piece::Kind::fin, {});
  touch(socket);  // writable (EPIPE), perhaps hung up
}

void Network::close(loop::SocketId socket, loop::CloseMode mode) {
  note('x', socket, static_cast<std::uint64_t>(mode));
  if (at(socket).kind == Socket::Kind::listener) {
    const std::deque<std::uint64_t> waiting = std::move(at(socket).waiting);
    release(socket);
    for (const std::uint64_t id : waiting) {
      Connection& connection = *connections_.at(id);
      send_reset(connection, Side::client);
      end_of(connection, Side::server);
    }
    return;
  }
  ASSERT(at(socket).kind == Socket::Kind::end);
  Connection& connection = *at(socket).connection;
  const Side side = at(socket).side;
  End& end = connection.end(side);
  if (!end.reset) {
    if (mode == loop::CloseMode::reset || end.unread() > 0) {
      send_reset(connection, other(side));
    } else if (!end.fin_sent) {
      send(connection, other(side), Piece::Kind::fin, {});
    }
  }
  release(socket);
  end_of(connection, side);
}

// --- faults

void Network::cut(loop::SocketId socket) {
  Connection& connection = *at(socket).connection;
  note('!', socket, 0);
  for (const Side side : {Side::client, Side::server}) {
    End& end = connection.end(side);
    const bool never_heard = !end.flying.empty() && end.flying.front().kind == Piece::Kind::hello;
    end.flying.clear();
    if (never_heard) end.closed = true;
    arrive(connection, side, {Piece::Kind::reset, clock_.now(), {}});
  }
}

void Network::go_dark(loop::SocketId socket) {
  Connection& connection = *at(socket).connection;
  note('d', socket, 0);
  connection.dark = true;
  for (const Side side : {Side::client, Side::server}) {
    End& end = connection.end(side);
    if (!end.flying.empty() && end.flying.front().kind == Piece::Kind::hello) end.closed = true;
    const bool owes = !end.flying.empty();
    end.flying.clear();  // what it occupies of the window stays occupied: nobody will ever acknowledge it
    give_up_after(connection, other(side), owes ? connection.link.unacknowledged_max : connection.link.silence_max);
  }
}

void Network::give_up_after(Connection& connection, Side side, base::Duration time) {
  End& end = connection.end(side);
  if (time == base::Duration::max() || clock_.now() + time >= end.gives_up_at) return;
  end.gives_up_at = clock_.now() + time;
  arrivals_.push({end.gives_up_at, next_order_++, connection.id, side});
}

// --- pieces on their way

void Network::send(Connection& connection, Side to, Piece::Kind kind, std::string bytes) {
  const Link& link = connection.link;
  if (connection.dark) return give_up_after(connection, other(to), link.unacknowledged_max);
  const auto spread = static_cast<std::uint32_t>(((link.latency_max - link.latency_min) / 1000).count());
  const base::Instant due =
      clock_.now() + link.latency_min + std::chrono::microseconds(spread == 0 ? 0 : entropy_.below(spread));
  End& target = connection.end(to);
  target.last_arrival = std::max(target.last_arrival, due);
  target.flying.push_back({kind, target.last_arrival, std::move(bytes)});
  arrivals_.push({target.last_arrival, next_order_++, connection.id, to});
}

// What is on its way before a reset may still arrive, or not. The connection itself must: a server that was reached
// before the client gave up accepts it and reads the reset.
void Network::send_reset(Connection& connection, Side to) {
  End& target = connection.end(to);
  const bool reached = target.flying.empty() || target.flying.front().kind != Piece::Kind::hello;
  if (reached && entropy_.below(2) == 0) target.flying.clear();
  send(connection, to, Piece::Kind::reset, {});
}

void Network::deliver() {
  while (!arrivals_.empty() && arrivals_.top().at <= clock_.now()) {
    const Arrival arrival = arrivals_.top();
    arrivals_.pop();
    const auto found = connections_.find(arrival.connection);
    if (found == connections_.end()) continue;
    Connection& connection = *found->second;
    End& end = connection.end(arrival.side);
    while (!end.flying.empty() && end.flying.front().arrives <= clock_.now()) {
      Piece piece = std::move(end.flying.front());
      end.flying.pop_front();
      arrive(connection, arrival.side, std::move(piece));
    }
    if (end.gives_up_at <= clock_.now()) arrive(connection, arrival.side, {Piece::Kind::reset, clock_.now(), {}});
    forget_if_over(connection);
  }
}

void Network::arrive(Connection& connection, Side side, Piece piece) {
  End& end = connection.end(side);
  if (piece.kind == Piece::Kind::hello) {
    if (at(connection.listener).kind != Socket::Kind::listener) {
      end.closed = true;
      return send(connection, Side::client, Piece::Kind::reset, {});
    }
    at(connection.listener).waiting.push_back(connection.id);
    return touch(connection.listener);
  }
  if (end.closed) {
    if (piece.kind == Piece::Kind::bytes) send(connection, other(side), Piece::Kind::reset, {});
    return;
  }
  if (end.reset) return;
  switch (piece.kind) {
    case Piece::Kind::bytes:
      end.arrived += piece.bytes;
      break;
    case Piece::Kind::fin:
      end.fin_arrived = true;
      break;
    default:  // a reset; some stacks keep what had arrived, some do not
      end.reset = true;
      if (entropy_.below(2) == 0) {
        end.arrived.clear();
        end.arrived_read = 0;
      }
  }
  touch(end.socket);
}

void Network::end_of(Connection& connection, Side side) {
  End& end = connection.end(side);
  end.closed = true;
  end.socket = loop::kNoSocket;
  forget_if_over(connection);
}

void Network::forget_if_over(Connection& connection) {
  for (const End& end : connection.ends) {
    if (!end.closed) return;
  }
  connections_.erase(connection.id);
}

// --- readiness

loop::Ready Network::readiness(const Socket& socket) const {
  loop::Ready ready{socket.token, false, false, false};
  if (socket.kind == Socket::Kind::listener) {
    ready.readable = wants(socket.interest, loop::Interest::read) && !socket.waiting.empty();
    return ready;
  }
  Connection& connection = *socket.connection;
  const End& end = connection.end(socket.side);
  const End& target = connection.end(other(socket.side));
  const bool room = connection.link.window_bytes > target.occupied;
  ready.readable = wants(socket.interest, loop::Interest::read) && (end.unread() > 0 || end.fin_arrived || end.reset);
  ready.writable = wants(socket.interest, loop::Interest::write) && (room || end.fin_sent || end.reset);
  ready.hang_up = end.reset || (end.fin_arrived && end.fin_sent);
  return ready;
}

void Network::touch(loop::SocketId socket) {
  if (socket == loop::kNoSocket || at(socket).poller == nullptr) return;
  at(socket).poller->list(socket);
}

void Network::note(char what, loop::SocketId socket, std::uint64_t value) {
  const std::uint64_t parts[] = {trace_, static_cast<std::uint64_t>(what), static_cast<std::uint64_t>(socket), value,
                                 static_cast<std::uint64_t>(clock_.now().time_since_epoch().count())};
  trace_ = base::hash64({reinterpret_cast<const char*>(parts), sizeof parts}, 0);
}

void Poller::add(loop::SocketId socket, std::uint64_t token, loop::Interest interest) {
  ASSERT(network_.at(socket).poller == nullptr);
  network_.at(socket).poller = this;
  modify(socket, token, interest);
}

void Poller::modify(loop::SocketId socket, std::uint64_t token, loop::Interest interest) {
  Network::Socket& entry = network_.at(socket);
  ASSERT(entry.poller == this);
  entry.token = token;
  entry.interest = interest;
  list(socket);
}

void Poller::remove(loop::SocketId socket) {
  Network::Socket& entry = network_.at(socket);
  ASSERT(entry.poller == this);
  entry.poller = nullptr;
  if (entry.listed) std::erase(candidates_, socket);
  entry.listed = false;
}

void Poller::list(loop::SocketId socket) {
  Network::Socket& entry = network_.at(socket);
  if (entry.listed) return;
  entry.listed = true;
  candidates_.push_back(socket);
}

bool Poller::still_ready(loop::SocketId socket, loop::Ready& ready) {
  ready = network_.readiness(network_.at(socket));
  if (ready.readable || ready.writable || ready.hang_up) return true;
  network_.at(socket).listed = false;
  return false;
}

bool Poller::has_ready() {
  loop::Ready ready;
  while (!candidates_.empty()) {
    if (still_ready(candidates_.back(), ready)) return true;
    candidates_.pop_back();
  }
  return false;
}

std::span<const loop::Ready> Poller::wait(base::Duration) {
  ready_.clear();
  std::erase_if(candidates_, [&](loop::SocketId socket) {
    loop::Ready ready;
    if (!still_ready(socket, ready)) return true;
    ready_.push_back(ready);
    return false;
  });
  for (std::size_t left = ready_.size(); left > 1; --left) {
    std::swap(ready_[left - 1], ready_[entropy_.below(static_cast<std::uint32_t>(left))]);
  }
  return ready_;
}

}  // namespace sim
