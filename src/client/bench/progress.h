// One line about a run while it runs, once a second.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "client/bench/report.h"

namespace client::bench {

// "   12 s  measuring        1,000 open       52,341 messages/s   p99 1.23 ms". Of what has come so far; `phase` says
// what the run does, `messages_per_s` is that of the last second. Pure.
std::string progress_text(const Report& report, base::Duration time, std::string_view phase, std::size_t open,
                          double messages_per_s);

class Progress {
 public:
  enum class Place : std::uint8_t { nowhere, lines, terminal };  // a terminal's line is written over
  explicit Progress(Place place) : place_(place) {}

  void begin(base::Instant now);
  void enter(std::string_view phase) { phase_ = phase; }
  // Writes if a second has passed. Called often.
  void tick(base::Instant now, const Report& report, std::size_t open);
  // Leaves no trace on a terminal.
  void end();

 private:
  const Place place_;
  std::string_view phase_;
  base::Instant started_{};
  base::Instant last_{};
  std::uint64_t received_before_ = 0;
};

}  // namespace client::bench
