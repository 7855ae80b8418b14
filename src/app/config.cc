#include "app/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <ranges>

#include "app/config_channels.h"
#include "app/config_draft.h"
#include "app/net_text.h"
#include "auth/api_key.h"
#include "auth/claims.h"
#include "auth/key_set.h"
#include "auth/token.h"
#include "door/hook/event.h"
#include "http/egress_guard.h"
#include "http/origin.h"
#include "server/hook.h"

namespace app {
namespace {

// RFC 7518 section 3.2: a key of HS256 has at least as many bits as the hash. API keys may be shorter than a signing
// key (nobody can guess them offline), but not guessable.
constexpr std::size_t kTokenKeyBytesMin = 32;
constexpr std::size_t kApiKeyBytesMin = 16;
constexpr std::size_t kKeysMax = 64;  // every credential is compared with all of them
constexpr std::size_t kNamespacesMax = 1000;
constexpr std::size_t kHooksMax = 64;  // one for each kind and a few groups of namespaces
constexpr std::size_t kListenersMax = 64;

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

void append_key_file(ConfigDraft& draft, const Files& files, const std::string& key, const std::string& path,
                     std::vector<base::Secret>& keys) {
  if (path.empty()) return;
  const auto text = files.read(path);
  if (!text) return draft.refuse_key(key, fmt::format("= {} {}", path, text.error()));
  const std::size_t before = keys.size();
  for (const auto part : std::views::split(*text, '\n')) {
    const std::string_view line = trimmed({part.begin(), part.end()});
    if (!line.empty() && !line.starts_with('#')) keys.emplace_back(std::string(line));
  }
  if (keys.size() == before) draft.refuse_key(key, fmt::format("= {} has no key in it", path));
}

void read_public_keys(ConfigDraft& draft, const Files& files, const std::string& path, std::string& pem) {
  constexpr std::string_view kKey = "auth.token_public_keys_file";
  if (path.empty()) return;
  auto text = files.read(path);
  if (!text) return draft.refuse_key(std::string(kKey), fmt::format("= {} {}", path, text.error()));
  const auto keys = auth::public_keys_of_pem(*text);
  if (!keys) return draft.refuse_key(std::string(kKey), fmt::format("= {} {}", path, keys.error()));
  pem = *std::move(text);
}

void check_keys(ConfigDraft& draft, const std::string& key, const std::vector<base::Secret>& keys,
                std::size_t bytes_min) {
  if (keys.size() > kKeysMax) draft.refuse_key(key, fmt::format("has {} keys; at most {} work", keys.size(), kKeysMax));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t size = keys[i].reveal().size();
    if (keys[i].reveal().contains("-----BEGIN ")) {
      draft.refuse_key(key,
                       fmt::format("number {} is a PEM text and no secret; public keys of tokens stand in the file "
                                   "that auth.token_public_keys_file names",
                                   i + 1));
    } else if (size < bytes_min || size > auth::ApiKeys::kKeyBytesMax) {
      draft.refuse_key(key, fmt::format("number {} has {} characters; take {} to {} random ones, for example from "
                                        "`openssl rand -base64 48`",
                                        i + 1, size, bytes_min, auth::ApiKeys::kKeyBytesMax));
    }
  }
}

enum class Serves : std::uint8_t { clients, admin };

void add_listeners(ConfigDraft& draft, const std::string& key, const std::vector<std::string>& addresses, Serves serves,
                   server::Options& options) {
  for (const std::string& address : addresses) {
    auto listener = parse_listener(address);
    if (!listener) {
      draft.refuse_key(key, fmt::format("= {} {}", address, listener.error()));
      continue;
    }
    const bool any_port = listener->address.ends_with(":0") && !listener->address.starts_with("unix:");
    const bool twice = std::ranges::any_of(
        options.listeners, [&](const server::Listener& other) { return other.address == listener->address; });
    if (twice && !any_port) draft.refuse_key(key, fmt::format("= {}: this address is used twice", address));
    listener->admin = serves == Serves::admin;
    listener->proxy_protocol = draft.settings.proxy_protocol && !listener->admin;
    options.listeners.push_back(std::move(*listener));
  }
}

void check_listeners(ConfigDraft& draft, const server::Options& options) {
  const Settings& settings = draft.settings;
  if (settings.listen.empty()) draft.refuse_key("server.listen", "is empty; name at least one address");
  if (options.listeners.size() > kListenersMax) {
    draft.refuse_key("server.listen", fmt::format("has more than {} addresses", kListenersMax));
  }
  if (options.dev && !options.dev_public) {
    for (const server::Listener& listener : options.listeners) {
      if (is_loopback(listener.address)) continue;
      draft.refuse_key(listener.admin ? "server.admin_listen" : "server.listen",
                       fmt::format("= {}: with --dev everybody may do everything, so it listens on this machine only; "
                                   "take 127.0.0.1, leave --dev out, or say --dev-public if you mean it",
                                   listener.address));
    }
  }
  if (options.dev_public && !options.dev)
    draft.refuse_key("server.dev_public", "does nothing without server.dev (--dev)");
  if (settings.proxy_protocol && options.trusted_proxies.empty()) {
    draft.refuse_key("server.proxy_protocol", "needs server.trusted_proxies: nobody else's header would be believed");
  }
}

void check_pem(ConfigDraft& draft, const Files& files, const std::string& key, const std::string& path) {
  if (path.empty()) return;
  const auto text = files.read(path);
  if (!text) return draft.refuse_key(key, fmt::format("= {} {}", path, text.error()));
  if (!text->contains("-----BEGIN "))
    draft.refuse_key(key, fmt::format("= {} is not in PEM form (-----BEGIN ...)", path));
}

void check_tls(ConfigDraft& draft, const Files& files, const server::Options& options) {
  const bool used = std::ranges::any_of(options.listeners, &server::Listener::tls);
  const bool certificate = !options.tls_certificate_file.empty();
  const bool key = !options.tls_key_file.empty();
  if (certificate != key) {
    draft.refuse_key(certificate ? "tls.certificate_file" : "tls.key_file",
                     certificate ? "needs tls.key_file beside it" : "needs tls.certificate_file beside it");
  } else if (used && !certificate) {
    draft.refuse_key("server.listen", "has an https:// address; it needs tls.certificate_file and tls.key_file");
  } else if (certificate && !used) {
    draft.refuse_key("tls.certificate_file",
                     "is not used: no address begins with https://, for example --listen https://0.0.0.0:8443");
  }
  check_pem(draft, files, "tls.certificate_file", options.tls_certificate_file);
  check_pem(draft, files, "tls.key_file", options.tls_key_file);
}

void check_auth(ConfigDraft& draft, const server::Options& options) {
  check_keys(draft, "auth.token_keys", options.token_hs256_keys, options.allow_short_keys ? 1 : kTokenKeyBytesMin);
  check_keys(draft, "auth.api_keys", options.api_keys, options.allow_short_keys ? 1 : kApiKeyBytesMin);
  if (!auth::valid_user_claim(options.token_user_claim)) {
    draft.refuse_key("auth.token_user_claim",
                     fmt::format("= {} is no name for it; take sub, or 1 to 64 letters, digits and _ that are not the "
                                 "name of another claim",
                                 options.token_user_claim));
  }
  for (const std::string& origin : options.allowed_origins) {
    if (const auto checked = check_origin(origin); !checked) {
      draft.refuse_key("auth.allowed_origins", fmt::format("= {} {}", origin, checked.error()));
    }
  }
  for (const std::string& network : options.trusted_proxies) {
    if (const auto checked = check_network(network); !checked) {
      draft.refuse_key("server.trusted_proxies", fmt::format("= {} {}", network, checked.error()));
    }
  }
}

// A key of a named table is reported where it stands; one that is missing, where the table begins.
void refuse_in_table(ConfigDraft& draft, const std::string& table, const std::string& problem) {
  const std::size_t space = std::min(problem.find(' '), problem.size());
  const std::string key = problem.substr(0, space);
  const std::string message = problem.substr(std::min(space + 1, problem.size()));
  if (draft.was_set(key)) return draft.refuse_key(key, message);
  draft.refuse_key(table, fmt::format("has a mistake: {} {}", key, message));
}

void check_hooks(ConfigDraft& draft, const server::Options& options) {
  if (options.hooks.size() > kHooksMax) draft.refuse("hooks", fmt::format("there are more than {}", kHooksMax));
  for (const server::HookOptions& each : options.hooks) {
    if (const auto made = server::Hook::make(each); !made) refuse_in_table(draft, "hooks." + each.name, made.error());
  }
  const auto check_name = [&](const std::string& key, const std::string& name) {
    if (name.empty() || std::ranges::find(options.hooks, name, &server::HookOptions::name) != options.hooks.end())
      return;
    draft.refuse_key(key, fmt::format("= {}: there is no [hooks.{}]", name, name));
  };
  check_name("hooks.connect_hook", options.connect_hook);
  check_name("hooks.refresh_hook", options.refresh_hook);
  check_name("hooks.rpc_hook", options.rpc_hook);
  for (const server::NamespaceOptions& space : options.namespaces) {
    const std::string prefix = space.name.empty() ? "channels." : fmt::format("namespaces.{}.", space.name);
    check_name(prefix + "subscribe_hook", space.subscribe_hook);
    check_name(prefix + "publish_hook", space.publish_hook);
    check_name(prefix + "sub_refresh_hook", space.sub_refresh_hook);
    check_name(prefix + "cache_empty_hook", space.cache_empty_hook);
  }
}

void check_issuers(ConfigDraft& draft, const server::Options& options) {
  if (options.issuers.size() > auth::TokenVerifier::kDomainsMax) {
    draft.refuse("issuers", fmt::format("there are more than {}", auth::TokenVerifier::kDomainsMax));
  }
  for (const server::IssuerOptions& each : options.issuers) {
    const std::string table = "issuers." + each.name;
    if (each.jwks_url.empty()) {
      draft.refuse_key(table, "has a mistake: its jwks_url is missing");
    } else if (const auto url = http::parse_egress_url(each.jwks_url); !url) {
      draft.refuse_key(table + ".jwks_url", std::string(http::to_string(url.error())));
    }
    if (each.issuer.empty() && options.issuers.size() > 1) {
      draft.refuse_key(table,
                       "has a mistake: with several issuers each needs its `issuer`, or one could sign for another");
    }
  }
}

void check_events(ConfigDraft& draft, const server::Options& options) {
  if (!options.events_url.empty()) {
    if (const auto url = http::parse_egress_url(options.events_url); !url) {
      draft.refuse_key("events.url", std::string(http::to_string(url.error())));
    }
  }
  for (const std::string& type : options.events_types) {
    if (door::hook::event_type_named(type)) continue;
    draft.refuse_key("events.types", fmt::format("= {} is none of {}", type, fmt::join(door::hook::kEventTypes, ", ")));
  }
  check_keys(draft, "events.signing_keys", options.events_signing_keys, kTokenKeyBytesMin);
  for (std::size_t i = 0; i < options.events_headers.size(); ++i) {
    if (const auto header = server::parse_header(options.events_headers[i].reveal()); !header) {
      draft.refuse_key("events.headers", fmt::format("number {} {}", i + 1, header.error()));
    }
  }
}

void check_log(ConfigDraft& draft, const server::Options& options) {
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  if (std::ranges::find(kLevels, options.log_level) != kLevels.end()) return;
  draft.refuse_key("server.log_level", fmt::format("= {} is none of {}", options.log_level, fmt::join(kLevels, ", ")));
}

void check_limits(ConfigDraft& draft, const server::Options& options) {
  if (options.queue_bytes_max < options.message_bytes_max) {
    draft.refuse_key("limits.queue_bytes_max",
                     "is below limits.message_bytes_max: the largest message could never be delivered");
  }
  if (options.connections_per_address_max > options.connections_max) {
    draft.refuse_key("limits.connections_per_address_max", "is above limits.connections_max");
  }
  if (options.memory_bytes_max != 0 && options.history_bytes_total_max > options.memory_bytes_max) {
    draft.refuse_key("limits.history_bytes_total_max", "is above limits.memory_bytes_max");
  }
  if (options.deflate_context_takeover && !options.deflate) {
    draft.refuse_key("websocket.deflate_context_takeover", "needs websocket.deflate");
  }
  for (const server::NamespaceOptions& space : options.namespaces) {
    if (options.history_bytes_total_max == 0 || space.history_bytes_max <= options.history_bytes_total_max) continue;
    draft.refuse_key(
        space.name.empty() ? "channels.history_bytes_max" : fmt::format("namespaces.{}.history_bytes_max", space.name),
        "is above limits.history_bytes_total_max");
  }
  if (options.namespaces.size() > kNamespacesMax) {
    draft.refuse("namespaces", fmt::format("there are more than {}", kNamespacesMax));
  }
}

// Entries that came, went or differ.
template <class Entry>
void diff_named(std::vector<Change>& changes, std::string_view prefix, const std::vector<Entry>& before,
                const std::vector<Entry>& after) {
  std::map<std::string, std::pair<const Entry*, const Entry*>> entries;
  for (const Entry& each : before) entries[each.name].first = &each;
  for (const Entry& each : after) entries[each.name].second = &each;
  for (const auto& [name, pair] : entries) {
    if (pair.first != nullptr && pair.second != nullptr && *pair.first == *pair.second) continue;
    changes.push_back({std::string(prefix) + name, Reload::live});
  }
}

bool permits(const server::NamespaceOptions& space, auth::Access access) {
  const auth::NamespacePermissions& permissions = space.permissions;
  return permissions.subscribe == access || permissions.publish == access || permissions.history == access ||
         permissions.presence == access;
}

bool asks_for_tokens(const server::NamespaceOptions& space) {
  return permits(space, auth::Access::token) || permits(space, auth::Access::user) ||
         space.permissions.user_limited_channels;
}

}  // namespace

