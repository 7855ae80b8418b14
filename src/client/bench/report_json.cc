#include <fmt/format.h>

#include "client/bench/figures.h"
#include "client/bench/report.h"
#include "client/bench/server_cost.h"
#include "codec/json_out.h"

namespace client::bench {
namespace {

using namespace std::chrono_literals;

codec::JsonWriter::Truth truth(bool value) {
  return value ? codec::JsonWriter::Truth::yes : codec::JsonWriter::Truth::no;
}

codec::JsonWriter& fixed(codec::JsonWriter& json, std::string_view name, double value, int digits) {
  return json.key(name).raw(fmt::format("{:.{}f}", value, digits));
}

void times(codec::JsonWriter& json, std::string_view name, const Histogram& histogram) {
  const auto us = [&json](std::string_view key, base::Duration value) { fixed(json, key, microseconds(value), 3); };
  json.key(name).begin_object().key("count").number(histogram.count());
  us("min", histogram.min());
  us("mean", histogram.mean());
  us("p50", histogram.percentile(50));
  us("p90", histogram.percentile(90));
  us("p99", histogram.percentile(99));
  us("p99_9", histogram.percentile(99.9));
  us("max", histogram.max());
  json.end_object();
}

// So that a result says by itself what it is of.
void settings(codec::JsonWriter& json, const Report& report) {
  using Mode = BenchOptions::Mode;
  const BenchOptions& options = report.options;
  json.key("settings").begin_object();
  json.key("connections").number(options.connections).key("connect_rate").number(options.connects_per_s);
  fixed(json, "duration_s", seconds(options.duration), 3);
  if (report.has_messages) json.key("bytes").number(options.message_bytes);
  if (options.mode == Mode::echo) {
    json.key("in_flight").number(options.in_flight);
  } else if (report.has_messages) {
    json.key("rate").number(options.messages_per_s);
  }
  if (options.mode != Mode::echo && options.mode != Mode::connect) json.key("channels").number(options.channels);
  if (options.mode == Mode::mixed) json.key("publishers").number(options.publishers);
  json.end_object();
}

void connections(codec::JsonWriter& json, const Report& report) {
  json.key("connections").begin_object();
  json.key("wanted").number(report.wanted).key("opened").number(report.opened);
  json.key("failed").number(report.failed).key("dropped").number(report.dropped);
  fixed(json, "opened_percent", percent(report.opened, report.wanted + report.reconnects.attempts), 4);
  fixed(json, "dropped_percent", percent(report.dropped, report.opened), 4);
  json.key("reasons").begin_object();
  for (const auto& [reason, count] : report.reasons) json.key(reason).number(count);
  json.end_object().end_object();
}

void all_times(codec::JsonWriter& json, const Report& report) {
  json.key("times_us").begin_object();
  times(json, "connect", report.connect);
  times(json, "tcp", report.tcp);
  if (report.has_tls) times(json, "tls", report.tls);
  times(json, "upgrade", report.upgrade);
  if (report.has_messages) {
    times(json, "total", report.total);
    times(json, "processing", report.processing);
    times(json, "transfer", report.transfer);
  }
  if (report.answer.count() > 0) times(json, "answer", report.answer);
  if (report.options.mode == BenchOptions::Mode::reconnect) times(json, "all_back", report.reconnects.all_back);
  json.end_object();
}

void messages(codec::JsonWriter& json, const Report& report) {
  if (!report.has_messages) return;
  json.key("messages").begin_object();
  json.key("bytes").number(report.message_bytes);
  fixed(json, "measured_s", seconds(report.measured), 3);
  json.key("sent").number(report.sent).key("received").number(report.received);
  fixed(json, "sent_per_s", per_second(report.sent, report.measured), 1);
  fixed(json, "received_per_s", per_second(report.received_in_time, report.measured), 1);
  json.key("lost").number(report.lost).key("doubled").number(report.doubled).key("damaged").number(report.damaged);
  json.key("other").number(report.other);
  fixed(json, "behind_max_us", microseconds(report.behind_max), 3);
  json.end_object();
}

void reconnects(codec::JsonWriter& json, const Report& report) {
  if (report.options.mode != BenchOptions::Mode::reconnect) return;
  const Reconnects& reconnects = report.reconnects;
  json.key("reconnects").begin_object();
  json.key("rounds").number(reconnects.rounds).key("complete_rounds").number(reconnects.all_back.count());
  json.key("attempts").number(reconnects.attempts).key("succeeded").number(reconnects.succeeded);
  fixed(json, "succeeded_percent", percent(reconnects.succeeded, reconnects.attempts), 4);
  json.end_object();
}

void cpu(codec::JsonWriter& json, std::string_view name, const std::optional<CpuCost>& cost, base::Duration time,
         std::string_view unit) {
  if (!cost) return;
  json.key(name).begin_object();
  fixed(json, "time_s", seconds(time), 3);
  fixed(json, "user_s", seconds(cost->user), 3);
  fixed(json, "system_s", seconds(cost->system), 3);
  if (auto us = cost->us_per_unit()) fixed(json, unit, *us, 3);
  json.end_object();
}

void server(codec::JsonWriter& json, const Report& report) {
  const ServerUsage& server = report.server;
  if (server.pids.empty()) return;
  json.key("server").begin_object().key("pids").begin_array();
  for (const std::uint32_t pid : server.pids) json.number(pid);
  json.end_array();
  cpu(json, "cpu_opening", cost_of_opening(report), report.opening, "us_per_connection");
  cpu(json, "cpu_measured", cost_of_measuring(report), report.measured,
      report.has_messages ? "us_per_message" : "us_per_connection");
  json.key("resident_bytes").begin_object();
  const auto resident = [&json](std::string_view name, const std::optional<ProcessUsage>& usage) {
    if (usage) json.key(name).number(usage->resident_bytes);
  };
  resident("start", server.at_start);
  resident("begin", server.at_begin);
  resident("end", server.at_end);
  json.key("peak").number(server.peak_bytes);
  if (auto bytes = bytes_per_connection(report)) fixed(json, "per_connection", *bytes, 1);
  json.end_object().end_object();
}

}  // namespace

std::string to_json(const Report& report) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object().key("mode").string(report.mode).key("url").string(report.options.endpoint.url);
  json.key("flawless").boolean(truth(report.flawless())).key("cut_short").boolean(truth(report.cut_short));
  settings(json, report);
  connections(json, report);
  all_times(json, report);
  messages(json, report);
  reconnects(json, report);
  server(json, report);
  json.key("seconds").begin_array();
  for (const Slot& slot : report.timeline.grouped(1s)) {
    json.begin_object().key("opened").number(slot.opened).key("failed").number(slot.failed);
    json.key("dropped").number(slot.dropped).key("open").number(slot.open);
    json.key("messages").number(slot.messages).end_object();
  }
  json.end_array().end_object();
  return out;
}

}  // namespace client::bench
