#include "app/command_line_flags.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/value_text.h"

namespace app {
namespace {

constexpr std::size_t kColumns = 100;

}  // namespace

std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t column = kHelpNameColumn;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column + end > kColumns) {
      out.back() = '\n';
      column = kHelpNameColumn;
    }
    out += text.substr(0, end);
    out += ' ';
    column += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!out.empty()) out.pop_back();
  return out;
}

CLI::Option* add_duration(CLI::App& verb, const std::string& name, base::Duration& value, std::string_view help) {
  return verb
      .add_option_function<std::string>(
          name,
          [name, &value](const std::string& text) {
            const auto duration = parse_duration(text);
            if (!duration) throw CLI::ValidationError(name, fmt::format("\"{}\" {}", text, duration.error()));
            value = *duration;
          },
          wrapped(help))
      ->option_text("DURATION");
}

CLI::Option* add_bytes(CLI::App& verb, const std::string& name, std::uint32_t& value, std::string_view help) {
  return verb
      .add_option_function<std::string>(
          name,
          [name, &value](const std::string& text) {
            const auto size = parse_size(text);
            if (!size) throw CLI::ValidationError(name, fmt::format("\"{}\" {}", text, size.error()));
            if (*size > UINT32_MAX) throw CLI::ValidationError(name, fmt::format("\"{}\" is too large", text));
            value = static_cast<std::uint32_t>(*size);
          },
          wrapped(help))
      ->option_text("SIZE");
}

CLI::Option* add_number(CLI::App& verb, const std::string& name, std::uint32_t& value, std::string_view help) {
  return verb.add_option(name, value, wrapped(help))->option_text("N");
}

CLI::Option* add_text(CLI::App& verb, const std::string& name, std::string& value, const std::string& placeholder,
                      std::string_view help) {
  return verb.add_option(name, value, wrapped(help))->option_text(placeholder);
}

CLI::Option* add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                      std::string_view help) {
  return verb.add_option(name, values, wrapped(help))->allow_extra_args(false)->option_text("NAME ...");
}

}  // namespace app
