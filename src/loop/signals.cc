#include "loop/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>

#include "base/assert.h"
#include "loop/system_error.h"

namespace loop {

namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

int to_milliseconds(base::Duration timeout) {
  if (timeout == base::Duration::max()) return -1;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(std::max(timeout, base::Duration::zero())).count();
  return static_cast<int>(std::min<std::int64_t>(rounded, std::numeric_limits<int>::max()));
}

Signal to_signal(std::uint32_t number) {
  switch (number) {
    case SIGTERM:
      return Signal::terminate;
    case SIGINT:
      return Signal::interrupt;
    default:
      return Signal::reload;
  }
}

}  // namespace

std::expected<std::unique_ptr<Signals>, std::string> Signals::open() {
  const sigset_t set = watched();
  const int descriptor = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) return std::unexpected("cannot watch for signals: " + error_text(errno));
  const int blocked = ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ASSERT(blocked == 0);
  std::signal(SIGPIPE, SIG_IGN);
  return std::unique_ptr<Signals>(new Signals(descriptor));
}

Signals::~Signals() {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::close(descriptor_);
}

std::optional<Signal> Signals::wait(base::Duration timeout) {
  pollfd entry{descriptor_, POLLIN, 0};
  if (::poll(&entry, 1, to_milliseconds(timeout)) != 1) return std::nullopt;
  signalfd_siginfo content{};
  const ssize_t got = ::read(descriptor_, &content, sizeof content);
  if (got != sizeof content) return std::nullopt;
  return to_signal(content.ssi_signo);
}

}  // namespace loop
