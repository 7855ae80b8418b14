// What subscribers and channels cost in the hub alone: no sockets, no peers, mail handed over directly. One channel
// with very many subscribers, and very many channels with one subscriber each, at three sizes, so that what grows
// faster than linearly is seen; and what is left once everybody has gone.
//
//     bench_hub [--max N]     tables in Markdown; N is the largest size (1,000,000)
//     bench_hub --check       a small size; fails if memory is more than it should be
//
// CPU time is that of the thread, so that what else the machine does is not in it. Bytes are what the allocator has
// handed out (mallinfo2, with its own heads), not what is resident; messages count, the names of the benchmark do not.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "hub/fan_out.h"
#include "hub/home.h"
#include "loop/resource.h"

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 7;
constexpr std::uint32_t kTurn = 64;  // subscriptions between two turns of the workers: as many connections are accepted
constexpr std::size_t kPayloadBytes = 100;

double cpu_ns() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

double bytes_in_use() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double resident_bytes() { return static_cast<double>(loop::resident_bytes()); }

class SameRules final : public hub::Rules {
 public:
  const hub::ChannelRules* rules_of(std::string_view) const override { return &rules; }
  hub::ChannelRules rules;
};

class Worker;
using Workers = std::vector<std::unique_ptr<Worker>>;

class Worker final : public hub::Post, public hub::Sink {
 public:
  Worker(base::WorkerId self, std::uint16_t count, const hub::Rules& rules, hub::HomeOptions options, Workers& workers)
      : entropy_(self + 1U),
        home(count, options, rules, entropy_, kSeed),
        fan_out(count, rules, kSeed),
        self_(self),
        workers_(workers) {}

  bool has_room(base::WorkerId) override { return true; }
  void send(base::WorkerId to, hub::Mail mail) override { workers_[to]->inbox_.push_back({self_, std::move(mail)}); }

  void on_start(hub::PeerSlot, hub::SubscriptionId, const hub::Position&, const std::optional<hub::Gap>&) override {}
  Taken on_messages(std::span<const hub::Target> targets, hub::Batch& batch) override {
    const std::uint64_t messages = targets.size() * batch.messages.size();
    delivered += messages;
    return {messages, {}};
  }
  bool on_gap(hub::PeerSlot, hub::SubscriptionId, const hub::Gap&, const hub::Position&) override {
    ++flaws;
    return true;
  }
  void on_live(hub::PeerSlot, hub::SubscriptionId) override { ++live; }
  void on_refused(hub::PeerSlot, hub::SubscriptionId, base::Error) override { ++flaws; }
  bool can_take_page(hub::PeerSlot) override { return true; }
  bool can_go_on(hub::PeerSlot, hub::SlowReader) override { return true; }

  bool has_mail() const { return !inbox_.empty(); }
  void take_mail(hub::Now now) {
    reading_.swap(inbox_);
    for (auto& [from, mail] : reading_) {
      if (auto* page = std::get_if<hub::Page>(&mail)) {
        fan_out.receive(std::move(*page), *this, *this);
      } else if (auto* delivery = std::get_if<hub::Delivery>(&mail)) {
        fan_out.receive(std::move(*delivery));
      } else if (!std::holds_alternative<hub::Published>(mail)) {
        home.receive(from, std::move(mail), now, *this);
      }
    }
    reading_.clear();
  }

 private:
  base::SeededEntropy entropy_;

 public:
  hub::Home home;
  hub::FanOut fan_out;
  std::uint64_t delivered = 0, live = 0, flaws = 0;

 private:
  struct Letter {
    base::WorkerId from;
    hub::Mail mail;
  };
  base::WorkerId self_;
  Workers& workers_;
  std::vector<Letter> inbox_, reading_;
};

// Workers in one thread, and what their work costs.
class Hub {
 public:
  Hub(std::uint16_t count, std::uint32_t channels_max, base::Duration age_max) {
    rules_.rules.log.age_max = age_max;
    const hub::HomeOptions options{.log_bytes_max = 4ULL << 30, .channels_max = channels_max};
    for (base::WorkerId worker = 0; worker < count; ++worker) {
      workers.push_back(std::make_unique<Worker>(worker, count, rules_, options, workers));
    }
  }

