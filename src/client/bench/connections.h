// All connections of a run: opens them at their rate, counts in the report what becomes of them, and gives up those
// that take too long. One thread.
//
// Calling order: begin_opening(), then open_due() whenever it says, until all_decided(); after every call of a probe
// that may change its state, note(). For a storm: cut_all(), and from the beginning.
#pragma once

#include <memory>
#include <vector>

#include "client/bench/probe.h"
#include "client/bench/report.h"
#include "client/bench/roles.h"

namespace client::bench {

class Connections {
 public:
  // All must outlive it. Channels are called <prefix>-0, <prefix>-1, ...
  Connections(Rig& rig, const Roles& roles, const BenchOptions& options, Report& report);

  std::size_t size() const { return probes_.size(); }
  Probe& operator[](std::size_t index) { return *probes_[index]; }
  const Probe& operator[](std::size_t index) const { return *probes_[index]; }
  const std::string& channel_name(std::size_t index) const { return channel_names_[roles_.channel_of(index)]; }

  void begin_opening(base::Instant now);
  // Starts those whose time has come; returns when the next one is due, kNever if there is none.
  base::Instant open_due(base::Instant now);
  // Each is open or has failed.
  bool all_decided() const { return begun_ == probes_.size() && undecided_ == 0; }
  // Somebody is there or will be, counterparts aside.
  bool any_left() const { return open_ > 0 || !all_decided(); }
  std::size_t open() const { return open_; }  // counterparts aside
  // Without its counterpart a channel is silent, and the run makes no sense.
  bool lost_counterpart() const { return lost_counterpart_; }

  // `before` is the state that the probe had.
  void note(std::size_t index, Probe::State before);
  void give_up_slow_ones(base::Instant now);
  void cut_all();
  void finish();

 private:
  void greet(std::size_t index);
  void count_opened(const Probe& probe, bool counts, Slot& slot);

  Rig& rig_;
  const Roles& roles_;
  Report& report_;
  const std::uint32_t connects_per_s_;
  std::vector<std::string> channel_names_;
  std::vector<std::unique_ptr<Probe>> probes_;
  base::Instant began_{};
  std::size_t begun_ = 0;      // probes that were started
  std::size_t undecided_ = 0;  // started, neither open nor failed
  std::size_t open_ = 0;
  bool lost_counterpart_ = false;
  std::string message_;
};

}  // namespace client::bench
