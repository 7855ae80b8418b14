// What the timers of very many idle WebSockets cost one worker: the real server::Worker, its connections and sessions,
// over sockets that exist only here and a clock that jumps. Every client answers each ping. No kernel: what a send and
// a read cost on a real socket comes on top, per ping.
//
//     bench_timers [--connections N] [--minutes M]      (1,000,000; 3)
//     bench_timers --check                              a small number; fails if a turn sends more than it should
//
// CPU time is that of the thread. The clock goes on by the CPU time of each turn, so that what is late stays late.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "loop/io.h"
#include "loop/resource.h"
#include "server/log.h"
#include "server/worker.h"

namespace {

using namespace std::chrono_literals;

constexpr loop::SocketId kListener = 0;  // clients are 1, 2, ...
constexpr std::size_t kReadyMax = 512;   // as many as the kernel's poller gives in one turn

base::Duration cpu_now() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
}

double resident_bytes() { return static_cast<double>(loop::resident_bytes()); }

class Clock final : public loop::Clock {
 public:
  base::Instant now() override { return at; }
  base::WallTime wall() override { return {1'763'640'000'000}; }
  base::Instant at{1h};
};

// The clients, as the worker sees them: sockets that say little, and who is ready.
class Clients final : public loop::Sockets, public loop::Poller {
 public:
  explicit Clients(std::size_t count) : states_(count + 1, State::absent), tokens_(count + 1) {}

  loop::Accepted accept(loop::SocketId) override {
    if (accepted_ + 1 == states_.size() || accepted_ >= allowed) return {};
    const auto socket = static_cast<loop::SocketId>(++accepted_);
    states_[accepted_] = State::asks;
    ready_.push_back(socket);
    return {.socket = socket};
  }

  loop::IoResult read(loop::SocketId socket, std::span<char> into) override {
    static constexpr std::string_view kUpgrade =
        "GET /ws/bench HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\nSec-WebSocket-Version: "
        "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    static constexpr std::string_view kPong("\x8a\x80\x01\x02\x03\x04", 6);
    State& state = states_[static_cast<std::size_t>(socket)];
    if (state == State::idle) return {loop::IoStatus::would_block};
    const std::string_view bytes = state == State::asks ? kUpgrade : kPong;
    std::copy(bytes.begin(), bytes.end(), into.begin());
    state = State::idle;
    return {loop::IoStatus::ok, bytes.size()};
  }

  loop::IoResult write(loop::SocketId socket, std::span<const std::string_view> slices) override {
    std::size_t bytes = 0;
    for (const std::string_view slice : slices) {
      bytes += slice.size();
      if (slice.front() == '\x89') {
        ++pings;
        states_[static_cast<std::size_t>(socket)] = State::answers;
        ready_.push_back(socket);
      } else if (slice.starts_with("HTTP/1.1 101")) {
        ++upgraded;
      } else {
        if (++flaws == 1)
          std::fprintf(stderr, "bench_timers: the server says: %.*s\n", static_cast<int>(slice.size()), slice.data());
      }
    }
    return {loop::IoStatus::ok, bytes};
  }
  void shutdown_write(loop::SocketId) override { ++flaws; }
  void close(loop::SocketId, loop::CloseMode) override { ++flaws; }

  void add(loop::SocketId socket, std::uint64_t token, loop::Interest) override {
    tokens_[static_cast<std::size_t>(socket)] = token;
  }
  void modify(loop::SocketId, std::uint64_t, loop::Interest) override {}
  void remove(loop::SocketId) override {}
  std::span<const loop::Ready> wait(base::Duration) override {
    events_.clear();
    if (accepted_ < allowed) events_.push_back({tokens_[kListener], true, false, false});
    const std::size_t end = std::min(ready_.size(), next_ready_ + kReadyMax);
    for (; next_ready_ < end; ++next_ready_) {
      events_.push_back({tokens_[static_cast<std::size_t>(ready_[next_ready_])], true, false, false});
    }
    if (next_ready_ == ready_.size()) {
      ready_.clear();
      next_ready_ = 0;
    }
    return events_;
  }
  bool anybody_ready() const { return !ready_.empty() || accepted_ < allowed; }

  std::size_t allowed = 0;  // how many may have connected by now
  std::size_t upgraded = 0, pings = 0, flaws = 0;

 private:
  enum class State : std::uint8_t { absent, asks, idle, answers };
  std::vector<State> states_;
  std::vector<std::uint64_t> tokens_;
  std::vector<loop::SocketId> ready_;
  std::size_t next_ready_ = 0;
  std::vector<loop::Ready> events_;
  std::size_t accepted_ = 0;
};

struct Phase {
  base::Duration cpu{}, longest{};
  std::size_t turns = 0, over_1_ms = 0, pings = 0, pings_in_turn_max = 0;
  base::Duration time{};  // of the clock
};

