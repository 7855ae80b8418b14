// The option table as texts: the commented file that `wirebird default-config` prints, and docs/configuration.md
// (`wirebird default-config --markdown`). Stateless.
#pragma once

#include <string>

#include "app/option_table.h"

namespace app {

// A complete TOML file with every key, its default and its explanation. Loading it changes nothing.
std::string default_config();

std::string configuration_page();

// What an option takes: "size, 1B to 64MiB", "number, 1 to 1024, or auto".
std::string accepted_values(const Option& option);

}  // namespace app
