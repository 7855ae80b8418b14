// The configuration against bytes: a TOML file, or (first byte odd) variables of the environment, one per line.
#include <cstdint>
#include <string>
#include <string_view>

#include "app/config.h"
#include "base/assert.h"

namespace {

class OneFile final : public app::Files {
 public:
  explicit OneFile(std::string text) : text_(std::move(text)) {}
  std::expected<std::string, std::string> read(const std::string& path) const override {
    if (path == "fuzz.toml") return text_;
    if (path == "pem") return "-----BEGIN X-----";
    return std::unexpected("cannot be opened");
  }

 private:
  std::string text_;
};

app::Environment variables(std::string_view lines) {
  app::Environment environment;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t equals = std::min(line.find('='), line.size());
    environment.push_back({"WIREBIRD_" + std::string(line.substr(0, equals)),
                           std::string(line.substr(std::min(equals + 1, line.size())))});
  }
  return environment;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const bool from_file = bytes[0] % 2 == 0;
  const OneFile files{std::string(from_file ? input : "")};
  const auto options = app::load_options({.file = from_file ? "fuzz.toml" : "",
                                          .environment = from_file ? app::Environment{} : variables(input),
                                          .flags = {}},
                                         files);
  if (!options) {
    ASSERT(!options.error().empty());
    for (const app::ConfigError& error : options.error()) ASSERT(!error.where.empty() && !error.message.empty());
    return 0;
  }
  // What was accepted holds what the server counts on.
  ASSERT(!options->listeners.empty() && options->namespaces.front().name.empty());
  ASSERT(options->message_bytes_max > 0 && options->queue_bytes_max >= options->message_bytes_max);
  for (const base::Secret& key : options->token_hs256_keys) ASSERT(key.reveal().size() >= 32);
  ASSERT(app::diff_options(*options, *options).empty());
  app::warnings(*options);
  return 0;
}
