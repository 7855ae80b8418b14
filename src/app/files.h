// Files as the configuration needs them: read whole. An interface, so that tests bring their own. Small text files
// only.
#pragma once

#include <expected>
#include <string>

namespace app {

class Files {
 public:
  virtual ~Files() = default;
  // The content, or why not, as the end of a sentence that begins with the path: "cannot be opened: Permission denied".
  virtual std::expected<std::string, std::string> read(const std::string& path) const = 0;

  // 1 MiB: far above every configuration and certificate chain, far below what hurts if somebody says /dev/zero.
  static constexpr std::size_t kFileBytesMax = 1 << 20;
};

class DiskFiles final : public Files {
 public:
  std::expected<std::string, std::string> read(const std::string& path) const override;
};

}  // namespace app
