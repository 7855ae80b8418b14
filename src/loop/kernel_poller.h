// loop::Poller by epoll, level-triggered, and the loop::Wakeup of the same worker by an eventfd. One per worker; used
// on its thread, except wake().
//
// A wake-up is remembered until a wait() returns because of it, so the owner must look at its mailboxes after every
// wait(): first push, then wake(); first wait(), then pop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "loop/io.h"

namespace loop {

class KernelPoller final : public Poller, public Wakeup {
 public:
  static std::expected<std::unique_ptr<KernelPoller>, std::string> open();
  ~KernelPoller() override;
  KernelPoller(const KernelPoller&) = delete;
  KernelPoller& operator=(const KernelPoller&) = delete;

  // A socket that the kernel refuses to watch (fs.epoll.max_user_watches, memory) is reported as hung up by the next
  // wait(), so that the owner closes it instead of waiting for ever.
  void add(SocketId socket, std::uint64_t token, Interest interest) override;
  void modify(SocketId socket, std::uint64_t token, Interest interest) override;
  void remove(SocketId socket) override;
  // Never returns before the timeout has passed without a reason, and at most some 50 microseconds behind it (the
  // kernel's timer slack); where the kernel has no epoll_pwait2 (before Linux 5.11), up to 1 ms. A signal ends the wait
  // early, with nothing ready.
  std::span<const Ready> wait(base::Duration timeout) override;

  bool wake() override;  // any thread; writes the eventfd only if the worker sleeps

 private:
  enum class Sleep : std::uint8_t { awake, asleep, woken };
  struct Refused {
    SocketId socket;
    std::uint64_t token;
  };

  KernelPoller(int epoll, int event);
  void control(int operation, SocketId socket, std::uint64_t token, Interest interest);

  // So many readiness events per wait; more are found by the next one (epoll rotates its list).
  static constexpr std::size_t kEventsMax = 512;

  const int epoll_;
  const int event_;
  const bool waits_precisely_;
  std::vector<Ready> ready_;
  std::vector<Refused> refused_;
  alignas(64) std::atomic<Sleep> sleep_{Sleep::awake};
};

}  // namespace loop
