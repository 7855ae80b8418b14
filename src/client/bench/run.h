// One bench run: opens the connections at their rate, lets the workload work for the measured time, waits for what is
// on the way, and reports. One thread, one poller; bounded in count and in time.
#pragma once

#include <memory>

#include "client/bench/connections.h"
#include "client/bench/process_watch.h"
#include "client/bench/progress.h"
#include "client/bench/report.h"
#include "client/bench/roles.h"
#include "client/bench/workload.h"
#include "loop/signals.h"

namespace client::bench {

class Run {
 public:
  // `options` are checked; all must outlive the run.
  Run(const BenchOptions& options, Rig& rig, loop::Signals& signals, const ProcessWatch& server, Progress& progress);

  Report run();

 private:
  std::unique_ptr<Workload> make_workload();
  void open_connections();
  void warm_up();
  void measure();
  void end_measured(base::Instant began);
  void settle();

  bool stopped() const { return interrupted_ || connections_.lost_counterpart(); }
  // One turn of the loop: waits until `until` at most.
  void turn(base::Instant until);
  void handle(std::size_t index);
  void take(std::size_t index, std::string_view message, base::Instant first_byte, base::Instant now);
  void look_after(base::Instant now);

  const BenchOptions& options_;
  Rig& rig_;
  loop::Signals& signals_;
  const ProcessWatch& server_;
  Progress& progress_;
  const Roles roles_;
  Report report_;
  Connections connections_;
  std::unique_ptr<Workload> workload_;  // none in connect and idle
  base::Instant last_life_{};           // when something came
  base::Instant next_look_{};
  bool interrupted_ = false;
};

}  // namespace client::bench
