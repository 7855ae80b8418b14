// One bench run: opens the connections at their rate, lets the workload work for the measured time, waits for what is
// on the way, and reports. One thread, one poller; bounded in count and in time.
#pragma once

#include <memory>
#include <vector>

#include "client/bench/probe.h"
#include "client/bench/report.h"
#include "client/bench/workload.h"
#include "client/commands.h"
#include "loop/signals.h"

namespace client::bench {

class Run {
 public:
  // `options` are checked; all three must outlive the run.
  Run(const BenchOptions& options, Rig& rig, loop::Signals& signals);

  Report run();

 private:
  std::string target_of(std::size_t index) const;
  void open_connections();
  void measure();
  void settle();
  void finish();

  // One turn of the loop: waits until `until` at most.
  void turn(base::Instant until);
  base::Instant due_of(std::size_t index) const;
  void open_due(base::Instant now);
  void handle(std::size_t index);
  void note(std::size_t index, Probe::State before);
  void give_up_slow_ones(base::Instant now);
  Second& second(base::Instant now);

  const BenchOptions& options_;
  Rig& rig_;
  loop::Signals& signals_;
  Report report_;
  std::vector<std::unique_ptr<Probe>> probes_;
  std::unique_ptr<Workload> workload_;
  std::size_t publishers_ = 0;
  std::size_t begun_ = 0;      // probes that were started
  std::size_t undecided_ = 0;  // started, neither open nor failed
  std::size_t open_ = 0;
  base::Instant started_{};
  base::Instant last_message_{};
  base::Instant next_check_{};
  bool stopped_ = false;
};

}  // namespace client::bench
