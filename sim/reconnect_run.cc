#include "sim/reconnect_run.h"

#include <memory>

#include "sim/clients/publisher.h"
#include "sim/clients/subscriber.h"
#include "sim/crowd.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr History kBrief{.messages = 50, .age_ms = 1000};

// Asks, by a poll without `since`, where a channel stands.
class HeadAsker final : public Guest {
 public:
  HeadAsker(Crowd& crowd, std::string channel, std::uint64_t seed)
      : crowd_(crowd), channel_(std::move(channel)), entropy_(seed), number_(crowd.join(*this)), wire_(crowd, number_) {
    Visit visit;
    visit.door = Door::poll;
    visit.channels = {channel_};
    visit.since.resize(1);
    client_ = make_client(std::move(visit), {}, entropy_);
    wire_.connect({});
    wire_.send(client_->request());
  }
  bool finished() const { return client_->over(); }
  Head head() const { return {channel_, client_->places().front()}; }
  void ready() override {
    wire_.flush();
    while (wire_.read(input_) == Wire::Input::bytes) client_->receive(input_, crowd_.world().now(), output_);
  }
  void handle_timeout() override {}

 private:
  Crowd& crowd_;
  std::string channel_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  std::unique_ptr<DoorClient> client_;
  std::string input_, output_;
};

