#include "client/bench/run.h"

#include <algorithm>

#include "client/bench/echo.h"
#include "client/bench/fan_out.h"
#include "codec/url.h"

namespace client::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSignalToken = std::uint64_t{1} << 32;  // beyond every probe
constexpr base::Duration kAttemptTimeMax = 15s;
constexpr base::Duration kSettleTimeMax = 10s;  // after the last publish
constexpr base::Duration kSilenceMax = 1s;      // nothing more is coming

std::string_view name_of(BenchOptions::Mode mode) {
  switch (mode) {
    case BenchOptions::Mode::connect:
      return "connect";
    case BenchOptions::Mode::echo:
      return "echo";
    case BenchOptions::Mode::fan_out:
      return "fan-out";
    case BenchOptions::Mode::idle:
      break;
  }
  return "idle";
}

base::Duration until(base::Instant when, base::Instant now) {
  return when == base::kNever ? base::Duration::max() : std::max(base::Duration{0}, when - now);
}

}  // namespace

Run::Run(const BenchOptions& options, Rig& rig, loop::Signals& signals)
    : options_(options), rig_(rig), signals_(signals) {
  report_.mode = name_of(options.mode);
  report_.url = options.endpoint.url;
  report_.message_bytes = options.message_bytes;
  report_.wanted = options.connections;
  report_.has_tls = rig.destination.tls() != nullptr;
  publishers_ = options.mode == BenchOptions::Mode::fan_out ? options.channels : 0;
  const std::size_t count = publishers_ + options.connections;
  probes_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) probes_.push_back(std::make_unique<Probe>(rig, i, target_of(i)));
  if (options.mode == BenchOptions::Mode::echo) {
    workload_ = std::make_unique<Echo>(probes_, rig.system.clock, report_, options.in_flight);
  } else if (options.mode == BenchOptions::Mode::fan_out) {
    workload_ = std::make_unique<FanOut>(probes_, rig.system.clock, report_, options.channels, options.messages_per_s);
  }
  report_.has_messages = workload_ != nullptr;
}

std::string Run::target_of(std::size_t index) const {
  const ServerUrl& url = rig_.destination.url();
  if (options_.mode == BenchOptions::Mode::echo || options_.mode == BenchOptions::Mode::connect) {
    std::string target = url.path.empty() && url.query.empty() ? "/echo" : url.path.empty() ? "/" : url.path;
    return url.query.empty() ? target : target + "?" + url.query;
  }
  std::size_t channel = (index < publishers_ ? index : index - publishers_) % options_.channels;
  std::string target = url.path + "/ws/";
  codec::append_percent_encoded(target, options_.channel_prefix + "-" + std::to_string(channel));
  return target;
}

Report Run::run() {
  started_ = rig_.system.clock.now();
  rig_.system.poller->add(signals_.descriptor(), kSignalToken, loop::Interest::read);
  open_connections();
  measure();
  settle();
  finish();
  rig_.system.poller->remove(signals_.descriptor());
  return std::move(report_);
}

void Run::open_connections() {
  while (!stopped_ && (begun_ < probes_.size() || undecided_ > 0)) {
    base::Instant now = rig_.system.clock.now();
    open_due(now);
    base::Instant next = next_check_;
    if (begun_ < probes_.size()) next = std::min(next, due_of(begun_));
    turn(next);
  }
}

// When probe `index` is to be started.
base::Instant Run::due_of(std::size_t index) const {
  return started_ +
         base::Duration(1s) * static_cast<std::int64_t>(index) / static_cast<std::int64_t>(options_.connects_per_s);
}

void Run::open_due(base::Instant now) {
  while (begun_ < probes_.size() && due_of(begun_) <= now) {
    Probe& probe = *probes_[begun_];
    probe.start(rig_.system.clock.now());
    ++undecided_;
    note(begun_++, Probe::State::opening);
  }
}

void Run::measure() {
  const base::Instant begin = rig_.system.clock.now();
  last_message_ = begin;
  if (workload_) workload_->begin(begin);
  const base::Instant end = begin + options_.duration;
  for (base::Instant now = begin; !stopped_ && now < end && open_ > publishers_; now = rig_.system.clock.now()) {
    turn(workload_ ? std::min(end, workload_->tick(now)) : end);
  }
  const base::Instant now = rig_.system.clock.now();
  if (workload_) workload_->end(now);
  report_.measured = now - begin;
  report_.received_in_time = report_.received;
}

