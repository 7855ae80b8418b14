// What a client needs of the kernel, in one place: clock, entropy, sockets and a poller. One per thread; everything
// that is built on it belongs to that thread and must not outlive it.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "loop/kernel_clock.h"
#include "loop/kernel_entropy.h"
#include "loop/kernel_poller.h"
#include "loop/kernel_sockets.h"

namespace client {

struct System {
  static std::expected<std::unique_ptr<System>, std::string> open() {
    auto poller = loop::KernelPoller::open();
    if (!poller) return std::unexpected(poller.error());
    auto system = std::make_unique<System>();
    system->poller = std::move(*poller);
    return system;
  }

  loop::KernelClock clock;
  loop::KernelEntropy entropy;
  loop::KernelSockets sockets;
  std::unique_ptr<loop::KernelPoller> poller;
};

}  // namespace client