// Steps the wall clock by up to an hour, or two, in either direction.
class ClockStepper final : public Guest {
 public:
  ClockStepper(Crowd& crowd, std::uint64_t seed) : crowd_(crowd), entropy_(seed), number_(crowd.join(*this)) {
    crowd_.wake_at(number_, crowd_.world().now());
  }
  std::uint64_t steps() const { return steps_; }
  void ready() override {}
  void handle_timeout() override {
    static constexpr std::uint32_t kHourMs = 3'600'000;
    const auto size = std::chrono::milliseconds(entropy_.below(4) == 0 ? kHourMs : entropy_.below(2 * kHourMs));
    crowd_.world().clock().step_wall(entropy_.below(2) == 0 ? size : -size);
    ++steps_;
    crowd_.wake_at(number_, crowd_.world().now() + std::chrono::microseconds(1 + entropy_.below(10'000)));
  }

 private:
  Crowd& crowd_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  std::uint64_t steps_ = 0;
};

class Run {
 public:
  explicit Run(const ReconnectOptions& options)
      : options_(options), entropy_(options.seed), brief_(options.kept == ReconnectOptions::Kept::brief) {}

  ReconnectRun run() {
    WorldOptions world_options = make_world();
    World world(world_options);
    Crowd crowd(world);
    world_ = &world;
    crowd_ = &crowd;
    make_channels();
    make_publishers();
    make_subscribers();
    if (stepped()) stepper_ = std::make_unique<ClockStepper>(*crowd_, entropy_.next());
    drive();
    if (stepper_) result_.clock_steps = stepper_->steps();
    stepper_.reset();
    publishers_.clear();
    ws_publishers_.clear();
    subscribers_.clear();
    askers_.clear();
    result_.trace = world.trace();
    result_.turns = world.turns();
    result_.log = std::move(log_);
    return std::move(result_);
  }

 private:
  bool stepped() const { return options_.clock == Timeline::WallClock::stepped; }
  std::uint32_t below(std::uint32_t bound) { return entropy_.below(bound); }
  std::uint32_t from_to(std::uint32_t from, std::uint32_t to) { return from + below(to - from + 1); }
  std::uint32_t ring_size() { return std::min(256U, (1U << below(9)) + below(4)); }

  WorldOptions make_world() {
    WorldOptions world;
    world.seed = entropy_.next();
    world.workers = static_cast<std::uint16_t>(from_to(1, 4));
    world.mailbox = {.credits = ring_size(), .consequences = ring_size()};
    world.held_up_per_10000_turns = below(2) == 0 ? 0 : from_to(1, brief_ ? 5 : 100);
    world.held_up_max = std::chrono::microseconds(from_to(100, brief_ ? 1000 : 5000));
    stalls_ = brief_ && below(16) == 0;
    if (stalls_) {  // a worker that stands still for so long that others cannot keep what it misses
      world.held_up_per_10000_turns = 10;
      world.held_up_max = 300ms;
      world.mailbox.consequences = from_to(1, 4);
    }
    world.server.dev = true;
    world.server.new_channels_per_s_max = 1'000'000;
    world.server.history_bytes_total_max = std::uint64_t{1} << 32;
    world.server.queue_bytes_max = below(2) == 0 ? 1 << 20 : 64 * 1024;
    world.server.deflate_context_takeover = below(4) == 0;
    server::NamespaceOptions all{
        .history_messages_max = 10'000'000, .history_bytes_max = 1 << 30, .history_age_max = 24h};
    if (brief_) {
      all.history_messages_max = kBrief.messages;
      all.history_bytes_max = 1 << 30;
      all.history_age_max = std::chrono::milliseconds(kBrief.age_ms);
    }
    if (stepped()) all.history_age_max = 1h;  // a run does not take so long, its wall clock does
    world.server.namespaces = {all, all};
    world.server.namespaces[1].name = "at-once";
    if (below(2) == 0) world.server.namespaces[0].max_delay = std::chrono::microseconds(from_to(50, 20'000));
    max_delay_ = world.server.namespaces[0].max_delay;
    result_.shape = std::to_string(world.workers) + " workers, mailbox " + std::to_string(world.mailbox.credits) + "+" +
                    std::to_string(world.mailbox.consequences);
    return world;
  }

  Link make_link() {
    Link link;
    link.latency_min =
        std::chrono::microseconds(from_to(10, 50));  // in brief runs short: the model is as sharp as they are
    link.latency_max = link.latency_min + std::chrono::microseconds(from_to(1, brief_ ? 100 : 2000));
    link.window_bytes = std::size_t{1} << from_to(12, 17);
    link.short_percent = below(3) == 0 ? 60 : 5;
    return link;
  }

  // In a brief run age decides what is kept while messages come slowly, and their number while they come fast.
  void make_channels() {
    static const std::string kNames[] = {"news", "at-once:a room/with, odd:name?", "\xe4\xb8\xad\xe6\x96\x87"};
    const std::uint32_t count = from_to(1, 3);
    for (std::uint32_t i = 0; i < count; ++i) channels_.push_back(kNames[i]);
    slow_ = brief_ && !stalls_ && below(2) == 0;
    result_.shape += ", " + std::to_string(count) + (slow_ ? " slow channels" : " channels");
    if (max_delay_.count() > 0) {
      result_.shape += ", delayed " + std::to_string(max_delay_.count() / 1000) + " us but for those of at-once";
    }
    if (stepped()) result_.shape += ", wall clock stepped";
  }

  void make_publishers() {
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      PublisherPlan plan{.channels = {channels_[i]}, .link = make_link()};
      plan.payload_bytes_max = below(8) == 0 && !brief_ ? 20'000 : 400;
      plan.pause_max = slow_ ? 50ms : base::Duration(std::chrono::microseconds(below(2) == 0 ? 0 : below(4000)));
      plan.pipeline_max = brief_ ? 1 : from_to(1, 3);
      plan.cut_percent = below(3);
      publishers_.push_back(std::make_unique<HttpPublisher>(*crowd_, plan, log_, entropy_.next()));
      if (slow_ || below(2) == 0) continue;
      plan.pause_max = 5ms;
      ws_publishers_.push_back(std::make_unique<WsPublisher>(*crowd_, plan, log_, entropy_.next()));
    }
    result_.shape +=
        ", " + std::to_string(publishers_.size()) + "+" + std::to_string(ws_publishers_.size()) + " publishers";
  }

  void make_subscribers() {
    const std::uint32_t count = from_to(4, 12);
    for (std::uint32_t i = 0; i < count; ++i) {
      SubscriberPlan plan{.channels = {}, .doors = {Door::ws, Door::ws_raw, Door::sse, Door::sse_raw, Door::poll}};
      plan.channels.push_back(channels_[below(static_cast<std::uint32_t>(channels_.size()))]);
      for (const std::string& each : channels_) {
        if (each != plan.channels.front() && below(3) == 0) plan.channels.push_back(each);
      }
      plan.link = make_link();
      plan.stay_max = std::chrono::milliseconds(stalls_ ? 600 : from_to(5, 50));
      plan.away_max = slow_    ? base::Duration(3s)
                      : brief_ ? base::Duration(150ms)
                               : base::Duration(std::chrono::milliseconds(from_to(1, 50)));
      subscribers_.push_back(std::make_unique<Subscriber>(*crowd_, plan, log_, entropy_.next()));
      wants_.push_back(plan.channels);
    }
    result_.shape += ", " + std::to_string(count) + " clients";
  }

  void drive() {
    const auto reconnects = [&] {
      std::uint64_t sum = 0;
      for (const auto& each : subscribers_) sum += each->reconnects();
      return sum;
    };
    const auto all_finished = [](const auto& guests) {
      for (const auto& each : guests) {
        if (!each->finished()) return false;
      }
      return true;
    };
    const base::Duration limit = 1h;
    if (!world_->run_until([&] { return reconnects() >= options_.reconnects; }, limit)) return stuck("reconnecting");
    for (const auto& each : subscribers_) each->rest();
    for (const auto& each : publishers_) each->stop();
    for (const auto& each : ws_publishers_) each->stop();
    if (!world_->run_until([&] { return all_finished(publishers_) && all_finished(ws_publishers_); }, 60s)) {
      return stuck("publishing");
    }
    world_->run_for(1s);
    for (const std::string& each : channels_) {
      askers_.push_back(std::make_unique<HeadAsker>(*crowd_, each, entropy_.next()));
    }
    if (!world_->run_until([&] { return all_finished(askers_); }, 10s)) return stuck("asking for the heads");
    for (const auto& each : askers_) log_.heads.push_back(each->head());
    for (std::size_t i = 0; i < subscribers_.size(); ++i) {
      std::vector<Place> heads;
      for (const std::string& channel : wants_[i]) {
        for (const Head& head : log_.heads) {
          if (head.channel == channel) heads.push_back(head.place);
        }
      }
      subscribers_[i]->finish(std::move(heads));
    }
    const bool caught_up = world_->run_until([&] { return all_finished(subscribers_); }, 60s);
    result_.history = brief_ ? kBrief : History{};
    result_.history.clock = options_.clock;
    result_.verdict = check(log_, result_.history);
    if (!caught_up) stuck("catching up");
  }

  void stuck(const std::string& where) { result_.verdict.problems.push_back("no progress while " + where); }

  const ReconnectOptions options_;
  base::SeededEntropy entropy_;
  const bool brief_;
  World* world_ = nullptr;
  Crowd* crowd_ = nullptr;
  std::vector<std::string> channels_;
  bool slow_ = false, stalls_ = false;
  base::Duration max_delay_{0};
  Log log_;
  std::vector<std::unique_ptr<HttpPublisher>> publishers_;
  std::vector<std::unique_ptr<WsPublisher>> ws_publishers_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<std::unique_ptr<HeadAsker>> askers_;
  std::unique_ptr<ClockStepper> stepper_;
  std::vector<std::vector<std::string>> wants_;  // by subscriber
  ReconnectRun result_;
};

}  // namespace

ReconnectRun run_reconnects(const ReconnectOptions& options) { return Run(options).run(); }

ReconnectOptions options_of(std::uint64_t seed, std::uint64_t reconnects) {
  return {.seed = seed,
          .reconnects = reconnects,
          .kept = seed % 2 == 1 ? ReconnectOptions::Kept::all : ReconnectOptions::Kept::brief};
}

ReconnectOptions stepped_options_of(std::uint64_t seed, std::uint64_t reconnects) {
  return {.seed = seed, .reconnects = reconnects, .clock = Timeline::WallClock::stepped};
}

}  // namespace sim
