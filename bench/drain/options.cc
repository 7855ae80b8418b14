#include "bench/drain/options.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string_view>

#include "bench/drain/marks.h"

namespace bench {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  std::fprintf(stderr, "drain: %s; see the first lines of bench/drain/drain.cc\n", text.c_str());
  std::exit(2);
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::strtol(std::string(hex.substr(i, 2)).c_str(), nullptr, 16)));
  }
  return bytes;
}

Hello hello_of(std::string_view text) {  // text:HEX, binary:HEX
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) refuse("a hello is text:HEX or binary:HEX");
  return {text.substr(0, colon) == "binary" ? Opcode::binary : Opcode::text, from_hex(text.substr(colon + 1))};
}

}  // namespace

DrainOptions parse_options(int argc, char** argv) {
  DrainOptions options;
  using Take = std::function<void(const std::string&)>;
  auto size = [](std::size_t& target) -> Take {
    return [&target](const std::string& value) { target = std::strtoul(value.c_str(), nullptr, 10); };
  };
  auto number = [](int& target) -> Take {
    return [&target](const std::string& value) { target = static_cast<int>(std::strtol(value.c_str(), nullptr, 10)); };
  };
  auto yes = [](bool& target) -> Take { return [&target](const std::string& value) { target = value == "yes"; }; };
  const std::map<std::string, Mode> modes{
      {"fan-out", Mode::fan_out}, {"latency", Mode::latency}, {"echo", Mode::echo}, {"idle", Mode::idle}};
  const std::map<std::string, Publishing> ways{
      {"text", Publishing::text}, {"binary", Publishing::binary}, {"raw", Publishing::raw}};
  const std::map<std::string, Take> flags{
      {"--port", number(options.port)},
      {"--cpu", number(options.cpu)},
      {"--connections", size(options.connections)},
      {"--bytes", size(options.bytes)},
      {"--k", size(options.k)},
      {"--rounds", size(options.rounds)},
      {"--warm", size(options.warm)},
      {"--in-flight", size(options.in_flight)},
      {"--rate", size(options.rate)},
      {"--gate", yes(options.gate)},
      {"--stalled", size(options.stalled)},
      {"--fill", size(options.fill)},
      {"--stall-ms", size(options.stall_ms)},
      {"--bare", yes(options.bare)},
      {"--deflate", yes(options.deflate)},
      {"--count-frames", yes(options.counts_frames)},
      {"--path", [&](const std::string& value) { options.receiver.path = value; }},
      {"--header", [&](const std::string& value) { options.receiver.headers.push_back(value); }},
      {"--hello", [&](const std::string& value) { options.receiver.hellos.push_back(hello_of(value)); }},
      {"--ready", [&](const std::string& value) { options.receiver.ready = from_hex(value); }},
      {"--publisher-path",
       [&](const std::string& value) {
         options.publisher.path = value;
         options.has_publisher = true;
       }},
      {"--publisher-header", [&](const std::string& value) { options.publisher.headers.push_back(value); }},
      {"--publisher-hello", [&](const std::string& value) { options.publisher.hellos.push_back(hello_of(value)); }},
      {"--publish",
       [&](const std::string& value) {
         if (!ways.contains(value)) refuse("publish as text, binary or raw?");
         options.publishing = ways.at(value);
       }},
      {"--before", [&](const std::string& value) { options.before = from_hex(value); }},
      {"--after", [&](const std::string& value) { options.after = from_hex(value); }},
      {"--cpu-of",
       [&](const std::string& value) {
         options.measured.push_back(static_cast<pid_t>(std::strtol(value.c_str(), nullptr, 10)));
       }},
  };
  if (argc < 2 || !modes.contains(argv[1])) refuse("fan-out, latency, echo or idle?");
  options.mode = modes.at(argv[1]);
  for (int i = 2; i < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end()) refuse(std::string("what is ") + argv[i] + "?");
    if (i + 1 == argc) refuse(std::string(argv[i]) + " needs a value");
    flag->second(argv[i + 1]);
  }
  if (options.port == 0) refuse("--port is missing");
  if (options.bytes < kMessageBytesMin) refuse("a message has at least " + std::to_string(kMessageBytesMin) + " bytes");
  if (options.stalled >= options.connections) refuse("somebody must read");
  if (options.connections * options.k * options.rounds * options.warm * options.in_flight * options.rate == 0)
    refuse("a number is 0");
  return options;
}

}  // namespace bench
