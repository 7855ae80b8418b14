// The command line: words in, a command out, or the text to print and go: help, or what is wrong with a hint. No output
// and no exit here.
#pragma once

#include <expected>
#include <span>
#include <string>

#include "app/command.h"
#include "app/config.h"

namespace app {

inline constexpr int kExitUsage = 2;

struct Farewell {
  int exit_code;     // 0: help, to standard output; else to standard error
  std::string text;  // ends with a line end
};

// `arguments` without the name of the program. WIREBIRD_CONFIG, WIREBIRD_URL and WIREBIRD_TOKEN are the defaults of
// --config, --url and --token.
std::expected<Command, Farewell> parse_command_line(std::span<const std::string> arguments,
                                                    const Environment& environment);

}  // namespace app
