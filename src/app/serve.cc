#include "app/serve.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

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

constexpr std::size_t kReasonBytesMax = 1024;

// One event with its fields, in the order they are added.
class Event {
 public:
  explicit Event(std::string_view name) : line_(name) {}
  Event& with(std::string_view key, std::string_view value) {
    server::append_field(line_, key, value, kReasonBytesMax);
    return *this;
  }
  Event& with(std::string_view key, std::size_t number) { return with(key, std::to_string(number)); }
  void write(server::Log& log, server::LogLevel level) const { log.write(level, line_); }

 private:
  std::string line_;
};

// Validates first: with any error the old configuration stays as a whole.
void reload(Process& process, const ConfigSources& sources, server::Log& log) {
  using server::LogLevel;
  const auto options = load_options(sources, DiskFiles());
  if (!options) {
    for (const ConfigError& error : options.error()) {
      Event("reload_refused").with("where", error.where).with("reason", error.message).write(log, LogLevel::error);
    }
    return;
  }
  const auto merged = process.reload(*options);
  if (!merged) return Event("reload_refused").with("reason", merged.error()).write(log, LogLevel::error);
  Event event("reloaded");
  event.with("changes", merged->changes.size());
  if (!merged->waiting.empty()) event.with("need_restart", fmt::format("{}", fmt::join(merged->waiting, " ")));
  event.write(log, merged->waiting.empty() ? LogLevel::info : LogLevel::warning);
}

}  // namespace

int run_serve(server::OptionsRef options, const ConfigSources& sources) {
  auto signals = loop::Signals::open();
  if (!signals) {
    fmt::print(stderr, "wirebird: {}\n", signals.error());
    return 1;
  }
  using server::LogLevel;
  spdlog::set_default_logger(spdlog::stderr_logger_mt("wirebird"));
  spdlog::set_pattern("time=%Y-%m-%dT%H:%M:%S.%e%z level=%l event=%v");  // docs/operations.md, Logs
  spdlog::set_level(spdlog::level::from_str(options->log_level));
  SpdLog log;
  for (const std::string& warning : warnings(*options)) {
    Event("configuration").with("reason", warning).write(log, LogLevel::warning);
  }
  auto started = Process::start(*options, log);
  if (!started) {
    Event("not_started").with("reason", started.error()).write(log, LogLevel::error);
    return 1;
  }
  Process& process = **started;
  fmt::print("{}", banner(*options, process.listeners()));
  std::fflush(stdout);
  for (const server::Listener& listener : process.listeners()) {
    Event("listening")
        .with("address", (listener.tls ? "https://" : "") + listener.address)
        .with("for", listener.admin ? "admin" : "clients")
        .write(log, LogLevel::info);
  }
  Event("ready")
      .with("version", server::kVersion)
      .with("workers", process.workers())
      .with("dev", options->dev ? "true" : "false")
      .write(log, LogLevel::info);

  if (const std::string& reason = process.without_batcher(); !reason.empty()) {
    Event("no_send_batcher").with("reason", reason).write(log, LogLevel::info);
  }

  ConfigSources again = sources;
  again.runs_in_dev = options->dev;
  bool draining = false;
  while (!process.finished()) {
    // While draining the end of the workers is looked for; otherwise only signals matter.
    const auto signal =
        (*signals)->wait(draining ? base::Duration(std::chrono::milliseconds(20)) : base::Duration::max());
    if (!signal) continue;
    if (*signal == loop::Signal::reload) {
      reload(process, again, log);
    } else if (draining) {
      Event("second_signal").write(log, LogLevel::warning);
      break;
    } else {
      draining = true;
      Event("draining").write(log, LogLevel::info);
      process.drain();
    }
  }
  Event("stopped").write(log, LogLevel::info);
  return 0;
}

}  // namespace app
