#include "store/reserve.h"

namespace store {

bool Reserve::nearly_full() {
  if (bytes_ == 0) return false;
  const auto room = disk_.free_bytes();
  if (!room) return full_;
  if (!held_ && (!full_ || *room >= 3 * bytes_)) {
    full_ = !take();
    if (full_) give_up();
    return full_;
  }
  if (held_ && *room < bytes_) give_up();
  return full_;
}

void Reserve::give_up() {
  full_ = true;
  held_ = false;
  disk_.remove(kReserveFile);
}

bool Reserve::take() {
  auto file = disk_.open(kReserveFile, Disk::Mode::create);
  if (!file) return false;
  held_ = (*file)->allocate(bytes_) == DiskError::none;
  if (!held_) return false;
  // Room that is taken beside what is left: as much again has to be there.
  const auto room = disk_.free_bytes();
  return !room || *room >= bytes_;
}

}  // namespace store
