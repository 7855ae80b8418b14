#include "client/bench/storm.h"

namespace client::bench {

void Storm::begin(base::Instant now) {
  cut_at_ = now;
  under_way_ = true;
  connections_.cut_all();
  connections_.begin_opening(now);
}

base::Instant Storm::tick(base::Instant now) {
  if (!under_way_) return base::kNever;
  const base::Instant next = connections_.open_due(now);
  if (!connections_.all_decided()) return next;
  Reconnects& reconnects = report_.reconnects;
  ++reconnects.rounds;
  reconnects.attempts += connections_.size();
  reconnects.succeeded += connections_.open();
  if (connections_.open() == connections_.size()) reconnects.all_back.record(now - cut_at_);
  under_way_ = false;
  if (ending_) return base::kNever;
  begin(now);
  return now;
}

}  // namespace client::bench
