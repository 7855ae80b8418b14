#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "client/commands.h"
#include "client/publisher.h"

namespace client {
namespace {

Kind kind_of(PubOptions::Kind kind) {
  switch (kind) {
    case PubOptions::Kind::text:
      return Kind::text;
    case PubOptions::Kind::json:
      return Kind::json;
    case PubOptions::Kind::binary:
      break;
  }
  return Kind::binary;
}

int usage(std::string_view text) {
  fmt::print(stderr, "pub: {}\n", text);
  return kExitUsage;
}

std::optional<std::string> read_all(const std::string& path) {
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) return std::nullopt;
  std::string bytes;
  char block[64 * 1024];
  std::size_t count = 0;
  while ((count = std::fread(block, 1, sizeof block, file)) > 0) bytes.append(block, count);
  bool failed = std::ferror(file) != 0;
  if (file != stdin) std::fclose(file);
  if (failed) return std::nullopt;
  return bytes;
}

int report(const PubOptions& options, const Outcome& outcome) {
  switch (outcome.result) {
    case Outcome::Result::accepted:
      if (options.report == PubOptions::Report::position) {
        fmt::print("{} {}\n", options.channel, to_string(outcome.position));
      } else if (options.report == PubOptions::Report::answer) {
        fmt::print("{}\n", outcome.answer);
      }
      std::fflush(stdout);
      return kExitDone;
    case Outcome::Result::refused:
      fmt::print(stderr, "pub: refused: {} {}\n", outcome.code, outcome.message);
      return kExitRefused;
    case Outcome::Result::unreached:
      fmt::print(stderr, "pub: not sent: {}\n", outcome.message);
      return kExitUnreached;
    case Outcome::Result::unknown:
      break;
  }
  fmt::print(stderr, "pub: unknown whether it was published, after {} attempts: {} {}\n", outcome.attempts,
             outcome.code, outcome.message);
  return kExitUnknown;
}

// Stops at the first line that is not accepted: what follows must not overtake it.
int publish_lines(const PubOptions& options, Publisher& publisher) {
  std::string line;
  std::uint64_t number = 0;
  while (std::getline(std::cin, line)) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    Outcome outcome =
        publisher.publish({.channel = options.channel, .kind = kind_of(options.kind), .payload = line, .key = {}});
    int code = report(options, outcome);
    if (code != kExitDone) {
      fmt::print(stderr, "pub: stopped at line {}; the {} before it are published\n", number, number - 1);
      return code;
    }
  }
  return kExitDone;
}

}  // namespace

int run_pub(const PubOptions& options) {
  if (options.channel.empty() || options.channel.size() > 255) return usage("a channel name has 1 to 255 bytes");
  if (options.source == PubOptions::Source::lines && !options.idempotency_key.empty()) {
    return usage("a key belongs to one message, not to many lines");
  }
  auto publisher = Publisher::open({.endpoint = options.endpoint, .message_time_max = options.time_max});
  if (!publisher) return usage(publisher.error());
  if (options.source == PubOptions::Source::lines) return publish_lines(options, **publisher);

  std::string payload = options.message;
  if (options.source == PubOptions::Source::file) {
    auto bytes = read_all(options.message);
    if (!bytes) return usage(fmt::format("the file {} cannot be read", options.message));
    payload = std::move(*bytes);
  }
  return report(options, (*publisher)
                             ->publish({.channel = options.channel,
                                        .kind = kind_of(options.kind),
                                        .payload = payload,
                                        .key = options.idempotency_key}));
}

}  // namespace client
