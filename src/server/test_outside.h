// For tests of what speaks to the outside: a client that keeps what is sent for the test to answer, a clock that the
// test moves, a log that keeps its lines.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "egress/egress.h"
#include "server/log.h"

namespace server::test {

class Outside final : public egress::Client {
 public:
  struct Sent {
    egress::Request request;
    egress::Inbox& inbox;
    egress::Ticket ticket;
    void answer(std::uint16_t status, std::string body) {
      inbox.put({ticket, {.status = status, .body = std::move(body), .detail = {}}});
    }
    void fail(egress::Failure failure) { inbox.put({ticket, {.failure = failure, .body = {}, .detail = "why"}}); }
    std::string header(std::string_view name) const {
      const auto found = std::ranges::find(request.headers, name, &egress::Header::name);
      return found == request.headers.end() ? "none" : found->value;
    }
  };
  bool submit(egress::Request request, egress::Inbox& inbox, egress::Ticket ticket) override {
    if (full) return false;
    sent.push_back({std::move(request), inbox, ticket});
    return true;
  }
  Sent take() {
    EXPECT_FALSE(sent.empty()) << "nothing was sent";
    Sent first = std::move(sent.front());
    sent.pop_front();
    return first;
  }
  std::deque<Sent> sent;
  bool full = false;
};

struct Clock final : loop::Clock {
  base::Instant now() override { return time; }
  base::WallTime wall() override { return {wall_ms}; }
  base::Instant time{std::chrono::hours(1)};
  std::int64_t wall_ms = 1'700'000'000'000;
};

struct Wakeup final : loop::Wakeup {
  bool wake() override { return ++count, true; }
  int count = 0;
};

struct LinesLog final : Log {
  bool wants(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::size_t count(std::string_view event) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.starts_with(event); }));
  }
  std::vector<std::string> lines;
};

}  // namespace server::test
