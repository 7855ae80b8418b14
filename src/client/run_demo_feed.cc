#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "client/commands.h"
#include "client/core/demo_feed.h"
#include "client/publisher.h"
#include "loop/signals.h"

namespace client {
namespace {

constexpr base::Duration kMessageTimeMax = std::chrono::seconds(2);  // an old price is worth nothing

int failed(int code, std::string_view text) {
  fmt::print(stderr, "demo feed: {}\n", text);
  return code;
}

}  // namespace

int run_demo_feed(const DemoFeedOptions& options) {
  if (!(options.messages_per_s >= 0.1 && options.messages_per_s <= 10'000)) {
    return failed(kExitUsage, "the rate is 0.1 to 10000 messages per second");
  }
  auto signals = loop::Signals::open();
  if (!signals) return failed(kExitUsage, signals.error());
  auto publisher = Publisher::open(
      {.endpoint = options.endpoint, .message_time_max = kMessageTimeMax, .stop = (*signals)->descriptor()});
  if (!publisher) return failed(kExitUsage, publisher.error());

  loop::KernelClock clock;
  loop::KernelEntropy entropy;
  DemoFeed feed(options.seed ? *options.seed : entropy.next());
  const base::Duration interval(std::llround(1e9 / options.messages_per_s));
  fmt::print(stderr, "demo feed: publishing to {0}ticker, {0}weather and {0}scores; Ctrl-C stops\n", options.prefix);

  base::Instant next = clock.now();
  bool away = false;
  for (std::uint64_t made = 0; !(*publisher)->stopped() && (options.count == 0 || made < options.count); ++made) {
    DemoFeed::Item item = feed.next();
    std::string channel = options.prefix + std::string(item.channel);
    Outcome outcome = (*publisher)->publish({.channel = channel, .kind = Kind::json, .payload = item.json, .key = {}});
    if ((*publisher)->stopped()) break;
    if (outcome.result == Outcome::Result::refused) {
      return failed(kExitRefused, fmt::format("refused: {} {}", outcome.code, outcome.message));
    }
    // A server that is away for a while misses some prices, as one does. Said once for each time away.
    const bool accepted = outcome.result == Outcome::Result::accepted;
    if (!accepted && !std::exchange(away, true)) {
      failed(kExitUnreached, fmt::format("cannot reach the server: {}; trying on", outcome.message));
    } else if (accepted && std::exchange(away, false)) {
      failed(kExitDone, "the server is back");
    }
    next += interval;
    base::Instant now = clock.now();
    if (next < now - std::chrono::seconds(1)) next = now;  // do not catch up a long pause with a burst
    if (next > now && made + 1 != options.count) (*publisher)->idle(next - now);
  }
  // Taken, or it would end us when `signals` lets it through again.
  if ((*publisher)->stopped()) (*signals)->wait(base::Duration{0});
  return kExitDone;
}

}  // namespace client
