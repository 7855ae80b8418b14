#include "client/bench/server_cost.h"

namespace client::bench {
namespace {

std::optional<CpuCost> between(const std::optional<ProcessUsage>& from, const std::optional<ProcessUsage>& to,
                               std::uint64_t units) {
  if (!from || !to) return std::nullopt;
  return CpuCost{to->user - from->user, to->system - from->system, units};
}

std::uint64_t reopened(const Report& report) { return report.reconnects.succeeded; }

}  // namespace

std::optional<double> CpuCost::us_per_unit() const {
  if (units == 0) return std::nullopt;
  return std::chrono::duration<double, std::micro>(total()).count() / static_cast<double>(units);
}

std::optional<CpuCost> cost_of_opening(const Report& report) {
  const std::uint64_t units = report.opened < reopened(report) ? 0 : report.opened - reopened(report);
  return between(report.server.at_start, report.server.at_begin, units);
}

std::optional<CpuCost> cost_of_measuring(const Report& report) {
  return between(report.server.at_begin, report.server.at_end,
                 report.has_messages ? report.received_in_time : reopened(report));
}

std::optional<double> bytes_per_connection(const Report& report) {
  const ServerUsage& server = report.server;
  if (!server.at_start || !server.at_begin || report.wanted == 0) return std::nullopt;
  const double grown =
      static_cast<double>(server.at_begin->resident_bytes) - static_cast<double>(server.at_start->resident_bytes);
  return grown / report.wanted;
}

}  // namespace client::bench
