// The verb `import`, without its output: another server's configuration as one of ours, and the report for the person.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "app/command.h"
#include "app/files.h"

namespace app {

struct ImportReport {
  enum class Rest : std::uint8_t { none, some } rest = Rest::none;  // some: not everything was carried over
  std::string toml;
  std::string text;             // for the person; no secrets, nothing that a terminal would take for a command
  std::string public_keys_pem;  // for public_keys_file(command); empty: none
};

// Beside --out; empty without it.
std::string public_keys_file(const ImportCommand& command);

// The error is one line.
std::expected<ImportReport, std::string> import_config(const ImportCommand& command, const Files& files);

}  // namespace app
