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
  std::string key_file;          // wins over the configuration; "-": standard input
  std::string private_key_file;  // PEM; not with key_file
  std::string algorithm;         // "HS512"; empty: the first of the key
  std::string kid;
  std::string audience;  // empty: the configuration's, as the next
  std::string issuer;
  std::string subject;
  base::Duration lifetime{std::chrono::hours{1}};
  std::vector<std::string> channels;
  std::vector<std::string> subscribe;
  std::vector<std::string> publish;
};

struct CheckTokenCommand {
  ConfigSources sources;
  std::string token;             // "-": standard input
  std::string key_file;          // these two win over the configuration's keys
  std::string public_keys_file;  // PEM
};

// Of Centrifugo, which is the only one so far.
struct ImportCommand {
  std::string file;  // "-": standard input
  std::string out;   // empty: standard output
};

struct VersionCommand {};

using Command = std::variant<ServeCommand, CheckConfigCommand, DefaultConfigCommand, GenTokenCommand, CheckTokenCommand,
                             ImportCommand, VersionCommand, client::PubOptions, client::SubOptions,
                             client::BenchOptions, client::DemoFeedOptions>;

}  // namespace app
