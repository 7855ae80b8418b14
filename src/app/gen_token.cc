#include "app/gen_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "app/value_text.h"
#include "auth/token.h"
#include "codec/utf8.h"

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kLifetimeMax = 24h * 365 * 10;

std::expected<std::string, std::vector<ConfigError>> refuse(std::string where, std::string message) {
  return std::unexpected(std::vector{ConfigError{std::move(where), std::move(message)}});
}

// The signing key comes through the same door as the server's, so that it is checked the same way.
std::expected<base::Secret, std::vector<ConfigError>> signing_key(const GenTokenCommand& command, const Files& files) {
  ConfigSources sources = command.sources;
  if (!command.key_file.empty()) {
    sources = {.file = {},
               .environment = {},
               .flags = {{"auth.token_keys_file", {command.key_file == "-" ? "/dev/stdin" : command.key_file}}}};
  }
  const auto options = load_options(sources, files);
  if (!options) return std::unexpected(options.error());
  if (options->token_hs256_keys.empty()) {
    return std::unexpected(std::vector{ConfigError{
        "gen-token",
        "there is no key to sign with; name a file (--key-file) or a configuration with auth.token_keys (--config). "
        "`openssl rand -base64 48 > token.key` makes a key"}});
  }
  return options->token_hs256_keys.front();
}

}  // namespace

std::expected<std::string, std::vector<ConfigError>> gen_token(const GenTokenCommand& command, const Files& files,
                                                               base::WallTime now) {
  if (command.lifetime < 1s || command.lifetime > kLifetimeMax) {
    return refuse("--ttl", fmt::format("{} is out of range; take 1s to {}", format_duration(command.lifetime),
                                       format_duration(kLifetimeMax)));
  }
  if (command.channels.empty() && command.subscribe.empty() && command.publish.empty()) {
    return refuse("gen-token",
                  "the token would be good for nothing; name at least one --channel, --subscribe or --publish");
  }
  for (const auto* names : {&command.channels, &command.subscribe, &command.publish}) {
    for (const std::string& name : *names) {
      if (!codec::utf8_valid(name)) return refuse("gen-token", "a channel name is not UTF-8");
    }
  }
  if (!codec::utf8_valid(command.subject)) return refuse("--sub", "is not UTF-8");
  const auto key = signing_key(command, files);
  if (!key) return std::unexpected(key.error());

  const std::int64_t now_s = now.ms / 1000;
  const auto token = auth::sign_token(
      {.subject = command.subject,
       .issued_at_s = now_s,
       .expires_at_s = now_s + std::chrono::duration_cast<std::chrono::seconds>(command.lifetime).count(),
       .channels = command.channels,
       .subscribe = command.subscribe,
       .publish = command.publish},
      *key);
  if (token) return *token;
  switch (token.error()) {
    case base::Error::bad_channel:
      return refuse("gen-token", "a channel name or pattern is 1 to 255 bytes without control characters");
    case base::Error::payload_too_big:
      return refuse("gen-token",
                    fmt::format("the token would be longer than {} bytes; name fewer channels, or prefixes with *",
                                auth::kTokenBytesMax));
    default:
      return refuse("--sub", fmt::format("is longer than {} bytes or has control characters", auth::kSubjectBytesMax));
  }
}

}  // namespace app
