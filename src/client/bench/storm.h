// Workload reconnect: cuts all connections at once and opens them again at their rate, round after round.
#pragma once

#include "client/bench/connections.h"
#include "client/bench/report.h"
#include "client/bench/workload.h"

namespace client::bench {

class Storm final : public Workload {
 public:
  // Both must outlive the workload.
  Storm(Connections& connections, Report& report) : connections_(connections), report_(report) {}

  void begin(base::Instant now) override;
  void message(std::size_t, const Stamp&, base::Instant, base::Instant) override {}
  base::Instant tick(base::Instant now) override;
  void end(base::Instant) override { ending_ = true; }
  bool settled() const override { return !under_way_; }
  // A round that has begun is brought to its end, as long as attempts still come to theirs.
  Patience patience() const override { return {std::chrono::minutes(5), std::chrono::seconds(16)}; }
  void conclude() override {}

 private:
  Connections& connections_;
  Report& report_;
  base::Instant cut_at_{};
  bool under_way_ = false;
  bool ending_ = false;
};

}  // namespace client::bench
