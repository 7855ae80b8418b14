#include "client/bench/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "client/bench/axis.h"
#include "client/bench/figures.h"
#include "client/bench/server_cost.h"
#include "client/bench/svg.h"

namespace client::bench {
namespace {

using namespace std::chrono_literals;

constexpr double kWidth = 960;
constexpr double kHeight = 940;
constexpr double kLeft = 84;
constexpr double kRight = kWidth - 32;
constexpr double kValueWidth = 90;       // of "p99.9 12.3 ms", with its distance
constexpr std::size_t kPointsMax = 160;  // of a curve over time

// Colours that also differ for those who do not see red and green apart.
constexpr std::string_view kCss =
    "text { font-family: system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; font-size: 13px; fill: #4b5563 }\n"
    ".paper { fill: #ffffff }\n"
    ".title { font-size: 22px; font-weight: 600; fill: #111827 }\n"
    ".heading { font-size: 15px; font-weight: 600; fill: #111827 }\n"
    ".figure { font-size: 20px; font-weight: 600; fill: #111827 }\n"
    ".small { font-size: 12px; fill: #6b7280 }\n"
    ".flaw { font-size: 20px; font-weight: 600; fill: #b91c1c }\n"
    ".value { font-size: 12px; font-weight: 600; fill: #1d4ed8; paint-order: stroke; stroke: "
    "#ffffff; "
    "stroke-width: 4px }\n"
    ".left { text-anchor: end }\n"
    ".middle { text-anchor: middle }\n"
    ".grid { stroke: #e5e7eb; stroke-width: 1 }\n"
    ".base { stroke: #9ca3af; stroke-width: 1 }\n"
    ".mark { stroke: #6b7280; stroke-width: 1; stroke-dasharray: 4 4 }\n"
    "polyline { fill: none; stroke-linejoin: round; stroke-linecap: round }\n"
    ".first { stroke: #2563eb; stroke-width: 2.5 }\n"
    ".second { stroke: #0f9d8a; stroke-width: 2 }\n"
    ".third { stroke: #d97706; stroke-width: 2 }\n"
    ".first-area { fill: #2563eb; fill-opacity: 0.12 }\n"
    ".second-area { fill: #0f9d8a; fill-opacity: 0.12 }\n"
    ".point { fill: #ffffff; stroke: #2563eb; stroke-width: 2 }\n";

// A rectangle with axes.
struct Frame {
  double top;
  double bottom;
  Axis across;
  Axis up;

  double x(double value) const { return kLeft + across.place(value) * (kRight - kLeft); }
  double y(double value) const { return bottom - up.place(value) * (bottom - top); }

