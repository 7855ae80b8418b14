// What the command line asked for: one value per verb. Plain values; main() does what they say.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "app/config.h"
#include "base/time.h"
#include "client/commands.h"

namespace app {

struct ServeCommand {
  ConfigSources sources;
};

struct CheckConfigCommand {
  ConfigSources sources;
};

struct DefaultConfigCommand {
  enum class Format : std::uint8_t { toml, markdown } format = Format::toml;
};

struct GenTokenCommand {
  ConfigSources sources;
  std::string key_file;  // wins over the configuration; "-": standard input
  std::string subject;
  base::Duration lifetime{std::chrono::hours{1}};
  std::vector<std::string> channels;
  std::vector<std::string> subscribe;
  std::vector<std::string> publish;
};

struct VersionCommand {};

using Command = std::variant<ServeCommand, CheckConfigCommand, DefaultConfigCommand, GenTokenCommand, VersionCommand,
                             client::PubOptions, client::SubOptions, client::BenchOptions, client::DemoFeedOptions>;

}  // namespace app
