// The verb check-token, without its output: what is in a token, and whether a server with these keys would take it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/config.h"
#include "app/files.h"
#include "base/time.h"

namespace app {

struct TokenReport {
  // good: as one of the kinds of token (auth/claims.h), at `now`.
  enum class Verdict : std::uint8_t { good, bad } verdict = Verdict::bad;
  std::string text;  // lines for a person; nothing in it that a terminal would take for a command
};

// The error is everything that is wrong with the keys or the configuration.
std::expected<TokenReport, std::vector<ConfigError>> check_token(const CheckTokenCommand& command, const Files& files,
                                                                 base::WallTime now);

}  // namespace app
