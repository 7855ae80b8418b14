// The environment and the flags.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/config_draft.h"
#include "app/nearest.h"
#include "app/option_table.h"
#include "base/assert.h"

namespace app {
namespace {

// "a, b" -> {"a", "b"}; empty pieces are left out, so that an empty variable is an empty list.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view piece = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (piece.starts_with(' ')) piece.remove_prefix(1);
    while (piece.ends_with(' ')) piece.remove_suffix(1);
    if (!piece.empty()) pieces.emplace_back(piece);
  }
  return pieces;
}

}  // namespace

bool is_foreign_variable(std::string_view name) {
  constexpr std::array<std::string_view, 4> kOfCommands = {"WIREBIRD_TOKEN", "WIREBIRD_URL", "WIREBIRD_CONFIG",
                                                           "WIREBIRD_PORT"};
  return std::ranges::find(kOfCommands, name) != kOfCommands.end() || name.starts_with("WIREBIRD_PORT_") ||
         name.starts_with("WIREBIRD_SERVICE_");
}

void read_environment(ConfigDraft& draft, const Environment& environment) {
  for (const auto& [name, value] : environment) {
    if (is_foreign_variable(name) || draft.full()) continue;
    const auto found = std::ranges::find(all_options(), name, environment_name);
    if (found != std::end(all_options())) {
      draft.set(*found, is_list(*found) ? split_list(value) : std::vector{value}, name);
      continue;
    }
    std::vector<std::string> words;
    for (const Option& option : all_options()) words.push_back(environment_name(option));
    const auto hint = nearest(name, words);
    draft.refuse(name, hint ? fmt::format("unknown variable; did you mean {}?", *hint)
                            : "unknown variable; names are WIREBIRD_SECTION_KEY, see docs/configuration.md");
  }
}

void read_flags(ConfigDraft& draft, const std::vector<FlagValue>& flags) {
  for (const FlagValue& flag : flags) {
    const Option* const option = find_option(flag.key);
    ASSERT(option != nullptr);  // the command line is built from the table
    std::vector<std::string> texts;
    for (const std::string& value : flag.values) {
      if (is_list(*option)) {
        std::ranges::move(split_list(value), std::back_inserter(texts));
      } else {
        texts.push_back(value);
      }
    }
    draft.set(*option, texts, flag_name(*option));
  }
}

}  // namespace app
