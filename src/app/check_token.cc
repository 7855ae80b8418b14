#include "app/check_token.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "app/value_text.h"
#include "auth/compact_token.h"
#include "auth/members.h"
#include "auth/token.h"
#include "codec/base64.h"
#include "codec/json_in.h"
#include "codec/time_text.h"
#include "server/snapshot.h"

namespace app {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::expected<std::string, std::vector<ConfigError>> token_text(const CheckTokenCommand& command, const Files& files) {
  std::string text = command.token;
  if (text == "-") {
    auto read = files.read("/dev/stdin");
    if (!read) return std::unexpected(std::vector{ConfigError{"standard input", read.error()}});
    text = *std::move(read);
  }
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string::npos) {
    return std::unexpected(
        std::vector{ConfigError{"check-token", "there is no token; name it, or - for the standard input"}});
  }
  return text.substr(first, text.find_last_not_of(kWhiteSpace) + 1 - first);
}

ConfigSources key_sources(const CheckTokenCommand& command) {
  if (command.key_file.empty() && command.public_keys_file.empty()) return command.sources;
  ConfigSources sources;
  if (!command.key_file.empty()) sources.flags.push_back({"auth.token_keys_file", {command.key_file}});
  if (!command.public_keys_file.empty()) {
    sources.flags.push_back({"auth.token_public_keys_file", {command.public_keys_file}});
  }
  return sources;
}

// One part of a token as JSON on one line, or what is wrong with it. The control characters that JSON lets through (DEL
// and those above it, which some terminals obey) are written as escapes.
std::string printable_part(std::string_view part) {
  const auto json = codec::base64url_decode(part);
  if (!json) return "no base64url";
  const auto value = codec::JsonValue::parse(*json);
  if (!value) return "no JSON";
  std::string out;
  const std::string_view raw = value->raw();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const auto byte = static_cast<unsigned char>(raw[i]);
    const auto next = i + 1 < raw.size() ? static_cast<unsigned char>(raw[i + 1]) : 0;
    if (byte == 0x7f) {
      out += "\\u007f";
    } else if (byte == 0xc2 && next < 0xa0) {
      out += fmt::format("\\u00{:02x}", next);
      ++i;
    } else {
      out += byte < 0x20 ? ' ' : raw[i];  // a line end between two tokens
    }
  }
  return out;
}

std::string moment(base::WallTime time, base::WallTime now) {
  std::string text;
  codec::append_rfc3339(text, time);
  const bool over = time <= now;
  const base::Duration distance = std::chrono::milliseconds((over ? now.ms - time.ms : time.ms - now.ms) / 1000 * 1000);
  return fmt::format("{} ({}{}{})", text, over ? "" : "in ", format_duration(distance), over ? " ago" : "");
}

void append_line(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format("{:<14}{}\n", fmt::format("{}:", name), text);
}

void append_times(std::string& out, const auth::Members& claims, base::WallTime now) {
  for (const std::string_view name : {"iat", "nbf", "exp", "expire_at"}) {
    const codec::JsonValue* const value = claims.find(name);
    const auto seconds = value == nullptr ? std::nullopt : value->number();
    if (!seconds || !(*seconds > 0) || *seconds > static_cast<double>(auth::kSecondsMax)) continue;
    append_line(out, name, moment({static_cast<std::int64_t>(*seconds * 1000)}, now));
  }
}

std::string signature_text(const auth::TokenVerifier& verifier, std::string_view token) {
  const auto parts = auth::parse_compact_token(token);
  if (!parts) return std::string(parts.error());
  if (verifier.empty()) return "not checked: there is no key (--key-file, --public-keys-file or --config)";
  const auto answer = verifier.keys().find_signer(parts->algorithm, parts->kid, parts->signed_text, parts->signature);
  switch (answer.outcome) {
    case auth::KeySet::Outcome::signed_by_key: {
      const bool secret = verifier.keys().keys()[answer.key].is_secret();
      return fmt::format("{}, fits key number {} ({})", to_string(parts->algorithm), answer.key + 1,
                         secret ? "a secret" : "a public key");
    }
    case auth::KeySet::Outcome::no_key:
      return fmt::format("{}, and no key is for that", to_string(parts->algorithm));
    case auth::KeySet::Outcome::bad_signature:
      return fmt::format("{}, fits no key", to_string(parts->algorithm));
  }
  return {};
}

std::string refusal_text(const base::Refusal& refusal) {
  return fmt::format("no: {}", refusal.hint.empty() ? base::entry(refusal.error).text : refusal.hint);
}

// A verdict on one kind of token, with the moment its rights end.
template <class Verified>
void append_verdict(TokenReport& report, std::string_view kind, const Verified& verified, base::WallTime expires,
                    base::WallTime now) {
  if (!verified) return append_line(report.text, kind, refusal_text(verified.error()));
  report.verdict = TokenReport::Verdict::good;
  append_line(report.text, kind,
              expires == auth::kNoExpiry ? "good, and never expires"
                                         : fmt::format("good until {}, skew included", moment(expires, now)));
}

}  // namespace

std::expected<TokenReport, std::vector<ConfigError>> check_token(const CheckTokenCommand& command, const Files& files,
                                                                 base::WallTime now) {
  const auto token = token_text(command, files);
  if (!token) return std::unexpected(token.error());
  const auto options = load_options(key_sources(command), files);
  if (!options) return std::unexpected(options.error());
  const auto verifier = auth::TokenVerifier::make(options->token_hs256_keys, options->token_public_keys_pem,
                                                  server::token_rules(*options));
  if (!verifier) {
    return std::unexpected(std::vector{ConfigError{"auth.token_public_keys_file", verifier.error()}});
  }

  TokenReport report;
  const std::size_t first = token->find('.');
  const std::size_t second = first == std::string::npos ? first : token->find('.', first + 1);
  bool for_a_channel = false;
  if (second != std::string::npos) {
    const std::string_view claims_part = std::string_view(*token).substr(first + 1, second - first - 1);
    append_line(report.text, "header", printable_part(std::string_view(*token).substr(0, first)));
    append_line(report.text, "claims", printable_part(claims_part));
    const auto json = codec::base64url_decode(claims_part);
    if (const auto claims = json ? auth::Members::parse(*json) : std::nullopt) {
      append_times(report.text, *claims, now);
      for_a_channel = claims->find("channel") != nullptr;
    }
  }
  append_line(report.text, "signature", signature_text(*verifier, *token));
  if (for_a_channel) {
    const auto subscription = verifier->verify_subscription(*token, now);
    append_verdict(report, "subscription", subscription, subscription ? subscription->expires : now, now);
    return report;
  }
  const auto principal = verifier->verify(*token, now);
  append_verdict(report, "every door", principal, principal ? principal->expires : now, now);
  const auto connection = verifier->verify_connection(*token, now);
  append_verdict(report, "Centrifuge", connection, connection ? connection->principal.expires : now, now);
  return report;
}

}  // namespace app
