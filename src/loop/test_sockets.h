// What the tests of this room share: a connected pair over loopback, waiting for readiness, and a cap on descriptors.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/assert.h"
#include "loop/connect.h"
#include "loop/io.h"
#include "loop/kernel_sockets.h"
#include "loop/listen.h"

namespace loop::test {

inline void until(SocketId socket, short events) {
  pollfd entry{socket, events, 0};
  while (::poll(&entry, 1, -1) != 1) ASSERT(errno == EINTR);
}
inline void until_readable(SocketId socket) { until(socket, POLLIN); }
inline void until_writable(SocketId socket) { until(socket, POLLOUT); }
inline bool readable_now(SocketId socket) {
  pollfd entry{socket, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

inline SocketId connect_now(const std::string& address) {
  const auto endpoints = resolve(address);
  ASSERT(endpoints);
  const auto socket = start_connect(endpoints->front());
  ASSERT(socket);
  until_writable(*socket);
  ASSERT(finish_connect(*socket));
  return *socket;
}

// A listener and both ends of one connection to it.
struct Pair {
  explicit Pair(const std::string& address = "127.0.0.1:0") {
    listener = listen_on(address).value();
    client = connect_now(address.ends_with(":0")
                             ? address.substr(0, address.size() - 1) + std::to_string(bound_port(listener))
                             : address);
    until_readable(listener);
    accepted = sockets.accept(listener);
    server = accepted.socket;
    ASSERT(server != kNoSocket);
  }
  ~Pair() {
    for (const SocketId socket : {listener, client, server}) {
      if (socket != kNoSocket) ::close(socket);
    }
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  KernelSockets sockets;
  SocketId listener = kNoSocket;
  SocketId client = kNoSocket;
  SocketId server = kNoSocket;
  Accepted accepted;
};

inline bool has_ipv6_loopback() {
  const auto listener = listen_on("[::1]:0");
  if (listener) ::close(*listener);
  return listener.has_value();
}

// A folder for socket files that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "wirebird-loop-XXXXXX").string();
    ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::size_t open_now() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// Lets the process open only `more` descriptors beyond those it has.
class DescriptorCap {
 public:
  explicit DescriptorCap(int more) {
    ::getrlimit(RLIMIT_NOFILE, &old_);
    // The limit is on numbers, so the holes below the highest open one are filled first.
    int highest = 0;
    for (int number = 0; number < 1024; ++number) {
      if (::fcntl(number, F_GETFD) >= 0) highest = number;
    }
    int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (lowest_free < highest) {
      fillers_.push_back(lowest_free);
      lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    ::close(lowest_free);
    rlimit cap = old_;
    cap.rlim_cur = static_cast<rlim_t>(lowest_free + more);
    ASSERT(::setrlimit(RLIMIT_NOFILE, &cap) == 0);
  }
  ~DescriptorCap() {
    ::setrlimit(RLIMIT_NOFILE, &old_);
    for (const int filler : fillers_) ::close(filler);
  }
  DescriptorCap(const DescriptorCap&) = delete;
  DescriptorCap& operator=(const DescriptorCap&) = delete;

 private:
  rlimit old_{};
  std::vector<int> fillers_;
};

}  // namespace loop::test
