// Keys and origins.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "app/import/centrifugo.h"
#include "app/import/parts.h"
#include "app/net_text.h"
#include "auth/key_set.h"
#include "codec/base64.h"
#include "http/egress_guard.h"

namespace app::import {
namespace {

// As check_keys (app/config.cc) asks.
constexpr std::size_t kTokenKeyBytesMin = 32;
constexpr std::size_t kApiKeyBytesMin = 16;
constexpr std::size_t kKeyBytesMax = 1024;

// Secrets that the server would refuse go into the file as a comment: they are needed to tell who used them.
void import_secret(Tree& document, Draft& draft, std::string_view path, const std::string& option,
                   std::size_t bytes_min, std::vector<base::Secret>& keys) {
  const auto value = take(document, path);
  if (!value || value->is_off()) return;
  const auto text = text_of_scalar(*value);
  if (!text) return draft.left_out(path, "is not a text");
  if (text->size() >= bytes_min && text->size() <= kKeyBytesMax) {
    keys.emplace_back(*text);
    return;
  }
  if (text->size() < bytes_min && !text->contains('\n')) {
    draft.settings.server.allow_short_keys = true;
    keys.emplace_back(*text);
    return draft.changed(path, fmt::format("has {} characters, where {} wants {}: it is taken because of "
                                           "auth.allow_short_keys; choose a long random one soon",
                                           text->size(), option, bytes_min));
  }
  draft.left_out(path, fmt::format("has {} characters, and {} takes {} to {}; choose a long random one", text->size(),
                                   option, bytes_min, kKeyBytesMax));
  draft.remark(option, fmt::format("{} = [{}]", option.substr(option.find('.') + 1), toml_text(*text)));
}

// The text itself, or decoded from base64, or empty: a path.
std::string pem_in(const std::string& text) {
  if (text.contains("-----BEGIN")) return text;
  const auto decoded = codec::base64_decode(text);
  return decoded && decoded->contains("-----BEGIN") ? *decoded : "";
}

std::string import_public_keys(Tree& document, Draft& draft, const ImportPlan& plan) {
  std::string pem;
  std::vector<std::string> paths;
  std::vector<std::string> from;
  for (const std::string path : {"client.token.rsa_public_key", "client.token.ecdsa_public_key"}) {
    const auto value = take(document, path);
    if (!value || value->is_off()) continue;
    const std::string text = text_of_scalar(*value).value_or("");
    const std::string inside = pem_in(text);
    if (inside.empty()) {
      paths.push_back(text);
      from.push_back(path);
    } else if (plan.public_keys_file.empty()) {
      draft.changed(path,
                    "stands in the file itself; with --out it is written to a file beside it, which "
                    "auth.token_public_keys_file names");
    } else {
      pem += inside;
      if (!pem.ends_with('\n')) pem += '\n';
    }
  }
  if (!pem.empty()) {
    draft.set("auth.token_public_keys_file", Tree{plan.public_keys_file}, "client.token.rsa_public_key");
  } else if (!paths.empty()) {
    draft.set("auth.token_public_keys_file", Tree{paths.front()}, from.front());
    paths.erase(paths.begin());
    from.erase(from.begin());
  }
  for (const std::string& path : from) {
    draft.left_out(path, "there is one file for all public keys: append this one to auth.token_public_keys_file");
  }
  return pem;
}

// The keys that somebody publishes, with what their tokens must say.
void import_key_sets(Tree& document, Draft& draft) {
  const std::string path = "client.token.jwks_public_endpoint";
  const auto value = take(document, path);
  if (!value || value->is_off()) return;
  const std::string url = text_of_scalar(*value).value_or("");
  if (url.contains("{{")) {
    return draft.left_out(path, "an address is not made of claims; write one [issuers.NAME] for each issuer");
  }
  if (const auto parsed = http::parse_egress_url(url); !parsed) {
    return draft.left_out(path, std::string(http::to_string(parsed.error())));
  }
  auto& options = draft.settings.server;
  options.issuers.push_back(
      {.name = "imported", .jwks_url = url, .issuer = options.token_issuer, .audience = options.token_audience});
}

void import_origins(Tree& document, Draft& draft) {
  const auto value = take(document, "client.allowed_origins");
  if (!value) return;
  const auto origins = texts_of_list(*value);
  if (!origins) return draft.left_out("client.allowed_origins", "is not a list of texts");
  for (const std::string& origin : *origins) {
    if (origin != "*" && origin.contains('*')) {
      draft.left_out("client.allowed_origins", fmt::format("{} is a pattern; name each origin", origin));
    } else if (const auto checked = check_origin(origin); !checked) {
      draft.left_out("client.allowed_origins", fmt::format("{} {}", origin, checked.error()));
    } else {
      draft.settings.server.allowed_origins.push_back(origin);
    }
  }
}

}  // namespace

std::string import_auth(Tree& document, Draft& draft, const ImportPlan& plan) {
  auto& options = draft.settings.server;
  import_secret(document, draft, "client.token.hmac_secret_key", "auth.token_keys", kTokenKeyBytesMin,
                options.token_hs256_keys);
  import_secret(document, draft, "client.token.hmac_previous_secret_key", "auth.token_keys", kTokenKeyBytesMin,
                options.token_hs256_keys);
  if (const auto until = take(document, "client.token.hmac_previous_secret_key_valid_until");
      until && !until->is_off()) {
    draft.changed("client.token.hmac_previous_secret_key_valid_until",
                  "the previous key is accepted as long as it stands in auth.token_keys; take it out by then");
  }
  import_secret(document, draft, "http_api.key", "auth.api_keys", kApiKeyBytesMin, options.api_keys);
  std::string pem = import_public_keys(document, draft, plan);
  constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
      {"client.token.audience", "auth.token_audience"},
      {"client.token.issuer", "auth.token_issuer"},
      {"client.token.user_id_claim", "auth.token_user_claim"},
  };
  for (const auto& [path, option] : kTexts) {
    if (const auto value = take(document, path); value && !value->is_off()) draft.set(option, *value, path);
  }
  if (const auto* insecure = find(document, "client.insecure"); insecure != nullptr) {
    if (is_on(insecure)) {
      options.insecure_clients = true;
      draft.changed("client.insecure", "is auth.insecure_clients; a token that has expired is refused even so");
    }
    take(document, "client.insecure");
  }
  import_key_sets(document, draft);
  import_origins(document, draft);

  if (const auto* const separate = find(document, "client.subscription_token"); separate != nullptr) {
    if (is_on(find(*separate, "enabled"))) {
      draft.left_out("client.subscription_token",
                     "the same keys check the tokens of connections and of subscriptions; put its key into "
                     "auth.token_keys too if who has it may sign both");
    }
    take(document, "client.subscription_token");
  }
  return pem;
}

}  // namespace app::import
