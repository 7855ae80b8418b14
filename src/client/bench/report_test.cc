#include "client/bench/report.h"

#include <gtest/gtest.h>

#include "client/bench/figures.h"
#include "client/bench/plot.h"
#include "client/bench/progress.h"
#include "client/bench/server_cost.h"
#include "codec/json_in.h"

namespace client::bench {
namespace {

using namespace std::chrono_literals;
using Mode = BenchOptions::Mode;

Report echo_report() {
  Report report;
  report.mode = "echo";
  report.options.endpoint.url = "ws://a/\"b\"&<c>";
  report.message_bytes = 64;
  report.has_messages = true;
  report.has_tls = true;
  report.wanted = report.opened = 4;
  report.opening = 500ms;
  report.measured = 2s;
  report.sent = 100;
  report.received = 100;
  report.received_in_time = 80;
  report.total.record(1500us);
  report.timeline = Timeline(base::Instant(7s));
  report.timeline.at(base::Instant(7s)) = {4, 0, 0, 4, 50};
  report.timeline.at(base::Instant(8s)).messages = 49;
  return report;
}

Report storm_report() {
  Report report;
  report.mode = "reconnect";
  report.options.mode = Mode::reconnect;
  report.wanted = 10;
  report.opened = 10 + 19;
  report.failed = 1;
  report.reconnects = {2, 20, 19, {}};
  report.reconnects.all_back.record(40ms);
  return report;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Report, JsonIsJsonAndSaysWhatTheTableSays) {
  Report report = echo_report();
  EXPECT_TRUE(report.flawless());
  report.lost = 1;
  report.reasons["1006 cut"] = 3;
  EXPECT_FALSE(report.flawless());
  const std::string text = to_json(report);
  auto json = codec::JsonValue::parse(text);
  ASSERT_TRUE(json.has_value()) << text;
  EXPECT_EQ(json->find("flawless")->boolean(), false);
  EXPECT_EQ(json->find("messages")->find("lost")->unsigned_integer(), 1u);
  EXPECT_EQ(json->find("messages")->find("sent_per_s")->number(), 50.0);
  EXPECT_EQ(json->find("messages")->find("received_per_s")->number(), 40.0);
  EXPECT_EQ(json->find("connections")->find("reasons")->find("1006 cut")->unsigned_integer(), 3u);
  EXPECT_EQ(json->find("settings")->find("in_flight")->unsigned_integer(), 1u);
  EXPECT_NEAR(*json->find("times_us")->find("total")->find("p99_9")->number(), 1500, 2);
  EXPECT_FALSE(json->find("server"));
  EXPECT_FALSE(json->find("reconnects"));
  const std::string table = to_table(report);
  EXPECT_TRUE(holds(table, "4 of 4 opened (100.00 %), 0 failed, 0 dropped (0.00 %)")) << table;
  EXPECT_TRUE(holds(table, "1 lost, 0 doubled, 0 damaged")) << table;
  EXPECT_TRUE(holds(table, "\n     1         0         0         0         4            49\n")) << table;
}

TEST(Report, AStorm) {
  const Report report = storm_report();
  EXPECT_FALSE(report.flawless());
  const std::string text = to_json(report);
  auto json = codec::JsonValue::parse(text);
  ASSERT_TRUE(json.has_value()) << text;
  auto reconnects = json->find("reconnects");
  EXPECT_EQ(reconnects->find("rounds")->unsigned_integer(), 2u);
  EXPECT_EQ(reconnects->find("complete_rounds")->unsigned_integer(), 1u);
  EXPECT_EQ(reconnects->find("succeeded_percent")->number(), 95.0);
  EXPECT_EQ(json->find("times_us")->find("all_back")->find("max")->number(), 40000.0);
  const std::string table = to_table(report);
  EXPECT_TRUE(holds(table, "29 of 30 opened")) << table;
  EXPECT_TRUE(holds(table, "2 rounds: 19 of 20 came back (95.00 %); all back in 1 of the rounds")) << table;
}

TEST(Report, WhatTheServerUsed) {
  Report report = echo_report();
  report.server.pids = {7, 8};
  report.server.at_start = ProcessUsage{1s, 1s, 1'000'000};
  report.server.at_begin = ProcessUsage{1s, 1004ms, 1'400'000};
  report.server.at_end = ProcessUsage{1300ms, 1504ms, 2'000'000};
  report.server.peak_bytes = 2'500'000;
  EXPECT_EQ(cost_of_opening(report)->us_per_unit(), 1000.0);
  EXPECT_EQ(cost_of_measuring(report)->total(), 800ms);
  EXPECT_EQ(cost_of_measuring(report)->us_per_unit(), 10'000.0);
  EXPECT_EQ(bytes_per_connection(report), 100'000.0);
  const std::string text = to_json(report);
  auto json = codec::JsonValue::parse(text);
  ASSERT_TRUE(json.has_value()) << text;
  auto server = json->find("server");
  EXPECT_EQ(server->find("cpu_measured")->find("us_per_message")->number(), 10'000.0);
  EXPECT_EQ(server->find("cpu_measured")->find("system_s")->number(), 0.5);
  EXPECT_EQ(server->find("resident_bytes")->find("peak")->unsigned_integer(), 2'500'000u);
  const std::string table = to_table(report);
  EXPECT_TRUE(holds(table, "process 7, 8\n")) << table;
  EXPECT_TRUE(holds(table, "300.00 ms user + 500.00 ms system = 40.0 % of a core, 10000.00 us per message")) << table;
  report.server.at_end.reset();
  EXPECT_FALSE(cost_of_measuring(report));
  EXPECT_TRUE(holds(to_table(report), "it ended during the run"));
  EXPECT_TRUE(codec::JsonValue::parse(to_json(report)).has_value());
}

TEST(Report, ALongRunHasWiderRows) {
  Report report = echo_report();
  report.timeline.at(base::Instant(7s) + 10min);
  const std::string table = to_table(report);
  EXPECT_TRUE(holds(table, "\n    30 ")) << table;
  EXPECT_FALSE(holds(table, "\n    31 "));
  const std::string text = to_json(report);
  codec::JsonElements seconds(*codec::JsonValue::parse(text)->find("seconds"));
  std::size_t count = 0;
  while (seconds.next()) ++count;
  EXPECT_EQ(count, 601u);  // programs get every second
}

TEST(Figures, AsPeopleReadThem) {
  EXPECT_EQ(human_time(950us), "950.0 us");
  EXPECT_EQ(human_time(1234us), "1.23 ms");
  EXPECT_EQ(human_time(12s), "12.00 s");
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(std::uint64_t{5} << 30), "5.0 GiB");
  EXPECT_EQ(human_count(7), "7");
  EXPECT_EQ(human_count(123), "123");
  EXPECT_EQ(human_count(1234567), "1,234,567");
  EXPECT_EQ(percent(1, 0), 0);
  EXPECT_EQ(per_second(1, 0s), 0);
}

TEST(Progress, OneLine) {
  EXPECT_EQ(progress_text(echo_report(), 12s, "measuring", 1000, 52341.7),
            "   12 s  measuring     1,000 open       52,341 messages/s   p99 1.50 ms");
  Report storm = storm_report();
  storm.connect.record(2ms);
  EXPECT_EQ(progress_text(storm, 3s, "measuring", 7, 0),
            "    3 s  measuring         7 open       2 rounds   connect p99 2.00 ms");
  EXPECT_EQ(progress_text(Report{}, 0s, "opening", 0, 0), "    0 s  opening           0 open");
}

// The tests look at what must be in a picture; how it looks, a person must judge.
TEST(Plot, HasItsAxesCurvesAndFigures) {
  Report report = echo_report();
  for (int i = 1; i <= 10'000; ++i) report.total.record(i * 1us);
  const std::string svg = to_svg(report);
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  for (const std::string_view part :
       {"wirebird bench echo", "ws://a/&quot;b&quot;&amp;&lt;c&gt;", "Latency by percentile", "99.9 %", "10 ms",
        "Throughput", "messages/s", "Open connections", "time since the start (s)", "round trip", "p99 9.9"}) {
    EXPECT_TRUE(holds(svg, part)) << part << '\n' << svg;
  }
  EXPECT_FALSE(holds(svg, "nan"));
  EXPECT_FALSE(holds(svg, "inf"));
  EXPECT_EQ(svg.find('&'), svg.find("&quot;"));
}

TEST(Plot, OfNothingAndOfAStorm) {
  EXPECT_TRUE(to_svg(Report{}).ends_with("</svg>\n"));
  Report report = storm_report();
  report.has_messages = false;
  const std::string svg = to_svg(report);
  EXPECT_TRUE(holds(svg, "95.00 %"));
  EXPECT_TRUE(holds(svg, "Connections opened"));
  EXPECT_FALSE(holds(svg, "nan"));
  Report silent = echo_report();
  silent.total = {};
  EXPECT_FALSE(holds(to_svg(silent), "nan"));
}

}  // namespace
}  // namespace client::bench
