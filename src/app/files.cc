#include "app/files.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace app {

std::expected<std::string, std::string> DiskFiles::read(const std::string& path) const {
  const auto refusal = [](const char* what) {
    return std::unexpected(std::string(what) + ": " + std::generic_category().message(errno));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) return refusal("cannot be opened");
  std::string text(kFileBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return refusal("cannot be read");
  if (text.size() > kFileBytesMax) return std::unexpected("is larger than 1 MiB");
  return text;
}

}  // namespace app
