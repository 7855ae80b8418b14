// The client of the bench: opens WebSocket connections to any server, publishes, reads everything, and counts. One
// thread.
//
//   drain fan-out|latency|echo|idle --port N [options]          prints one JSON object; fails if anything was lost
//
//   --path, --header, --hello KIND:HEX      how a receiver opens: path, more headers, frames to send then (text or
//   binary)
//   --ready HEX                             what the server then says; without it the upgrade is enough
//   --publisher-path, --publisher-header, --publisher-hello     the same for a publisher of its own; without them the
//   first
//                                           receiver publishes
//   --publish text|binary|raw, --before HEX, --after HEX        what stands around each message; raw: no frame (HTTP)
//   --connections, --bytes (of a message), --k (messages per write), --rounds, --warm (rounds before), --in-flight
//   (rounds)
//   --count-frames yes     each frame is the next message: of servers that send differences, in which no number stands
//   --stalled N (receivers that stop reading), --fill (rounds of 16 messages that fill their queues)
//   --deflate yes, --cpu N (where the client runs), --cpu-of PID (whose CPU time to read; repeatable), --stall-ms
//
// fan-out: a round is k messages in one write, so that the server finds k in one turn; at most `in-flight` rounds are
// on the way, and none begins before the one before has reached somebody: otherwise the server would find several
// rounds in one turn and send them together, and do less work than was asked for. `sends_per_delivery`, counted by the
// kernel for the receivers, says whether it did: 1/k is equal work. It begins with single messages until every receiver
// has got one: then all are subscribed, whatever the protocol. With --stalled the last receivers stop to read behind
// the warm rounds; deliveries count to the others; at the end they read again, without another publish, until every
// message has come or a gap record has announced it and every ping is answered. echo: each connection has one message
// on the way. idle: opens, says so, and waits until its input ends. latency: a fan-out with one message at each moment
// of a fixed schedule (--rate per second), whatever has come of those before; the time of a message is from handing it
// to the socket until its last receiver has read it.
// --gate yes: before and after what is measured it says so, in one line each, and waits for a line of its input: others
// measure the same then.
// --bare yes: TCP without a protocol, each message as long as a server's frame around it would make it.
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <vector>

#include "bench/drain/connection.h"
#include "bench/drain/latencies.h"
#include "bench/native.h"

namespace {

using namespace bench;
using u64 = std::uint64_t;

constexpr u64 kMs = 1'000'000;
constexpr u64 kPublisher = ~u64{0};
constexpr std::size_t kOpeningMax = 100;  // at once; servers listen with backlogs of 128 and more
constexpr std::size_t kRoundsRemembered = 64;

u64 now() { return nanoseconds(CLOCK_MONOTONIC); }

class Run {
 public:
  explicit Run(const DrainOptions& options)
      : options_(options),
        message_(options.before + make_message(options.bytes + (options.bare ? head_bytes(options.bytes) : 0)) +
                 options.after) {
    for (pid_t pid : options.measured) {
      clockid_t clock{};
      if ((errno = clock_getcpuclockid(pid, &clock)) != 0) die("the CPU clock of a process");
      clocks_.push_back(clock);
    }
    shared_.poller = epoll_create1(EPOLL_CLOEXEC);
  }

  int run() {
    open_all();
    if (ended_ == 0) {
      if (options_.mode == Mode::idle) return wait_idle();
      if (options_.mode == Mode::echo) {
        echo();
      } else if (join()) {
        options_.mode == Mode::latency ? latency() : fan_out();
      }
    }
    return report();
  }

 private:
  // --- connections ---

  void open_all() {
    if (options_.has_publisher) {
      publisher_ = std::make_unique<Connection>(shared_, options_, options_.publisher, kPublisher);
    }
    u64 limit = now() + 60'000 * kMs;
    auto is_opening = [](const auto& receiver) { return receiver->state() < Connection::State::open; };
    std::size_t opening = 0;
    while (receivers_.size() < options_.connections || opening > 0 || (publisher_ && is_opening(publisher_))) {
      while (receivers_.size() < options_.connections && opening < kOpeningMax) {
        receivers_.push_back(std::make_unique<Connection>(shared_, options_, options_.receiver, receivers_.size()));
        ++opening;
      }
      turn(100);
      opening = 0;
      for (const auto& receiver : receivers_) opening += is_opening(receiver) ? 1U : 0U;
      if (ended_ > 0 || now() > limit) return fail("not all connections could be opened");
    }
  }

