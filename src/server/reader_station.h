// The ledger's reader as a station of the post office: it takes Load from the homes and answers with pages of what is
// on the disk, one at a time, so that a cold page never delays a commit (decision 8). Threads: one.
#pragma once

#include <cstdint>
#include <span>

#include "base/time.h"
#include "hub/home.h"
#include "server/post_office.h"
#include "store/reader.h"

namespace server {

class ReaderStation {
 public:
  // Its number is that of the second station behind the workers. All must outlive it.
  ReaderStation(std::uint16_t workers, store::Reader& reader, Mailboxes& mailboxes,
                std::span<loop::Wakeup* const> wakeups);

  // Reads at most one page for each home.
  void turn(hub::Now now);
  base::Instant next_deadline() const { return more_ ? base::Instant::min() : base::kNever; }
  bool busy() const { return more_; }

 private:
  store::Reader& reader_;
  std::uint16_t workers_;
  PostOffice post_;
  bool more_ = false;
};

// One page. Also of a reader without a station.
hub::Loaded load(store::Reader& reader, const hub::Load& load, hub::Now now);

}  // namespace server
