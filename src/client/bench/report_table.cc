#include <fmt/format.h>

#include <array>
#include <iterator>

#include "client/bench/figures.h"
#include "client/bench/report.h"
#include "client/bench/server_cost.h"

namespace client::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRowsMax = 60;

void row(std::string& out, std::string_view name, const Histogram& times) {
  fmt::format_to(std::back_inserter(out), "{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}\n", name,
                 human_time(times.percentile(50)), human_time(times.percentile(90)), human_time(times.percentile(99)),
                 human_time(times.percentile(99.9)), human_time(times.max()));
}

void connections(std::string& out, const Report& report) {
  auto to = std::back_inserter(out);
  const bool is_storm = report.options.mode == BenchOptions::Mode::reconnect;
  const std::uint64_t wanted = report.wanted + (is_storm ? report.reconnects.attempts : 0);
  fmt::format_to(to, "connections   {} of {} opened ({:.2f} %), {} failed, {} dropped ({:.2f} %)\n", report.opened,
                 wanted, percent(report.opened, wanted), report.failed, report.dropped,
                 percent(report.dropped, report.opened));
  for (const auto& [reason, count] : report.reasons) fmt::format_to(to, "              {} x {}\n", count, reason);
  if (!is_storm) return;
  const Reconnects& reconnects = report.reconnects;
  fmt::format_to(to, "storm         {} rounds: {} of {} came back ({:.2f} %); all back in {} of the rounds\n",
                 reconnects.rounds, reconnects.succeeded, reconnects.attempts,
                 percent(reconnects.succeeded, reconnects.attempts), reconnects.all_back.count());
}

void times(std::string& out, const Report& report) {
  fmt::format_to(std::back_inserter(out), "\n{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "time", "p50", "p90", "p99",
                 "p99.9", "max");
  row(out, "connect", report.connect);
  row(out, "  tcp", report.tcp);
  if (report.has_tls) row(out, "  tls", report.tls);
  row(out, "  upgrade", report.upgrade);
  if (report.options.mode == BenchOptions::Mode::reconnect) row(out, "all back", report.reconnects.all_back);
  if (!report.has_messages) return;
  row(out, report.options.mode == BenchOptions::Mode::echo ? "round trip" : "delivery", report.total);
  row(out, "  processing", report.processing);
  row(out, "  transfer", report.transfer);
  if (report.answer.count() > 0) row(out, "POST answered", report.answer);
}

void messages(std::string& out, const Report& report) {
  if (!report.has_messages) return;
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "\nmessages      {} sent ({:.0f}/s), {} received ({:.0f}/s, {:.2f} MB/s) of {} bytes in {:.2f} s\n",
                 report.sent, per_second(report.sent, report.measured), report.received,
                 per_second(report.received_in_time, report.measured),
                 per_second(report.received_in_time * report.message_bytes, report.measured) / 1e6,
                 report.message_bytes, seconds(report.measured));
  fmt::format_to(to, "              {} lost, {} doubled, {} damaged\n", report.lost, report.doubled, report.damaged);
  if (report.other > 0) fmt::format_to(to, "              {} messages of the server's own\n", report.other);
  if (report.options.mode != BenchOptions::Mode::echo) {
    fmt::format_to(to, "              the bench was at most {} late with a publish\n", human_time(report.behind_max));
  }
}

void cpu(std::string& out, std::string_view part, const std::optional<CpuCost>& cost, base::Duration time,
         std::string_view unit) {
  if (!cost) return;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "              {}: {} user + {} system = {:.1f} % of a core", part, human_time(cost->user),
                 human_time(cost->system), time <= 0ns ? 0 : 100 * seconds(cost->total()) / seconds(time));
  if (auto us = cost->us_per_unit()) fmt::format_to(to, ", {:.2f} us per {}", *us, unit);
  out += '\n';
}

void server(std::string& out, const Report& report) {
  const ServerUsage& server = report.server;
  if (server.pids.empty()) return;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "\nserver        process {}\n", fmt::join(server.pids, ", "));
  if (!server.at_end) out += "              it ended during the run\n";
  cpu(out, "CPU, opening", cost_of_opening(report), report.opening, "connection");
  cpu(out, "CPU, measured", cost_of_measuring(report), report.measured, report.has_messages ? "message" : "connection");
  const auto resident = [](const std::optional<ProcessUsage>& usage) {
    return usage ? human_bytes(usage->resident_bytes) : std::string("?");
  };
  fmt::format_to(to, "              memory: {} at start, {} all connected, {} at end, {} peak",
                 resident(server.at_start), resident(server.at_begin), resident(server.at_end),
                 human_bytes(server.peak_bytes));
  if (auto bytes = bytes_per_connection(report)) fmt::format_to(to, "; {:.0f} bytes per connection", *bytes);
  out += '\n';
}

// A second to a row, or more in a long run.
void rows(std::string& out, const Report& report) {
  constexpr std::array kWidths = {1s, 2s, 5s, 10s, 30s, 60s, 300s, 600s, 1800s, 3600s};
  const std::size_t seconds_all = report.timeline.grouped(1s).size();
  std::chrono::seconds width = kWidths.back();
  for (auto candidate : kWidths) {
    if (seconds_all > kRowsMax * static_cast<std::size_t>(candidate.count())) continue;
    width = candidate;
    break;
  }
  auto to = std::back_inserter(out);
  fmt::format_to(to, "\n{:>6}{:>10}{:>10}{:>10}{:>10}{:>14}\n", "second", "opened", "failed", "dropped", "open",
                 "messages");
  std::int64_t second = 0;
  for (const Slot& slot : report.timeline.grouped(width)) {
    fmt::format_to(to, "{:>6}{:>10}{:>10}{:>10}{:>10}{:>14}\n", second, slot.opened, slot.failed, slot.dropped,
                   slot.open, slot.messages);
    second += width.count();
  }
}

}  // namespace

std::string to_table(const Report& report) {
  std::string out = fmt::format("wirebird bench {}  {}\n\n", report.mode, report.options.endpoint.url);
  connections(out, report);
  times(out, report);
  messages(out, report);
  server(out, report);
  rows(out, report);
  return out;
}

}  // namespace client::bench