  // Waits up to that time, and takes what came.
  void turn(u64 ms) { turn_ns(ms * kMs); }
  void turn_ns(u64 time) {
    timespec timeout{};
    timeout.tv_sec = static_cast<time_t>(time / (1000 * kMs));
    timeout.tv_nsec = static_cast<long>(time % (1000 * kMs));
    int ready = epoll_pwait2(shared_.poller, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      const u64 id = event.data.u64;
      Connection& connection = id == kPublisher ? *publisher_ : *receivers_[id];
      connection.handle(event.events, [&](u64 number) {
        if (id != kPublisher) take(connection, number);
      });
      if (connection.state() == Connection::State::ended) {
        ++ended_;
        reasons_.insert(connection.why());
      }
    }
  }

  void fail(const char* why) {
    if (failure_.empty()) failure_ = why;
  }

  // --- messages ---

  void take(Connection& receiver, u64 number) {
    if (!receiver.joined) {
      receiver.joined = true;
      ++joined_;
      receiver.next = number;
    }
    if (number < receiver.next) {
      ++doubled_;
      return;
    }
    ++taken_in_all_;
    if (is_stalled(receiver)) {
      ++taken_late_;
      receiver.next = number + 1;
      return;
    }
    gaps_ += number - receiver.next;
    receiver.next = number + 1;
    if (!counting_) return;
    ++taken_;
    if (options_.mode == Mode::echo) {
      if (receiver.next != options_.warm && receiver.next < options_.warm + options_.rounds) send_echo(receiver);
      return;
    }
    if (number < base_) return;
    u64 round = (number - base_) / k_;
    if (round >= arrived_) arrived_ = round + 1;
    u64& count = counts_[round % counts_.size()];
    if (++count < reading() * k_) return;
    count = 0;
    ++complete_;
    if (measuring_ && options_.mode == Mode::latency) latencies_.add(now() - sent_at_[round]);
  }

  bool is_stalled(const Connection& receiver) const { return stalled_ && receiver.id() >= reading(); }
  std::size_t reading() const { return receivers_.size() - (stalled_ ? options_.stalled : 0); }
  template <class Act>
  void each_stalled(Act act) {
    for (std::size_t i = receivers_.size() - options_.stalled; i < receivers_.size(); ++i) act(*receivers_[i]);
  }

  void append_message(std::string& out, u64 number) {
    write_number(message_, options_.before.size(), number);
    if (options_.bare || options_.publishing == Publishing::raw) {
      out += message_;
    } else {
      append_frame(out, options_.publishing == Publishing::text ? Opcode::text : Opcode::binary, message_);
    }
  }

  void send_echo(Connection& connection) {
    write_.clear();
    append_message(write_, connection.next);
    connection.send(write_);
  }

  void publish(std::size_t count) {
    write_.clear();
    for (std::size_t i = 0; i < count; ++i) append_message(write_, published_++);
    (publisher_ ? *publisher_ : *receivers_.front()).send(write_);
  }

  u64 cpu() const {
    u64 sum = 0;
    for (clockid_t clock : clocks_) sum += nanoseconds(clock);
    return sum;
  }
  u64 segments() const {
    u64 sum = 0;
    for (const auto& receiver : receivers_) sum += receiver->segments();
    return sum;
  }
  void pass_gate(const char* name) {
    if (!options_.gate) return;
    std::printf("{\"gate\":\"%s\"}\n", name);
    std::fflush(stdout);
    while (true) {
      const int letter = std::getchar();
      if (letter == EOF || letter == '\n') return;
    }
  }
  void begin() {
    pass_gate("begin");
    segments_ = segments();
    cpu_ = cpu();
    wall_ = now();
    own_cpu_ = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    measuring_ = true;
  }
  void end() {
    segments_ = segments() - segments_;
    cpu_ = cpu() - cpu_;
    wall_ = now() - wall_;
    own_cpu_ = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - own_cpu_;
    pass_gate("end");
  }

  // Turns until so much was taken, or nothing moved for too long.
  template <class Until, class Act>
  bool work(Until until, Act act) {
    return work(until, act, [] { return 100 * kMs; });
  }
  template <class Until, class Act, class Pause>
  bool work(Until until, Act act, Pause pause) {
    u64 seen = taken_in_all_, moved = now();
    while (!until()) {
      act();
      turn_ns(pause());
      if (taken_in_all_ != seen) {
        seen = taken_in_all_;
        moved = now();
      }
      if (ended_ > 0) {
        fail("the server closed connections");
        return false;
      }
      if (now() - moved > options_.stall_ms * kMs) {
        fail("nothing came any more");
        return false;
      }
    }
    return true;
  }

