#include "app/reference.h"

#include <fmt/format.h>

#include <string_view>

#include "app/named_tables.h"
#include "app/value_text.h"

namespace app {
namespace {

constexpr std::size_t kColumns = 100;

// `text` as lines of comments.
void append_comment(std::string& out, std::string_view text) {
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column == 0 || column + 1 + end > kColumns) {
      out += column == 0 ? "#" : "\n#";
      column = 1;
    }
    out += ' ';
    out += text.substr(0, end);
    column += 1 + end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

std::string default_value(const Option& option) {
  Settings settings;
  return toml_value(option, {settings, settings.channels});
}

std::string default_value(const NamedTable& table, const Option& option) {
  Settings settings;
  Target target{settings, settings.channels};
  table.bind(target, "default");
  return toml_value(option, target);
}

std::string_view reload_text(Reload reload) {
  switch (reload) {
    case Reload::live:
      return "counts at once on reload";
    case Reload::new_connections:
      return "counts for new connections on reload";
    case Reload::restart:
      break;
  }
  return "needs a restart";
}

constexpr std::string_view kTomlHead =
    R"(# Configuration of Wirebird: every key with its default. Keys that are left out have these values too.
#
#   wirebird serve --config wirebird.toml      start with this file
#   wirebird check-config wirebird.toml        say what is wrong with it
#   kill -HUP <pid>                            read it again; if anything is wrong, the old one stays
#
# The environment (WIREBIRD_SECTION_KEY) wins over this file, flags win over both.
# Durations: "250ms", "10s", "5m", "1h", "2d". Sizes: "64KiB", "1MiB", or a number of bytes.
)";

constexpr std::string_view kTomlTail = R"(
# Channels whose name begins with `chat:`. Any number of such tables; what one does not set has the default that is
# written under [channels] above.
#
# [namespaces.chat]
# subscribe = "token"
# publish = "token"
# history_messages_max = 200
# history_age_max = "24h"
)";

constexpr std::string_view kPageHead = R"(# Configuration

Wirebird needs none: `wirebird serve --dev` tries things out. For everything else, later places win:

| place | example |
|---|---|
| built-in defaults | `wirebird default-config` prints them, with explanations, as a file to start from |
| file (TOML), `--config FILE` or `WIREBIRD_CONFIG` | `[limits]` `connections_max = 50000` |
| environment, `WIREBIRD_SECTION_KEY` | `WIREBIRD_LIMITS_CONNECTIONS_MAX=50000` |
| flags of `wirebird serve`, `--section-key` | `--limits-connections-max 50000` |

* Flags of the section `server` leave it out: `--listen`, `--workers`. Keys that are secrets have no flag, because everybody on the
  machine can read them there.
* Lists: `["a", "b"]` in the file, `a,b` in the environment, `--listen a --listen b` or `--listen a,b` as flags.
* Durations are written `250ms`, `10s`, `5m`, `1h`, `2d`; sizes `64KiB`, `1MiB`, or as a number of bytes.
* An unknown key, variable or flag is an error with a hint; `wirebird check-config FILE` lists all errors with line and column.
* No limit can be switched off. `auto` is a value that the server works out.

## Reload

`SIGHUP` reads the same places again. The whole is checked first; if anything is wrong, the old configuration stays in force and the
log says what and where. When a change counts:

| | |
|---|---|
| `live` | at once, for everybody |
| `new` | for connections made from then on |
| `restart` | after a restart; a reload names such keys in the log and leaves them as they were |

## Who may do what

Outside `--dev` nobody may do anything until a namespace says so. A channel belongs to the namespace whose name stands before
its first `:`, if there is a table `[namespaces.NAME]`; otherwise to the default one, `[channels]`. NAME is 1 to 32 ASCII letters,
digits, `_` and `-`.

| | `nobody` | `token` | `user` | `anyone` |
|---|---|---|---|---|
| without a credential | no | no | no | yes |
| with a token that names the channel | no | yes | yes | yes |
| with another token, of a user (`sub`) | no | no | yes | yes |
| with an API key (`X-API-Key`) | yes | yes | yes | yes |

A token counts until it expires. Each of `subscribe`, `publish`, `read_history` and `read_presence` has its own; the keys `..._for_subscriber` let
whoever is subscribed do it too. Two kinds of channel are closer than their namespace, if the configuration says so:

* **Private** (`auth.private_channels`): a name that begins with `$`. Only a token that names the channel lets anybody in; `$chat:1` is in the
  namespace `chat`.
* **User-limited** (`user_limited_channels` of the namespace): a name with a `#`. `dialog#ann,bob` is for the users `ann` and `bob`, who need no
  other permission to subscribe. Where `publish` is `user`, these two may publish in it.

In both, whoever is subscribed counts as one of those who are inside. `channel_pattern` says which names exist at all, and holds for everybody.

