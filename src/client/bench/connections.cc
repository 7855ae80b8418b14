#include "client/bench/connections.h"

#include <algorithm>

namespace client::bench {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kAttemptTimeMax = 15s;

}  // namespace

Connections::Connections(Rig& rig, const Roles& roles, const BenchOptions& options, Report& report)
    : rig_(rig), roles_(roles), report_(report), connects_per_s_(options.connects_per_s) {
  for (std::size_t i = 0; i < roles.channels; ++i) {
    channel_names_.push_back(options.channel_prefix + "-" + std::to_string(i));
  }
  probes_.reserve(roles.probes);
  for (std::size_t i = 0; i < roles.probes; ++i) {
    const bool only_publishes =
        roles.publishers.contains(i) && !roles.subscribers.contains(i) && options.mode != BenchOptions::Mode::echo;
    const bool posts = only_publishes && rig.dialect.publishes_by_post();
    const std::string& channel = channel_name(i);
    probes_.push_back(
        std::make_unique<Probe>(rig, i, posts ? Probe::Kind::post : Probe::Kind::websocket,
                                only_publishes ? rig.dialect.publish_target(channel) : rig.dialect.target(channel)));
  }
}

void Connections::begin_opening(base::Instant now) {
  began_ = now;
  begun_ = 0;
}

base::Instant Connections::open_due(base::Instant now) {
  for (; begun_ < probes_.size(); ++begun_) {
    const base::Instant due =
        began_ + base::Duration(1s) * static_cast<std::int64_t>(begun_) / static_cast<std::int64_t>(connects_per_s_);
    if (due > now) return due;
    ++undecided_;
    probes_[begun_]->start(rig_.system.clock.now());
    note(begun_, Probe::State::opening);
  }
  return base::kNever;
}

void Connections::note(std::size_t index, Probe::State before) {
  const Probe& probe = *probes_[index];
  const Probe::State state = probe.state();
  if (state == before) return;
  const bool counts = !roles_.is_counterpart(index);
  const bool was_open = before == Probe::State::open || state == Probe::State::dropped;
  Slot& slot = report_.timeline.at(rig_.system.clock.now());
  if (before == Probe::State::opening) {
    --undecided_;
    if (state == Probe::State::open || was_open) count_opened(probe, counts, slot);
    if (state == Probe::State::open) greet(index);
  }
  if (state == Probe::State::failed || state == Probe::State::dropped) {
    ++report_.reasons[probe.why().empty() ? "no reason given" : probe.why()];
    if (!counts) {
      lost_counterpart_ = true;
    } else if (was_open) {
      --open_;
      ++report_.dropped;
      ++slot.dropped;
    } else {
      ++report_.failed;
      ++slot.failed;
    }
  }
  slot.open = static_cast<std::uint32_t>(open_);
}

void Connections::count_opened(const Probe& probe, bool counts, Slot& slot) {
  if (counts) {
    ++open_;
    ++report_.opened;
    ++slot.opened;
  }
  report_.connect.record(probe.opened() - probe.started());
  report_.tcp.record(probe.tcp_established() - probe.started());
  if (report_.has_tls) report_.tls.record(probe.asked() - probe.tcp_established());
  if (probe.kind() == Probe::Kind::websocket) report_.upgrade.record(probe.opened() - probe.asked());
}

void Connections::greet(std::size_t index) {
  Probe& probe = *probes_[index];
  if (probe.kind() == Probe::Kind::post) return;
  message_.clear();
  rig_.dialect.hello(message_, channel_name(index));
  if (!message_.empty()) probe.send(message_);
  if (!roles_.subscribers.contains(index)) return;
  message_.clear();
  rig_.dialect.subscription(message_, channel_name(index));
  if (!message_.empty()) probe.send(message_);
}

void Connections::give_up_slow_ones(base::Instant now) {
  if (undecided_ == 0) return;
  for (std::size_t i = 0; i < begun_; ++i) {
    Probe& probe = *probes_[i];
    if (probe.state() != Probe::State::opening || now - probe.started() < kAttemptTimeMax) continue;
    probe.give_up("The handshake took longer than 15 s.");
    note(i, Probe::State::opening);
  }
}

void Connections::cut_all() {
  for (auto& probe : probes_) probe->cut();
  begun_ = probes_.size();
  undecided_ = 0;
  open_ = 0;
  report_.timeline.at(rig_.system.clock.now()).open = 0;
}

void Connections::finish() {
  for (auto& probe : probes_) {
    if (probe->state() == Probe::State::opening) probe->give_up("The run was stopped.");
    probe->finish();
  }
}

}  // namespace client::bench