std::string to_string(const ConfigError& error) { return error.where + ": " + error.message; }

server::Options resolve(ConfigDraft& draft, const Files& files, std::optional<bool> runs_in_dev) {
  Settings& settings = draft.settings;
  server::Options options = settings.server;
  append_key_file(draft, files, "auth.token_keys_file", settings.token_keys_file, options.token_hs256_keys);
  read_public_keys(draft, files, settings.token_public_keys_file, options.token_public_keys_pem);
  append_key_file(draft, files, "auth.api_keys_file", settings.api_keys_file, options.api_keys);

  std::ranges::sort(settings.namespaces, {}, &server::NamespaceOptions::name);
  options.namespaces = {settings.channels};
  options.namespaces.insert(options.namespaces.end(), settings.namespaces.begin(), settings.namespaces.end());

  if (runs_in_dev.value_or(options.dev)) {
    add_durable_namespace(options);
    apply_dev_defaults(draft, options);
  }

  if (options.dev && !draft.was_set("server.admin_listen")) settings.admin_listen.clear();
  add_listeners(draft, "server.listen", settings.listen, Serves::clients, options);
  add_listeners(draft, "server.admin_listen", settings.admin_listen, Serves::admin, options);

  check_listeners(draft, options);
  check_tls(draft, files, options);
  check_auth(draft, options);
  check_log(draft, options);
  check_hooks(draft, options);
  check_issuers(draft, options);
  check_events(draft, options);
  check_limits(draft, options);
  check_channels(draft, options);
  return options;
}

