#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "client/bench/payload.h"
#include "client/bench/run.h"
#include "client/commands.h"
#include "loop/resource.h"

namespace client {
namespace {

using namespace std::chrono_literals;

int failed(int code, std::string_view text) {
  fmt::print(stderr, "bench: {}\n", text);
  return code;
}

// Empty if the options make sense.
std::string_view what_is_wrong(const BenchOptions& options) {
  if (options.connections < 1 || options.connections > 100'000) return "--connections is 1 to 100000";
  if (options.connects_per_s < 1 || options.connects_per_s > 100'000) return "--connect-rate is 1 to 100000";
  if (options.duration < 1ms || options.duration > 24h) return "--duration is 1 ms to 24 h";
  if (options.message_bytes < bench::kPayloadBytesMin || options.message_bytes > 1 << 20)
    return "--bytes is 32 to 1048576";
  if (options.in_flight < 1 || options.in_flight > 1024) return "--in-flight is 1 to 1024";
  if (options.messages_per_s < 1 || options.messages_per_s > 1'000'000) return "--rate is 1 to 1000000";
  if (options.channels < 1 || options.channels > 10'000) return "--channels is 1 to 10000";
  if (options.channel_prefix.empty() || options.channel_prefix.size() > 200)
    return "--channel-prefix is 1 to 200 bytes";
  return {};
}

}  // namespace

const char* const kBenchHelp =
    R"(Opens many WebSocket connections from one thread and reports three times apart:

  connect      from connect() to the server's 101, in its steps: tcp, tls, upgrade
  processing   echo: from the last byte of a message handed to the kernel to the first byte of its answer
               fan-out: from the publish to the first copy that arrives at any subscriber
  transfer     echo: handing the message to the kernel, and from the first to the last byte of its answer
               fan-out: from the first copy of a message to each other copy
  total        echo: the round trip; fan-out: from the publish to each copy (= processing + transfer)

Processing includes one round trip of the network; the time of tcp tells how long that is. All times are taken in
the bench, so they include its own work: it shares the machine's cores if it runs beside the server.

Modes: connect (opens and holds), idle (the same, subscribed to channels), echo (works with any WebSocket echo
server; the path of the URL is used, /echo without one), fan-out (publishes to channels and counts every copy).
The exit code is 0 only if every connection opened and stayed, and nothing was lost, doubled or damaged.)";

int run_bench(const BenchOptions& options) {
  if (auto wrong = what_is_wrong(options); !wrong.empty()) return failed(kExitUsage, wrong);
  // Besides the connections: standard streams, poller, signals, entropy and a reserve.
  const std::uint64_t needed = options.connections + options.channels + 64;
  if (std::uint64_t may = loop::raise_descriptor_limit(); may < needed) {
    return failed(kExitUsage, fmt::format("{} connections need {} file descriptors, {} are allowed (ulimit -n)",
                                          options.connections, needed, may));
  }
  auto signals = loop::Signals::open();
  if (!signals) return failed(kExitUsage, signals.error());
  auto destination = Destination::from(options.endpoint);
  if (!destination) return failed(kExitUsage, destination.error());
  if (auto resolved = destination->resolve(); !resolved) return failed(kExitUnreached, resolved.error());
  auto system = System::open();
  if (!system) return failed(kExitUsage, system.error());

  bench::Rig rig(**system, std::move(*destination));
  rig.session_limits.message_bytes_max = 2 << 20;
  const bench::Report report = bench::Run(options, rig, **signals).run();
  if (options.output == BenchOptions::Output::json) {
    fmt::print("{}\n", bench::to_json(report));
  } else {
    fmt::print("{}", bench::to_table(report));
  }
  return report.flawless() ? kExitDone : kExitUnreached;
}

}  // namespace client
