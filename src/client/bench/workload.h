// What the connections of a bench do once they are open. The run (run.h) owns them and tells what happens; a workload
// sends, and takes times.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "client/bench/probe.h"

namespace client::bench {

class Workload {
 public:
  virtual ~Workload() = default;
  // All connections are open or have failed; the measured time begins.
  virtual void begin(base::Instant now) = 0;
  // A message came to probe `index`; `first_byte` is when it began to come.
  virtual void message(std::size_t index, std::string_view payload, base::Instant first_byte, base::Instant now) = 0;
  // The probe could write or read; nothing need have come.
  virtual void ready(std::size_t index, base::Instant now) = 0;
  // Sends what is due; returns when it wants to be called next.
  virtual base::Instant tick(base::Instant now) = 0;
  // No more sending from now on.
  virtual void end(base::Instant now) = 0;
  // Everything that was sent has come.
  virtual bool settled() const = 0;
  // After the last message: counts what is missing.
  virtual void conclude() = 0;
};

}  // namespace client::bench
