// What a bench run found, and how it is told: as a table for people, as JSON for programs. A value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "client/histogram.h"

namespace client::bench {

struct Second {
  std::uint32_t opened = 0;
  std::uint32_t failed = 0;
  std::uint32_t dropped = 0;
  std::uint32_t open = 0;  // at its end
  std::uint64_t messages = 0;
};

struct Report {
  std::string mode;
  std::string url;
  std::uint32_t message_bytes = 0;
  bool has_messages = false;
  bool has_tls = false;
  bool cut_short = false;  // by a signal, or because the run could not go on

  std::uint32_t wanted = 0;
  std::uint32_t opened = 0;
  std::uint32_t failed = 0;                                   // never open
  std::uint32_t dropped = 0;                                  // open, and ended by the other side or the network
  std::map<std::string, std::uint32_t, std::less<>> reasons;  // of failed and dropped

  Histogram connect;  // the three steps together
  Histogram tcp;
  Histogram tls;
  Histogram upgrade;

  base::Duration measured{0};
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t received_in_time = 0;  // within `measured`; the rest came while what was on the way was waited for
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t damaged = 0;
  Histogram total;
  Histogram transfer;
  Histogram processing;
  base::Duration behind_max{0};  // fan-out: how late the bench itself was with a publish

  std::vector<Second> seconds;

  bool flawless() const {
    return !cut_short && opened == wanted && dropped == 0 && lost == 0 && doubled == 0 && damaged == 0;
  }
};

std::string to_table(const Report& report);
std::string to_json(const Report& report);  // one object, one line

}  // namespace client::bench