  void draw(Svg& svg, std::string_view heading, std::string_view across_label, std::string_view up_label) const {
    svg.text({kLeft, top - 14}, heading, "heading");
    for (const Tick& tick : up.ticks) {
      svg.line({kLeft, y(tick.value)}, {kRight, y(tick.value)}, "grid");
      if (!tick.label.empty()) svg.text({kLeft - 10, y(tick.value) + 4}, tick.label, "left");
    }
    for (const Tick& tick : across.ticks) {
      svg.line({x(tick.value), top}, {x(tick.value), bottom}, "grid");
      svg.text({x(tick.value), bottom + 19}, tick.label, "middle");
    }
    svg.line({kLeft, bottom}, {kRight, bottom}, "base");
    svg.text({(kLeft + kRight) / 2, bottom + 40}, across_label, "small middle");
    svg.text_upwards({20, (top + bottom) / 2}, up_label, "small middle");
  }
};

struct Curve {
  std::string_view name;
  std::string_view css_class;
  const Histogram& times;
};

std::vector<Curve> curves_of(const Report& report) {
  // One subscriber per channel: the first copy is the only one, and there is no transfer to it.
  if (report.options.mode == BenchOptions::Mode::fan_in) {
    std::vector<Curve> curves = {{"delivery", "first", report.total}};
    if (report.answer.count() > 0) curves.push_back({"POST answered", "second", report.answer});
    return curves;
  }
  if (report.has_messages) {
    const bool is_echo = report.options.mode == BenchOptions::Mode::echo;
    return {{is_echo ? "round trip" : "delivery", "first", report.total},
            {"processing", "second", report.processing},
            {"transfer", "third", report.transfer}};
  }
  return {{"connect", "first", report.connect}, {"tcp", "second", report.tcp}, {"upgrade", "third", report.upgrade}};
}

// Three digits: "950 µs", "1.23 ms", "100 ms".
std::string short_time(base::Duration time) {
  const auto digits = [](double value) { return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0); };
  const double us = microseconds(time);
  if (us < 999.5) return digits(us) + " µs";
  if (us < 999'500) return digits(us / 1e3) + " ms";
  return digits(us / 1e6) + " s";
}

// The settings that a reader needs to judge the figures.
std::string settings(const Report& report) {
  using Mode = BenchOptions::Mode;
  const BenchOptions& options = report.options;
  std::string text = human_count(report.wanted) + " connections";
  const bool publishes = report.has_messages && options.mode != Mode::echo;
  if (options.mode == Mode::mixed) text += fmt::format(", {} of them publish", human_count(options.publishers));
  if (publishes) text += fmt::format(", {} messages/s published", human_count(options.messages_per_s));
  if (options.mode == Mode::echo) text += fmt::format(", {} under way on each", options.in_flight);
  if (report.has_messages) text += fmt::format(", {} bytes", human_count(report.message_bytes));
  if (options.mode == Mode::reconnect)
    text +=
        fmt::format(", opened at {}/s, cut {} times", human_count(options.connects_per_s), report.reconnects.rounds);
  return text + "  ·  " + options.endpoint.url;
}

void draw_figures(Svg& svg, const Report& report, const Curve& main) {
  double x = kLeft;
  const auto figure = [&](double width, std::string_view name, std::string_view value,
                          std::string_view css_class = "figure") {
    svg.text({x, 110}, value, css_class);
    svg.text({x, 130}, name, "small");
    x += width;
  };
  const auto of_main = [&main](std::string_view what) { return fmt::format("{} {}", main.name, what); };
  figure(104, of_main("p50"), short_time(main.times.percentile(50)));
  figure(104, of_main("p99"), short_time(main.times.percentile(99)));
  figure(104, of_main("p99.9"), short_time(main.times.percentile(99.9)));
  figure(104, of_main("max"), short_time(main.times.max()));
  if (report.has_messages) {
    figure(150, "messages/s received",
           human_count(static_cast<std::uint64_t>(per_second(report.received_in_time, report.measured))));
    const std::uint64_t flaws = report.lost + report.doubled + report.damaged;
    figure(166, "lost, doubled, damaged", human_count(flaws), flaws == 0 ? "figure" : "flaw");
  } else if (report.options.mode == BenchOptions::Mode::reconnect) {
    figure(150, "all back, p50", short_time(report.reconnects.all_back.percentile(50)));
    const bool all = report.reconnects.succeeded == report.reconnects.attempts;
    figure(166, "came back", fmt::format("{:.2f} %", percent(report.reconnects.succeeded, report.reconnects.attempts)),
           all ? "figure" : "flaw");
  } else {
    figure(166, "opened", human_count(report.opened));
  }
  const std::uint64_t broken = report.failed + report.dropped;
  figure(0, "failed, dropped", human_count(broken), broken == 0 ? "figure" : "flaw");
}

std::string server_line(const Report& report) {
  const auto cost = cost_of_measuring(report);
  if (!cost) return {};
  std::string text = fmt::format("server: {:.1f} % of a core while measured",
                                 100 * seconds(cost->total()) / std::max(1e-9, seconds(report.measured)));
  if (auto us = cost->us_per_unit()) {
    text += fmt::format(", {:.2f} µs of CPU per {}", *us, report.has_messages ? "message received" : "connection");
  }
  return text + ", memory at most " + human_bytes(report.server.peak_bytes);
}

// Latency by percentile, and the values at the usual percentiles.
void draw_percentiles(Svg& svg, double top, double bottom, const std::vector<Curve>& curves) {
  const Curve& main = curves.front();
  double low_us = microseconds(main.times.max());
  double high_us = 1;
  for (const Curve& curve : curves) {
    if (curve.times.count() == 0) continue;
    high_us = std::max(high_us, microseconds(curve.times.max()));
    // First copies have no transfer at all: what is faster than most lies on the bottom line.
    const double usual = microseconds(curve.times.percentile(10));
    if (usual > 0) low_us = std::min(low_us, usual);
  }
  const Frame frame{top, bottom, percentile_axis(main.times.count()), latency_axis(std::max(low_us, 1.0), high_us)};
  frame.draw(svg, "Latency by percentile", "share of all that were at least this fast", "time (logarithmic)");
  double legend = kRight;
  for (auto curve = curves.rbegin(); curve != curves.rend(); ++curve) {
    legend -= 30 + 7.5 * static_cast<double>(curve->name.size()) + 20;
    svg.line({legend, top - 18}, {legend + 22, top - 18}, curve->css_class);
    svg.text({legend + 30, top - 14}, curve->name, "small");
    if (curve->times.count() == 0) continue;
    constexpr int kSteps = 240;
    std::vector<Point> points;
    for (int i = 0; i <= kSteps; ++i) {
      const double rare = frame.across.high * i / kSteps;
      const double share = i == kSteps ? 1 : 1 - std::pow(10, -rare);
      points.push_back({frame.x(rare), frame.y(microseconds(curve->times.percentile(100 * share)))});
    }
    svg.curve(points, curve->css_class);
  }
  for (const auto& [share, name] : {std::pair(0.5, "p50"), {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}}) {
    if (rarity(share) > frame.across.high || main.times.count() == 0) continue;
    const base::Duration time = main.times.percentile(100 * share);
    const Point point{frame.x(rarity(share)), frame.y(microseconds(time))};
    svg.dot(point, 4, "point");
    const std::string text = fmt::format("{} {}", name, short_time(time));
    if (point.x - kLeft > kValueWidth) {
      svg.text({point.x - 8, point.y - 9}, text, "value left");
    } else {  // too near to the axis for a text on its left
      svg.text({kLeft + 5, point.y - 16}, text, "value");
    }
  }
}

// Counts over time.
class Course {
 public:
  explicit Course(const Report& report) : report_(report) {
    const std::size_t slots = report.timeline.grouped(kSlot).size();
    width_ = kSlot * static_cast<std::int64_t>(std::max<std::size_t>(1, (slots + kPointsMax - 1) / kPointsMax));
    groups_ = report.timeline.grouped(width_);
    // The last one is not a whole one, and a rate would seem to fall.
    if (groups_.size() > 1 && slots % static_cast<std::size_t>(width_ / kSlot) != 0) groups_.pop_back();
  }

