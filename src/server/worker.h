// One worker: an event loop turn over its connections, its subscribers (FanOut), which of
// them are members of their channels (Attendance), its homes (Home) and its mail. It owns
// no thread: `app` calls turn() in a loop on one thread per worker; the simulator steps many workers in one thread.
//
// A turn: poll; read and run the engines; take mail; fan out; timers; flush every dirty peer once; destroy the dead;
// wake others.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>

#include "base/entropy.h"
#include "base/ids.h"
#include "egress/egress.h"
#include "hub/attendance.h"
#include "hub/fan_out.h"
#include "hub/home.h"
#include "loop/io.h"
#include "server/action_front.h"
#include "server/centrifuge_front.h"
#include "server/connections.h"
#include "server/events.h"
#include "server/feed_front.h"
#include "server/hooks.h"
#include "server/http_front.h"
#include "server/key_fetcher.h"
#include "server/post_office.h"
#include "server/shared.h"
#include "server/socket_front.h"

namespace server {

// The outside world of one worker; everything outlives it.
struct WorkerIo {
  loop::Sockets& sockets;
  loop::Poller& poller;
  loop::Clock& clock;
  base::Entropy& entropy;
  egress::Client& egress;
  loop::Memory* memory = nullptr;  // of the process, for the one worker that watches it
};

class Worker final : public Protocols {
 public:
  Worker(base::WorkerId id, Shared& shared, Mailboxes& mailboxes, std::span<loop::Wakeup* const> wakeups, WorkerIo io);
  ~Worker() override;

  void add_listener(loop::SocketId socket, const Listener& listener) { connections_.add_listener(socket, listener); }

  // Waits at most `max_wait` for something to do and does it.
  void turn(base::Duration max_wait);
  // When turn() has something to do without being woken: not after now if it has right away; kNever if only I/O can.
  base::Instant next_deadline() const;
  // While draining: no connection is left on any worker (this one is home to channels of the others), or the time for
  // it is over.
  bool drained() const {
    const bool all_gone = connections_.count() == 0 && shared_.admission.connections() == 0 && events_.idle();
    return draining_ && (all_gone || clock_now_ >= drain_until_);
  }
  std::size_t connections() const { return connections_.count(); }
  const hub::Home& home() const { return home_; }
  const hub::FanOut& fan_out() const { return fan_out_; }
  const hub::Attendance& attendance() const { return attendance_; }

 private:
  void opened(Peer& peer) override;
  void receive(Peer& peer, std::span<char> bytes) override;
  void receive_eof(Peer& peer) override;
  void handle_timeout(Peer& peer) override;
  base::Instant next_timeout(const Peer& peer) const override;
  void drained(Peer& peer) override;
  void slow(Peer& peer) override;
  void gone(Peer& peer) override;

  void hand_over(Peer& peer, std::span<char> bytes);
  void take_configuration();
  void tell_events();
  void take_mail();
  void handle(base::WorkerId from, hub::Mail mail);
  void start_drain();
  void continue_drain();
  void sweep();
  void publish_gauges();
  void note_departures();
  void watch_memory();
  hub::Now now() const { return {clock_now_, io_.clock.wall()}; }

  // The home's view of the namespaces: follows the snapshot.
  class CurrentRules final : public hub::Rules {
   public:
    explicit CurrentRules(SnapshotRef current) : snapshot(std::move(current)) {}
    const hub::ChannelRules* rules_of(std::string_view channel) const override { return snapshot->rules_of(channel); }
    SnapshotRef snapshot;
  };

  base::WorkerId id_;
  Shared& shared_;
  WorkerIo io_;
  Counters& counters_;
  SnapshotRef snapshot_;
  std::uint64_t generation_ = 0;
  CurrentRules rules_;
  PostOffice post_;
  hub::Home home_;
  hub::FanOut fan_out_;
  hub::Attendance attendance_;
  Connections connections_;
  Hooks hooks_;
  Events events_;
  std::optional<KeyFetcher> key_fetcher_;  // of the first worker, for all
  Desk desk_;
  CentrifugeFront centrifuge_front_;
  FeedFront feeds_;
  SocketFront socket_front_;
  HttpFront http_front_;
  ActionFront action_front_;
  base::Instant clock_now_;
  base::Instant next_sweep_;
  base::Instant next_memory_return_;
  std::size_t connections_peak_ = 0;    // since much memory was given back
  std::size_t connections_before_ = 0;  // at the last sweep
  base::Instant return_memory_at_ = base::kNever;
  struct Waiting {  // a peer that is paused, and the number of its last parked request
    base::PeerId peer;
    std::uint64_t last_request;
  };
  std::deque<Waiting> waiting_;
  bool more_ = false;  // work is left for the next turn
  bool draining_ = false;
  base::Instant drain_until_ = base::kNever;
  std::size_t drain_open_ = 0;  // connections when the drain began
};

}  // namespace server
