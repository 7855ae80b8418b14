// What the processes of the server used in a run, as figures. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "client/bench/report.h"

namespace client::bench {

// CPU time over a part of the run, divided by what was done in it.
struct CpuCost {
  base::Duration user{0};
  base::Duration system{0};
  std::uint64_t units = 0;  // connections opened, or messages delivered

  base::Duration total() const { return user + system; }
  std::optional<double> us_per_unit() const;  // nullopt: nothing was done
};

// nullopt: the run watched no process, or it was gone.
std::optional<CpuCost> cost_of_opening(const Report& report);  // per connection
std::optional<CpuCost> cost_of_measuring(
    const Report& report);  // per message delivered in time, or connection reopened
// Growth of the resident memory per connection, from before the first to when all were connected.
std::optional<double> bytes_per_connection(const Report& report);

}  // namespace client::bench
