#include "app/process.h"

#include <algorithm>

#include "loop/listen.h"
#include "loop/own_addresses.h"
#include "loop/resource.h"
#include "loop/send_ring.h"

namespace app {
namespace {

// "127.0.0.1:0" with the port that was given out; other addresses as they are.
std::string bound_address(const std::string& address, loop::SocketId socket) {
  const std::uint16_t port = loop::bound_port(socket);
  const std::size_t colon = address.rfind(':');
  if (port == 0 || colon == std::string::npos || address.substr(colon) != ":0") return address;
  return address.substr(0, colon + 1) + std::to_string(port);
}

// Empty: many sends can be handed to the kernel at once.
std::string reason_for_no_batcher(bool wanted) {
  if (!wanted) return "switched off";
  const auto probe = loop::SendRing::open();
  return probe ? std::string() : probe.error();
}

}  // namespace

std::expected<std::unique_ptr<Process>, std::string> Process::start(server::Options options, server::Log& log) {
  std::unique_ptr<Process> process(new Process());
  loop::tune_allocator();
  loop::raise_descriptor_limit();
  loop::KernelEntropy entropy;
  process->ticket_keys_ = loop::TicketKeys::generate(entropy);
  const std::uint16_t workers = options.workers != 0
                                    ? options.workers
                                    : static_cast<std::uint16_t>(std::clamp(loop::processor_count(), 1U, 256U));
  const std::vector<server::Listener> listeners = options.listeners;
  process->without_batcher_ = reason_for_no_batcher(options.send_batcher);
  process->options_ = options;
  auto snapshot = server::Snapshot::make(std::move(options), process->version_, process->ticket_keys_);
  if (!snapshot) return std::unexpected(snapshot.error());

  std::vector<loop::Wakeup*> wakeups;
  for (std::uint16_t worker = 0; worker < workers; ++worker) {
    auto poller = loop::KernelPoller::open();
    if (!poller) return std::unexpected(poller.error());
    auto seat = std::make_unique<Seat>();
    seat->poller = *std::move(poller);
    if (process->without_batcher_.empty()) seat->sockets.use_ring();
    wakeups.push_back(seat->poller.get());
    process->seats_.push_back(std::move(seat));
  }
  // Keys of idempotency are hashes with it, which count after a restart too.
  std::uint64_t secret = entropy.next();
  if (const std::string& path = (*snapshot)->options().data_dir; !path.empty()) {
    auto data = DataDirectory::open(path, *snapshot);
    if (!data) return std::unexpected(std::move(data.error()));
    process->data_ = *std::move(data);
    secret = process->data_->ledger().hash_seed();
    wakeups.push_back(process->data_->ledger_wakeup());
    wakeups.push_back(process->data_->reader_wakeup());
  }
  process->shared_ = std::make_unique<server::Shared>(*snapshot, workers, secret, loop::KernelClock().now(), log);
  process->mailboxes_ =
      std::make_unique<server::Mailboxes>(static_cast<std::uint16_t>(wakeups.size()), server::MailboxSize{});
  for (base::WorkerId id = 0; id < workers; ++id) {
    Seat& seat = *process->seats_[id];
    seat.worker =
        std::make_unique<server::Worker>(id, *process->shared_, *process->mailboxes_, wakeups,
                                         server::WorkerIo{seat.sockets, *seat.poller, seat.clock, seat.entropy,
                                                          process->egress_, id == 0 ? &process->memory_ : nullptr});
  }
  for (server::Listener listener : listeners) {
    const auto sockets = loop::listen_on_shared(listener.address, workers);
    if (!sockets) return std::unexpected(sockets.error());
    listener.address = bound_address(listener.address, sockets->front());
    for (base::WorkerId id = 0; id < workers; ++id) process->seats_[id]->worker->add_listener((*sockets)[id], listener);
    process->listeners_.push_back(std::move(listener));
  }
  process->start_egress();
  if (process->data_) process->data_->start(*process->shared_, *process->mailboxes_, wakeups);
  process->running_ = workers;
  for (const auto& seat : process->seats_) {
    seat->thread = std::thread([&process = *process, &seat = *seat] { process.run(seat); });
  }
  return process;
}

void Process::start_egress() {
  std::vector<http::OwnListener> own;
  for (const server::Listener& listener : listeners_) {
    for (const loop::Address& each : loop::reachable_at(listener.address)) own.push_back({each.ip, each.port});
  }
  egress_.set_own_listeners(std::move(own));
  egress_thread_ = std::thread([this] { egress_.run(); });
}

void Process::run(Seat& seat) {
  while (!stop_.load(std::memory_order_acquire) && !seat.worker->drained()) {
    const base::Instant next = seat.worker->next_deadline();
    const base::Instant now = seat.clock.now();
    const base::Duration wait = next == base::kNever ? base::Duration::max()
                                : next <= now        ? base::Duration::zero()
                                                     : next - now;
    seat.worker->turn(wait);
  }
  running_.fetch_sub(1);
}

std::expected<Merged, std::string> Process::reload(server::Options options) {
  auto merged = merge_options(options_, std::move(options));
  if (!merged) return merged;
  auto snapshot = server::Snapshot::make(merged->options, version_ + 1, ticket_keys_);
  if (!snapshot) return std::unexpected(snapshot.error());
  ++version_;
  options_ = merged->options;
  shared_->replace(*std::move(snapshot));
  wake_all();
  return merged;
}

void Process::drain() {
  shared_->drain();
  wake_all();
}

void Process::wake_all() {
  for (const auto& seat : seats_) seat->poller->wake();
}

Process::~Process() {
  stop_.store(true, std::memory_order_release);
  wake_all();
  for (const auto& seat : seats_) {
    if (seat->thread.joinable()) seat->thread.join();
  }
  if (data_) data_->stop();
  egress_.stop();
  if (egress_thread_.joinable()) egress_thread_.join();
}

}  // namespace app
