// Tables of which there may be any number, each with a name that the operator chooses: [hooks.NAME], [issuers.NAME].
// They stand in the file only. (Namespaces are others: they repeat the keys of [channels].) Constants; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/option_table.h"

namespace app {

struct NamedTable {
  std::string_view section;  // "hooks": also a section of its own, whose keys are no names here
  std::string_view help;
  std::string_view example;         // lines of TOML
  std::span<const Option> options;  // their keys leave the name out: "hooks.url" is hooks.NAME.url
  // The entry of that name, made if there is none.
  void (*bind)(Target& target, const std::string& name);
};

std::span<const NamedTable> named_tables();
const NamedTable* find_named_table(std::string_view section);  // nullptr: there is none
const Option* find_named_option(const NamedTable& table, std::string_view name);

// 1 to 32 letters, digits, _ and -, and no key of the section.
bool valid_table_name(const NamedTable& table, std::string_view name);

}  // namespace app
