#include "client/bench/progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "client/bench/figures.h"

namespace client::bench {

std::string progress_text(const Report& report, base::Duration time, std::string_view phase, std::size_t open,
                          double messages_per_s) {
  std::string text = fmt::format("{:>5.0f} s  {:<10}{:>9} open", seconds(time), phase, human_count(open));
  if (report.has_messages) {
    text += fmt::format("{:>13} messages/s", human_count(static_cast<std::uint64_t>(messages_per_s)));
  } else if (report.options.mode == BenchOptions::Mode::reconnect) {
    text += fmt::format("{:>8} rounds", human_count(report.reconnects.rounds));
  }
  const Histogram& times = report.total.count() > 0 ? report.total : report.connect;
  if (times.count() > 0) {
    text += fmt::format("   {}p99 {}", report.total.count() > 0 ? "" : "connect ", human_time(times.percentile(99)));
  }
  return text;
}

void Progress::begin(base::Instant now) { started_ = last_ = now; }

void Progress::tick(base::Instant now, const Report& report, std::size_t open) {
  if (place_ == Place::nowhere || now - last_ < std::chrono::seconds(1)) return;
  const double rate = per_second(report.received - received_before_, now - last_);
  last_ = now;
  received_before_ = report.received;
  const std::string text = progress_text(report, now - started_, phase_, open, rate);
  if (place_ == Place::terminal) {
    fmt::print(stderr, "\r{}\x1b[K", text);  // erases what is left of a longer line
  } else {
    fmt::print(stderr, "{}\n", text);
  }
  std::fflush(stderr);
}

void Progress::end() {
  if (place_ != Place::terminal) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace client::bench
