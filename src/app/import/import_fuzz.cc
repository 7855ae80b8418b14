// Whatever file is imported, in any format: either it is refused with a reason, or what comes out is a configuration
// that our own loader takes, but for files that it names.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "app/config.h"
#include "app/import/centrifugo.h"
#include "base/assert.h"

namespace {

class NewFile final : public app::Files {
 public:
  explicit NewFile(const std::string& content) : content_(content) {}
  std::expected<std::string, std::string> read(const std::string& path) const override {
    if (path == "w.toml") return content_;
    return std::unexpected("is elsewhere");
  }

 private:
  const std::string& content_;
};

bool is_about_a_file(const app::ConfigError& error) {
  return error.message.contains("is elsewhere") || error.message.contains("tls.");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using app::import::Format;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  if (input.empty()) return 0;
  const Format format = input[0] == 'j' ? Format::json : input[0] == 't' ? Format::toml : Format::yaml;
  const auto made = app::import::import_centrifugo(format, input.substr(1), {.public_keys_file = "keys.pem"});
  if (!made) {
    ASSERT(!made.error().empty());
    return 0;
  }
  const auto options = app::load_options({.file = "w.toml", .environment = {}, .flags = {}}, NewFile(made->toml));
  if (!options) {
    for (const app::ConfigError& error : options.error()) {
      if (is_about_a_file(error)) continue;
      std::fprintf(stderr, "%s\n%s\n", to_string(error).c_str(), made->toml.c_str());
      ASSERT(false);
    }
  }
  return 0;
}
