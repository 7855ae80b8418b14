// What `wirebird bench` is told. docs/client-cpp.md ("What bench measures") and kBenchHelp define what each mode does.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "client/endpoint.h"

namespace client {

struct BenchOptions {
  Endpoint endpoint;  // echo and connect use its path as given
  enum class Mode : std::uint8_t { connect, idle, reconnect, echo, fan_out, fan_in, mixed } mode = Mode::echo;
  std::uint32_t connections = 100;                     // --connections, 1 to 100000
  std::uint32_t connects_per_s = 2000;                 // --connect-rate, 1 to 100000
  base::Duration duration = std::chrono::seconds(10);  // --duration: measured part after all are connected, to 24 h
  std::uint32_t message_bytes = 64;                    // --bytes, 32 to 1 MiB: size of a payload
  std::uint32_t in_flight = 1;           // --in-flight, 1 to 1024: echo: messages under way per connection
  std::uint32_t messages_per_s = 1000;   // --rate: fan-out, fan-in, mixed: publishes per second, 1 to 1000000
  std::uint32_t publishers = 0;          // --publishers: mixed: how many connections publish; 0: one in ten
  std::uint32_t channels = 1;            // --channels: connections are spread over so many, 1 to 10000
  std::string channel_prefix = "bench";  // --channel-prefix: channels are <prefix>-0, <prefix>-1, ...

  // The words of another server; empty: ours. {channel} and {payload} are filled in (bench/text_template.h).
  std::string path;            // --path: of connections that subscribe, or do both
  std::string publish_path;    // --publish-path: of connections that only publish; empty: the same
  std::string subprotocol;     // --subprotocol
  std::string hello_text;      // --hello-text: the first message of every connection
  std::string subscribe_text;  // --subscribe-text: the next one, of those that subscribe
  std::string publish_text;    // --publish-text: each message; empty: the payload alone
  // --binary: messages are binary frames, and backslashes in the texts stand for bytes.
  enum class Frames : std::uint8_t { text, binary } frames = Frames::text;
  // --post: those that only publish do it by HTTP POST. usual: they do so in fan-in against our server, because there
  // a WebSocket that publishes also subscribes.
  enum class Publish : std::uint8_t { usual, post } publish = Publish::usual;

  std::vector<std::uint32_t> server_pids;  // --server-pid: processes of the server on this machine
  enum class Progress : std::uint8_t { on_terminal, always } progress = Progress::on_terminal;  // --progress
  enum class Output : std::uint8_t { table, json } output = Output::table;                      // --json
  std::string plot_file;                                                                        // --plot
};

inline constexpr std::array kBenchModes = {
    std::pair<std::string_view, BenchOptions::Mode>{"connect", BenchOptions::Mode::connect},
    std::pair<std::string_view, BenchOptions::Mode>{"idle", BenchOptions::Mode::idle},
    std::pair<std::string_view, BenchOptions::Mode>{"reconnect", BenchOptions::Mode::reconnect},
    std::pair<std::string_view, BenchOptions::Mode>{"echo", BenchOptions::Mode::echo},
    std::pair<std::string_view, BenchOptions::Mode>{"fan-out", BenchOptions::Mode::fan_out},
    std::pair<std::string_view, BenchOptions::Mode>{"fan-in", BenchOptions::Mode::fan_in},
    std::pair<std::string_view, BenchOptions::Mode>{"mixed", BenchOptions::Mode::mixed},
};

}  // namespace client
