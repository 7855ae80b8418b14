// What the connections of a bench do once they are open. The run (run.h) owns them and tells what happens; a workload
// sends, and takes times.
//
// Calling order: warm_up() until is_warm() or it takes too long; begin(); tick() whenever it says, until end(); what is
// on the way is waited for until settled(); conclude(). message() and ready() at any time.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "client/bench/payload.h"

namespace client::bench {

class Workload {
 public:
  virtual ~Workload() = default;
  // All connections are open or have failed. Sends what is due of the messages that are not counted; returns when it
  // wants to be called next.
  virtual base::Instant warm_up(base::Instant) { return base::kNever; }
  virtual bool is_warm() const { return true; }
  // The measured time begins.
  virtual void begin(base::Instant now) = 0;
  // A payload came to probe `index`; `first_byte` is when its message began to come.
  virtual void message(std::size_t index, const Stamp& stamp, base::Instant first_byte, base::Instant now) = 0;
  // The probe could write or read; nothing need have come.
  virtual void ready(std::size_t, base::Instant) {}
  // Sends what is due; returns when it wants to be called next.
  virtual base::Instant tick(base::Instant now) = 0;
  // No more sending from now on.
  virtual void end(base::Instant now) = 0;
  // Everything that was begun is complete.
  virtual bool settled() const = 0;
  // How long that is waited for: in all, and without a sign of life of any connection.
  struct Patience {
    base::Duration time_max = std::chrono::seconds(10);
    base::Duration silence_max = std::chrono::seconds(1);
  };
  virtual Patience patience() const { return {}; }
  // Nothing more will come: counts what is missing.
  virtual void conclude() = 0;
};

}  // namespace client::bench
