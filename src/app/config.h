// Configuration: from what the operator wrote, in four places, to one checked value. Later places win:
//
//   built-in defaults  <  file (TOML)  <  environment (WIREBIRD_SECTION_KEY)  <  flags of the command line
//
// Nothing is taken silently: an unknown key is an error with the nearest known one as a hint, and all errors are
// collected, each with its place (file:line:column, variable or flag). On a reload the same sources are loaded again,
// and the old options stay in force if anything is wrong.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/files.h"
#include "app/option_table.h"
#include "server/options.h"

namespace app {

struct Variable {
  std::string name;
  std::string value;
};

// Of the environment: those that begin with WIREBIRD_.
using Environment = std::vector<Variable>;

struct FlagValue {
  std::string key;  // of the option, "limits.message_bytes_max"
  std::vector<std::string> values;
};

struct ConfigSources {
  std::string file;  // path of the TOML file; empty: none
  Environment environment;
  std::vector<FlagValue> flags;
  // Of a reload: whether the server runs with --dev, which a reload does not change, nor what it turns on.
  std::optional<bool> runs_in_dev = {};
};

struct ConfigError {
  std::string where;    // "wirebird.toml:3:1", "WIREBIRD_LIMITS_CONNECTIONS_MAX", "--listen"
  std::string message;  // what is wrong and what to do
};
std::string to_string(const ConfigError& error);

std::expected<server::Options, std::vector<ConfigError>> load_options(const ConfigSources& sources, const Files& files);

// What is allowed but probably not meant, one sentence each.
std::vector<std::string> warnings(const server::Options& options);

// The keys whose value differs, and when the new value counts; `namespaces.chat` for a namespace. Those with
// Reload::restart stay as they were until the server is started again.
struct Change {
  std::string key;
  Reload reload;
  friend bool operator==(const Change&, const Change&) = default;
};
std::vector<Change> diff_options(const server::Options& before, const server::Options& after);

// What a reload puts in force: the wanted options, but every one with Reload::restart as it runs. The error is a text
// for the operator: what is wanted does not work with what runs.
struct Merged {
  server::Options options;
  std::vector<Change> changes;       // take effect
  std::vector<std::string> waiting;  // keys whose wanted value counts after a restart
};
std::expected<Merged, std::string> merge_options(const server::Options& running, server::Options wanted);

// Names in the environment that are not options: of the clients, and what Kubernetes and Docker put there for a service
// that is called wirebird.
bool is_foreign_variable(std::string_view name);

}  // namespace app
