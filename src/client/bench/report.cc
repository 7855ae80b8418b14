#include "client/bench/report.h"

#include <fmt/format.h>

#include <iterator>

#include "codec/json_out.h"

namespace client::bench {
namespace {

double microseconds(base::Duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }
double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

double per_second(std::uint64_t count, base::Duration time) {
  return time <= base::Duration{0} ? 0 : static_cast<double>(count) / seconds(time);
}

std::string human(base::Duration duration) {
  double us = microseconds(duration);
  if (us < 1000) return fmt::format("{:.1f} us", us);
  if (us < 1'000'000) return fmt::format("{:.2f} ms", us / 1000);
  return fmt::format("{:.2f} s", us / 1'000'000);
}

void row(std::string& out, std::string_view name, const Histogram& times) {
  fmt::format_to(std::back_inserter(out), "{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}\n", name, human(times.percentile(50)),
                 human(times.percentile(90)), human(times.percentile(99)), human(times.percentile(99.9)),
                 human(times.max()));
}

void times(codec::JsonWriter& json, std::string_view name, const Histogram& histogram) {
  auto us = [](base::Duration duration) { return fmt::format("{:.3f}", microseconds(duration)); };
  json.key(name).begin_object().key("count").number(histogram.count());
  json.key("min").raw(us(histogram.min())).key("mean").raw(us(histogram.mean()));
  json.key("p50").raw(us(histogram.percentile(50))).key("p90").raw(us(histogram.percentile(90)));
  json.key("p99").raw(us(histogram.percentile(99))).key("p99_9").raw(us(histogram.percentile(99.9)));
  json.key("max").raw(us(histogram.max())).end_object();
}

codec::JsonWriter::Truth truth(bool value) {
  return value ? codec::JsonWriter::Truth::yes : codec::JsonWriter::Truth::no;
}

}  // namespace

std::string to_table(const Report& report) {
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "wirebird bench {}  {}\n\n", report.mode, report.url);
  fmt::format_to(to, "connections   {} of {} opened ({:.2f} %), {} failed, {} dropped ({:.2f} %)\n", report.opened,
                 report.wanted, percent(report.opened, report.wanted), report.failed, report.dropped,
                 percent(report.dropped, report.opened));
  for (const auto& [reason, count] : report.reasons) fmt::format_to(to, "              {} x {}\n", count, reason);
  fmt::format_to(to, "\n{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "time", "p50", "p90", "p99", "p99.9", "max");
  row(out, "connect", report.connect);
  row(out, "  tcp", report.tcp);
  if (report.has_tls) row(out, "  tls", report.tls);
  row(out, "  upgrade", report.upgrade);
  if (report.has_messages) {
    row(out, report.mode == "echo" ? "round trip" : "delivery", report.total);
    row(out, "  processing", report.processing);
    row(out, "  transfer", report.transfer);
    fmt::format_to(to,
                   "\nmessages      {} sent ({:.0f}/s), {} received ({:.0f}/s, {:.2f} MB/s) of {} bytes in {:.2f} s\n",
                   report.sent, per_second(report.sent, report.measured), report.received,
                   per_second(report.received, report.measured),
                   per_second(report.received_in_time * report.message_bytes, report.measured) / 1e6,
                   report.message_bytes, seconds(report.measured));
    fmt::format_to(to, "              {} lost, {} doubled, {} damaged\n", report.lost, report.doubled, report.damaged);
    if (report.mode == "fan-out") {
      fmt::format_to(to, "              the bench was at most {} late with a publish\n", human(report.behind_max));
    }
  }
  fmt::format_to(to, "\n{:>6}{:>10}{:>10}{:>10}{:>10}{:>14}\n", "second", "opened", "failed", "dropped", "open",
                 "messages");
  for (std::size_t i = 0; i < report.seconds.size(); ++i) {
    const Second& second = report.seconds[i];
    fmt::format_to(to, "{:>6}{:>10}{:>10}{:>10}{:>10}{:>14}\n", i, second.opened, second.failed, second.dropped,
                   second.open, second.messages);
  }
  return out;
}

std::string to_json(const Report& report) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object().key("mode").string(report.mode).key("url").string(report.url);
  json.key("flawless").boolean(truth(report.flawless())).key("cut_short").boolean(truth(report.cut_short));
  json.key("connections").begin_object();
  json.key("wanted").number(report.wanted).key("opened").number(report.opened);
  json.key("failed").number(report.failed).key("dropped").number(report.dropped);
  json.key("opened_percent").raw(fmt::format("{:.4f}", percent(report.opened, report.wanted)));
  json.key("dropped_percent").raw(fmt::format("{:.4f}", percent(report.dropped, report.opened)));
  json.key("reasons").begin_object();
  for (const auto& [reason, count] : report.reasons) json.key(reason).number(count);
  json.end_object().end_object();
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
  json.end_object();
  if (report.has_messages) {
    json.key("messages").begin_object();
    json.key("bytes").number(report.message_bytes);
    json.key("measured_s").raw(fmt::format("{:.3f}", seconds(report.measured)));
    json.key("sent").number(report.sent).key("received").number(report.received);
    json.key("sent_per_s").raw(fmt::format("{:.1f}", per_second(report.sent, report.measured)));
    json.key("received_per_s").raw(fmt::format("{:.1f}", per_second(report.received_in_time, report.measured)));
    json.key("lost").number(report.lost).key("doubled").number(report.doubled).key("damaged").number(report.damaged);
    json.key("behind_max_us").raw(fmt::format("{:.3f}", microseconds(report.behind_max)));
    json.end_object();
  }
  json.key("seconds").begin_array();
  for (const Second& second : report.seconds) {
    json.begin_object().key("opened").number(second.opened).key("failed").number(second.failed);
    json.key("dropped").number(second.dropped).key("open").number(second.open);
    json.key("messages").number(second.messages).end_object();
  }
  json.end_array().end_object();
  return out;
}

}  // namespace client::bench