Where `allow_wildcards` is on, a Centrifuge client may subscribe to many channels at once (`news.*`). Who may subscribe to the wildcard is asked as for a
channel of that name, and of each channel of which something comes it is asked again: a wildcard stays inside its namespace, and brings neither private
channels, unless it begins with `$` itself or the client's token names them, nor user-limited ones of others, not even with a token for the wildcard itself.

An API key may do everything: on every door, in every namespace, and in the HTTP API of the admin listener. It is for your own back ends.

A token is a JSON Web Token, signed with one of `auth.token_keys` (HMAC: HS256, HS384, HS512) or with the private half of a key in
`auth.token_public_keys_file` (RSA, ECDSA, Ed25519). A key is only ever used with the algorithms of its kind. A token that names a key in its header (`kid`)
is accepted all the same: these keys have no names, and each is tried.

```json
{"sub": "alice", "exp": 1893456000, "channels": ["news", "chat:*"], "subscribe": ["inbox:alice"], "publish": []}
```

`channels` may be subscribed to and published to, the other two lists say one of them. A name ending in `*` stands for every channel that begins
with what comes before; `*` anywhere else is an ordinary character. `exp` is required; `nbf` and `iat` count if they are there; clocks may differ
by 60 seconds. `wirebird gen-token --sub alice --ttl 1h --channel news` makes one, `wirebird check-token TOKEN` says what is wrong with one.
)";

constexpr std::string_view kPageTail = R"(
## Namespaces

```toml
[channels]                      # the default namespace
subscribe = "anyone"

[namespaces.chat]               # channels chat:...
subscribe = "token"
publish = "token"
history_messages_max = 200
history_age_max = "24h"
```

A namespace takes the keys of `[channels]`. What it does not set has the default of the table above, not the value that `[channels]` sets.
Namespaces are configured in the file only.
)";

// In comments: there is none unless somebody names one.
void append_named(std::string& out, const NamedTable& table) {
  out += '\n';
  append_comment(out,
                 fmt::format("{} Any number of tables [{}.NAME]; these are their keys.", table.help, table.section));
  out += fmt::format("#\n# [{}.NAME]\n", table.section);
  for (const Option& option : table.options) {
    out += "#\n";
    append_comment(out, option.help);
    append_comment(out, fmt::format("Takes: {}. A change {}.", accepted_values(option), reload_text(option.reload)));
    out += fmt::format("# {} = {}\n", option.name(), default_value(table, option));
  }
}

void append_named_page(std::string& out, const NamedTable& table) {
  out += fmt::format(
      "\n### [{}.NAME]\n\n{} Any number of tables, in the file only. NAME is 1 to 32 letters, digits, `_` and `-`, and "
      "no key of "
      "`[{}]`.\n\n```toml\n{}```\n\n| key | default | takes | change | meaning |\n|---|---|---|---|---|\n",
      table.section, table.help, table.section, table.example);
  for (const Option& option : table.options) {
    out += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", option.name(), default_value(table, option),
                       accepted_values(option), to_string(option.reload), option.help);
  }
}

}  // namespace

std::string accepted_values(const Option& option) {
  const std::string_view type = type_name(option);
  if (option.range.highest == 0) return std::string(type);
  const auto bound = [&](std::uint64_t number) {
    if (type == "duration") return format_duration(base::Duration{static_cast<base::Duration::rep>(number)});
    return option.unit == Unit::bytes ? format_size(number) : fmt::format("{}", number);
  };
  return fmt::format("{}, {} to {}{}", type, bound(option.range.lowest), bound(option.range.highest),
                     option.zero == Zero::automatic ? ", or auto" : "");
}

std::string default_config() {
  std::string out(kTomlHead);
  for (const Section& section : all_sections()) {
    out += "\n";
    append_comment(out, section.help);
    out += fmt::format("[{}]\n", section.name);
    for (const Option& option : all_options()) {
      if (option.section() != section.name) continue;
      out += "\n";
      append_comment(out, option.help);
      append_comment(out, fmt::format("Takes: {}. A change {}.", accepted_values(option), reload_text(option.reload)));
      out += fmt::format("{} = {}\n", option.name(), default_value(option));
    }
    if (const NamedTable* const table = find_named_table(section.name)) append_named(out, *table);
  }
  out += kTomlTail;
  return out;
}

std::string configuration_page() {
  std::string out(kPageHead);
  for (const Section& section : all_sections()) {
    out += fmt::format("\n## [{}]\n\n{}\n\n| key | default | takes | change | meaning |\n|---|---|---|---|---|\n",
                       section.name, section.help);
    for (const Option& option : all_options()) {
      if (option.section() != section.name) continue;
      out += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", option.name(), default_value(option),
                         accepted_values(option), to_string(option.reload), option.help);
    }
    if (const NamedTable* const table = find_named_table(section.name)) append_named_page(out, *table);
  }
  out += kPageTail;
  return out;
}

}  // namespace app