class Bench {
 public:
  explicit Bench(std::size_t count) : clients_(count), count_(count) {
    server::Options options;
    options.dev = true;
    options.workers = 1;
    options.connections_max = static_cast<std::uint32_t>(count + 1);
    options.memory_bytes_max = std::uint64_t{64} << 30;
    auto snapshot = server::Snapshot::make(options, 1, loop::TicketKeys{});
    if (!snapshot) fail(snapshot.error().c_str());
    shared_ = std::make_unique<server::Shared>(*std::move(snapshot), std::uint16_t{1}, 5, clock_.now(), log_);
    mailboxes_ = std::make_unique<server::Mailboxes>(std::uint16_t{1}, server::MailboxSize{});
    worker_ = std::make_unique<server::Worker>(base::WorkerId{0}, *shared_, *mailboxes_, wakeups_,
                                               server::WorkerIo{clients_, clients_, clock_, entropy_, egress_});
    worker_->add_listener(kListener, {.address = "bench", .admin = true});
  }

  // Everybody connects, as many a second as are allowed.
  Phase connect(std::size_t per_s) {
    Phase phase;
    const base::Instant begin = clock_.at;
    while (clients_.upgraded < count_) {
      if (clients_.flaws > 0) fail("a client was refused");
      clients_.allowed =
          std::min(count_, static_cast<std::size_t>(std::chrono::duration<double>(clock_.at - begin).count() *
                                                    static_cast<double>(per_s)) +
                               1);
      turn(phase, clock_.at + 1ms);
    }
    phase.time = clock_.at - begin;
    return phase;
  }

  Phase idle(base::Duration time) {
    Phase phase;
    const base::Instant begin = clock_.at;
    while (clock_.at < begin + time) turn(phase, begin + time);
    phase.time = time;
    return phase;
  }

  // The clock goes on, but the worker gets no turn meanwhile: a machine that was asleep.
  void sleep(base::Duration time) { clock_.at += time; }

  void expect_flawless() {
    if (clients_.flaws > 0 || worker_->connections() != count_) fail("a connection was lost");
  }
  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "bench_timers: %s\n", what);
    std::exit(1);
  }

 private:
  void turn(Phase& phase, base::Instant end) {
    if (!clients_.anybody_ready()) {
      clock_.at = std::max(clock_.at, std::min(end, worker_->next_deadline()));
    }
    const std::size_t pings = clients_.pings;
    const base::Duration before = cpu_now();
    worker_->turn(base::Duration::zero());
    const base::Duration took = cpu_now() - before;
    clock_.at += took;
    ++phase.turns;
    phase.cpu += took;
    phase.longest = std::max(phase.longest, took);
    if (took > 1ms) ++phase.over_1_ms;
    phase.pings += clients_.pings - pings;
    phase.pings_in_turn_max = std::max(phase.pings_in_turn_max, clients_.pings - pings);
  }

  Clock clock_;
  Clients clients_;
  std::size_t count_;
  base::SeededEntropy entropy_{4};
  server::SilentLog log_;
  struct Wakeup final : loop::Wakeup {
    bool wake() override { return false; }
  } wakeup_;
  egress::NoClient egress_;
  std::vector<loop::Wakeup*> wakeups_{&wakeup_};
  std::unique_ptr<server::Shared> shared_;
  std::unique_ptr<server::Mailboxes> mailboxes_;
  std::unique_ptr<server::Worker> worker_;
};

void print(const char* name, const Phase& phase, std::size_t count) {
  const auto us = [](base::Duration time) { return std::chrono::duration<double, std::micro>(time).count(); };
  std::printf("| %s | %zu | %.1f | %zu | %.0f | %zu | %zu | %.0f | %.3f |\n", name, count,
              std::chrono::duration<double>(phase.time).count(), phase.turns, us(phase.longest), phase.over_1_ms,
              phase.pings_in_turn_max, phase.pings == 0 ? 0 : us(phase.cpu) * 1e3 / static_cast<double>(phase.pings),
              us(phase.cpu) / static_cast<double>(count) / std::chrono::duration<double>(phase.time).count());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 1'000'000;
  base::Duration time = 3min;
  bool check = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--connections" && i + 1 < argc) {
      count = std::strtoul(argv[++i], nullptr, 10);
    } else if (option == "--minutes" && i + 1 < argc) {
      time = std::chrono::minutes(std::strtoul(argv[++i], nullptr, 10));
    } else if (option == "--check") {
      check = true;
      count = 20'000;
      time = 1min;
    } else {
      std::fputs("usage: bench_timers [--connections N] [--minutes M] | --check\n", stderr);
      return 2;
    }
  }
  std::puts(
      "| phase | connections | seconds | turns | longest turn, us | turns over 1 ms | pings in a turn, at most | "
      "CPU ns per ping | CPU us per connection and second |");
  std::puts("|---|---|---|---|---|---|---|---|---|");
  const double before = resident_bytes();
  Bench bench(count);
  print("connecting, 50,000 a second", bench.connect(50'000), count);
  const double resident = (resident_bytes() - before) / static_cast<double>(count);
  print("idle", bench.idle(time), count);
  bench.sleep(60s);
  const Phase burst = bench.idle(1min);
  print("all due at once", burst, count);
  bench.expect_flawless();
  std::printf(
      "\n%.0f resident bytes per connection after connecting, those of this program's own clients among them.\n",
      resident);
  constexpr std::size_t kPingsInTurnMax = 64;  // at 10 us a piece with the kernel, 0.6 ms
  if (check && burst.pings_in_turn_max > kPingsInTurnMax) Bench::fail("a turn sent too many pings");
  return 0;
}
