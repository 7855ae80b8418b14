#include "app/serve.h"

#include <fmt/core.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "app/banner.h"
#include "app/process.h"
#include "loop/signals.h"
#include "server/version.h"

namespace app {
namespace {

// The server's log on spdlog's default logger (standard error).
class SpdLog final : public server::Log {
 public:
  bool wants(server::LogLevel level) const override { return spdlog::should_log(level_of(level)); }
  void write(server::LogLevel level, std::string_view line) override {
    spdlog::log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  static spdlog::level::level_enum level_of(server::LogLevel level) {
    switch (level) {
      case server::LogLevel::debug:
        return spdlog::level::debug;
      case server::LogLevel::info:
        return spdlog::level::info;
      case server::LogLevel::warning:
        return spdlog::level::warn;
      default:
        return spdlog::level::err;
    }
  }
};

// Validates first: with any error the old configuration stays as a whole.
void reload(Process& process, const ConfigSources& sources) {
  const auto options = load_options(sources, DiskFiles());
  if (!options) {
    spdlog::error("reload: the configuration is not valid, the old one stays");
    for (const ConfigError& error : options.error()) spdlog::error("reload: {}", to_string(error));
    return;
  }
  const auto merged = process.reload(*options);
  if (!merged) {
    spdlog::error("reload: the configuration cannot be used, the old one stays: {}", merged.error());
    return;
  }
  for (const std::string& key : merged->waiting) spdlog::warn("reload: {} counts only after a restart", key);
  spdlog::info("reload: the new configuration is in force, {} changes", merged->changes.size());
}

}  // namespace

int run_serve(server::OptionsRef options, const ConfigSources& sources) {
  auto signals = loop::Signals::open();
  if (!signals) {
    fmt::print(stderr, "wirebird: {}\n", signals.error());
    return 1;
  }
  spdlog::set_default_logger(spdlog::stderr_logger_mt("wirebird"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(options->log_level));
  SpdLog log;
  auto started = Process::start(*options, log);
  if (!started) {
    fmt::print(stderr, "wirebird: {}\n", started.error());
    return 1;
  }
  Process& process = **started;
  fmt::print("{}", banner(*options, process.listeners()));
  std::fflush(stdout);
  spdlog::info("wirebird {} is ready: {} workers, {} listeners", server::kVersion, process.workers(),
               process.listeners().size());

  bool draining = false;
  while (!process.finished()) {
    // While draining the end of the workers is looked for; otherwise only signals matter.
    const auto signal =
        (*signals)->wait(draining ? base::Duration(std::chrono::milliseconds(20)) : base::Duration::max());
    if (!signal) continue;
    if (*signal == loop::Signal::reload) {
      reload(process, sources);
    } else if (draining) {
      spdlog::warn("second signal: ending now");
      break;
    } else {
      draining = true;
      spdlog::info("draining: no new connections; clients are told to come back");
      process.drain();
    }
  }
  spdlog::info("bye");
  return 0;
}

}  // namespace app