  // Until nobody has mail or a job; with the longest single slice of all fan-outs.
  void settle() {
    for (bool worked = true; worked;) {
      worked = false;
      for (auto& worker : workers) {
        worker->take_mail(now);
        worker->home.pump(*worker);
        const double before = cpu_ns();
        worked = worker->fan_out.run(*worker) || worked;
        slice_ns_max = std::max(slice_ns_max, cpu_ns() - before);
        worker->fan_out.pump(*worker);
      }
      for (const auto& worker : workers) worked = worked || worker->has_mail();
    }
  }
  void publish(const std::string& channel) {
    hub::Publish publish;
    publish.channel = channel;
    publish.message = std::make_unique<hub::Message>(hub::Kind::text, std::string(kPayloadBytes, 'x'), now.instant);
    workers[0]->send(hub::home_of(channel, static_cast<std::uint16_t>(workers.size()), kSeed), std::move(publish));
  }
  template <class Count>
  std::uint64_t sum(Count count) const {
    return std::accumulate(workers.begin(), workers.end(), std::uint64_t{0},
                           [&](std::uint64_t total, const auto& worker) { return total + count(*worker); });
  }
  void expect(bool right, const char* what) {
    if (right && sum([](const Worker& each) { return each.flaws; }) == 0) return;
    std::fprintf(stderr, "bench_hub: %s\n", what);
    std::exit(2);
  }

  Workers workers;
  hub::Now now{base::Instant{} + 1h, {1'000'000}};
  double slice_ns_max = 0;

 private:
  SameRules rules_;
};

struct Cost {
  double each_ns = 0;
  double turn_ns_max = 0;  // the longest of kTurn steps and the turn after them
};

template <class Step>
Cost in_turns(Hub& hub, std::size_t count, Step step) {
  Cost cost;
  for (std::size_t i = 0; i < count;) {
    const double before = cpu_ns();
    for (const std::size_t end = std::min(count, i + kTurn); i < end; ++i) step(i);
    hub.settle();
    const double took = cpu_ns() - before;
    cost.each_ns += took / static_cast<double>(count);
    cost.turn_ns_max = std::max(cost.turn_ns_max, took);
  }
  return cost;
}

// Everybody's order of leaving: none in particular.
template <class T>
void shuffle(std::vector<T>& values) {
  base::SeededEntropy entropy(3);
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[entropy.below(static_cast<std::uint32_t>(i))]);
  }
}

struct Watch {
  base::WorkerId worker;
  hub::SubscriptionId id;
};

struct Crowd {  // one channel, many subscribers
  double bytes, resident;
  Cost subscribe;
  double delivery_ns, slice_ns_max;
  std::size_t other_turns;  // until another channel's message is out while this one's fan-out runs
  Cost unsubscribe;
  double bytes_left, resident_left;
};

Crowd measure_crowd(std::uint16_t workers, std::size_t count) {
  Crowd crowd{};
  std::vector<Watch> watches(count);
  watches.reserve(count + workers);
  Hub hub(workers, 1000, 1h);
  ::malloc_trim(0);
  const double bytes_before = bytes_in_use(), resident_before = resident_bytes();
  const std::string channel = "bench:one-for-everybody", other = "bench:another";
  const auto subscribe = [&](std::size_t i, const std::string& name) {
    const auto worker = static_cast<base::WorkerId>(i % workers);
    const auto peer = static_cast<hub::PeerSlot>(i / workers);
    return Watch{worker, hub.workers[worker]->fan_out.subscribe(peer, name, {}, 0, 0, *hub.workers[worker])};
  };
  crowd.subscribe = in_turns(hub, count, [&](std::size_t i) { watches[i] = subscribe(i, channel); });
  hub.expect(hub.sum([](const Worker& each) { return each.live; }) == count, "not all subscriptions are live");
  const auto per_subscriber = [&](double bytes) { return bytes / static_cast<double>(count); };
  crowd.bytes = per_subscriber(bytes_in_use() - bytes_before);
  crowd.resident = per_subscriber(resident_bytes() - resident_before);

  constexpr int kPublishes = 5;
  crowd.delivery_ns = 1e9;
  hub.slice_ns_max = 0;
  for (int i = 0; i < kPublishes; ++i) {
    const double before = cpu_ns();
    hub.publish(channel);
    hub.settle();
    crowd.delivery_ns = std::min(crowd.delivery_ns, (cpu_ns() - before) / static_cast<double>(count));
  }
  crowd.slice_ns_max = hub.slice_ns_max;
  const auto delivered = [&] { return hub.sum([](const Worker& each) { return each.delivered; }); };
  hub.expect(delivered() == kPublishes * count, "a message was lost");

  for (std::size_t worker = 0; worker < workers; ++worker) watches.push_back(subscribe(worker, other));
  hub.settle();
  hub.publish(channel);
  for (auto& worker : hub.workers) worker->take_mail(hub.now);
  for (auto& worker : hub.workers) worker->take_mail(hub.now), worker->fan_out.run(*worker);
  hub.publish(other);
  for (auto& worker : hub.workers) worker->take_mail(hub.now);
  std::uint64_t seen = delivered();
  for (bool out = false; !out; ++crowd.other_turns) {
    for (auto& worker : hub.workers) worker->take_mail(hub.now), worker->fan_out.run(*worker);
    const std::uint64_t now = delivered();
    out = now - seen < workers * hub::kSliceSubscribers || (now - seen) % hub::kSliceSubscribers != 0;
    seen = now;
  }
  hub.settle();
  hub.expect(delivered() == (kPublishes + 1) * count + workers, "a message was lost");

  shuffle(watches);
  crowd.unsubscribe = in_turns(
      hub, watches.size(), [&](std::size_t i) { hub.workers[watches[i].worker]->fan_out.unsubscribe(watches[i].id); });
  hub.expect(hub.sum([](const Worker& each) { return each.fan_out.subscriptions(); }) == 0, "somebody has stayed");
  crowd.bytes_left = per_subscriber(bytes_in_use() - bytes_before);
  ::malloc_trim(0);
  crowd.resident_left = per_subscriber(resident_bytes() - resident_before);
  return crowd;
}

