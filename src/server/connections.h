// The connections of one worker as bytes: accepts, reads, writes, times out and closes them. What the bytes mean is the
// business of Protocols. Plain and TLS sockets look the same from above.
//
// A turn: handle() the readiness events; ...; expire() timers; flush() every dirty peer once with a gather write;
// reap() the dead. Threads: owned by one worker.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/rate_limit.h"
#include "base/shared_bytes.h"
#include "loop/io.h"
#include "loop/timer_wheel.h"
#include "server/peer_slab.h"
#include "server/shared.h"

namespace server {

// Called by Connections; none of these may destroy the peer (they mark it, reap() destroys it).
class Protocols {
 public:
  virtual ~Protocols() = default;
  virtual void opened(Peer& peer) = 0;                          // the transport is ready for the first request
  virtual void receive(Peer& peer, std::span<char> bytes) = 0;  // may change the bytes
  virtual void receive_eof(Peer& peer) = 0;
  virtual void handle_timeout(Peer& peer) = 0;                     // peer.deadline, ping_at or the session's is due
  virtual base::Instant next_timeout(const Peer& peer) const = 0;  // of the session
  virtual void drained(Peer& peer) = 0;                            // it wanted room, and there is room now
  virtual void slow(Peer& peer) = 0;                               // nothing could be written for too long
  virtual void gone(Peer& peer) = 0;                               // last call: forget everything about it
};

class Connections {
 public:
  // Everything must outlive this.
  Connections(Shared& shared, Counters& counters, loop::Sockets& sockets, loop::Poller& poller, loop::Clock& clock,
              Protocols& protocols);
  ~Connections();

  void apply(SnapshotRef snapshot) { snapshot_ = std::move(snapshot); }  // for connections from now on
  void add_listener(loop::SocketId socket, const Listener& listener);
  void stop_listening();

  void handle(std::span<const loop::Ready> ready);
  void expire(base::Instant now);
  void flush();
  void reap();
  void release_spare_memory();  // after very many have gone
  base::Instant next_deadline() const;
  bool urgent() const {
    return !dirty_.empty() || !buffered_.empty() || accept_again_;
  }  // there is work without waiting

  Peer* find(base::PeerId id);
  Peer& at(std::uint32_t slot) { return peers_[slot]; }
  const Listener& listener_of(const Peer& peer) const { return listeners_[peer.listener].listener; }
  std::size_t count() const { return peers_.size(); }
  template <class Visit>
  void for_each(Visit visit) {
    peers_.for_each([&](Peer& peer) {
      if (!peer.dying) visit(peer);
    });
  }

  void send(Peer& peer, const base::SharedBytes& block) {
    if (block.empty() || peer.dying) return;
    counters_.queue_bytes.add(block.size());
    peer.out.push(block);
    mark_dirty(peer);
  }
  void send(Peer& peer, std::string_view bytes);
  // The same, but if nothing waits to be sent it is written now and only what the socket does not take is copied: for
  // bytes that need not outlive the call.
  void send_now(Peer& peer, std::string_view bytes);
  // Writes what is queued, then FIN, then waits a moment for the peer's FIN so that the last bytes are not lost to a
  // reset.
  void close(Peer& peer);
  void drop(Peer& peer);  // at the end of the turn, without writing anything more
  void arm(Peer& peer);   // after a change of deadline, ping_at or the session's timeout
  void pause(Peer& peer, Pause reason);
  void unpause(Peer& peer, Pause reason);  // it is read from once no reason is left
  // Bytes of the running Protocols::receive() that it does not take now: they come again, before what the socket has,
  // with the next turn in which the peer is not paused.
  void put_back(Peer& peer, std::span<const char> bytes);
  // The queue is short enough for more that can wait; if not, drained() will say when it is.
  bool has_room(Peer& peer);
  // The socket took all that was written to it last; if not, drained() will be called when there is room, which may be
  // before that.
  bool is_flowing(Peer& peer);

 private:
  struct ListenerSocket {
    loop::SocketId socket;
    Listener listener;
  };
  void accept_some(std::uint16_t listener);
  Peer* open(loop::SocketId socket, const loop::Address& address, std::uint16_t listener);
  void read(Peer& peer);
  // `received`: bytes that came behind a PROXY header and belong to the client.
  void start_transport(Peer& peer, std::string_view received);
  void note_buffered(Peer& peer);
  void continue_tls(Peer& peer);
  void read_proxy_header(Peer& peer);
  void transport_ready(Peer& peer);
  void flush(Peer& peer);
  void finish_closing(Peer& peer);
  void set_interest(Peer& peer);
  void mark_dirty(Peer& peer) {
    if (peer.dirty) return;
    peer.dirty = true;
    dirty_.push_back(peer.slot);
  }

  Shared& shared_;
  Counters& counters_;
  loop::Sockets& sockets_;
  loop::Poller& poller_;
  loop::Clock& clock_;
  SnapshotRef snapshot_;
  Protocols& protocols_;
  loop::TimerWheel wheel_;
  std::vector<ListenerSocket> listeners_;
  PeerSlab peers_;
  std::vector<std::uint32_t> dirty_, flushing_;
  std::vector<std::uint32_t> dying_;
  std::vector<std::uint32_t> due_;
  std::vector<base::PeerId> buffered_;  // TLS peers with plaintext that no readiness tells of
  std::vector<char> buffer_;
  std::array<std::string_view, OutQueue::kSlicesMax> slices_;  // of the write in progress
  std::vector<loop::Send> sends_;                              // the writes of one block of this flush
  auth::TokenBucket handshakes_;
  bool accept_again_ = false;
};

}  // namespace server
