#include "store/vfs_locks.h"

#include <sqlite3.h>

#include <new>
#include <utility>

#include "base/assert.h"

namespace store {

FileLocks::Taken FileLocks::lock(Owner owner, int held, int wanted) {
  const std::lock_guard guard(mutex_);
  if (held >= wanted) return {false, held};
  if (held == SQLITE_LOCK_NONE) {
    ASSERT(wanted == SQLITE_LOCK_SHARED);
    if (pending_ != nullptr || exclusive_ != nullptr) return {true, held};
    ++shared_;
    return {false, SQLITE_LOCK_SHARED};
  }
  if ((reserved_ != nullptr && reserved_ != owner) || (pending_ != nullptr && pending_ != owner)) return {true, held};
  if (wanted == SQLITE_LOCK_RESERVED) {
    reserved_ = owner;
    return {false, wanted};
  }
  pending_ = owner;
  if (wanted == SQLITE_LOCK_PENDING || shared_ > 1) return {wanted == SQLITE_LOCK_EXCLUSIVE, SQLITE_LOCK_PENDING};
  exclusive_ = owner;
  return {false, SQLITE_LOCK_EXCLUSIVE};
}

void FileLocks::unlock(Owner owner, int held, int wanted) {
  const std::lock_guard guard(mutex_);
  if (held <= wanted) return;
  if (reserved_ == owner) reserved_ = nullptr;
  if (pending_ == owner) pending_ = nullptr;
  if (exclusive_ == owner) exclusive_ = nullptr;
  if (wanted == SQLITE_LOCK_NONE) --shared_;
}

bool FileLocks::reserved() const {
  const std::lock_guard guard(mutex_);
  return reserved_ != nullptr || pending_ != nullptr || exclusive_ != nullptr;
}

volatile void* WalIndex::region(std::size_t number, std::size_t bytes, bool extend) {
  const std::lock_guard guard(mutex_);
  if (number >= regions_.size() && !extend) return nullptr;
  while (number >= regions_.size()) {
    const std::size_t words = (bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
    std::unique_ptr<std::uint64_t[]> made(new (std::nothrow) std::uint64_t[words]());
    if (made == nullptr) return nullptr;
    regions_.push_back(std::move(made));
  }
  return regions_[number].get();
}

bool WalIndex::lock_shared(Held& held, unsigned first, unsigned count) {
  const std::lock_guard guard(mutex_);
  for (unsigned i = first; i < first + count; ++i) {
    if (exclusive_[i]) return false;
  }
  for (unsigned i = first; i < first + count; ++i) {
    const auto bit = static_cast<std::uint8_t>(1U << i);
    if ((held.shared & bit) != 0) continue;
    held.shared = static_cast<std::uint8_t>(held.shared | bit);
    ++shared_[i];
  }
  return true;
}

bool WalIndex::lock_exclusive(Held& held, unsigned first, unsigned count) {
  const std::lock_guard guard(mutex_);
  for (unsigned i = first; i < first + count; ++i) {
    if (exclusive_[i] || shared_[i] > 0) return false;
  }
  for (unsigned i = first; i < first + count; ++i) {
    held.exclusive = static_cast<std::uint8_t>(held.exclusive | (1U << i));
    exclusive_[i] = true;
  }
  return true;
}

void WalIndex::unlock(Held& held, unsigned first, unsigned count) {
  const std::lock_guard guard(mutex_);
  for (unsigned i = first; i < first + count; ++i) {
    const auto bit = static_cast<std::uint8_t>(1U << i);
    if ((held.shared & bit) != 0) --shared_[i];
    if ((held.exclusive & bit) != 0) exclusive_[i] = false;
    held.shared = static_cast<std::uint8_t>(held.shared & ~bit);
    held.exclusive = static_cast<std::uint8_t>(held.exclusive & ~bit);
  }
}

void WalIndex::barrier() {
  __sync_synchronize();  // as std::atomic_thread_fence, which GCC refuses to compile for the thread sanitizer
  const std::lock_guard guard(mutex_);
}

void WalIndex::attach() {
  const std::lock_guard guard(mutex_);
  ++attached_;
}

void WalIndex::detach(Held& held) {
  unlock(held, 0, kLocks);
  const std::lock_guard guard(mutex_);
  ASSERT(attached_ > 0);
  if (--attached_ == 0) regions_.clear();
}

}  // namespace store