  // Publishes single messages until every receiver has got one.
  bool join() {
    u64 limit = now() + 30'000 * kMs, again = 0;
    auto all_have_last = [&] {
      for (const auto& receiver : receivers_) {
        if (receiver->next != published_) return false;
      }
      return true;
    };
    while (joined_ < receivers_.size() || !all_have_last()) {
      // Once all are in, nothing new is published: what is on the way must come. Nor before that where frames are
      // counted: two messages may share one.
      if (joined_ < receivers_.size() && now() >= again) {
        publish(1);
        again = options_.counts_frames ? limit : now() + 100 * kMs;
      }
      turn(10);
      if (ended_ > 0 || now() > limit) {
        fail("not all receivers get what is published");
        return false;
      }
    }
    counting_ = true;
    return true;
  }

  void fan_out() {
    if (!rounds(options_.k, options_.warm)) return;
    if (options_.stalled > 0 && !stall()) return;
    begin();
    rounds(options_.k, options_.rounds);
    end();
    if (stalled_ && failure_.empty()) go_on();
  }

  bool rounds(u64 k, u64 count) {
    base_ = published_;
    k_ = k;
    arrived_ = complete_ = 0;
    due_ += count * k * reading();
    u64 round = 0;
    auto complete = [&] { return complete_ == count; };
    return work(complete, [&] {
      if (round == count || round != arrived_ || round >= complete_ + options_.in_flight) return;
      publish(k);
      ++round;
    });
  }

  bool stall() {
    const u64 before = resident();
    stalled_ = true;
    stalled_at_ = published_;
    each_stalled([](Connection& receiver) { receiver.stall(); });
    if (options_.fill > 0 && !rounds(16, options_.fill)) return false;
    const u64 after = resident();
    resident_growth_ = after > before ? after - before : 0;
    each_stalled([](Connection& receiver) { receiver.ping(); });
    return true;
  }

  void go_on() {
    each_stalled([](Connection& receiver) { receiver.ping(); });
    each_stalled([](Connection& receiver) { receiver.go_on(); });
    const u64 due = options_.stalled * (published_ - stalled_at_);
    work(
        [&] {
          announced_ = pongs_ = 0;
          each_stalled([&](Connection& receiver) {
            announced_ += receiver.announced();
            pongs_ += receiver.pongs();
          });
          return taken_late_ + announced_ >= due && pongs_ >= 2 * options_.stalled;
        },
        [] {});
    unexplained_ = due - taken_late_ - announced_;
  }

  // Of the measured processes.
  u64 resident() const {
    u64 sum = 0;
    for (pid_t pid : options_.measured) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
      u64 all = 0, pages = 0;
      file >> all >> pages;
      sum += pages * static_cast<u64>(sysconf(_SC_PAGESIZE));
    }
    return sum;
  }

  void latency() {
    base_ = published_;
    due_ = (options_.warm + options_.rounds) * receivers_.size();
    prctl(PR_SET_TIMERSLACK, 1UL);  // the schedule is kept to the microsecond, not to 50
    counts_.assign(options_.warm + options_.rounds, 0);
    sent_at_.assign(counts_.size(), 0);
    const u64 interval = 1'000'000'000 / options_.rate;
    u64 next = now(), round = 0, last = options_.warm;
    auto complete = [&] { return complete_ == last; };
    auto feed = [&] {
      if (round == last) return;
      const u64 at = now();
      if (at < next) return;
      sent_at_[round++] = at;
      if (measuring_) late_.add(at - next);
      next += interval;
      publish(1);
    };
    auto pause = [&] {
      const u64 at = now();
      return round == last ? 100 * kMs : at < next ? next - at : 0;
    };
    if (!work(complete, feed, pause)) return;
    begin();
    next = now();
    last += options_.rounds;
    work(complete, feed, pause);
    end();
  }

  void echo() {
    counting_ = true;
    due_ = (options_.warm + options_.rounds) * receivers_.size();
    auto start = [&] {
      for (const auto& connection : receivers_) {
        connection->joined = true;
        send_echo(*connection);
      }
    };
    u64 target = receivers_.size() * options_.warm;
    auto complete = [&] { return taken_ == target; };
    start();
    if (!work(complete, [] {})) return;
    begin();
    target += receivers_.size() * options_.rounds;
    start();
    work(complete, [] {});
    end();
  }

