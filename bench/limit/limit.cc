// The physical limit beside which the bench's figures are read: the same socket work as a push server, without a
// protocol.
//
//   limit fan-out|echo [--connections N] [--bytes N] [--k N] [--rounds N] [--warm N] [--in-flight N]
//                      [--server-cpu N] [--client-cpu N]
//
// fan-out: in every round each socket gets one send() of k * bytes, as a server does that puts k messages together. At
// most `in-flight` rounds are on the way: the client writes a byte to a pipe for each round it has drained. echo: each
// connection has one message of `bytes` on the way; the server sends back what it reads. Here k is 1.
//
// The server is this process. The client is this program once more, started afresh rather than only forked, so that a
// tool that watches the server's process (callgrind) leaves the client alone and at full speed. Prints one JSON object;
// CPU is user and system time of the server's process over the measured rounds. Fails if the client drained other than
// was sent: a baseline that lost bytes is no baseline.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "bench/native.h"

namespace {

using bench::die;
using u64 = std::uint64_t;

struct Options {
  bool echo = false;
  std::size_t connections = 1000;
  std::size_t bytes = 132;
  std::size_t k = 1;
  u64 rounds = 200;
  u64 warm = 20;
  u64 in_flight = 4;
  int server_cpu = -1;
  int client_cpu = -1;
  // Only in the client: where the server listens, and the pipes for drained rounds and for the total.
  int port = 0;
  int rounds_pipe = -1;
  int total_pipe = -1;

  std::size_t block_bytes() const { return k * bytes; }
  u64 all_rounds() const { return warm + rounds; }
};

// --- the server --------------------------------------------------------------------------------------------------

// What the server asked of the kernel in the measured rounds.
struct Calls {
  u64 sends = 0;     // one per block, or one per read piece of an echo
  u64 again = 0;     // more, for sockets that did not take a whole block at once
  u64 receives = 0;  // echo
  u64 waits = 0;     // for the client: per round or per turn of the loop, not per delivery
  u64 bytes = 0;     // that the kernel took
};

void send_all(int socket, const char* data, std::size_t bytes, Calls& calls) {
  ++calls.sends;
  while (true) {
    ssize_t sent = send(socket, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) die("send");
    if (sent > 0) {
      calls.bytes += static_cast<u64>(sent);
      if (sent == static_cast<ssize_t>(bytes)) return;
      data += sent;
      bytes -= static_cast<std::size_t>(sent);
    }
    ++calls.again;
    pollfd until{socket, POLLOUT, 0};
    poll(&until, 1, -1);
  }
}

u64 cpu_ns() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto microseconds = [](const timeval& time) {
    return static_cast<u64>(time.tv_sec) * 1'000'000U + static_cast<u64>(time.tv_usec);
  };
  return (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)) * 1000U;
}

// The measured rounds: everything between two looks.
struct Measured {
  u64 cpu = 0;
  u64 wall = 0;
  Calls calls;

  void begin(const Calls& now) { *this = {cpu_ns(), bench::nanoseconds(CLOCK_MONOTONIC), now}; }
  void end(const Calls& now) {
    cpu = cpu_ns() - cpu;
    wall = bench::nanoseconds(CLOCK_MONOTONIC) - wall;
    calls = {now.sends - calls.sends, now.again - calls.again, now.receives - calls.receives, now.waits - calls.waits,
             now.bytes};  // of the whole run, as the client counts them
  }
};

Measured fan_out(const Options& options, const std::vector<int>& sockets) {
  const std::string block(options.block_bytes(), 'x');
  Measured measured;
  Calls calls;
  u64 drained = 0;
  auto wait_until = [&](u64 rounds) {
    std::array<char, 256> marks;
    while (drained < rounds) {
      ++calls.waits;
      ssize_t got = read(options.rounds_pipe, marks.data(), marks.size());
      if (got <= 0) die("the client went away");
      drained += static_cast<u64>(got);
    }
  };
  for (u64 round = 0; round < options.all_rounds(); ++round) {
    if (round == options.warm) {
      wait_until(round);
      measured.begin(calls);
    }
    if (round >= options.in_flight) wait_until(round - options.in_flight + 1);
    for (int socket : sockets) send_all(socket, block.data(), block.size(), calls);
  }
  wait_until(options.all_rounds());
  measured.end(calls);
  return measured;
}

int watch(const std::vector<int>& sockets) {
  int poller = epoll_create1(EPOLL_CLOEXEC);
  for (int socket : sockets) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event) < 0) die("epoll_ctl");
  }
  return poller;
}

