#include "sim/world.h"

#include <algorithm>

#include "base/assert.h"

namespace sim {

World::World(WorldOptions options)
    : options_(std::move(options)), entropy_(options_.seed), network_(clock_, entropy_.next()) {
  options_.server.workers = options_.workers;
  if (options_.server.memory_bytes_max == 0)
    options_.server.memory_bytes_max = std::uint64_t{1} << 30;  // not the machine's
  auto snapshot = server::Snapshot::make(options_.server, 1, loop::TicketKeys{});
  ASSERT(snapshot.has_value());
  shared_ =
      std::make_unique<server::Shared>(*std::move(snapshot), options_.workers, entropy_.next(), clock_.now(), log_);
  mailboxes_ = std::make_unique<server::Mailboxes>(options_.workers, options_.mailbox);
  std::vector<loop::Wakeup*> wakeups;
  for (std::uint16_t id = 0; id < options_.workers; ++id) {
    auto seat = std::make_unique<Seat>();
    seat->poller = std::make_unique<Poller>(network_, entropy_.next());
    seat->entropy = std::make_unique<base::SeededEntropy>(entropy_.next());
    seat->listener = network_.listen();
    wakeups.push_back(&seat->wakeup);
    seats_.push_back(std::move(seat));
  }
  for (std::uint16_t id = 0; id < options_.workers; ++id) {
    Seat& seat = *seats_[id];
    workers_.push_back(std::make_unique<server::Worker>(
        id, *shared_, *mailboxes_, wakeups, server::WorkerIo{network_, *seat.poller, clock_, *seat.entropy, egress_}));
    workers_.back()->add_listener(seat.listener, {.address = "sim", .admin = true});
  }
}

World::~World() = default;

loop::SocketId World::connect(const Link& link, const loop::Address& from) {
  return network_.connect(seats_[entropy_.below(options_.workers)]->listener, from, link);
}

bool World::worker_has_work(std::size_t worker) {
  Seat& seat = *seats_[worker];
  if (seat.held_up_until > clock_.now()) return false;
  return seat.wakeup.woken || seat.poller->has_ready() || workers_[worker]->next_deadline() <= clock_.now();
}

void World::turn_worker(std::size_t worker) {
  Seat& seat = *seats_[worker];
  seat.wakeup.woken = false;
  workers_[worker]->turn(base::Duration::zero());
  if (entropy_.below(10'000) < options_.held_up_per_10000_turns) {
    const auto longest = static_cast<std::uint32_t>(options_.held_up_max.count());
    seat.held_up_until = clock_.now() + base::Duration(longest == 0 ? 0 : entropy_.below(longest));
  }
}

base::Instant World::next_event() {
  base::Instant at = network_.next_arrival();
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    Seat& seat = *seats_[worker];
    const bool busy = seat.wakeup.woken || seat.poller->has_ready();
    const base::Instant wanted = busy ? clock_.now() : workers_[worker]->next_deadline();
    at = std::min(at, std::max(wanted, seat.held_up_until));
  }
  for (const Outsider* each : outsiders_) at = std::min(at, each->next_deadline());
  return at;
}

void World::step() {
  network_.deliver();
  runnable_.clear();
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    if (worker_has_work(worker)) runnable_.push_back(worker);
  }
  for (std::size_t i = 0; i < outsiders_.size(); ++i) {
    if (outsiders_[i]->has_work()) runnable_.push_back(workers_.size() + i);
  }
  if (runnable_.empty()) {
    const base::Instant at = next_event();
    ASSERT(at != base::kNever);
    clock_.advance_to(std::max(at, clock_.now()));
    return;
  }
  ++turns_;
  const std::size_t chosen = runnable_[entropy_.below(static_cast<std::uint32_t>(runnable_.size()))];
  if (chosen < workers_.size()) {
    turn_worker(chosen);
  } else {
    outsiders_[chosen - workers_.size()]->turn();
  }
  clock_.advance_to(clock_.now() +
                    base::Duration(1 + entropy_.below(static_cast<std::uint32_t>(options_.turn_time_max.count() + 1))));
}

bool World::run_until(const std::function<bool()>& done, base::Duration limit) {
  const base::Instant end = clock_.now() + limit;
  while (!done()) {
    if (clock_.now() >= end) return false;
    step();
  }
  return true;
}

void World::run_for(base::Duration time) {
  run_until([] { return false; }, time);
}

}  // namespace sim
