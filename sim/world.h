// A whole Wirebird in one thread: the workers of src/server over a virtual clock and network, stepped one turn at a
// time in an order that comes from one seed, together with whoever lives outside (clients). Equal seeds make equal
// runs.
//
// A step: deliver what has arrived; of those who have something to do, one, chosen by the seed, gets a turn; if nobody
// has, time jumps to the next arrival or deadline. A turn takes a little virtual time, so that nothing can spin for
// ever in one moment. Workers are sometimes held up as if the kernel had taken their core away; that is what fills
// mailboxes.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "server/log.h"
#include "server/worker.h"
#include "sim/clock.h"
#include "sim/network.h"

namespace sim {

// Somebody outside the server who acts when there is something to do.
class Outsider {
 public:
  virtual ~Outsider() = default;
  virtual bool has_work() = 0;  // now
  virtual base::Instant next_deadline() const = 0;
  virtual void turn() = 0;
};

struct WorldOptions {
  std::uint64_t seed = 1;
  std::uint16_t workers = 2;
  server::MailboxSize mailbox;
  server::Options server;  // workers and listeners are set here
  base::Duration turn_time_max = std::chrono::microseconds(20);
  std::uint32_t held_up_per_10000_turns = 20;
  base::Duration held_up_max = std::chrono::milliseconds(2);
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();

  void add(Outsider& outsider) { outsiders_.push_back(&outsider); }  // must outlive the world's last step
  // The client's end of a new connection to a worker that the seed chooses.
  loop::SocketId connect(const Link& link, const loop::Address& from);

  void step();
  // Steps until `done` says so (true) or virtual time is up (false).
  bool run_until(const std::function<bool()>& done, base::Duration limit);
  void run_for(base::Duration time);

  Clock& clock() { return clock_; }
  base::Instant now() { return clock_.now(); }
  Network& network() { return network_; }
  base::Entropy& entropy() { return entropy_; }
  server::Shared& shared() { return *shared_; }
  std::vector<std::unique_ptr<server::Worker>>& workers() { return workers_; }
  std::uint64_t turns() const { return turns_; }
  std::uint64_t trace() const { return network_.trace(); }
  std::uint64_t seed() const { return options_.seed; }

  // Sum over all workers of one counter.
  template <class Pick>
  std::uint64_t count(Pick pick) const {
    std::uint64_t sum = 0;
    for (const auto& each : shared_->counters) sum += pick(*each).get();
    return sum;
  }
  std::uint64_t errors(base::Error error) const {
    return count([&](const server::Counters& each) -> auto& { return each.errors[static_cast<std::size_t>(error)]; });
  }

 private:
  struct Wakeup final : loop::Wakeup {
    bool wake() override { return !std::exchange(woken, true); }
    bool woken = false;
  };
  struct Seat {  // what one worker sits on
    std::unique_ptr<Poller> poller;
    std::unique_ptr<base::SeededEntropy> entropy;
    Wakeup wakeup;
    base::Instant held_up_until;
    loop::SocketId listener = loop::kNoSocket;
  };

  bool worker_has_work(std::size_t worker);
  void turn_worker(std::size_t worker);
  base::Instant next_event();

  WorldOptions options_;
  Clock clock_;
  base::SeededEntropy entropy_;
  Network network_;
  server::SilentLog log_;
  egress::NoClient egress_;
  std::unique_ptr<server::Shared> shared_;
  std::unique_ptr<server::Mailboxes> mailboxes_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<std::unique_ptr<server::Worker>> workers_;
  std::vector<Outsider*> outsiders_;
  std::vector<std::size_t> runnable_;
  std::uint64_t turns_ = 0;
};

}  // namespace sim
