#include "app/command_line_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "app/command_line_flags.h"
#include "client/commands.h"

namespace app {
namespace {

using Bench = client::BenchOptions;

std::string mode_names() {
  std::string names;
  for (const auto& mode : client::kBenchModes) names.append(names.empty() ? "" : ", ").append(mode.first);
  return names;
}

void add_mode(CLI::App& verb, Bench& options) {
  verb.add_option_function<std::string>(
          "mode",
          [&options](const std::string& text) {
            const auto found =
                std::ranges::find(client::kBenchModes, text, [](const auto& mode) { return mode.first; });
            if (found == client::kBenchModes.end()) {
              throw CLI::ValidationError("mode", fmt::format("\"{}\" is none of {}", text, mode_names()));
            }
            options.mode = found->second;
          },
          wrapped("One of " + mode_names()))
      ->required()
      ->option_text(" ");
}

void add_load(CLI::App& verb, Bench& options) {
  const auto load = [](CLI::Option* option) { option->group("Load"); };
  load(add_number(verb, "--connections", options.connections, "Connections; default: 100"));
  load(add_number(verb, "--connect-rate", options.connects_per_s, "New connections per second; default: 2000"));
  load(add_duration(verb, "--duration", options.duration, "Measured time, once all are connected; default: 10s"));
  load(add_bytes(verb, "--bytes", options.message_bytes, "Size of a message, at least 32; default: 64"));
  load(add_number(verb, "--in-flight", options.in_flight, "echo: messages under way per connection; default: 1"));
  load(add_number(verb, "--rate", options.messages_per_s,
                  "fan-out, fan-in, mixed: messages published per second, all together; default: 1000"));
  load(add_number(verb, "--publishers", options.publishers,
                  "mixed: how many of the connections publish; default: one in ten"));
  load(add_number(verb, "--channels", options.channels,
                  "Connections are spread over so many channels; default: 1. Not in connect and echo"));
  load(add_text(verb, "--channel-prefix", options.channel_prefix, "PREFIX",
                "Channels are called PREFIX-0, PREFIX-1, ...; default: bench"));
}

void add_words(CLI::App& verb, Bench& options) {
  const auto words = [](CLI::Option* option) { option->group("Words of another server"); };
  words(add_text(verb, "--path", options.path, "PATH",
                 "Where to connect, with {channel}; default: Wirebird's, /echo or /ws/{channel}"));
  words(add_text(verb, "--publish-path", options.publish_path, "PATH",
                 "The same for connections that only publish (fan-out, fan-in); default: as --path; with --post, "
                 "/pub/{channel}"));
  words(add_choice(verb, "--post", options.publish, Bench::Publish::post,
                   "Those publish by HTTP POST, each request after the answer to the one before. fan-in does so by "
                   "itself with Wirebird, whose WebSockets hear what they publish to"));
  words(add_text(verb, "--subprotocol", options.subprotocol, "NAME", "WebSocket subprotocol to offer"));
  words(add_text(verb, "--hello-text", options.hello_text, "TEXT", "First message of every connection"));
  words(add_text(verb, "--subscribe-text", options.subscribe_text, "TEXT",
                 "Then, of every connection that subscribes, with {channel}"));
  words(add_text(verb, "--publish-text", options.publish_text, "TEXT",
                 "Each published message, with {payload} and {channel}; default: {payload}"));
  words(add_choice(verb, "--binary", options.frames, Bench::Frames::binary,
                   "Sends binary frames; in the texts, backslashes stand for bytes (\\r \\n \\t \\0 \\\\ \\xHH)"));
}

void add_findings(CLI::App& verb, Bench& options) {
  const auto findings = [](CLI::Option* option) { option->group("What is found"); };
  findings(verb.add_option("--server-pid", options.server_pids,
                           wrapped("Process of the server on this machine: its CPU time and memory are reported; may "
                                   "be repeated, for a server of several"))
               ->allow_extra_args(false)
               ->option_text("PID ..."));
  findings(add_choice(verb, "--json", options.output, Bench::Output::json, "Prints JSON instead of a table"));
  findings(add_text(verb, "--plot", options.plot_file, "FILE.svg",
                    "Draws the latencies by percentile, and throughput and open connections over time"));
  findings(add_choice(verb, "--progress", options.progress, Bench::Progress::always,
                      "Says every second on the standard error output how it goes, also where that is no terminal"));
}

}  // namespace

void add_bench_flags(CLI::App& verb, Bench& options) {
  verb.footer(std::string(client::kBenchExamples) + "\n" + client::kBenchHelp);
  add_mode(verb, options);
  add_load(verb, options);
  add_words(verb, options);
  add_findings(verb, options);
}

}  // namespace app
