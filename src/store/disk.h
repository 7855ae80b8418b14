// What the ledger needs of a disk: the files of one folder. The kernel's is KernelDisk; the simulator has one in memory
// whose power can be cut (sim/disk.h).
//
// Names are plain file names. What was written is on stable storage after sync() of its file has said so; that a file
// exists, has another name or is gone, after sync_folder(). Nothing here retries what has failed, except for what the
// kernel only interrupted.
//
// Threads: files are used by one thread each; different files and the disk itself by any, as far as the implementation
// says so. A disk outlives its files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace store {

enum class DiskError : std::uint8_t {
  none = 0,
  failed = 1,   // the device or the file system says no; nobody knows what it holds now
  full = 2,     // no room, or the quota is used up
  missing = 3,  // there is no such file
  denied = 4,   // permissions, or a read-only file system
};
std::string_view to_string(DiskError error) noexcept;

class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;  // closes it; what is not synced may be lost

  // Fewer bytes than asked for are the end of the file.
  virtual std::expected<std::size_t, DiskError> read(std::uint64_t offset, std::span<char> into) = 0;
  // All of it, or an error; then some of it may be there.
  virtual DiskError write(std::uint64_t offset, std::string_view bytes) = 0;
  virtual DiskError truncate(std::uint64_t bytes) = 0;
  // Takes the room for that many bytes, so that writing them does not find the disk full. Files only grow.
  virtual DiskError allocate(std::uint64_t bytes) = 0;
  virtual DiskError sync() = 0;
  virtual std::expected<std::uint64_t, DiskError> size() = 0;
  // Keeps every other program out that asks for these bytes with POSIX locks, as long as this file is open.
  virtual DiskError lock_out_others(std::uint64_t offset, std::uint64_t bytes) = 0;
};

class Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  enum class Mode : std::uint8_t { read, write, create };  // create: if it is missing
  virtual std::expected<std::unique_ptr<File>, DiskError> open(std::string_view name, Mode mode) = 0;
  virtual bool exists(std::string_view name) = 0;
  virtual DiskError remove(std::string_view name) = 0;
  virtual DiskError rename(std::string_view from, std::string_view to) = 0;  // over `to`, if there is one
  virtual DiskError sync_folder() = 0;
  // For us, not for root.
  virtual std::expected<std::uint64_t, DiskError> free_bytes() = 0;
  // For messages to people.
  virtual std::string path_of(std::string_view name) const = 0;
};

// The whole of a small file; at most `bytes_max`, more is `failed`.
std::expected<std::string, DiskError> read_file(Disk& disk, std::string_view name, std::size_t bytes_max);
// The file has either its old content or this one, whatever happens: written beside it, synced, renamed.
DiskError replace_file(Disk& disk, std::string_view name, std::string_view content);

}  // namespace store