Measured echo(const Options& options, const std::vector<int>& sockets) {
  const u64 round_bytes = sockets.size() * options.bytes;
  const u64 warm_bytes = options.warm * round_bytes, all_bytes = options.all_rounds() * round_bytes;
  std::vector<char> buffer(256 * 1024);
  std::vector<epoll_event> events(512);
  int poller = watch(sockets);
  Measured measured;
  Calls calls;
  u64 echoed = 0;
  bool measuring = false;
  while (echoed < all_bytes) {
    // The client begins the measured rounds only when all of the first ones are back, so this is exactly between them.
    if (!measuring && echoed == warm_bytes) {
      measuring = true;
      measured.begin(calls);
    }
    ++calls.waits;
    int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      int socket = events[static_cast<std::size_t>(i)].data.fd;
      ++calls.receives;
      ssize_t got = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0) die("the client went away");
      send_all(socket, buffer.data(), static_cast<std::size_t>(got), calls);
      echoed += static_cast<u64>(got);
    }
  }
  measured.end(calls);
  return measured;
}

// --- the client --------------------------------------------------------------------------------------------------

std::vector<int> connect_all(const Options& options) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(options.port));
  std::vector<int> sockets;
  for (std::size_t i = 0; i < options.connections; ++i) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) die("connect");
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockets.push_back(fd);
  }
  return sockets;
}

int run_client(const Options& options) {
  bench::pin_to(options.client_cpu);
  const std::vector<int> sockets = connect_all(options);
  const u64 round_bytes = sockets.size() * options.block_bytes();
  const u64 warm_bytes = options.warm * round_bytes;
  const std::string message(options.bytes, 'x');
  std::map<int, u64> got_of;  // echo: bytes that came back on each connection
  std::vector<char> buffer(256 * 1024);
  std::vector<epoll_event> events(512);
  Calls ignored;
  int poller = watch(sockets);
  u64 drained = 0, told = 0;
  std::size_t open = sockets.size();  // to the very end: what comes after the last round would be an error to be seen
  bool warmed = false;
  auto start_echoes = [&] {
    for (int socket : sockets) send_all(socket, message.data(), message.size(), ignored);
  };
  if (options.echo) start_echoes();
  while (open > 0) {
    int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      int socket = events[static_cast<std::size_t>(i)].data.fd;
      ssize_t got = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got == 0) {
        close(socket);
        --open;
      }
      if (got <= 0) continue;
      drained += static_cast<u64>(got);
      if (!options.echo) continue;
      u64& have = got_of[socket];
      have += static_cast<u64>(got);
      u64 rounds = have / options.bytes;
      if (have % options.bytes == 0 && rounds != options.warm && rounds < options.all_rounds()) {
        send_all(socket, message.data(), message.size(), ignored);
      }
    }
    if (options.echo && drained == warm_bytes && !warmed) {
      warmed = true;
      start_echoes();
    }
    std::string marks(static_cast<std::size_t>(drained / round_bytes - told), '.');
    told += marks.size();
    if (!options.echo && !marks.empty() && write(options.rounds_pipe, marks.data(), marks.size()) < 0) die("write");
  }
  if (write(options.total_pipe, &drained, sizeof drained) != sizeof drained) die("write");
  return 0;
}

// --- both --------------------------------------------------------------------------------------------------------

Options parse(int argc, char** argv) {
  Options options;
  const std::map<std::string, std::size_t*> sizes{
      {"--connections", &options.connections}, {"--bytes", &options.bytes}, {"--k", &options.k}};
  const std::map<std::string, u64*> counts{
      {"--rounds", &options.rounds}, {"--warm", &options.warm}, {"--in-flight", &options.in_flight}};
  const std::map<std::string, int*> numbers{{"--server-cpu", &options.server_cpu},
                                            {"--client-cpu", &options.client_cpu},
                                            {"--port", &options.port},
                                            {"--rounds-pipe", &options.rounds_pipe},
                                            {"--total-pipe", &options.total_pipe}};
  auto refuse = [](const std::string& what) {
    std::fprintf(stderr, "limit: %s; see the first lines of bench/limit/limit.cc\n", what.c_str());
    std::exit(2);
  };
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode != "echo" && mode != "fan-out") refuse("echo or fan-out?");
  options.echo = mode == "echo";
  for (int i = 2; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) refuse(name + " needs a value");
    const long value = std::strtol(argv[i + 1], nullptr, 10);
    if (auto size = sizes.find(name); size != sizes.end()) {
      *size->second = static_cast<std::size_t>(value);
    } else if (auto count = counts.find(name); count != counts.end()) {
      *count->second = static_cast<u64>(value);
    } else if (auto number = numbers.find(name); number != numbers.end()) {
      *number->second = static_cast<int>(value);
    } else {
      refuse("what is " + name + "?");
    }
  }
  if (options.echo) options.k = 1;
  if (options.connections == 0 || options.bytes == 0 || options.k == 0 || options.rounds == 0 || options.warm == 0 ||
      options.in_flight == 0) {
    refuse("a number is missing or 0");
  }
  return options;
}

