// The running server: workers on their threads, listeners, and the orders that reach them from outside. The only place
// that makes threads. Used on the main thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/config.h"
#include "app/data_directory.h"
#include "egress/curl_client.h"
#include "loop/kernel_clock.h"
#include "loop/kernel_entropy.h"
#include "loop/kernel_memory.h"
#include "loop/kernel_poller.h"
#include "loop/kernel_sockets.h"
#include "loop/tls.h"
#include "server/worker.h"

namespace app {

class Process {
 public:
  // Opens every listener; the error is a text for the operator. `log` must outlive the process.
  static std::expected<std::unique_ptr<Process>, std::string> start(server::Options options, server::Log& log);
  ~Process();  // drops whoever is still connected

  // A new configuration for all workers; the old one stays if the new one cannot be used.
  // What needs a restart keeps the value it runs with. Returns what is in force now, what changed, and what waits.
  std::expected<Merged, std::string> reload(server::Options options);
  // Stops accepting, tells clients to come back, flushes. Workers end when nobody is left or the time for it is over.
  void drain();
  bool finished() const { return running_.load() == 0; }

  // As bound: with the real port where 0 was asked for.
  const std::vector<server::Listener>& listeners() const { return listeners_; }
  // Why sends are not handed to the kernel many at a time; empty: they are.
  const std::string& without_batcher() const { return without_batcher_; }
  // Null: nothing is kept on a disk.
  const DataDirectory* data() const { return data_.get(); }
  std::uint16_t workers() const { return static_cast<std::uint16_t>(seats_.size()); }

 private:
  struct Seat {  // one worker and its world
    loop::KernelClock clock;
    loop::KernelEntropy entropy;
    loop::KernelSockets sockets;
    std::unique_ptr<loop::KernelPoller> poller;
    std::unique_ptr<server::Worker> worker;
    std::thread thread;
  };

  Process() = default;
  void run(Seat& seat);
  void wake_all();
  void start_egress();

  loop::TicketKeys ticket_keys_;
  loop::KernelMemory memory_;
  std::uint64_t version_ = 1;
  server::Options options_;  // in force
  std::unique_ptr<server::Shared> shared_;
  std::unique_ptr<server::Mailboxes> mailboxes_;
  std::vector<server::Listener> listeners_;
  std::string without_batcher_;
  std::unique_ptr<DataDirectory> data_;  // null: there is none; its threads end after the workers
  egress::CurlClient egress_;            // before the workers, whose inboxes it fills until it has stopped
  std::thread egress_thread_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::atomic<std::uint32_t> running_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace app
