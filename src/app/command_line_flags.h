// Kinds of flags that several verbs have. Each keeps a reference to `value`, which must outlive the verb's last parse.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace app {

inline constexpr std::size_t kHelpNameColumn = 30;

// A description with line ends where it would leave the screen.
std::string wrapped(std::string_view text);

CLI::Option* add_duration(CLI::App& verb, const std::string& name, base::Duration& value, std::string_view help);
CLI::Option* add_bytes(CLI::App& verb, const std::string& name, std::uint32_t& value, std::string_view help);
CLI::Option* add_number(CLI::App& verb, const std::string& name, std::uint32_t& value, std::string_view help);
// `placeholder` is what the help shows for the value.
CLI::Option* add_text(CLI::App& verb, const std::string& name, std::string& value, const std::string& placeholder,
                      std::string_view help);
CLI::Option* add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values, std::string_view help);

// A flag that stands for one value of an enum.
template <class Value>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, Value& value, Value chosen, std::string_view help) {
  return verb.add_flag_function(
      name,
      [&value, chosen](std::int64_t count) {
        if (count > 0) value = chosen;
      },
      wrapped(help));
}

}  // namespace app
