#include "client/bench/run.h"

#include <algorithm>

#include "client/bench/broadcast.h"
#include "client/bench/echo.h"
#include "client/bench/storm.h"

namespace client::bench {
namespace {

using namespace std::chrono_literals;

using Mode = BenchOptions::Mode;

constexpr std::uint64_t kSignalToken = std::uint64_t{1} << 32;  // beyond every probe
constexpr base::Duration kWarmUpMax = 10s;
constexpr base::Duration kLookInterval = 100ms;

base::Duration until(base::Instant when, base::Instant now) {
  return when == base::kNever ? base::Duration::max() : std::max(base::Duration{0}, when - now);
}

Report blank_report(const BenchOptions& options, const Rig& rig, const Roles& roles) {
  Report report;
  report.options = options;
  if (options.mode == Mode::mixed) report.options.publishers = static_cast<std::uint32_t>(roles.publishers.size());
  report.mode = std::ranges::find(kBenchModes, options.mode, &std::pair<std::string_view, Mode>::second)->first;
  report.message_bytes = options.message_bytes;
  report.wanted = options.connections;
  report.has_tls = rig.destination.tls() != nullptr;
  report.has_messages = roles.publishers.size() > 0;
  report.server.pids = options.server_pids;
  return report;
}

}  // namespace

Run::Run(const BenchOptions& options, Rig& rig, loop::Signals& signals, const ProcessWatch& server, Progress& progress)
    : options_(options),
      rig_(rig),
      signals_(signals),
      server_(server),
      progress_(progress),
      roles_(Roles::of(options)),
      report_(blank_report(options, rig, roles_)),
      connections_(rig, roles_, options, report_),
      workload_(make_workload()) {}

std::unique_ptr<Workload> Run::make_workload() {
  switch (options_.mode) {
    case Mode::connect:
    case Mode::idle:
      break;
    case Mode::reconnect:
      return std::make_unique<Storm>(connections_, report_);
    case Mode::echo:
      return std::make_unique<Echo>(connections_, rig_, report_, options_.in_flight);
    case Mode::fan_out:
    case Mode::fan_in:
    case Mode::mixed:
      return std::make_unique<Broadcast>(connections_, rig_, roles_, report_, options_.messages_per_s);
  }
  return nullptr;
}

Report Run::run() {
  const base::Instant started = rig_.system.clock.now();
  report_.timeline = Timeline(started);
  report_.server.at_start = server_.sample();
  rig_.system.poller->add(signals_.descriptor(), kSignalToken, loop::Interest::read);
  progress_.begin(started);
  progress_.enter("opening");
  open_connections();
  progress_.enter("warming up");
  warm_up();
  report_.opening = rig_.system.clock.now() - started;
  progress_.enter("measuring");
  const base::Instant began = rig_.system.clock.now();
  measure();
  // What comes later than the measured time is counted, but not as throughput. A storm is measured to the end of its
  // last round.
  if (report_.has_messages) end_measured(began);
  progress_.enter("settling");
  settle();
  if (!report_.has_messages) end_measured(began);
  progress_.end();
  report_.cut_short = stopped();
  connections_.finish();
  rig_.system.poller->remove(signals_.descriptor());
  return std::move(report_);
}

void Run::open_connections() {
  connections_.begin_opening(rig_.system.clock.now());
  while (!stopped() && !connections_.all_decided()) turn(connections_.open_due(rig_.system.clock.now()));
}

void Run::warm_up() {
  if (!workload_) return;
  const base::Instant give_up = rig_.system.clock.now() + kWarmUpMax;
  while (!stopped() && connections_.any_left() && !workload_->is_warm()) {
    const base::Instant now = rig_.system.clock.now();
    if (now >= give_up) break;  // what is not heard now will be counted as lost
    turn(std::min(give_up, workload_->warm_up(now)));
  }
}

void Run::measure() {
  const base::Instant begin = rig_.system.clock.now();
  report_.server.at_begin = server_.sample();
  last_life_ = begin;
  if (workload_) workload_->begin(begin);
  const base::Instant end = begin + options_.duration;
  for (base::Instant now = begin; !stopped() && now < end && connections_.any_left(); now = rig_.system.clock.now()) {
    turn(workload_ ? std::min(end, workload_->tick(now)) : end);
  }
  if (workload_) workload_->end(rig_.system.clock.now());
}

void Run::end_measured(base::Instant began) {
  report_.server.at_end = server_.sample();
  report_.measured = rig_.system.clock.now() - began;
  report_.received_in_time = report_.received;
}

void Run::settle() {
  if (!workload_) return;
  const Workload::Patience patience = workload_->patience();
  const base::Instant begin = rig_.system.clock.now();
  for (base::Instant now = begin; !stopped() && !workload_->settled(); now = rig_.system.clock.now()) {
    const base::Instant give_up =
        std::min(begin + patience.time_max, std::max(begin, last_life_) + patience.silence_max);
    if (now >= give_up) break;
    turn(std::min(give_up, workload_->tick(now)));
  }
  workload_->conclude();
}

void Run::turn(base::Instant until_when) {
  const base::Instant now = rig_.system.clock.now();
  if (now >= next_look_) look_after(now);
  for (const loop::Ready& ready : rig_.system.poller->wait(until(std::min(until_when, next_look_), now))) {
    if (ready.token == kSignalToken) {
      signals_.wait(base::Duration{0});
      interrupted_ = true;
    } else {
      handle(ready.token);
    }
  }
}

void Run::look_after(base::Instant now) {
  next_look_ = now + kLookInterval;
  report_.timeline.at(now);
  connections_.give_up_slow_ones(now);
  if (auto usage = server_.sample()) {
    report_.server.peak_bytes = std::max(report_.server.peak_bytes, usage->resident_bytes);
  }
  progress_.tick(now, report_, connections_.open());
}

void Run::handle(std::size_t index) {
  Probe& probe = connections_[index];
  const Probe::State before = probe.state();
  probe.handle_ready();
  if (workload_ && probe.state() == Probe::State::open) workload_->ready(index, rig_.system.clock.now());
  while (auto events = probe.next()) {
    const base::Instant now = probe.read_at();
    last_life_ = now;
    bool first = true;
    for (const ws::Event& event : *events) {
      if (event.type != ws::Event::Type::text && event.type != ws::Event::Type::binary) continue;
      take(index, event.payload, first ? probe.first_byte() : now, now);
      first = false;
    }
  }
  if (auto took = probe.take_answer_time()) report_.answer.record(*took);
  connections_.note(index, before);
}

void Run::take(std::size_t index, std::string_view message, base::Instant first_byte, base::Instant now) {
  if (!report_.has_messages) {  // somebody else publishes there
    ++report_.other;
    return;
  }
  using Found = PayloadReader::Found;
  PayloadReader reader(message, report_.message_bytes, rig_.dialect.wrapping());
  const std::uint64_t received_before = report_.received;
  Found found = reader.next();
  if (found == Found::end) ++report_.other;
  for (; found != Found::end; found = reader.next()) {
    if (found == Found::damaged) {
      ++report_.damaged;
    } else {
      workload_->message(index, reader.stamp(), first_byte, now);
    }
  }
  report_.timeline.at(now).messages += report_.received - received_before;
}

}  // namespace client::bench
