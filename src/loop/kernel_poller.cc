#include "loop/kernel_poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <limits>
#include <span>

#include "base/assert.h"
#include "loop/system_error.h"

namespace loop {

namespace {

// The eventfd's own token. Peers' tokens are built from slots and generations and never have all bits set.
constexpr std::uint64_t kWakeToken = std::numeric_limits<std::uint64_t>::max();

std::uint32_t events_of(Interest interest) {
  const auto bits = static_cast<unsigned>(interest);
  return ((bits & static_cast<unsigned>(Interest::read)) != 0 ? std::uint32_t{EPOLLIN} : 0u) |
         ((bits & static_cast<unsigned>(Interest::write)) != 0 ? std::uint32_t{EPOLLOUT} : 0u);
}

int wait_precisely(int epoll, std::span<epoll_event> events, base::Duration timeout) {
  const int count_max = static_cast<int>(events.size());
  if (timeout == base::Duration::max()) return ::epoll_pwait2(epoll, events.data(), count_max, nullptr, nullptr);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
  timespec time{};
  time.tv_sec = static_cast<std::time_t>(seconds.count());
  time.tv_nsec = static_cast<long>((timeout - seconds).count());
  return ::epoll_pwait2(epoll, events.data(), count_max, &time, nullptr);
}

// Rounded up to milliseconds.
int wait_roughly(int epoll, std::span<epoll_event> events, base::Duration timeout) {
  int milliseconds = -1;
  if (timeout != base::Duration::max()) {
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    milliseconds = static_cast<int>(std::min<std::int64_t>(rounded, std::numeric_limits<int>::max()));
  }
  return ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), milliseconds);
}

// ENOSYS from old kernels, EPERM from sandboxes that do not know it.
bool can_wait_precisely(int epoll) {
  epoll_event event;
  return wait_precisely(epoll, {&event, 1}, base::Duration::zero()) >= 0;
}

}  // namespace

std::expected<std::unique_ptr<KernelPoller>, std::string> KernelPoller::open() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return std::unexpected("cannot create an epoll set: " + error_text(errno));
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) {
    const int error = errno;
    ::close(epoll);
    return std::unexpected("cannot create an eventfd: " + error_text(error));
  }
  // Edge-triggered: every write is a new edge, so the counter never has to be read back. It cannot overflow: that
  // takes 2^64 wake-ups.
  epoll_event edge{};
  edge.events = EPOLLIN | EPOLLET;
  edge.data.u64 = kWakeToken;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, event, &edge) != 0) {
    const int error = errno;
    ::close(event);
    ::close(epoll);
    return std::unexpected("cannot watch an eventfd: " + error_text(error));
  }
  return std::unique_ptr<KernelPoller>(new KernelPoller(epoll, event));
}

KernelPoller::KernelPoller(int epoll, int event)
    : epoll_(epoll), event_(event), waits_precisely_(can_wait_precisely(epoll)) {}

KernelPoller::~KernelPoller() {
  ::close(event_);
  ::close(epoll_);
}

void KernelPoller::control(int operation, SocketId socket, std::uint64_t token, Interest interest) {
  epoll_event event{};
  event.events = events_of(interest);
  event.data.u64 = token;
  if (::epoll_ctl(epoll_, operation, socket, &event) == 0) return;
  // EEXIST, ENOENT, EBADF: the owner lost count of its sockets. The rest is the kernel's lack of memory or watches.
  ASSERT(errno == ENOSPC || errno == ENOMEM);
  refused_.push_back({socket, token});
}

void KernelPoller::add(SocketId socket, std::uint64_t token, Interest interest) {
  ASSERT(token != kWakeToken);
  control(EPOLL_CTL_ADD, socket, token, interest);
}

void KernelPoller::modify(SocketId socket, std::uint64_t token, Interest interest) {
  const bool is_refused = std::ranges::any_of(refused_, [&](const Refused& one) { return one.socket == socket; });
  if (!is_refused) control(EPOLL_CTL_MOD, socket, token, interest);
}

void KernelPoller::remove(SocketId socket) {
  if (std::erase_if(refused_, [&](const Refused& one) { return one.socket == socket; }) > 0) return;
  const int result = ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  ASSERT(result == 0);
}

std::span<const Ready> KernelPoller::wait(base::Duration timeout) {
  ready_.clear();
  // Level-triggered like the rest: reported until the owner removes it.
  for (const Refused& one : refused_) ready_.push_back({one.token, false, false, true});

  if (!ready_.empty() || timeout < base::Duration::zero()) timeout = base::Duration::zero();
  Sleep awake = Sleep::awake;
  if (timeout != base::Duration::zero() &&
      !sleep_.compare_exchange_strong(awake, Sleep::asleep, std::memory_order_acq_rel)) {
    timeout = base::Duration::zero();  // woken since the last wait
  }

  epoll_event events[kEventsMax];
  const int count = waits_precisely_ ? wait_precisely(epoll_, events, timeout) : wait_roughly(epoll_, events, timeout);
  ASSERT(count >= 0 || errno == EINTR);
  // Acquire pairs with the release in wake(): what was pushed before a wake-up that is forgotten here is visible to the
  // pops that follow.
  sleep_.exchange(Sleep::awake, std::memory_order_acq_rel);

  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[i];
    if (event.data.u64 == kWakeToken) continue;
    ready_.push_back({event.data.u64, (event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                      (event.events & (EPOLLERR | EPOLLHUP)) != 0});
  }
  return ready_;
}

bool KernelPoller::wake() {
  if (sleep_.exchange(Sleep::woken, std::memory_order_acq_rel) != Sleep::asleep) return false;
  const std::uint64_t one = 1;
  const ssize_t written = ::write(event_, &one, sizeof one);
  ASSERT(written == sizeof one);
  return true;
}

}  // namespace loop