  void draw(Svg& svg, double top, double bottom, std::string_view heading, std::string_view up_label,
            std::string_view css_class, double (*value)(const Slot&, double width_s)) const {
    std::vector<Point> values;
    double high = 0;
    for (const Slot& slot : groups_) {
      const double middle = (static_cast<double>(values.size()) + 0.5) * seconds(width_);
      values.push_back({middle, value(slot, seconds(width_))});
      high = std::max(high, values.back().y);
    }
    const double end = static_cast<double>(groups_.size()) * seconds(width_);
    const Frame frame{top, bottom, time_axis(end), count_axis(high)};
    frame.draw(svg, heading, "time since the start (s); dashed: the measured part begins and ends", up_label);
    for (Point& point : values) point = {frame.x(point.x), frame.y(point.y)};
    svg.area(values, bottom, fmt::format("{}-area", css_class));
    svg.curve(values, css_class);
    for (const double at : {seconds(report_.opening), seconds(report_.opening + report_.measured)}) {
      if (at <= frame.across.high) svg.line({frame.x(at), frame.top}, {frame.x(at), frame.bottom}, "mark");
    }
  }

 private:
  const Report& report_;
  base::Duration width_{};
  std::vector<Slot> groups_;
};

}  // namespace

std::string to_svg(const Report& report) {
  const std::string title = "wirebird bench " + report.mode;
  const std::vector<Curve> curves = curves_of(report);
  Svg svg(kWidth, kHeight, title, kCss);
  svg.rectangle({0, 0}, kWidth, kHeight, "paper");
  svg.text({kLeft, 42}, title, "title");
  svg.text({kLeft, 66}, settings(report), "small");
  draw_figures(svg, report, curves.front());
  if (const std::string line = server_line(report); !line.empty()) svg.text({kLeft, 156}, line, "small");
  draw_percentiles(svg, 210, 470, curves);
  const Course course(report);
  if (report.has_messages) {
    course.draw(svg, 560, 700, "Throughput", "messages/s", "first",
                [](const Slot& slot, double width_s) { return static_cast<double>(slot.messages) / width_s; });
  } else {
    course.draw(svg, 560, 700, "Connections opened", "per second", "first",
                [](const Slot& slot, double width_s) { return slot.opened / width_s; });
  }
  course.draw(svg, 790, 890, "Open connections", "connections", "second",
              [](const Slot& slot, double) { return static_cast<double>(slot.open); });
  return std::move(svg).finish();
}

}  // namespace client::bench