void Run::settle() {
  if (!workload_) return;
  const base::Instant begin = rig_.system.clock.now();
  for (base::Instant now = begin; !stopped_ && !workload_->settled(); now = rig_.system.clock.now()) {
    base::Instant give_up = std::min(begin + kSettleTimeMax, std::max(begin, last_message_) + kSilenceMax);
    if (now >= give_up) break;
    turn(give_up);
  }
  workload_->conclude();
}

void Run::finish() {
  report_.cut_short = stopped_;
  for (auto& probe : probes_) {
    if (probe->state() == Probe::State::opening) probe->give_up("The run was stopped.");
    probe->finish();
  }
}

void Run::turn(base::Instant until_when) {
  base::Instant now = rig_.system.clock.now();
  give_up_slow_ones(now);
  for (const loop::Ready& ready : rig_.system.poller->wait(until(std::min(until_when, next_check_), now))) {
    if (ready.token == kSignalToken) {
      signals_.wait(base::Duration{0});
      stopped_ = true;
    } else {
      handle(ready.token);
    }
  }
}

void Run::handle(std::size_t index) {
  Probe& probe = *probes_[index];
  const Probe::State before = probe.state();
  probe.handle_ready();
  if (workload_ && probe.state() == Probe::State::open) workload_->ready(index, rig_.system.clock.now());
  while (auto events = probe.next()) {
    const base::Instant now = probe.read_at();
    bool first = true;
    for (const ws::Event& event : *events) {
      if (event.type != ws::Event::Type::text && event.type != ws::Event::Type::binary) continue;
      last_message_ = now;
      ++second(now).messages;
      if (workload_) workload_->message(index, event.payload, first ? probe.first_byte() : now, now);
      first = false;
    }
  }
  note(index, before);
}

// Counts what has become of a probe.
void Run::note(std::size_t index, Probe::State before) {
  Probe& probe = *probes_[index];
  const Probe::State state = probe.state();
  if (state == before) return;
  const bool counts = index >= publishers_;
  Second& now = second(rig_.system.clock.now());
  if (before == Probe::State::opening) {
    --undecided_;
    if (state == Probe::State::open || state == Probe::State::dropped) {
      ++open_;
      if (counts) {
        ++report_.opened;
        ++now.opened;
      }
      report_.connect.record(probe.opened() - probe.started());
      report_.tcp.record(probe.tcp_established() - probe.started());
      if (report_.has_tls) report_.tls.record(probe.asked() - probe.tcp_established());
      report_.upgrade.record(probe.opened() - probe.asked());
    }
  }
  if (state == Probe::State::dropped) --open_;
  if (state == Probe::State::failed || state == Probe::State::dropped) {
    ++report_.reasons[probe.why().empty() ? "no reason given" : probe.why()];
    if (counts) {
      ++(state == Probe::State::failed ? report_.failed : report_.dropped);
      ++(state == Probe::State::failed ? now.failed : now.dropped);
    } else {
      stopped_ = true;  // without its publisher a channel is silent
    }
  }
  now.open = static_cast<std::uint32_t>(open_ - std::min(open_, publishers_));
}

void Run::give_up_slow_ones(base::Instant now) {
  if (now < next_check_) return;
  next_check_ = now + 100ms;
  second(now).open = static_cast<std::uint32_t>(open_ - std::min(open_, publishers_));
  if (undecided_ == 0) return;
  for (std::size_t i = 0; i < begun_; ++i) {
    Probe& probe = *probes_[i];
    if (probe.state() != Probe::State::opening || now - probe.started() < kAttemptTimeMax) continue;
    probe.give_up("The handshake took longer than 15 s.");
    note(i, Probe::State::opening);
  }
}

Second& Run::second(base::Instant now) {
  auto index = static_cast<std::size_t>((now - started_) / 1s);
  // What was open stays open while nothing is noted.
  while (report_.seconds.size() <= index) {
    Second next;
    if (!report_.seconds.empty()) next.open = report_.seconds.back().open;
    report_.seconds.push_back(next);
  }
  return report_.seconds[index];
}

}  // namespace client::bench
