// The TOML file.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "app/config_draft.h"
#include "app/nearest.h"
#include "app/option_table.h"
#include "auth/policy.h"

namespace app {
namespace {

constexpr std::string_view kNamespaces = "namespaces";

class TomlReader {
 public:
  TomlReader(ConfigDraft& draft, const std::string& path) : draft_(draft), path_(path) {}

  void read(const toml::table& document) {
    for (const auto& [key, node] : document) {
      const std::string_view name = key.str();
      const bool known =
          name == kNamespaces || std::ranges::find(all_sections(), name, &Section::name) != std::end(all_sections());
      if (!known) {
        refuse_unknown(name, key.source());
      } else if (!node.is_table()) {
        refuse(node.source(),
               fmt::format("{} is a table: write [{}] on a line of its own, and its keys below", name, name));
      } else if (name == kNamespaces) {
        read_namespaces(*node.as_table());
      } else {
        read_section(name, *node.as_table());
      }
    }
  }

 private:
  void read_section(std::string_view section, const toml::table& table) {
    const NamedTable* const named = find_named_table(section);
    for (const auto& [key, node] : table) {
      const std::string full = fmt::format("{}.{}", section, key.str());
      if (named != nullptr && node.is_table()) {
        read_named(*named, full, std::string(key.str()), key.source(), *node.as_table());
        continue;
      }
      const Option* const option = find_option(full);
      if (option == nullptr) {
        refuse_unknown(full, key.source());
      } else if (const auto texts = texts_of(*option, full, node)) {
        draft_.set(*option, *texts, place(node.source()));
      }
    }
  }

  void read_named(const NamedTable& named, const std::string& full, const std::string& name,
                  const toml::source_region& source, const toml::table& table) {
    if (!valid_table_name(named, name)) {
      return refuse(source, fmt::format("{}: its name is 1 to 32 letters, digits, _ and -, and no key of [{}]", full,
                                        named.section));
    }
    Target target{draft_.settings, draft_.settings.channels};
    named.bind(target, name);  // exists even if it sets nothing
    draft_.note_place(full, place(source));
    for (const auto& [key, node] : table) {
      const std::string inner = fmt::format("{}.{}", full, key.str());
      if (const Option* const option = find_named_option(named, key.str())) {
        if (const auto texts = texts_of(*option, inner, node)) {
          draft_.set_in_table(named, name, *option, *texts, place(node.source()));
        }
      } else {
        std::vector<std::string> words;
        for (const Option& each : named.options) words.emplace_back(each.name());
        const auto hint = nearest(key.str(), words);
        refuse(key.source(), hint ? fmt::format("unknown key {}; did you mean {}?", inner, *hint)
                                  : fmt::format("unknown key {}; `wirebird default-config` prints all keys", inner));
      }
    }
  }

  void read_namespaces(const toml::table& spaces) {
    for (const auto& [key, node] : spaces) {
      const std::string name(key.str());
      if (!auth::valid_namespace_name(name)) {
        refuse(key.source(),
               fmt::format("namespaces.{}: the name of a namespace is 1 to 32 letters, digits, _ and -", name));
      } else if (!node.is_table()) {
        refuse(node.source(), fmt::format("namespaces.{} is a table: write [namespaces.{}]", name, name));
      } else {
        draft_.namespace_named(name);  // exists even if it sets nothing
        read_namespace(name, *node.as_table());
      }
    }
  }

  void read_namespace(const std::string& space, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string full = fmt::format("namespaces.{}.{}", space, key.str());
      const Option* const option = find_option(fmt::format("channels.{}", key.str()));
      if (option == nullptr) {
        refuse_unknown(full, key.source());
      } else if (const auto texts = texts_of(*option, full, node)) {
        draft_.set_in_namespace(space, *option, *texts, place(node.source()));
      }
    }
  }

  // The value as texts, as it would stand in the environment. nullopt: refused.
  std::optional<std::vector<std::string>> texts_of(const Option& option, const std::string& key,
                                                   const toml::node& node) {
    if (is_list(option)) {
      std::vector<std::string> texts;
      if (const toml::array* const array = node.as_array()) {
        for (const toml::node& element : *array) {
          const auto text = element.value_exact<std::string>();
          if (!text) return refuse_type(element, key, "a list of texts in quotes: [\"...\", \"...\"]");
          texts.push_back(*text);
        }
        return texts;
      }
      return refuse_type(node, key, "a list of texts in quotes: [\"...\", \"...\"]");
    }
    if (is_switch(option)) {
      const auto on = node.value_exact<bool>();
      if (!on) return refuse_type(node, key, "true or false");
      return std::vector<std::string>{*on ? "true" : "false"};
    }
    if (const auto text = node.value_exact<std::string>()) return std::vector{*text};
    const bool takes_number = option.range.highest > 0 && type_name(option) != "duration";
    if (const auto number = node.value_exact<std::int64_t>(); number && takes_number) {
      return std::vector{fmt::format("{}", *number)};
    }
    return refuse_type(node, key,
                       takes_number                      ? "a whole number"
                       : type_name(option) == "duration" ? "a duration in quotes, for example \"10s\""
                                                         : "a text in quotes");
  }

  std::nullopt_t refuse_type(const toml::node& node, const std::string& key, std::string_view wanted) {
    refuse(node.source(), fmt::format("{} is {}", key, wanted));
    return std::nullopt;
  }

  void refuse_unknown(std::string_view typed, const toml::source_region& source) {
    if (!draft_.full()) refuse(source, unknown_key(typed));
  }

  // A known key if it is spelled nearly the same, or the same key in the section where it belongs.
  static std::string unknown_key(std::string_view typed) {
    const std::string_view leaf = typed.substr(typed.rfind('.') + 1);
    const bool in_namespace = typed.starts_with("namespaces.");
    std::vector<std::string> words;
    for (const Option& option : all_options()) {
      if (!in_namespace && option.name() == leaf) {
        return fmt::format("unknown key {}; did you mean {}?", typed, option.key);
      }
      if (!in_namespace) {
        words.emplace_back(option.key);
      } else if (option.section() == "channels") {
        words.emplace_back(option.name());
      }
    }
    if (!in_namespace && leaf == typed) {
      words.clear();
      for (const Section& section : all_sections()) words.emplace_back(section.name);
      words.emplace_back(kNamespaces);
    }
    const auto hint = nearest(in_namespace ? leaf : typed, words);
    if (!hint) return fmt::format("unknown key {}; `wirebird default-config` prints all keys", typed);
    return fmt::format("unknown key {}; did you mean {}?", typed, *hint);
  }

  void refuse(const toml::source_region& source, std::string message) {
    draft_.refuse(place(source), std::move(message));
  }

  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}:{}", path_, source.begin.line, source.begin.column);
  }

  ConfigDraft& draft_;
  const std::string& path_;
};

}  // namespace

void read_file(ConfigDraft& draft, const std::string& path, std::string_view text) {
  try {
    TomlReader(draft, path).read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    draft.refuse(fmt::format("{}:{}:{}", path, error.source().begin.line, error.source().begin.column),
                 std::string(error.description()));
  }
}

}  // namespace app