struct Rooms {  // many channels, one subscriber each
  double bytes, resident, bytes_logged;
  Cost subscribe, publish;
  double sweep_ns_max;
  Cost unsubscribe;
  double bytes_idle, bytes_left, resident_left;  // idle: unsubscribed, not buried yet
};

Rooms measure_rooms(std::uint16_t workers, std::size_t count) {
  Rooms rooms{};
  std::vector<std::string> names;
  names.reserve(count);
  std::array<char, 32> name{};
  for (std::size_t i = 0; i < count; ++i) {
    std::snprintf(name.data(), name.size(), "bench:room-%07zu", i);
    names.emplace_back(name.data());
  }
  std::vector<Watch> watches(count);
  Hub hub(workers, static_cast<std::uint32_t>(count), 10s);
  ::malloc_trim(0);
  const double bytes_before = bytes_in_use(), resident_before = resident_bytes();
  const auto per_channel = [&](double bytes) { return bytes / static_cast<double>(count); };
  rooms.subscribe = in_turns(hub, count, [&](std::size_t i) {
    const auto worker = static_cast<base::WorkerId>(i % workers);
    watches[i] = {worker, hub.workers[worker]->fan_out.subscribe(static_cast<hub::PeerSlot>(i / workers), names[i], {},
                                                                 0, 0, *hub.workers[worker])};
  });
  hub.expect(hub.sum([](const Worker& each) { return each.live; }) == count, "not all subscriptions are live");
  rooms.bytes = per_channel(bytes_in_use() - bytes_before);
  rooms.resident = per_channel(resident_bytes() - resident_before);

  rooms.publish = in_turns(hub, count, [&](std::size_t i) { hub.publish(names[i]); });
  hub.expect(hub.sum([](const Worker& each) { return each.delivered; }) == count, "a message was lost");
  rooms.bytes_logged = per_channel(bytes_in_use() - bytes_before);

  const auto sweep = [&] {
    bool more = false;
    for (auto& worker : hub.workers) {
      const double before = cpu_ns();
      if (worker->home.sweep(hub.now, *worker)) more = true;
      rooms.sweep_ns_max = std::max(rooms.sweep_ns_max, cpu_ns() - before);
    }
    return more;
  };
  const auto sweep_all = [&] {  // until every channel was visited, and nothing is left to do
    for (std::size_t quiet = 0; quiet <= count / 1024; quiet = sweep() ? 0 : quiet + 1) {
    }
  };
  sweep_all();

  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order);
  rooms.unsubscribe = in_turns(hub, count, [&](std::size_t i) {
    const Watch& watch = watches[order[i]];
    hub.workers[watch.worker]->fan_out.unsubscribe(watch.id);
  });
  // History expires, but no channel is idle for long enough yet.
  hub.now.instant += 30s;
  sweep_all();
  rooms.bytes_idle = per_channel(bytes_in_use() - bytes_before);
  const auto homes = [&] { return hub.sum([](const Worker& each) { return each.home.channels(); }); };
  hub.expect(homes() == count, "a channel was buried too early");
  hub.now.instant += 2min;
  sweep_all();
  hub.expect(homes() == 0, "a channel was not buried");
  hub.now.instant += 25h;
  sweep_all();
  hub.expect(hub.sum([](const Worker& each) { return each.home.tombstones(); }) == 0, "a tombstone was not dropped");
  rooms.bytes_left = per_channel(bytes_in_use() - bytes_before);
  ::malloc_trim(0);
  rooms.resident_left = per_channel(resident_bytes() - resident_before);
  return rooms;
}

