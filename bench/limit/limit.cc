// The physical limit beside which bench results are read: the same socket work without any protocol. A bare epoll echo
// and a bare send loop over loopback, server and clients in one process on one thread each.
//
//   limit echo|fan-out CONNECTIONS BYTES SECONDS       prints one JSON object
//
// echo: every client sends BYTES and sends again when they are back. fan-out: the server sends BYTES to every client,
// one send() each, as fast as the sockets take them. No dependency; built by bench/run.py.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "limit: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

struct Pair {
  int server;
  int client;
};

std::vector<Pair> connect_pairs(int count) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, generic, size) < 0 || listen(listener, 1024) < 0) die("listen");
  getsockname(listener, generic, &size);
  std::vector<Pair> pairs;
  for (int i = 0; i < count; ++i) {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0 || connect(client, generic, size) < 0) die("connect");
    int server = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (server < 0) die("accept");
    int one = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    pairs.push_back({server, client});
  }
  close(listener);
  return pairs;
}

int watch(const std::vector<int>& sockets) {
  int poller = epoll_create1(0);
  for (int socket : sockets) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event) < 0) die("epoll_ctl");
  }
  return poller;
}

// Calls take(socket, bytes read) for what is readable until `stop`.
template <class Take>
void read_until(const std::atomic<bool>& stop, int poller, std::vector<char>& buffer, Take take) {
  std::vector<epoll_event> events(512);
  while (!stop.load(std::memory_order_relaxed)) {
    int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), 10);
    for (int i = 0; i < ready; ++i) {
      int socket = events[static_cast<std::size_t>(i)].data.fd;
      ssize_t got = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) take(socket, static_cast<std::size_t>(got));
    }
  }
}

void report(const char* mode, std::size_t connections, std::size_t bytes, double seconds, double messages) {
  std::printf("{\"mode\":\"%s\",\"connections\":%zu,\"bytes\":%zu,\"seconds\":%.3f,\"messages_per_s\":%.0f}\n", mode,
              connections, bytes, seconds, messages / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: limit echo|fan-out CONNECTIONS BYTES SECONDS\n");
    return 2;
  }
  const std::string mode = argv[1];
  const auto bytes = static_cast<std::size_t>(std::atoi(argv[3]));
  const auto time = std::chrono::duration<double>(std::atof(argv[4]));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);

  const std::vector<Pair> pairs = connect_pairs(std::atoi(argv[2]));
  std::vector<int> servers, clients;
  for (const Pair& pair : pairs) {
    servers.push_back(pair.server);
    clients.push_back(pair.client);
  }
  const std::string message(bytes, 'x');
  std::atomic<bool> stop{false};
  std::uint64_t received = 0;
  std::vector<char> client_buffer(256 * 1024), server_buffer(256 * 1024);
  const auto begin = Clock::now();

  if (mode == "echo") {
    std::thread server([&] {
      read_until(stop, watch(servers), server_buffer, [&](int socket, std::size_t got) {
        if (send(socket, server_buffer.data(), got, MSG_NOSIGNAL) < 0) die("send");
      });
    });
    std::vector<std::size_t> missing(static_cast<std::size_t>(clients.back()) + 2, bytes);
    for (int client : clients) send(client, message.data(), bytes, MSG_NOSIGNAL);
    std::thread stopper([&] {
      std::this_thread::sleep_for(time);
      stop = true;
    });
    read_until(stop, watch(clients), client_buffer, [&](int socket, std::size_t got) {
      std::size_t& left = missing[static_cast<std::size_t>(socket)];
      left -= got;
      if (left > 0) return;
      left = bytes;
      received += bytes;
      send(socket, message.data(), bytes, MSG_NOSIGNAL);
    });
    stopper.join();
    server.join();
  } else {
    std::thread reader(
        [&] { read_until(stop, watch(clients), client_buffer, [&](int, std::size_t got) { received += got; }); });
    while (Clock::now() - begin < time) {
      for (int socket : servers) {
        if (send(socket, message.data(), bytes, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) die("send");
      }
    }
    stop = true;
    reader.join();
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  report(mode.c_str(), pairs.size(), bytes, seconds, static_cast<double>(received) / static_cast<double>(bytes));
}
