#include "app/import_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "app/config.h"
#include "app/import/centrifugo.h"

namespace app {
namespace {

using import::Finding;

// What a terminal would take for a command does not reach it.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out;
}

void append_findings(std::string& out, const std::vector<Finding>& findings, Finding::Kind kind,
                     std::string_view title) {
  bool first = true;
  for (const Finding& finding : findings) {
    if (finding.kind != kind) continue;
    if (std::exchange(first, false)) out += fmt::format("{}\n", title);
    out += "  " + printable(finding.key) + (finding.why.empty() ? "" : ": " + printable(finding.why)) + "\n";
  }
}

// The file that is being made stands in front of those on the disk.
class WithNewFiles final : public Files {
 public:
  WithNewFiles(const Files& others, std::string path, std::string content)
      : others_(others), path_(std::move(path)), content_(std::move(content)) {}
  void add(std::string path, std::string content) {
    second_path_ = std::move(path);
    second_content_ = std::move(content);
  }
  std::expected<std::string, std::string> read(const std::string& path) const override {
    if (path == path_) return content_;
    if (!second_path_.empty() && path == second_path_) return second_content_;
    return others_.read(path);
  }

 private:
  const Files& others_;
  std::string path_;
  std::string content_;
  std::string second_path_;
  std::string second_content_;
};

// What check-config would say of it here.
void append_check(std::string& out, const ImportCommand& command, const Files& files, const import::Imported& made) {
  const std::string path = command.out.empty() ? "wirebird.toml" : command.out;
  WithNewFiles with(files, path, made.toml);
  if (!made.public_keys_pem.empty()) with.add(public_keys_file(command), made.public_keys_pem);
  const auto options = load_options({.file = path, .environment = {}, .flags = {}}, with);
  if (options) {
    for (const std::string& warning : warnings(*options)) out += "warning: " + printable(warning) + "\n";
    return;
  }
  out += "The server would not start with it yet:\n";
  for (const ConfigError& error : options.error()) out += "  " + printable(to_string(error)) + "\n";
}

}  // namespace

std::string public_keys_file(const ImportCommand& command) {
  return command.out.empty() ? "" : command.out + ".public-keys.pem";
}

std::expected<ImportReport, std::string> import_config(const ImportCommand& command, const Files& files) {
  const std::string path = command.file == "-" ? "/dev/stdin" : command.file;
  const auto text = files.read(path);
  if (!text) return std::unexpected(fmt::format("{} {}", command.file, text.error()));
  auto made = import::import_centrifugo(import::format_of(command.file, *text), *text,
                                        {.public_keys_file = public_keys_file(command)});
  if (!made) return std::unexpected(fmt::format("{} {}", command.file, printable(made.error())));
  ImportReport report;
  append_findings(report.text, made->findings, Finding::Kind::changed, "Carried over, with a difference:");
  append_findings(report.text, made->findings, Finding::Kind::left_out, "Left out, for it has no equivalent:");
  append_findings(report.text, made->findings, Finding::Kind::unknown, "Not known, and left out:");
  append_check(report.text, command, files, *made);
  const bool all = std::ranges::all_of(made->findings,
                                       [](const Finding& finding) { return finding.kind == Finding::Kind::changed; });
  report.rest = all ? ImportReport::Rest::none : ImportReport::Rest::some;
  report.toml = std::move(made->toml);
  report.public_keys_pem = std::move(made->public_keys_pem);
  return report;
}

}  // namespace app
