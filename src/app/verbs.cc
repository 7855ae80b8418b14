#include "app/verbs.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "app/check_token.h"
#include "app/gen_token.h"
#include "app/import_config.h"
#include "app/new_file.h"
#include "app/reference.h"
#include "app/serve.h"
#include "server/version.h"

namespace app {
namespace {

int refuse(const std::vector<ConfigError>& errors) {
  for (const ConfigError& error : errors) fmt::print(stderr, "error: {}\n", to_string(error));
  return kExitWrongConfig;
}

void print_warnings(const server::Options& options) {
  for (const std::string& warning : warnings(options)) fmt::print(stderr, "warning: {}\n", warning);
}

int run_verb(const ServeCommand& command) {
  auto options = load_options(command.sources, DiskFiles{});
  if (!options) return refuse(options.error());
  return run_serve(std::make_shared<const server::Options>(std::move(*options)), command.sources);
}

int run_verb(const CheckConfigCommand& command) {
  const auto options = load_options(command.sources, DiskFiles{});
  if (!options) return refuse(options.error());
  print_warnings(*options);
  fmt::print("{}: all is well\n", command.sources.file.empty() ? "environment and defaults" : command.sources.file);
  return kExitDone;
}

int run_verb(const DefaultConfigCommand& command) {
  const bool markdown = command.format == DefaultConfigCommand::Format::markdown;
  fmt::print("{}", markdown ? configuration_page() : default_config());
  return kExitDone;
}

base::WallTime wall_time() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count()};
}

int run_verb(const GenTokenCommand& command) {
  const auto token = gen_token(command, DiskFiles{}, wall_time());
  if (!token) return refuse(token.error());
  fmt::print("{}\n", *token);
  return kExitDone;
}

int run_verb(const CheckTokenCommand& command) {
  const auto report = check_token(command, DiskFiles{}, wall_time());
  if (!report) return refuse(report.error());
  fmt::print("{}", report->text);
  return report->verdict == TokenReport::Verdict::good ? kExitDone : kExitWrongConfig;
}

int refuse_import(const std::string& why) {
  fmt::print(stderr, "error: {}\n", why);
  return kExitWrongConfig;
}

int run_verb(const ImportCommand& command) {
  const auto report = import_config(command, DiskFiles{});
  if (!report) return refuse_import(report.error());
  fmt::print(stderr, "{}", report->text);
  if (command.out.empty()) {
    fmt::print("{}", report->toml);
  } else {
    if (const auto made = make_secret_file(command.out, report->toml); !made) return refuse_import(made.error());
    if (!report->public_keys_pem.empty()) {
      const auto made = make_secret_file(public_keys_file(command), report->public_keys_pem);
      if (!made) return refuse_import(made.error());
    }
  }
  return report->rest == ImportReport::Rest::none ? kExitDone : kExitSomeLeftOut;
}

int run_verb(const VersionCommand&) {
  fmt::print("wirebird {}\n", server::kVersion);
  return kExitDone;
}

int run_verb(const client::PubOptions& options) { return client::run_pub(options); }
int run_verb(const client::SubOptions& options) { return client::run_sub(options); }
int run_verb(const client::BenchOptions& options) { return client::run_bench(options); }
int run_verb(const client::DemoFeedOptions& options) { return client::run_demo_feed(options); }

}  // namespace

int run(const Command& command) {
  return std::visit([](const auto& verb) { return run_verb(verb); }, command);
}

}  // namespace app
