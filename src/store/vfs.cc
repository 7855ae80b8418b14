#include "store/vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "base/assert.h"

namespace store {
namespace {

// The bytes that SQLite's own kernel VFS locks (os.h: PENDING_BYTE and what follows it). Nothing is stored there.
constexpr std::uint64_t kLockBytes = 0x4000'0000;
constexpr std::uint64_t kLockBytesCount = 2 + 510;

constexpr int kSectorBytes = 4096;

// What is gathered of the write-ahead log before it is written: 60 pages, some 100 calls of the kernel less.
constexpr std::size_t kGatheredBytesMax = 256 * 1024;

}  // namespace

struct Vfs::OpenFile {
  Vfs& vfs;
  std::string name;
  std::unique_ptr<File> file;
  Shared* shared = nullptr;  // of a database file
  bool created = false;      // and its folder not synced since
  bool remove_at_close = false;
  int lock = SQLITE_LOCK_NONE;
  bool attached = false;  // to the index of the log
  WalIndex::Held held;
  // Of a write-ahead log: bytes that follow each other and are not written yet. Nobody reads them before the sync.
  bool gathers = false;
  std::uint64_t gathered_at = 0;
  std::string gathered;
};

// The functions that SQLite calls.
struct VfsMethods {
  struct Handle {  // SQLite allocates it
    sqlite3_file base;
    Vfs::OpenFile* open;
  };