  int wait_idle() {
    std::printf("{\"open\":%zu}\n", receivers_.size());
    std::fflush(stdout);
    constexpr u64 kInput = kPublisher - 1;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kInput;
    if (epoll_ctl(shared_.poller, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) die("idle needs a pipe as its input");
    while (ended_ == 0) {
      int ready = epoll_wait(shared_.poller, events_.data(), static_cast<int>(events_.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& found = events_[static_cast<std::size_t>(i)];
        if (found.data.u64 == kInput) return 0;
        Connection& connection = *receivers_[found.data.u64];
        connection.handle(found.events, [](u64) {});
        if (connection.state() == Connection::State::ended) {
          ++ended_;
          reasons_.insert(connection.why());
        }
      }
    }
    fail("the server closed connections");
    return report();
  }

  int report() {
    const u64 per_round = reading() * (options_.mode == Mode::echo ? 1 : options_.k);
    const u64 measured = options_.rounds * per_round;
    const u64 lost = due_ > taken_ ? due_ - taken_ : 0;
    const bool flawless =
        failure_.empty() && lost == 0 && gaps_ == 0 && doubled_ == 0 && ended_ == 0 && unexplained_ == 0;
    const double seconds = static_cast<double>(wall_) / 1e9;
    std::string reasons;
    for (const std::string& reason : reasons_) reasons += (reasons.empty() ? "" : "; ") + reason;
    for (char& letter : reasons) {
      if (letter == '"' || letter == '\\' || static_cast<unsigned char>(letter) < ' ') letter = ' ';
    }
    std::printf(
        "{\"connections\":%zu,\"bytes\":%zu,\"k\":%zu,\"rounds\":%zu,\"in_flight\":%zu,\"deliveries\":%llu,\"taken_in_"
        "all\":%llu,"
        "\"lost\":%llu,\"doubled\":%llu,\"ended\":%zu,\"failure\":\"%s\",\"reasons\":\"%s\",\"flawless\":%s",
        receivers_.size(), options_.bytes, options_.k, options_.rounds, options_.in_flight,
        static_cast<unsigned long long>(measured), static_cast<unsigned long long>(taken_in_all_),
        static_cast<unsigned long long>(lost), static_cast<unsigned long long>(doubled_), ended_, failure_.c_str(),
        reasons.c_str(), flawless ? "true" : "false");
    if (measuring_ && flawless) {
      const double deliveries = static_cast<double>(measured);
      std::printf(
          ",\"seconds\":%.4f,\"deliveries_per_s\":%.0f,\"cpu_ns_per_delivery\":%.1f,\"client_cpu_ns_per_delivery\":%.1f"
          ",\"sends_per_delivery\":%.6f",
          seconds, deliveries / seconds, static_cast<double>(cpu_) / deliveries,
          static_cast<double>(own_cpu_) / deliveries, static_cast<double>(segments_) / deliveries);
      if (options_.mode == Mode::latency) {
        std::printf(",\"rate\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"late_p99_us\":%.1f", options_.rate,
                    latencies_.percentile_us(0.5), latencies_.percentile_us(0.99), latencies_.percentile_us(1),
                    late_.percentile_us(0.99));
      }
    }
    if (options_.stalled > 0) {
      std::printf(
          ",\"stalled\":%zu,\"taken_late\":%llu,\"announced\":%llu,\"pings\":%zu,\"pongs\":%llu,\"resident_growth\":%"
          "llu",
          options_.stalled, static_cast<unsigned long long>(taken_late_), static_cast<unsigned long long>(announced_),
          2 * options_.stalled, static_cast<unsigned long long>(pongs_),
          static_cast<unsigned long long>(resident_growth_));
    }
    std::printf("}\n");
    return flawless ? 0 : 1;
  }

  const DrainOptions& options_;
  Shared shared_;
  std::vector<epoll_event> events_ = std::vector<epoll_event>(512);
  std::vector<std::unique_ptr<Connection>> receivers_;
  std::unique_ptr<Connection> publisher_;
  std::vector<clockid_t> clocks_;
  std::string message_, write_;
  u64 published_ = 0;
  std::size_t joined_ = 0;
  bool counting_ = false, measuring_ = false;
  u64 base_ = 0;  // the number of the first message of the first of these rounds
  u64 k_ = 1;     // messages in each of them
  u64 due_ = 0;   // deliveries of all rounds, to those who read
  bool stalled_ = false;
  u64 stalled_at_ = 0;  // the number of the first message that those who stall did not read in time
  u64 taken_late_ = 0;  // by them
  u64 announced_ = 0, pongs_ = 0, resident_growth_ = 0;
  u64 unexplained_ = 0;  // neither taken nor announced (or both)
  std::vector<u64> counts_ = std::vector<u64>(kRoundsRemembered);
  std::vector<u64> sent_at_;  // latency: by round
  Latencies latencies_, late_;
  u64 arrived_ = 0;       // rounds of which somebody has something
  u64 complete_ = 0;      // rounds that all receivers have whole
  u64 taken_in_all_ = 0;  // also before the rounds
  u64 taken_ = 0, gaps_ = 0, doubled_ = 0;
  std::size_t ended_ = 0;
  std::set<std::string> reasons_;
  std::string failure_;
  u64 segments_ = 0, cpu_ = 0, own_cpu_ = 0, wall_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const DrainOptions options = parse_options(argc, argv);
  raise_descriptor_limit();
  pin_to(options.cpu);
  return Run(options).run();
}
