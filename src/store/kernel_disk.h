// A folder of the file system as a Disk. Any thread.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "store/disk.h"

namespace store {

class KernelDisk final : public Disk {
 public:
  // Makes the folder if only its last part is missing. The error is a text for the operator.
  static std::expected<std::unique_ptr<KernelDisk>, std::string> open_folder(std::string path);
  ~KernelDisk() override;

  std::expected<std::unique_ptr<File>, DiskError> open(std::string_view name, Mode mode) override;
  bool exists(std::string_view name) override;
  DiskError remove(std::string_view name) override;
  DiskError rename(std::string_view from, std::string_view to) override;
  DiskError sync_folder() override;
  std::expected<std::uint64_t, DiskError> free_bytes() override;
  std::string path_of(std::string_view name) const override;

 private:
  KernelDisk(int folder, std::string path) : folder_(folder), path_(std::move(path)) {}

  int folder_;
  std::string path_;
};

// One server per folder: held as long as the object lives, gone with the process, however it ends. Any thread.
class FolderLock {
 public:
  // `owner` is written into the file for whoever comes second: one line that names this process. The error is a text
  // for the operator, with that line of the first. The folder exists.
  static std::expected<std::unique_ptr<FolderLock>, std::string> take(const std::string& folder,
                                                                      std::string_view owner);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int file) : file_(file) {}

  int file_;
};

}  // namespace store
