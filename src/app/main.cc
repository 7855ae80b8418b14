#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"
#include "app/verbs.h"

namespace {

app::Environment environment() {
  app::Environment variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (!text.starts_with("WIREBIRD_") || equals == std::string_view::npos) continue;
    variables.push_back({std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))});
  }
  return variables;
}

}  // namespace

int main(int argc, char** argv) {
  const auto command = app::parse_command_line(std::vector<std::string>(argv + 1, argv + argc), environment());
  if (command) return app::run(*command);
  fmt::print(command.error().exit_code == 0 ? stdout : stderr, "{}", command.error().text);
  return command.error().exit_code;
}
