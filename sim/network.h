// A network that exists only in memory: connections with latency, short reads and writes, limited windows and the ways
// in which real ones end. It is loop::Sockets for both ends, so that clients use what the server uses; Poller is the
// readiness of one worker (or of all clients). Every choice comes from one seed.
//
// What it models, because servers get it wrong: bytes arrive in order but in pieces; a writer blocks once
// `window_bytes` are sent and not read; FIN travels behind the bytes, so a closed connection still delivers; closing
// with unread input sends a reset, as does input for a closed socket; a reset may overtake what was on its way; a dark
// connection swallows everything and tells nobody. What it does not: routes, loss within a connection, congestion.
//
// One thread. Order of use: any calls, then deliver() once the clock has reached next_arrival().
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/entropy.h"
#include "loop/io.h"
#include "sim/clock.h"

namespace sim {

struct Link {
  base::Duration latency_min = std::chrono::microseconds(50);  // one way, drawn for each piece
  base::Duration latency_max = std::chrono::microseconds(500);
  std::size_t window_bytes = 64 * 1024;  // of each direction: sent and not yet read
  std::uint32_t short_percent = 20;      // of the reads and writes move less than they could
  // How long the kernel waits for an acknowledgement before it gives up (TCP_USER_TIMEOUT, loop/tcp_options.cc), and
  // how long for a sign of life while nothing is sent (keep-alive probes). Only matters once the connection is dark.
  base::Duration unacknowledged_max = std::chrono::seconds(30);
  base::Duration silence_max = std::chrono::seconds(90);
};

class Poller;

class Network final : public loop::Sockets {
 public:
  Network(Clock& clock, std::uint64_t seed);
  ~Network() override;

  loop::SocketId listen();
  // The client's end; it may write at once. If nobody listens any more it is reset when its first piece arrives.
  loop::SocketId connect(loop::SocketId listener, const loop::Address& from, const Link& link);

  loop::Accepted accept(loop::SocketId listener) override;
  loop::IoResult read(loop::SocketId socket, std::span<char> into) override;
  loop::IoResult write(loop::SocketId socket, std::span<const std::string_view> slices) override;
  void shutdown_write(loop::SocketId socket) override;
  void close(loop::SocketId socket, loop::CloseMode mode) override;

  // Both ends are reset now; what is on its way is lost. The socket must still be closed.
  void cut(loop::SocketId socket);
  // From now on nothing arrives at either end, and neither is told until its kernel gives up.
  void go_dark(loop::SocketId socket);

  base::Instant next_arrival() const { return arrivals_.empty() ? base::kNever : arrivals_.top().at; }
  void deliver();

  std::size_t open_sockets() const { return sockets_.size() - free_.size(); }
  std::size_t connections() const { return connections_.size(); }
  // A hash over everything that happened: equal seeds make equal traces.
  std::uint64_t trace() const { return trace_; }

 private:
  friend class Poller;

  enum class Side : std::uint8_t { client, server };
  struct Piece {
    enum class Kind : std::uint8_t { hello, bytes, fin, reset };
    Kind kind;
    base::Instant arrives;
    std::string bytes;
  };
  // One end of a connection, with what is coming towards it.
  struct End {
    loop::SocketId socket = loop::kNoSocket;  // kNoSocket: not yet accepted, or closed
    bool closed = false;
    bool fin_sent = false;
    bool fin_arrived = false;
    bool reset = false;
    std::deque<Piece> flying;
    base::Instant last_arrival;
    std::string arrived;
    std::size_t arrived_read = 0;              // bytes of `arrived` that were read
    std::size_t occupied = 0;                  // of the window: flying and arrived
    base::Instant gives_up_at = base::kNever;  // dark: the kernel resets this end
    std::size_t unread() const { return arrived.size() - arrived_read; }
  };
  struct Connection {
    std::uint64_t id;
    Link link;
    loop::SocketId listener;
    loop::Address from;
    bool dark = false;
    End ends[2];
    End& end(Side side) { return ends[static_cast<std::size_t>(side)]; }
  };
  struct Socket {
    enum class Kind : std::uint8_t { free, listener, end } kind = Kind::free;
    Connection* connection = nullptr;
    Side side = Side::client;
    std::deque<std::uint64_t> waiting;  // listener: connections to accept
    Poller* poller = nullptr;
    std::uint64_t token = 0;
    loop::Interest interest = loop::Interest::none;
    bool listed = false;  // in the poller's list of candidates
  };
  struct Arrival {
    base::Instant at;
    std::uint64_t order;
    std::uint64_t connection;
    Side side;
    bool operator<(const Arrival& other) const {  // the earliest is the top of the queue
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  static Side other(Side side) { return side == Side::client ? Side::server : Side::client; }
  loop::SocketId allocate(Socket::Kind kind);
  void release(loop::SocketId socket);
  Socket& at(loop::SocketId socket);
  std::size_t some_of(const Link& link, std::size_t available);
  void send(Connection& connection, Side to, Piece::Kind kind, std::string bytes);
  void send_reset(Connection& connection, Side to);
  void arrive(Connection& connection, Side side, Piece piece);
  void give_up_after(Connection& connection, Side side, base::Duration time);
  void end_of(Connection& connection, Side side);
  void forget_if_over(Connection& connection);
  loop::Ready readiness(const Socket& socket) const;
  void touch(loop::SocketId socket);
  void note(char what, loop::SocketId socket, std::uint64_t value);

  Clock& clock_;
  base::SeededEntropy entropy_;
  std::vector<Socket> sockets_;
  std::vector<loop::SocketId> free_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_connection_ = 1;
  std::priority_queue<Arrival> arrivals_;
  std::uint64_t next_order_ = 0;
  std::uint64_t trace_ = 0;
};

// Level-triggered readiness of the sockets that were added to it. wait() never waits: the world turns a worker when it
// has something to do.
class Poller final : public loop::Poller {
 public:
  Poller(Network& network, std::uint64_t seed) : network_(network), entropy_(seed) {}

  void add(loop::SocketId socket, std::uint64_t token, loop::Interest interest) override;
  void modify(loop::SocketId socket, std::uint64_t token, loop::Interest interest) override;
  void remove(loop::SocketId socket) override;
  std::span<const loop::Ready> wait(base::Duration timeout) override;  // in seeded order

  bool has_ready();

 private:
  friend class Network;
  void list(loop::SocketId socket);
  bool still_ready(loop::SocketId socket, loop::Ready& ready);

  Network& network_;
  base::SeededEntropy entropy_;
  std::vector<loop::SocketId> candidates_;  // a superset of what is ready
  std::vector<loop::Ready> ready_;
};

}  // namespace sim
