// The verb gen-token, without its output.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/config.h"
#include "app/files.h"
#include "base/time.h"

namespace app {

// The token, or everything that is wrong.
std::expected<std::string, std::vector<ConfigError>> gen_token(const GenTokenCommand& command, const Files& files,
                                                               base::WallTime now);

}  // namespace app
