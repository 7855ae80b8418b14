#include "store/disk.h"

#include "base/assert.h"

namespace store {

std::string_view to_string(DiskError error) noexcept {
  switch (error) {
    case DiskError::none:
      return "none";
    case DiskError::failed:
      return "input/output error";
    case DiskError::full:
      return "no space left";
    case DiskError::missing:
      return "no such file";
    case DiskError::denied:
      return "permission denied or read-only";
  }
  ASSERT(false);
}

std::expected<std::string, DiskError> read_file(Disk& disk, std::string_view name, std::size_t bytes_max) {
  auto file = disk.open(name, Disk::Mode::read);
  if (!file) return std::unexpected(file.error());
  std::string content(bytes_max + 1, '\0');
  const auto bytes = (*file)->read(0, content);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes > bytes_max) return std::unexpected(DiskError::failed);
  content.resize(*bytes);
  return content;
}

DiskError replace_file(Disk& disk, std::string_view name, std::string_view content) {
  const std::string beside = std::string(name) + ".new";
  {
    auto file = disk.open(beside, Disk::Mode::create);
    if (!file) return file.error();
    for (const DiskError error : {(*file)->truncate(0), (*file)->write(0, content), (*file)->sync()}) {
      if (error != DiskError::none) return error;
    }
  }
  if (const DiskError error = disk.rename(beside, name); error != DiskError::none) return error;
  return disk.sync_folder();
}

}  // namespace store
