#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "client/bench/payload.h"
#include "client/bench/plot.h"
#include "client/bench/process_watch.h"
#include "client/bench/progress.h"
#include "client/bench/roles.h"
#include "client/bench/run.h"
#include "client/commands.h"
#include "loop/resource.h"

namespace client {
namespace {

using namespace std::chrono_literals;

// Numbers that are kept to see what is lost: one per subscriber and publisher of its channel. 240 MB.
constexpr std::uint64_t kPairsMax = 10'000'000;

int failed(int code, std::string_view text) {
  fmt::print(stderr, "bench: {}\n", text);
  return code;
}

// Empty if the options make sense.
std::string_view what_is_wrong(const BenchOptions& options) {
  using Mode = BenchOptions::Mode;
  if (options.connections < 1 || options.connections > 100'000) return "--connections is 1 to 100000";
  if (options.connects_per_s < 1 || options.connects_per_s > 100'000) return "--connect-rate is 1 to 100000";
  if (options.duration < 1ms || options.duration > 24h) return "--duration is 1 ms to 24 h";
  if (options.message_bytes < bench::kPayloadBytesMin || options.message_bytes > 1 << 20)
    return "--bytes is 32 to 1048576";
  if (options.in_flight < 1 || options.in_flight > 1024) return "--in-flight is 1 to 1024";
  if (options.messages_per_s < 1 || options.messages_per_s > 1'000'000) return "--rate is 1 to 1000000";
  if (options.channels < 1 || options.channels > 10'000) return "--channels is 1 to 10000";
  if (options.publishers > options.connections) return "--publishers is at most --connections";
  if (options.channel_prefix.empty() || options.channel_prefix.size() > 200)
    return "--channel-prefix is 1 to 200 bytes";
  const bench::Roles roles = bench::Roles::of(options);
  if (options.mode == Mode::mixed && roles.publishers.size() * roles.subscribers.size() / roles.channels > kPairsMax)
    return "--connections x --publishers / --channels is at most 10 million";
  return {};
}

bench::Progress::Place place_of_progress(const BenchOptions& options) {
  if (::isatty(STDERR_FILENO) == 1) return bench::Progress::Place::terminal;
  return options.progress == BenchOptions::Progress::always ? bench::Progress::Place::lines
                                                            : bench::Progress::Place::nowhere;
}

using File = std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })>;

}  // namespace

int run_bench(const BenchOptions& options) {
  if (auto wrong = what_is_wrong(options); !wrong.empty()) return failed(kExitUsage, wrong);
  // Besides the connections: standard streams, poller, signals, entropy and a reserve.
  const std::uint64_t needed = bench::Roles::of(options).probes + 64;
  if (std::uint64_t may = loop::raise_descriptor_limit(); may < needed) {
    return failed(kExitUsage, fmt::format("{} connections need {} file descriptors, {} are allowed (ulimit -n)",
                                          options.connections, needed, may));
  }
  auto signals = loop::Signals::open();
  if (!signals) return failed(kExitUsage, signals.error());
  auto destination = Destination::from(options.endpoint);
  if (!destination) return failed(kExitUsage, destination.error());
  auto dialect = bench::Dialect::from(options, destination->url());
  if (!dialect) return failed(kExitUsage, dialect.error());
  auto server = bench::ProcessWatch::open(options.server_pids);
  if (!server) return failed(kExitUsage, "--server-pid: " + server.error());
  // Before the run: nobody wants to hear after an hour that the folder does not exist.
  File plot(options.plot_file.empty() ? nullptr : std::fopen(options.plot_file.c_str(), "wb"));
  if (!options.plot_file.empty() && !plot) return failed(kExitUsage, "--plot: cannot write " + options.plot_file);
  if (auto resolved = destination->resolve(); !resolved) return failed(kExitUnreached, resolved.error());
  auto system = System::open();
  if (!system) return failed(kExitUsage, system.error());

  bench::Rig rig(**system, std::move(*destination), std::move(*dialect));
  rig.session_limits.message_bytes_max = 2 << 20;
  bench::Progress progress(place_of_progress(options));
  const bench::Report report = bench::Run(options, rig, **signals, *server, progress).run();
  if (options.output == BenchOptions::Output::json) {
    fmt::print("{}\n", bench::to_json(report));
  } else {
    fmt::print("{}", bench::to_table(report));
  }
  if (plot) fmt::print(plot.get(), "{}", bench::to_svg(report));
  return report.flawless() ? kExitDone : kExitUnreached;
}

}  // namespace client
