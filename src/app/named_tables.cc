#include "app/named_tables.h"

#include <algorithm>
#include <array>

#include "auth/policy.h"

namespace app {
namespace {

using namespace std::chrono_literals;
using server::HookOptions;
using server::IssuerOptions;

template <auto Member>
Slot in_hook(Target target) {
  return &(target.hook->*Member);
}
template <auto Member>
Slot in_issuer(Target target) {
  return &(target.issuer->*Member);
}

constexpr Range between(base::Duration lowest, base::Duration highest) {
  return {static_cast<std::uint64_t>(lowest.count()), static_cast<std::uint64_t>(highest.count())};
}

constexpr auto kHookOptions = std::to_array<Option>({
    {.key = "hooks.url",
     .slot = in_hook<&HookOptions::url>,
     .reload = Reload::live,
     .help = "Where the back end is asked: http:// or https://, without a user or password. Required."},
    {.key = "hooks.timeout",
     .slot = in_hook<&HookOptions::timeout>,
     .reload = Reload::live,
     .help = "How long an answer may take, from finding the address of the name to the last byte.",
     .range = between(10ms, 1min)},
    {.key = "hooks.headers",
     .slot = in_hook<&HookOptions::headers>,
     .reload = Reload::live,
     .help = "Headers that every request carries, \"Name: value\": how the back end knows who asks. Kept secret."},
    {.key = "hooks.forward_headers",
     .slot = in_hook<&HookOptions::forward_headers>,
     .reload = Reload::live,
     .help = "Names of headers of the client's own request that are handed on, for example Cookie."},
    {.key = "hooks.status_rules",
     .slot = in_hook<&HookOptions::status_rules>,
     .reload = Reload::live,
     .help = "What HTTP statuses other than 200 mean to the client: \"403 error 1403 not allowed\", \"429 temporary "
             "1429 slow down\", \"401 disconnect 4501 unauthorized\". A status without a rule is a failure."},
    {.key = "hooks.base64_payloads",
     .slot = in_hook<&HookOptions::base64_payloads>,
     .reload = Reload::live,
     .help = "Payloads of clients travel as base64 in b64data, whatever they are, and not as JSON in data."},
    {.key = "hooks.include_meta",
     .slot = in_hook<&HookOptions::include_meta>,
     .reload = Reload::live,
     .help = "The connection's meta, of its token or of the connect hook, is part of every question."},
    {.key = "hooks.in_flight_max",
     .slot = in_hook<&HookOptions::in_flight_max>,
     .reload = Reload::live,
     .help = "Most questions on their way at a time; each worker has an equal share. More are refused as if the back "
             "end had failed.",
     .range = {1, 2048}},
    {.key = "hooks.response_bytes_max",
     .slot = in_hook<&HookOptions::response_bytes_max>,
     .reload = Reload::live,
     .help = "Largest answer.",
     .range = {1024, 4 << 20},
     .unit = Unit::bytes},
});

constexpr auto kIssuerOptions = std::to_array<Option>({
    {.key = "issuers.jwks_url",
     .slot = in_issuer<&IssuerOptions::jwks_url>,
     .reload = Reload::live,
     .help = "Where the issuer publishes its keys as a JWK Set: https://, or http:// on your own network. Required."},
    {.key = "issuers.issuer",
     .slot = in_issuer<&IssuerOptions::issuer>,
     .reload = Reload::live,
     .help = "What `iss` of its tokens must be. Empty: it is not looked at, which is safe with one issuer only."},
    {.key = "issuers.audience",
     .slot = in_issuer<&IssuerOptions::audience>,
     .reload = Reload::live,
     .help = "What `aud` of its tokens must name. Empty: it is not looked at."},
});

constexpr std::array kTables = {
    NamedTable{
        .section = "hooks",
        .help = "A back end of yours that is asked over HTTP. Other keys name it: hooks.connect_hook, "
                "channels.subscribe_hook and so on.",
        .example =
            "[hooks.backend]\nurl = \"http://127.0.0.1:3000/hooks\"\nheaders = [\"Authorization: Bearer ...\"]\n",
        .options = kHookOptions,
        .bind =
            [](Target& target, const std::string& name) {
              auto& all = target.settings.server.hooks;
              const auto found = std::ranges::find(all, name, &HookOptions::name);
              if (found != all.end()) {
                target.hook = &*found;
              } else {
                target.hook = &all.emplace_back();
                target.hook->name = name;
              }
            }},
    NamedTable{
        .section = "issuers",
        .help =
            "Somebody whose tokens are accepted beside those of auth.token_keys, and who publishes the public keys.",
        .example = "[issuers.login]\njwks_url = \"https://login.example.com/.well-known/jwks.json\"\n"
                   "issuer = \"https://login.example.com/\"\naudience = \"chat\"\n",
        .options = kIssuerOptions,
        .bind =
            [](Target& target, const std::string& name) {
              auto& all = target.settings.server.issuers;
              const auto found = std::ranges::find(all, name, &IssuerOptions::name);
              if (found != all.end()) {
                target.issuer = &*found;
              } else {
                target.issuer = &all.emplace_back();
                target.issuer->name = name;
              }
            }},
};

}  // namespace

std::span<const NamedTable> named_tables() { return kTables; }

const NamedTable* find_named_table(std::string_view section) {
  const auto found = std::ranges::find(kTables, section, &NamedTable::section);
  return found == kTables.end() ? nullptr : &*found;
}

const Option* find_named_option(const NamedTable& table, std::string_view name) {
  const auto found = std::ranges::find(table.options, name, &Option::name);
  return found == table.options.end() ? nullptr : &*found;
}

bool valid_table_name(const NamedTable& table, std::string_view name) {
  return auth::valid_namespace_name(name) &&
         find_option(std::string(table.section) + "." + std::string(name)) == nullptr;
}

}  // namespace app
