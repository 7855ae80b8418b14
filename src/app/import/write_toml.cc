#include <fmt/format.h>

#include <string>
#include <vector>

#include "app/import/parts.h"
#include "app/named_tables.h"
#include "app/option_table.h"

namespace app::import {
namespace {

constexpr std::size_t kColumns = 118;

// `text` as comments, each line after the first `indent` deeper. What somebody else wrote must not end the comment.
void append_comment(std::string& out, std::string_view text, std::size_t indent = 0) {
  std::string line = "#";
  std::string word;
  const auto end_word = [&] {
    if (word.empty()) return;
    if (line.size() + 1 + word.size() > kColumns && line.size() > indent + 1) {
      out += line + "\n";
      line = "#" + std::string(indent, ' ');
    }
    line += ' ' + word;
    word.clear();
  };
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (c == ' ' || control) {
      end_word();
    } else {
      word += c;
    }
  }
  end_word();
  out += line + "\n";
}

void append_findings(std::string& out, const Draft& draft, Finding::Kind kind, std::string_view title) {
  bool first = true;
  for (const Finding& finding : draft.findings()) {
    if (finding.kind != kind) continue;
    if (std::exchange(first, false)) out += fmt::format("#\n# {}\n", title);
    append_comment(out, finding.why.empty() ? "* " + finding.key : fmt::format("* {}: {}", finding.key, finding.why),
                   2);
  }
}

void append_remarks(std::string& out, const Draft& draft, const std::string& key) {
  const auto* const lines = draft.remarks_of(key);
  if (lines == nullptr) return;
  for (const std::string& line : *lines) out += "# " + line + "\n";
}

std::string secrets_text(const Option& option, Target target) {
  const Slot slot = option.slot(target);
  std::string list;
  for (const base::Secret& secret : *std::get<std::vector<base::Secret>*>(slot)) {
    list += (list.empty() ? "" : ", ") + toml_text(secret.reveal());
  }
  return "[" + list + "]";
}

void append_value(std::string& out, const Option& option, Target target, Target standard) {
  if (same_value(option, target, standard)) return;
  out += fmt::format("{} = {}\n", option.name(),
                     is_secret(option) ? secrets_text(option, target) : toml_value(option, target));
}

// The default namespace of [channels] or one of [namespaces].
void append_channels(std::string& out, const Draft& draft, const server::NamespaceOptions& space, Settings& settings,
                     Settings& defaults) {
  server::NamespaceOptions values = space;
  for (const Option& option : all_options()) {
    if (option.section() != "channels") continue;
    const std::string key =
        space.name.empty() ? std::string(option.key) : fmt::format("namespaces.{}.{}", space.name, option.name());
    append_remarks(out, draft, key);
    append_value(out, option, {settings, values}, {defaults, defaults.channels});
  }
}

// [hooks.NAME], [issuers.NAME]
void append_named_table(std::string& out, const NamedTable& table, const std::string& name, Settings& settings) {
  Target target{settings, settings.channels};
  table.bind(target, name);
  Settings blank;
  Target standard{blank, blank.channels};
  table.bind(standard, name);
  out += fmt::format("\n[{}.{}]\n", table.section, name);
  for (const Option& option : table.options) append_value(out, option, target, standard);
}

}  // namespace

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string write_toml(const Draft& draft) {
  std::string out =
      "# Configuration of Wirebird, made by `wirebird import centrifugo`. `wirebird check-config FILE` looks at it,\n"
      "# docs/configuration.md explains its keys. There may be secrets in it.\n";
  append_findings(out, draft, Finding::Kind::changed, "Carried over, with a difference:");
  append_findings(out, draft, Finding::Kind::left_out, "Left out, for it has no equivalent:");
  append_findings(out, draft, Finding::Kind::unknown, "Not known, and left out:");

  Settings settings = draft.settings;
  Settings defaults;
  for (const Section& section : all_sections()) {
    std::string body;
    if (section.name == "channels") {
      append_channels(body, draft, draft.settings.channels, settings, defaults);
    } else {
      for (const Option& option : all_options()) {
        if (option.section() != section.name) continue;
        append_remarks(body, draft, std::string(option.key));
        append_value(body, option, {settings, settings.channels}, {defaults, defaults.channels});
      }
    }
    if (!body.empty()) out += fmt::format("\n[{}]\n{}", section.name, body);
  }
  for (const server::HookOptions& hook : draft.settings.server.hooks) {
    append_named_table(out, *find_named_table("hooks"), hook.name, settings);
  }
  for (const server::IssuerOptions& issuer : draft.settings.server.issuers) {
    append_named_table(out, *find_named_table("issuers"), issuer.name, settings);
  }
  for (const server::NamespaceOptions& space : draft.settings.namespaces) {
    out += fmt::format("\n[namespaces.{}]\n", space.name);
    append_channels(out, draft, space, settings, defaults);
  }
  return out;
}

}  // namespace app::import
