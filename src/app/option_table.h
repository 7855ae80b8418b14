// The one table of everything an operator can set. It drives the TOML file, the environment, the flags of `serve`,
// `default-config`, what a reload reports, and docs/configuration.md: an option that is not here does not exist, and
// one that is here exists everywhere.
//
// Key `limits.message_bytes_max` is `message_bytes_max` in the table `[limits]` of the file,
// WIREBIRD_LIMITS_MESSAGE_BYTES_MAX in the environment and --limits-message-bytes-max on the command line (--listen for
// server.listen: that section is left out). The keys of `[channels]` belong to the default namespace; in the file the
// same keys may stand under
// `[namespaces.NAME]`. Keys and texts are constants; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/settings.h"
#include "auth/auth.h"
#include "base/secret.h"
#include "base/time.h"
#include "hub/rules.h"

namespace app {

// When a reload (SIGHUP) makes a change count.
enum class Reload : std::uint8_t { live, new_connections, restart };
std::string_view to_string(Reload reload);

enum class Unit : std::uint8_t { none, bytes };
enum class Zero : std::uint8_t { number, automatic };       // automatic: written "auto"
enum class OnCommandLine : std::uint8_t { flag, no_flag };  // secrets: `ps` shows flags to everybody

// Where an option's value is: in the settings, or in the namespace or named table that the key belongs to.
struct Target {
  Settings& settings;
  server::NamespaceOptions& channels;
  server::HookOptions* hook = nullptr;  // of keys of named_tables.h
  server::IssuerOptions* issuer = nullptr;
};

using Slot = std::variant<bool*, std::uint16_t*, std::uint32_t*, std::uint64_t*, base::Duration*, std::string*,
                          std::vector<std::string>*, std::vector<base::Secret>*, auth::Access*,
                          std::optional<auth::Access>*, hub::SlowReader*, hub::SubscriptionType*, hub::MapMode*,
                          server::ClientKey*, server::RecoveryMode*, door::PayloadFormat*, server::ApiErrors*>;

// Of numbers: the value itself, bytes or nanoseconds. "auto" is always within.
struct Range {
  std::uint64_t lowest = 0;
  std::uint64_t highest = 0;
};

struct Option {
  std::string_view key;  // "section.name"
  Slot (*slot)(Target);
  Reload reload;
  std::string_view help;  // one or more sentences, plain text
  Range range{};
  Unit unit = Unit::none;
  Zero zero = Zero::number;
  OnCommandLine command_line = OnCommandLine::flag;

  std::string_view section() const { return key.substr(0, key.find('.')); }
  std::string_view name() const { return key.substr(key.find('.') + 1); }
};

struct Section {
  std::string_view name;
  std::string_view help;
};

std::span<const Section> all_sections();  // in the order of the documentation
std::span<const Option> all_options();    // grouped by section, in that order

const Option* find_option(std::string_view key);  // nullptr: there is none

std::string environment_name(const Option& option);  // "WIREBIRD_LIMITS_MESSAGE_BYTES_MAX"
std::string flag_name(const Option& option);         // "--limits-message-bytes-max"

// What kind of value it is, for a person: "size", "duration", "list of texts", "nobody, anyone or token".
std::string_view type_name(const Option& option);
bool is_list(const Option& option);
bool is_switch(const Option& option);
bool is_secret(const Option& option);

// Replaces the value. A list takes any number of texts, everything else exactly one. The error says what is wrong with
// the text, as the end of a sentence that begins with the key; it never quotes a secret.
std::expected<void, std::string> assign(const Option& option, Target target, std::span<const std::string> texts);

// The value as it would be written in TOML. Secrets as the empty list.
std::string toml_value(const Option& option, Target target);

bool same_value(const Option& option, Target a, Target b);
void copy_value(const Option& option, Target to, Target from);

}  // namespace app