std::expected<server::Options, std::vector<ConfigError>> load_options(const ConfigSources& sources,
                                                                      const Files& files) {
  ConfigDraft draft;
  if (!sources.file.empty()) {
    if (const auto text = files.read(sources.file)) {
      read_file(draft, sources.file, *text);
    } else {
      draft.refuse(sources.file, text.error());
    }
  }
  read_environment(draft, sources.environment);
  read_flags(draft, sources.flags);
  server::Options options = resolve(draft, files, sources.runs_in_dev);
  if (!draft.errors().empty()) return std::unexpected(std::move(draft.errors()));
  return options;
}

std::vector<std::string> warnings(const server::Options& options) {
  std::vector<std::string> found;
  bool public_clients = false;     // other machines reach a listener
  bool public_clear_text = false;  // one without TLS
  bool public_admin = false;
  for (const server::Listener& listener : options.listeners) {
    if (is_loopback(listener.address)) continue;
    (listener.admin ? public_admin : public_clients) = true;
    public_clear_text |= !listener.admin && !listener.tls;
  }
  if (options.dev) {
    if (public_clients) {
      found.emplace_back(
          "--dev-public: everybody who reaches this server may subscribe, publish and use the HTTP API.");
    }
    return found;
  }
  if (options.insecure_clients) {
    found.emplace_back(
        "auth.insecure_clients: everybody who reaches this server may subscribe and publish everywhere.");
  }
  if (options.allow_short_keys) {
    found.emplace_back(
        "auth.allow_short_keys: whoever sees one token can find a short key by trying, and make tokens with it.");
  }
  const bool nothing_permitted =
      !options.insecure_clients && std::ranges::none_of(options.namespaces, [](const server::NamespaceOptions& space) {
        return permits(space, auth::Access::anyone) || asks_for_tokens(space);
      });
  if (nothing_permitted && options.api_keys.empty()) {
    found.emplace_back(
        "Nobody may do anything yet: there are no API keys, and no namespace permits anybody to subscribe or publish. "
        "Set "
        "channels.subscribe and channels.publish (nobody, token, user, anyone), or start with --dev to try things "
        "out.");
  } else if (nothing_permitted) {
    found.emplace_back(
        "Only API keys may do anything: no namespace permits anybody to subscribe or publish (channels.subscribe, "
        "channels.publish).");
  }
  for (const server::IssuerOptions& issuer : options.issuers) {
    const auto url = http::parse_egress_url(issuer.jwks_url);
    if (!url || url->scheme == http::EgressUrl::Scheme::https || http::is_name_of_this_machine(url->host)) continue;
    found.push_back(
        fmt::format("[issuers.{}] fetches its keys without TLS: whoever stands between can make tokens.", issuer.name));
  }
  const bool takes_tokens =
      !options.issuers.empty() || !options.token_hs256_keys.empty() || !options.token_public_keys_pem.empty();
  for (const server::NamespaceOptions& space : options.namespaces) {
    if (asks_for_tokens(space) && !takes_tokens) {
      found.push_back(
          fmt::format("{} asks for tokens, but there is no key to check them with (auth.token_keys, "
                      "auth.token_public_keys_file).",
                      space.name.empty() ? "[channels]" : fmt::format("[namespaces.{}]", space.name)));
    }
  }
  if (public_admin) {
    found.emplace_back("The admin listener can be reached from other machines: /metrics is open to everybody there.");
  }
  if (public_clear_text && (takes_tokens || !options.api_keys.empty())) {
    found.emplace_back(
        "Tokens travel unencrypted unless a proxy in front adds TLS: a listener without https:// can be "
        "reached from other machines.");
  }
  if (std::ranges::find(options.allowed_origins, "*") != options.allowed_origins.end()) {
    found.emplace_back("auth.allowed_origins has \"*\": pages of every web site may connect.");
  }
  return found;
}

