// What a bench run found. A value. report_table.cc tells it to people, report_json.cc to programs, plot.h as a picture.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "client/bench/options.h"
#include "client/bench/process_usage.h"
#include "client/bench/timeline.h"
#include "client/histogram.h"

namespace client::bench {

// Of mode reconnect. A round cuts all connections and ends when each is back or has failed.
struct Reconnects {
  std::uint64_t rounds = 0;
  std::uint64_t attempts = 0;
  std::uint64_t succeeded = 0;
  Histogram all_back;  // from the cut until all were back, of the rounds in which none failed
};

// Of the server's processes, if the run was told which they are.
struct ServerUsage {
  std::vector<std::uint32_t> pids;
  std::optional<ProcessUsage> at_start;  // before the first connection
  std::optional<ProcessUsage> at_begin;  // of the measured time: all connected
  std::optional<ProcessUsage> at_end;    // of the measured time
  std::uint64_t peak_bytes = 0;          // resident, looked at ten times a second
};

struct Report {
  BenchOptions options;
  std::string mode;
  std::uint32_t message_bytes = 0;
  bool has_messages = false;
  bool has_tls = false;
  bool cut_short = false;  // by a signal, or because the run could not go on

  std::uint32_t wanted = 0;
  std::uint32_t opened = 0;                                   // with those that came back
  std::uint32_t failed = 0;                                   // never open
  std::uint32_t dropped = 0;                                  // open, and ended by the other side or the network
  std::map<std::string, std::uint32_t, std::less<>> reasons;  // of failed and dropped

  Histogram connect;  // the three steps together
  Histogram tcp;
  Histogram tls;
  Histogram upgrade;

  base::Duration opening{0};  // from the start of the run to the begin of the measured time
  base::Duration measured{0};
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t received_in_time = 0;  // within `measured`; the rest came while what was on the way was waited for
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t damaged = 0;
  std::uint64_t other = 0;  // messages of the server's own
  Histogram total;
  Histogram transfer;
  Histogram processing;
  Histogram answer;              // of publishes by POST
  base::Duration behind_max{0};  // how late the bench itself was with a publish

  Reconnects reconnects;
  ServerUsage server;
  Timeline timeline;

  bool flawless() const {
    return !cut_short && failed == 0 && opened >= wanted && dropped == 0 && lost == 0 && doubled == 0 && damaged == 0;
  }
};

std::string to_table(const Report& report);
std::string to_json(const Report& report);  // one object, one line

}  // namespace client::bench
