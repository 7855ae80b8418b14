// What a process has used, from the texts of /proc. Pure: process_watch.h reads the files.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace client::bench {

struct ProcessUsage {
  base::Duration user{0};    // CPU time since the process began, of all its threads, the ended ones too
  base::Duration system{0};  // the same in the kernel
  std::uint64_t resident_bytes = 0;
  friend bool operator==(const ProcessUsage&, const ProcessUsage&) = default;
};

// `stat` and `status` are the contents of the files of that name; the kernel counts `ticks_per_s`. nullopt: they are
// not what proc(5) describes, or the process is a zombie and has no memory any more.
std::optional<ProcessUsage> read_process_usage(std::string_view stat, std::string_view status,
                                               std::uint64_t ticks_per_s);

}  // namespace client::bench