std::string grouped(std::size_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

void print_crowd(const std::vector<std::uint16_t>& workers, const std::vector<std::size_t>& sizes) {
  std::puts("## One channel with many subscribers\n");
  std::puts(
      "| workers | subscribers | bytes each | resident bytes each | subscribe, ns | longest turn of 64, us | "
      "delivery, ns | longest slice, us | turns another channel waits | unsubscribe, ns | longest turn of 64, us | "
      "bytes left each | resident bytes left each |");
  std::puts("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
  for (const std::uint16_t count : workers) {
    for (const std::size_t size : sizes) {
      const Crowd crowd = measure_crowd(count, size);
      std::printf("| %u | %s | %.1f | %.1f | %.0f | %.0f | %.1f | %.0f | %zu | %.0f | %.0f | %.2f | %.2f |\n",
                  unsigned{count}, grouped(size).c_str(), crowd.bytes, crowd.resident, crowd.subscribe.each_ns,
                  crowd.subscribe.turn_ns_max / 1e3, crowd.delivery_ns, crowd.slice_ns_max / 1e3, crowd.other_turns,
                  crowd.unsubscribe.each_ns, crowd.unsubscribe.turn_ns_max / 1e3, crowd.bytes_left,
                  crowd.resident_left);
      std::fflush(stdout);
    }
  }
}

void print_rooms(const std::vector<std::uint16_t>& workers, const std::vector<std::size_t>& sizes) {
  std::puts("\n## Many channels with one subscriber each\n");
  std::puts(
      "| workers | channels | bytes each | resident bytes each | with one message of 100 B | subscribe, ns | "
      "longest turn of 64, us | publish and deliver, ns | longest turn of 64, us | longest sweep, us | "
      "unsubscribe, ns | longest turn of 64, us | bytes each, idle at home | bytes left each | "
      "resident bytes left each |");
  std::puts("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
  for (const std::uint16_t count : workers) {
    for (const std::size_t size : sizes) {
      const Rooms rooms = measure_rooms(count, size);
      std::printf(
          "| %u | %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.1f | %.1f |\n",
          unsigned{count}, grouped(size).c_str(), rooms.bytes, rooms.resident, rooms.bytes_logged,
          rooms.subscribe.each_ns, rooms.subscribe.turn_ns_max / 1e3, rooms.publish.each_ns,
          rooms.publish.turn_ns_max / 1e3, rooms.sweep_ns_max / 1e3, rooms.unsubscribe.each_ns,
          rooms.unsubscribe.turn_ns_max / 1e3, rooms.bytes_idle, rooms.bytes_left, rooms.resident_left);
      std::fflush(stdout);
    }
  }
}

// Bytes that the allocator has handed out depend on nothing but the code.
int check() {
  bool right = true;
  const auto at_most = [&](const char* what, double bytes, double most) {
    if (bytes <= most) return;
    std::fprintf(stderr, "bench_hub: %s: %.1f bytes, at most %.0f are right\n", what, bytes, most);
    right = false;
  };
  const Crowd crowd = measure_crowd(2, 50'000);
  at_most("a subscriber", crowd.bytes, 40);
  at_most("what is left of a subscriber", crowd.bytes_left, 4);
  const Rooms rooms = measure_rooms(2, 50'000);
  at_most("a channel with one subscriber", rooms.bytes, 400);
  at_most("and one message of 100 bytes", rooms.bytes_logged, 700);
  at_most("an idle channel at home", rooms.bytes_idle, 328);
  at_most("what is left of a channel", rooms.bytes_left, 20);
  return right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  ::mallopt(M_MXFAST, 0);  // as the server does (loop::tune_allocator)
  std::size_t largest = 1'000'000;
  const std::vector<std::uint16_t> workers{1, 2};
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--max" && i + 1 < argc) {
      largest = std::strtoul(argv[++i], nullptr, 10);
    } else if (option == "--check") {
      return check();
    } else {
      std::fputs("usage: bench_hub [--max N] | --check\n", stderr);
      return 2;
    }
  }
  std::vector<std::size_t> sizes;
  for (const std::size_t size : {largest / 100, largest / 10, largest}) {
    if (size > 0) sizes.push_back(size);
  }
  print_crowd(workers, sizes);
  print_rooms(workers, sizes);
  return 0;
}
