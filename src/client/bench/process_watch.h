// Watches the processes of a server from beside, through /proc. Blocks only for these reads. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/process_usage.h"

namespace client::bench {

class ProcessWatch {
 public:
  // The error names the process that is not there.
  static std::expected<ProcessWatch, std::string> open(std::vector<std::uint32_t> pids);

  bool watches() const { return !pids_.empty(); }
  // Of all of them together; nullopt if one is gone or there is none.
  std::optional<ProcessUsage> sample() const;

 private:
  explicit ProcessWatch(std::vector<std::uint32_t> pids) : pids_(std::move(pids)) {}
  std::vector<std::uint32_t> pids_;
};

}  // namespace client::bench
