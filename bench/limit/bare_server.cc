// The physical limit as a server, for the same client and the same measurement as every other server of the bench: TCP
// without a protocol, one thread, epoll, one send() per receiver.
//
//   bare_server fan-out|echo PORT       serves until it is ended
//
// fan-out: what one connection sends is sent to all, in one send() each. echo: it is sent back. Connections that only
// stay open cost what the kernel needs for them and nothing else: the baseline for memory.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "bench/native.h"

namespace {

using bench::die;

int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 || listen(fd, 4096) < 0)
    die("listen");
  return fd;
}

class BareServer {
 public:
  BareServer(bool echo, int port) : echo_(echo), listener_(listen_on(port)), poller_(epoll_create1(EPOLL_CLOEXEC)) {
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(512);
    while (true) {
      int ready = epoll_wait(poller_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else {
          handle(fd);
        }
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
  }

  void accept_all() {
    int fd;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      watch(fd);
      connections_.push_back(fd);
    }
  }

  void handle(int fd) {
    ssize_t got = recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got <= 0) {
      close(fd);
      std::erase(connections_, fd);
      return;
    }
    if (echo_) {
      send_all(fd, static_cast<std::size_t>(got));
    } else {
      for (int connection : connections_) send_all(connection, static_cast<std::size_t>(got));
    }
  }

  void send_all(int fd, std::size_t bytes) {
    const char* data = buffer_.data();
    while (true) {
      ssize_t sent = send(fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent == static_cast<ssize_t>(bytes)) return;
      if (sent < 0 && errno != EAGAIN) return;  // it went away; its own event says so
      if (sent > 0) {
        data += sent;
        bytes -= static_cast<std::size_t>(sent);
      }
      pollfd until{fd, POLLOUT, 0};
      poll(&until, 1, -1);
    }
  }

  bool echo_;
  int listener_;
  int poller_;
  std::vector<int> connections_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bare_server fan-out|echo PORT\n");
    return 2;
  }
  bench::raise_descriptor_limit();
  BareServer(std::string(argv[1]) == "echo", std::atoi(argv[2])).run();
}