std::vector<Change> diff_options(const server::Options& before, const server::Options& after) {
  Settings old_settings = settings_of(before);
  Settings new_settings = settings_of(after);
  std::vector<Change> changes;
  for (const Option& option : all_options()) {
    if (!same_value(option, {old_settings, old_settings.channels}, {new_settings, new_settings.channels})) {
      changes.push_back({std::string(option.key), option.reload});
    }
  }
  // The file is read into them; its name is not kept.
  if (before.token_public_keys_pem != after.token_public_keys_pem) {
    changes.push_back({"auth.token_public_keys_file", Reload::live});
  }
  diff_named(changes, "namespaces.", old_settings.namespaces, new_settings.namespaces);
  diff_named(changes, "hooks.", before.hooks, after.hooks);
  diff_named(changes, "issuers.", before.issuers, after.issuers);
  return changes;
}

std::expected<Merged, std::string> merge_options(const server::Options& running, server::Options wanted) {
  Merged merged{.options = std::move(wanted), .changes = {}, .waiting = {}};
  for (Change& change : diff_options(running, merged.options)) {
    if (change.reload == Reload::restart) {
      merged.waiting.push_back(std::move(change.key));
    } else {
      merged.changes.push_back(std::move(change));
    }
  }

  Settings kept = settings_of(running);
  Settings settings = settings_of(merged.options);
  for (const Option& option : all_options()) {
    if (option.reload == Reload::restart) {
      copy_value(option, {settings, settings.channels}, {kept, kept.channels});
    }
  }
  merged.options = std::move(settings.server);
  if (durable_names(merged.options) != durable_names(running)) {
    return std::unexpected("which namespaces are durable cannot change before a restart");
  }
  merged.options.listeners = running.listeners;  // made of several options, each of which needs a restart
  const bool tls = std::ranges::any_of(running.listeners, &server::Listener::tls);
  if (tls && merged.options.tls_certificate_file.empty()) {
    return std::unexpected(
        "tls.certificate_file is gone, and the https:// listeners that run need one until a restart");
  }
  const bool proxy = std::ranges::any_of(running.listeners, &server::Listener::proxy_protocol);
  if (proxy && merged.options.trusted_proxies.empty()) {
    return std::unexpected(
        "server.trusted_proxies is empty, and the listeners that run take PROXY headers until a restart: nobody could "
        "connect");
  }
  return merged;
}

}  // namespace app