  static Vfs& of(sqlite3_vfs* vfs) { return *static_cast<Vfs*>(vfs->pAppData); }
  static Vfs::OpenFile& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file)->open; }

  // ---- files ----

  static int write_now(Vfs::OpenFile& open, std::uint64_t offset, std::string_view data) {
    if (open.vfs.failed()) return SQLITE_IOERR_WRITE;
    const DiskError error = open.file->write(offset, data);
    if (error == DiskError::full) {
      open.vfs.times_full_.fetch_add(1, std::memory_order_relaxed);
      return SQLITE_FULL;
    }
    return open.vfs.refused(error, SQLITE_IOERR_WRITE);
  }

  // What could not be written is dropped: whoever is told so takes back all of it.
  static int write_gathered(Vfs::OpenFile& open) {
    if (open.gathered.empty()) return SQLITE_OK;
    const int code = write_now(open, open.gathered_at, open.gathered);
    open.gathered.clear();
    return code;
  }

  static int close(sqlite3_file* file) {
    const std::unique_ptr<Vfs::OpenFile> open(std::exchange(reinterpret_cast<Handle*>(file)->open, nullptr));
    write_gathered(*open);
    if (open->attached) open->shared->index.detach(open->held);
    if (open->shared != nullptr) open->shared->locks.unlock(open.get(), open->lock, SQLITE_LOCK_NONE);
    open->file.reset();
    if (open->remove_at_close) open->vfs.disk_.remove(open->name);
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* into, int bytes, sqlite3_int64 offset) {
    Vfs::OpenFile& open = of(file);
    if (const int code = write_gathered(open); code != SQLITE_OK) return code;
    const std::span<char> to(static_cast<char*>(into), static_cast<std::size_t>(bytes));
    const auto done = open.file->read(static_cast<std::uint64_t>(offset), to);
    if (!done) return SQLITE_IOERR_READ;
    if (*done == to.size()) return SQLITE_OK;
    std::fill(to.begin() + static_cast<std::ptrdiff_t>(*done), to.end(), '\0');  // xRead asks for that
    return SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
    Vfs::OpenFile& open = of(file);
    const std::string_view data(static_cast<const char*>(from), static_cast<std::size_t>(bytes));
    const auto at = static_cast<std::uint64_t>(offset);
    if (!open.gathers) return write_now(open, at, data);
    const bool follows = open.gathered_at + open.gathered.size() == at;
    if (!follows || open.gathered.size() + data.size() > kGatheredBytesMax) {
      if (const int code = write_gathered(open); code != SQLITE_OK) return code;
    }
    if (open.gathered.empty()) open.gathered_at = at;
    open.gathered += data;
    return open.vfs.failed() ? SQLITE_IOERR_WRITE : SQLITE_OK;
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
    Vfs::OpenFile& open = of(file);
    if (const int code = write_gathered(open); code != SQLITE_OK) return code;
    if (open.vfs.failed()) return SQLITE_IOERR_TRUNCATE;
    return open.vfs.refused(open.file->truncate(static_cast<std::uint64_t>(bytes)), SQLITE_IOERR_TRUNCATE);
  }

  static int sync(sqlite3_file* file, int) {
    Vfs::OpenFile& open = of(file);
    if (const int code = write_gathered(open); code != SQLITE_OK) return code;
    if (open.vfs.failed()) return SQLITE_IOERR_FSYNC;
    if (const int code = open.vfs.refused(open.file->sync(), SQLITE_IOERR_FSYNC); code != SQLITE_OK) return code;
    if (!std::exchange(open.created, false)) return SQLITE_OK;
    return open.vfs.refused(open.vfs.disk_.sync_folder(), SQLITE_IOERR_DIR_FSYNC);
  }

  static int file_size(sqlite3_file* file, sqlite3_int64* bytes) {
    Vfs::OpenFile& open = of(file);
    if (const int code = write_gathered(open); code != SQLITE_OK) return code;
    const auto size = open.file->size();
    if (!size) return SQLITE_IOERR_FSTAT;
    *bytes = static_cast<sqlite3_int64>(*size);
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* file, int wanted) {
    Vfs::OpenFile& open = of(file);
    const FileLocks::Taken taken = open.shared->locks.lock(&open, open.lock, wanted);
    open.lock = taken.held;
    return taken.busy ? SQLITE_BUSY : SQLITE_OK;
  }

  static int unlock(sqlite3_file* file, int wanted) {
    Vfs::OpenFile& open = of(file);
    open.shared->locks.unlock(&open, open.lock, wanted);
    open.lock = std::min(open.lock, wanted);
    return SQLITE_OK;
  }

  static int check_reserved(sqlite3_file* file, int* reserved) {
    *reserved = of(file).shared->locks.reserved() ? 1 : 0;
    return SQLITE_OK;
  }

  static int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return kSectorBytes; }
  // A write does not change bytes that are not its own, also if the power goes (as SQLite assumes of every disk unless
  // told otherwise). Nothing else is promised: no atomic write of any size, no order.
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  // ---- the index of the write-ahead log ----

  static int shm_map(sqlite3_file* file, int number, int bytes, int extend, void volatile** region) {
    Vfs::OpenFile& open = of(file);
    if (!std::exchange(open.attached, true)) open.shared->index.attach();
    *region = open.shared->index.region(static_cast<std::size_t>(number), static_cast<std::size_t>(bytes), extend != 0);
    return *region == nullptr && extend != 0 ? SQLITE_NOMEM : SQLITE_OK;
  }

  static int shm_lock(sqlite3_file* file, int first, int count, int flags) {
    Vfs::OpenFile& open = of(file);
    WalIndex& index = open.shared->index;
    const auto from = static_cast<unsigned>(first);
    const auto locks = static_cast<unsigned>(count);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      index.unlock(open.held, from, locks);
      return SQLITE_OK;
    }
    const bool taken = (flags & SQLITE_SHM_SHARED) != 0 ? index.lock_shared(open.held, from, locks)
                                                        : index.lock_exclusive(open.held, from, locks);
    return taken ? SQLITE_OK : SQLITE_BUSY;
  }

  static void shm_barrier(sqlite3_file* file) { of(file).shared->index.barrier(); }

  static int shm_unmap(sqlite3_file* file, int) {
    Vfs::OpenFile& open = of(file);
    if (std::exchange(open.attached, false)) open.shared->index.detach(open.held);
    return SQLITE_OK;
  }

  static constexpr sqlite3_io_methods kFile = {
      .iVersion = 2,
      .xClose = close,
      .xRead = read,
      .xWrite = write,
      .xTruncate = truncate,
      .xSync = sync,
      .xFileSize = file_size,
      .xLock = lock,
      .xUnlock = unlock,
      .xCheckReservedLock = check_reserved,
      .xFileControl = file_control,
      .xSectorSize = sector_size,
      .xDeviceCharacteristics = characteristics,
      .xShmMap = shm_map,
      .xShmLock = shm_lock,
      .xShmBarrier = shm_barrier,
      .xShmUnmap = shm_unmap,
      .xFetch = nullptr,
      .xUnfetch = nullptr,
  };

  // ---- the folder ----

  // No temporary files: connections keep theirs in memory (database.cc).
  static int open(sqlite3_vfs* self, const char* name, sqlite3_file* file, int flags, int* flags_out) {
    auto* const handle = reinterpret_cast<Handle*>(file);
    handle->base.pMethods = nullptr;
    handle->open = nullptr;
    if (name == nullptr) return SQLITE_CANTOPEN;
    Vfs& vfs = of(self);
    const bool writes = (flags & SQLITE_OPEN_READWRITE) != 0;
    const bool creates = (flags & SQLITE_OPEN_CREATE) != 0 && !vfs.disk_.exists(name);
    const Disk::Mode mode = !writes ? Disk::Mode::read : creates ? Disk::Mode::create : Disk::Mode::write;
    auto opened = vfs.disk_.open(name, mode);
    if (!opened) return SQLITE_CANTOPEN;
    const bool database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    if (database && writes && (*opened)->lock_out_others(kLockBytes, kLockBytesCount) != DiskError::none) {
      return SQLITE_BUSY;
    }
    handle->open = new Vfs::OpenFile{.vfs = vfs,
                                     .name = name,
                                     .file = std::move(*opened),
                                     .shared = database ? &vfs.shared_of(name) : nullptr,
                                     .created = creates,
                                     .remove_at_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
                                     .gathers = (flags & SQLITE_OPEN_WAL) != 0};
    handle->base.pMethods = &kFile;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* self, const char* name, int sync_folder) {
    Vfs& vfs = of(self);
    if (vfs.failed()) return SQLITE_IOERR_DELETE;
    const DiskError error = vfs.disk_.remove(name);
    if (error == DiskError::missing) return SQLITE_IOERR_DELETE_NOENT;
    if (error != DiskError::none) return vfs.refused(error, SQLITE_IOERR_DELETE);
    return sync_folder != 0 ? vfs.refused(vfs.disk_.sync_folder(), SQLITE_IOERR_DIR_FSYNC) : SQLITE_OK;
  }

  static int access(sqlite3_vfs* self, const char* name, int, int* result) {
    *result = of(self).disk_.exists(name) ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_path_name(sqlite3_vfs*, const char* name, int bytes, char* into) {
    const std::size_t length = std::strlen(name);
    if (length + 1 > static_cast<std::size_t>(bytes)) return SQLITE_CANTOPEN;
    std::memcpy(into, name, length + 1);
    return SQLITE_OK;
  }

  // ---- the rest of the world ----

  static int randomness(sqlite3_vfs* self, int bytes, char* into) {
    Vfs& vfs = of(self);
    const std::lock_guard guard(vfs.mutex_);
    for (int done = 0; done < bytes;) {
      const std::uint64_t word = vfs.entropy_.next();
      const int part = std::min<int>(bytes - done, sizeof(word));
      std::memcpy(into + done, &word, static_cast<std::size_t>(part));
      done += part;
    }
    return bytes;
  }

  // Asked for by a reader alone that finds the index of the log between two states, because the writer is about to
  // change it: microseconds. Where there is one thread, nobody finds it so.
  static int sleep(sqlite3_vfs*, int microseconds) {
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    return microseconds;
  }

  // Our statements never ask SQLite for the time; they are given it.
  static int current_time_ms(sqlite3_vfs*, sqlite3_int64* julian_ms) {
    *julian_ms = 0;
    return SQLITE_OK;
  }
  static int current_time(sqlite3_vfs*, double* julian_days) {
    *julian_days = 0;
    return SQLITE_OK;
  }

  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

Vfs::Vfs(Disk& disk, std::uint64_t seed) : disk_(disk), entropy_(seed) {
  // SQLite finds it by name among all of the process.
  name_ = "wirebird-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  methods_ = std::make_unique<sqlite3_vfs>(sqlite3_vfs{
      .iVersion = 2,
      .szOsFile = sizeof(VfsMethods::Handle),
      .mxPathname = 255,
      .pNext = nullptr,
      .zName = name_.c_str(),
      .pAppData = this,
      .xOpen = VfsMethods::open,
      .xDelete = VfsMethods::remove,
      .xAccess = VfsMethods::access,
      .xFullPathname = VfsMethods::full_path_name,
      .xDlOpen = nullptr,
      .xDlError = nullptr,
      .xDlSym = nullptr,
      .xDlClose = nullptr,
      .xRandomness = VfsMethods::randomness,
      .xSleep = VfsMethods::sleep,
      .xCurrentTime = VfsMethods::current_time,
      .xGetLastError = VfsMethods::last_error,
      .xCurrentTimeInt64 = VfsMethods::current_time_ms,
      .xSetSystemCall = nullptr,
      .xGetSystemCall = nullptr,
      .xNextSystemCall = nullptr,
  });
  ASSERT(sqlite3_initialize() == SQLITE_OK);
  ASSERT(sqlite3_vfs_register(methods_.get(), 0) == SQLITE_OK);
}

Vfs::~Vfs() { sqlite3_vfs_unregister(methods_.get()); }

Vfs::Shared& Vfs::shared_of(const std::string& name) {
  const std::lock_guard guard(mutex_);
  std::unique_ptr<Shared>& shared = shared_[name];
  if (shared == nullptr) shared = std::make_unique<Shared>();
  return *shared;
}

int Vfs::refused(DiskError error, int code) {
  if (error == DiskError::none) return SQLITE_OK;
  failed_.store(true, std::memory_order_release);
  return code;
}

}  // namespace store