// The same options and where to find us, for the client.
pid_t start_client(char** argv, int port, int rounds_pipe, int total_pipe) {
  std::vector<std::string> words;
  for (char** word = argv; *word != nullptr; ++word) words.emplace_back(*word);
  for (auto [name, value] : {std::pair{"--port", port}, {"--rounds-pipe", rounds_pipe}, {"--total-pipe", total_pipe}}) {
    words.emplace_back(name);
    words.push_back(std::to_string(value));
  }
  // The name and not the link itself: valgrind answers for the name, and a link would start valgrind.
  std::array<char, 4096> name{};
  if (readlink("/proc/self/exe", name.data(), name.size() - 1) < 0) die("readlink");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child > 0) return child;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(name.data(), pointers.data());
  _exit(127);
}

std::vector<int> accept_all(int listener, std::size_t count, pid_t client) {
  std::vector<int> sockets;
  while (sockets.size() < count) {
    pollfd until{listener, POLLIN, 0};
    if (poll(&until, 1, 200) == 0) {
      errno = 0;
      if (waitpid(client, nullptr, WNOHANG) != 0) die("the client");
      continue;
    }
    int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) die("accept");
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockets.push_back(fd);
  }
  return sockets;
}

int run_server(Options options, char** argv) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, generic, size) < 0 || listen(listener, 4096) < 0) die("listen");
  getsockname(listener, generic, &size);
  std::array<int, 2> rounds_pipe, total_pipe;
  if (pipe(rounds_pipe.data()) != 0 || pipe(total_pipe.data()) != 0) die("pipe");
  const pid_t client = start_client(argv, ntohs(address.sin_port), rounds_pipe[1], total_pipe[1]);
  close(rounds_pipe[1]);
  close(total_pipe[1]);
  options.rounds_pipe = rounds_pipe[0];
  bench::pin_to(options.server_cpu);

  const std::vector<int> sockets = accept_all(listener, options.connections, client);
  const Measured measured = options.echo ? echo(options, sockets) : fan_out(options, sockets);
  for (int socket : sockets) shutdown(socket, SHUT_WR);
  u64 drained = 0;
  const bool told = read(total_pipe[0], &drained, sizeof drained) == sizeof drained;
  int status = 0;
  waitpid(client, &status, 0);

  const u64 sent = measured.calls.bytes;
  const double deliveries = static_cast<double>(options.rounds * sockets.size() * options.k);
  const double seconds = static_cast<double>(measured.wall) / 1e9;
  std::printf(
      "{\"mode\":\"%s\",\"connections\":%zu,\"bytes\":%zu,\"k\":%zu,\"rounds\":%llu,\"in_flight\":%llu,"
      "\"deliveries\":%.0f,\"seconds\":%.4f,\"deliveries_per_s\":%.0f,\"cpu_ns_per_delivery\":%.1f,"
      "\"sends_per_delivery\":%.6f,\"again\":%llu,\"receives\":%llu,\"waits\":%llu,\"sent\":%llu,\"drained\":%llu}\n",
      options.echo ? "echo" : "fan-out", options.connections, options.bytes, options.k,
      static_cast<unsigned long long>(options.rounds), static_cast<unsigned long long>(options.in_flight), deliveries,
      seconds, deliveries / seconds, static_cast<double>(measured.cpu) / deliveries,
      static_cast<double>(measured.calls.sends) / deliveries, static_cast<unsigned long long>(measured.calls.again),
      static_cast<unsigned long long>(measured.calls.receives), static_cast<unsigned long long>(measured.calls.waits),
      static_cast<unsigned long long>(sent), static_cast<unsigned long long>(drained));
  const bool whole = sent == options.all_rounds() * sockets.size() * options.block_bytes();
  if (!told || status != 0 || drained != sent || !whole) {
    std::fprintf(stderr, "limit: %llu bytes were sent and %llu drained\n", static_cast<unsigned long long>(sent),
                 static_cast<unsigned long long>(drained));
    return 1;
  }
  if (!options.echo && measured.calls.sends != options.rounds * sockets.size()) {
    std::fprintf(stderr, "limit: not one send per block\n");
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  bench::raise_descriptor_limit();
  return options.port != 0 ? run_client(options) : run_server(options, argv);
}
