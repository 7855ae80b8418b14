// The command-line verbs that are clients: `wirebird pub | sub | bench | demo feed`. The command line (app) fills a
// struct and calls the verb; the verb runs in the calling thread until it is done, a limit is reached or SIGINT or
// SIGTERM arrives, and returns the exit code of the process. Results go to stdout, remarks and errors to stderr.
//
// A verb checks its own options: a value that makes no sense is answered on stderr with kExitUsage. Options are only
// read, and must live until the verb returns. One verb at a time per process (signals).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "client/bench/options.h"
#include "client/endpoint.h"

namespace client {

inline constexpr int kExitDone = 0;
inline constexpr int kExitRefused = 1;    // the server said no, for good (a stable code is printed)
inline constexpr int kExitUsage = 2;      // an option makes no sense
inline constexpr int kExitUnknown = 3;    // pub: some publish ended without an answer; it may or may not have happened
inline constexpr int kExitUnreached = 4;  // the server could not be reached, or the run saw failures (bench)

struct PubOptions {
  Endpoint endpoint;
  std::string channel;
  // One message from the argument, one from each line of stdin (without the line end), or one whole file.
  enum class Source : std::uint8_t { argument, lines, file } source = Source::argument;
  std::string message;  // argument: the payload; file: its path ("-": all of stdin)
  enum class Kind : std::uint8_t { text, json, binary } kind = Kind::text;  // --json, --binary
  std::string idempotency_key;                         // --key, for a single message; empty: random, one per message
  base::Duration time_max = std::chrono::seconds(30);  // --timeout: of one message with its retries, then UNKNOWN
  // position: "news k3j9x0ab:17"; --answer: the server's JSON; --quiet: nothing.
  enum class Report : std::uint8_t { position, answer, nothing } report = Report::position;
};
int run_pub(const PubOptions& options);

struct SubOptions {
  Endpoint endpoint;
  std::vector<std::string> channels;  // at least one
  std::string since;                  // --since: cursor, -N or time; empty: from now
  enum class Output : std::uint8_t { payload, records } output = Output::payload;  // --json: envelope records as lines
  enum class Ending : std::uint8_t { newline, nothing } ending = Ending::newline;  // --no-newline: payloads as they are
  std::uint64_t count = 0;     // --count: stop after so many messages; 0: never
  base::Duration time_max{0};  // --for: stop after so long; 0: never
  enum class Retry : std::uint8_t { forever, never } retry = Retry::forever;       // --no-reconnect
  enum class Remarks : std::uint8_t { gaps, connection } remarks = Remarks::gaps;  // --verbose: also connects, cuts
};
int run_sub(const SubOptions& options);

struct DemoFeedOptions {
  Endpoint endpoint;                  // publishes to the channels ticker, weather and scores
  std::string prefix;                 // --prefix: before the channel names
  std::optional<std::uint64_t> seed;  // --seed: same seed, same messages; absent: random
  double messages_per_s = 4;          // --rate: of all three channels together, 0.1 to 10000
  std::uint64_t count = 0;            // --count: stop after so many messages; 0: never
};
int run_demo_feed(const DemoFeedOptions& options);

int run_bench(const BenchOptions& options);

// Texts for the end of `wirebird bench --help`.
extern const char* const kBenchExamples;
extern const char* const kBenchHelp;

}  // namespace client
