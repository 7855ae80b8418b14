#include "app/gen_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>
#include <variant>

#include "app/private_key.h"
#include "app/value_text.h"
#include "auth/key_set.h"
#include "auth/token.h"
#include "codec/utf8.h"
#include "server/snapshot.h"

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kLifetimeMax = 24h * 365 * 10;

std::expected<std::string, std::vector<ConfigError>> refuse(std::string where, std::string message) {
  return std::unexpected(std::vector{ConfigError{std::move(where), std::move(message)}});
}

// What signs, and the rest of what a server may ask of a token.
struct Signer {
  std::variant<base::Secret, PrivateKey> key;
  auth::TokenRules rules;
};
using SignerMade = std::expected<Signer, std::vector<ConfigError>>;

SignerMade signer_of_configuration(const GenTokenCommand& command, const Files& files) {
  const auto options = load_options(command.sources, files);
  if (!options) return std::unexpected(options.error());
  if (options->token_hs256_keys.empty()) {
    return std::unexpected(std::vector{ConfigError{
        "gen-token",
        "there is no key to sign with; name a file (--key-file, --private-key-file) or a configuration with "
        "auth.token_keys (--config). `openssl rand -base64 48 > token.key` makes a key"}});
  }
  return Signer{options->token_hs256_keys.front(), server::token_rules(*options)};
}

// A key that was named is what was meant, whatever else is broken: then the configuration says nothing.
SignerMade signer(const GenTokenCommand& command, const Files& files) {
  if (command.key_file.empty() && command.private_key_file.empty()) return signer_of_configuration(command, files);
  const std::string& name = command.key_file.empty() ? command.private_key_file : command.key_file;
  const std::string path = name == "-" ? "/dev/stdin" : name;
  const auto options = load_options(command.sources, files);
  const auth::TokenRules rules = options ? server::token_rules(*options) : auth::TokenRules{};
  if (!command.key_file.empty()) {
    // Through the same door as the server's, so that it is checked the same way.
    const auto checked =
        load_options({.file = {}, .environment = {}, .flags = {{"auth.token_keys_file", {path}}}}, files);
    if (!checked) return std::unexpected(checked.error());
    return Signer{checked->token_hs256_keys.front(), rules};
  }
  const auto text = files.read(path);
  if (!text) return std::unexpected(std::vector{ConfigError{"--private-key-file", path + " " + text.error()}});
  auto key = PrivateKey::from_pem(*text);
  if (!key) return std::unexpected(std::vector{ConfigError{"--private-key-file", path + " " + key.error()}});
  return Signer{*std::move(key), rules};
}

auth::AlgorithmSet algorithms_of(const Signer& signer) {
  if (const auto* key = std::get_if<PrivateKey>(&signer.key)) return key->algorithms();
  return auth::Key::secret(std::get<base::Secret>(signer.key), {}, auth::kHmacAlgorithms, signer.rules.secrets)->algorithms();  // the configuration checked it
}

std::expected<std::string, base::Error> sign(const Signer& signer, auth::Algorithm algorithm,
                                             const auth::TokenClaims& claims, const std::string& kid) {
  if (const auto* secret = std::get_if<base::Secret>(&signer.key)) {
    return auth::sign_token(claims, *secret, algorithm, kid);
  }
  auto text = auth::token_to_sign(claims, algorithm, kid);
  if (!text) return text;
  const std::string signature = std::get<PrivateKey>(signer.key).sign(algorithm, *text);
  return auth::signed_token(*std::move(text), signature);
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
  for (const std::string* text : {&command.kid, &command.audience, &command.issuer}) {
    if (!codec::utf8_valid(*text)) return refuse("gen-token", "--kid, --aud or --iss is not UTF-8");
  }
  const auto signing = signer(command, files);
  if (!signing) return std::unexpected(signing.error());
  auth::Algorithm algorithm = auth::Algorithm::hs256;
  if (!command.algorithm.empty()) {
    const auto named = auth::algorithm_named(command.algorithm);
    if (!named) return refuse("--algorithm", "there is none of that name; take HS256, RS256, PS256, ES256, EdDSA, ...");
    if (!algorithms_of(*signing).contains(*named)) {
      return refuse("--algorithm", fmt::format("the key is not for {}: it has another kind, or is too short",
                                               auth::to_string(*named)));
    }
    algorithm = *named;
  } else if (const auto* key = std::get_if<PrivateKey>(&signing->key)) {
    algorithm = key->first_algorithm();
  }

  const std::int64_t now_s = now.ms / 1000;
  const auto token =
      sign(*signing, algorithm,
           {.subject = command.subject,
            .issuer = command.issuer.empty() ? signing->rules.issuer : command.issuer,
            .audience = command.audience.empty() ? signing->rules.audience : command.audience,
            .issued_at_s = now_s,
            .expires_at_s = now_s + std::chrono::duration_cast<std::chrono::seconds>(command.lifetime).count(),
            .channels = command.channels,
            .subscribe = command.subscribe,
            .publish = command.publish,
            .user_claim = signing->rules.user_claim},
           command.kid);
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
