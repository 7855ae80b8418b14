// A file that keeps room on the disk, so that a full one leaves enough to delete, to copy the write-ahead log into the
// database and to start again. It is given up when the disk is nearly full, and taken again when there is room.
// Threads: the ledger's.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/disk.h"

namespace store {

inline constexpr std::string_view kReserveFile = "reserve";

class Reserve {
 public:
  // `disk` must outlive it. 0 bytes: there is none, and the disk is never nearly full.
  Reserve(Disk& disk, std::uint64_t bytes) : disk_(disk), bytes_(bytes) {}

  // Asks the disk. Nearly full: less is free than the reserve holds, or taking it found no room. It is over when twice
  // as much is free beside the reserve.
  bool nearly_full();
  // A write has found no room, whatever the disk says.
  void give_up();

 private:
  bool take();

  Disk& disk_;
  std::uint64_t bytes_;
  bool held_ = false;
  bool full_ = false;
};

}  // namespace store
