#include "store/kernel_disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace store {
namespace {

constexpr mode_t kFileMode = 0600;  // messages are nobody else's business
constexpr mode_t kFolderMode = 0700;

DiskError error_of(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return DiskError::full;
    case ENOENT:
      return DiskError::missing;
    case EACCES:
    case EPERM:
    case EROFS:
      return DiskError::denied;
    default:
      return DiskError::failed;
  }
}

DiskError last_error() { return error_of(errno); }

std::string text_of(int code) { return std::generic_category().message(code); }

class KernelFile final : public File {
 public:
  explicit KernelFile(int file) : file_(file) {}
  ~KernelFile() override { ::close(file_); }

  std::expected<std::size_t, DiskError> read(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t n = ::pread(file_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (n == 0) break;
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return std::unexpected(last_error());
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  DiskError write(std::uint64_t offset, std::string_view bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::pwrite(file_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return last_error();
      if (n == 0) return DiskError::failed;
      done += static_cast<std::size_t>(n);
    }
    return DiskError::none;
  }

  DiskError truncate(std::uint64_t bytes) override {
    while (::ftruncate(file_, static_cast<off_t>(bytes)) < 0) {
      if (errno != EINTR) return last_error();
    }
    return DiskError::none;
  }

  DiskError allocate(std::uint64_t bytes) override {
    int code;  // posix_fallocate returns it instead of setting errno
    do {
      code = ::posix_fallocate(file_, 0, static_cast<off_t>(bytes));
    } while (code == EINTR);
    return code == 0 ? DiskError::none : error_of(code);
  }

  // Not even EINTR is tried again: whether a second fsync would report what the first has found is not said.
  DiskError sync() override { return ::fdatasync(file_) == 0 ? DiskError::none : DiskError::failed; }

  std::expected<std::uint64_t, DiskError> size() override {
    struct stat status{};
    if (::fstat(file_, &status) < 0) return std::unexpected(last_error());
    return static_cast<std::uint64_t>(status.st_size);
  }

  // The lock belongs to this opening of the file, not to the process: other openings in this process do not drop it.
  DiskError lock_out_others(std::uint64_t offset, std::uint64_t bytes) override {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(offset);
    lock.l_len = static_cast<off_t>(bytes);
    if (::fcntl(file_, F_OFD_SETLK, &lock) == 0) return DiskError::none;
    return errno == EAGAIN || errno == EACCES ? DiskError::denied : last_error();
  }

 private:
  int file_;
};

}  // namespace

std::expected<std::unique_ptr<KernelDisk>, std::string> KernelDisk::open_folder(std::string path) {
  if (::mkdir(path.c_str(), kFolderMode) < 0 && errno != EEXIST) {
    return std::unexpected("cannot make the data directory " + path + ": " + text_of(errno));
  }
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return std::unexpected("cannot open the data directory " + path + ": " + text_of(errno));
  if (::faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0) {
    const int code = errno;
    ::close(folder);
    return std::unexpected("the data directory " + path + " cannot be written to (" + text_of(code) +
                           "); its owner must be the user that the server runs as");
  }
  return std::unique_ptr<KernelDisk>(new KernelDisk(folder, std::move(path)));
}

KernelDisk::~KernelDisk() { ::close(folder_); }

std::expected<std::unique_ptr<File>, DiskError> KernelDisk::open(std::string_view name, Mode mode) {
  const int flags = mode == Mode::read ? O_RDONLY : mode == Mode::write ? O_RDWR : O_RDWR | O_CREAT;
  const int file = ::openat(folder_, std::string(name).c_str(), flags | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  if (file < 0) return std::unexpected(last_error());
  return std::make_unique<KernelFile>(file);
}

bool KernelDisk::exists(std::string_view name) {
  return ::faccessat(folder_, std::string(name).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

DiskError KernelDisk::remove(std::string_view name) {
  return ::unlinkat(folder_, std::string(name).c_str(), 0) == 0 ? DiskError::none : last_error();
}

DiskError KernelDisk::rename(std::string_view from, std::string_view to) {
  return ::renameat(folder_, std::string(from).c_str(), folder_, std::string(to).c_str()) == 0 ? DiskError::none
                                                                                               : last_error();
}

DiskError KernelDisk::sync_folder() { return ::fsync(folder_) == 0 ? DiskError::none : DiskError::failed; }

std::expected<std::uint64_t, DiskError> KernelDisk::free_bytes() {
  struct statvfs status{};
  if (::fstatvfs(folder_, &status) < 0) return std::unexpected(last_error());
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::string KernelDisk::path_of(std::string_view name) const { return path_ + "/" + std::string(name); }

std::expected<std::unique_ptr<FolderLock>, std::string> FolderLock::take(const std::string& folder,
                                                                         std::string_view owner) {
  const std::string path = folder + "/lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  if (file < 0) return std::unexpected("cannot open " + path + ": " + text_of(errno));
  std::unique_ptr<FolderLock> lock(new FolderLock(file));
  if (::flock(file, LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return std::unexpected("cannot lock " + path + ": " + text_of(errno));
    std::array<char, 256> first{};
    const ssize_t bytes = ::pread(file, first.data(), first.size(), 0);
    std::string_view line(first.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    line = line.substr(0, line.find('\n'));
    return std::unexpected("the data directory " + folder + " is in use by another server (" +
                           (line.empty() ? "it is just starting" : std::string(line)) +
                           "); stop that one, or give this one a directory of its own");
  }
  const std::string line = std::string(owner) + "\n";
  if (::ftruncate(file, 0) < 0 || ::pwrite(file, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    return std::unexpected("cannot write " + path + ": " + text_of(errno));
  }
  return lock;
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace store
