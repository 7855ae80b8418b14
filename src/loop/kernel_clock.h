// loop::Clock of the kernel: CLOCK_MONOTONIC for instants, CLOCK_REALTIME for wall time. Stateless; any thread.
#pragma once

#include "loop/io.h"

namespace loop {

class KernelClock final : public Clock {
 public:
  base::Instant now() override;
  base::WallTime wall() override;
};

}  // namespace loop
