#include "client/bench/process_watch.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace client::bench {
namespace {

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::optional<ProcessUsage> usage_of(std::uint32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  return read_process_usage(content(folder + "/stat"), content(folder + "/status"),
                            static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace

std::expected<ProcessWatch, std::string> ProcessWatch::open(std::vector<std::uint32_t> pids) {
  for (const std::uint32_t pid : pids) {
    if (!usage_of(pid)) return std::unexpected("there is no process " + std::to_string(pid) + " on this machine");
  }
  return ProcessWatch(std::move(pids));
}

std::optional<ProcessUsage> ProcessWatch::sample() const {
  if (pids_.empty()) return std::nullopt;
  ProcessUsage sum;
  for (const std::uint32_t pid : pids_) {
    const auto usage = usage_of(pid);
    if (!usage) return std::nullopt;
    sum.user += usage->user;
    sum.system += usage->system;
    sum.resident_bytes += usage->resident_bytes;
  }
  return sum;
}

}  // namespace client::bench
