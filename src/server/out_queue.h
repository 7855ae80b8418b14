// What waits to be written to one peer: shared blocks in order, each a whole number of frames or events, and how much
// of the first one is written already. Caps are the owner's (it asks bytes() before it pushes).
//
// Nearly always there is at most one block, which a turn makes and the same turn writes: it lives in the queue itself.
// Only a reader that is behind has a backlog beside it. At rest: 24 bytes and no heap memory.
// Threads: owned by one worker.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>

#include "base/shared_bytes.h"

namespace server {

class OutQueue {
 public:
  static constexpr std::size_t kSlicesMax = 64;

  void push(const base::SharedBytes& block) {  // not empty
    if (!first_.empty()) return push_behind(block);
    bytes_ = static_cast<std::uint32_t>(block.size());
    first_ = block;
  }
  bool empty() const { return first_.empty(); }
  std::size_t blocks() const { return (empty() ? 0U : 1U) + (backlog_ ? backlog_->size() : 0U); }
  std::size_t bytes() const { return bytes_; }  // not yet written; the caps keep it far below 4 GiB
  bool has_backlog() const { return backlog_ != nullptr; }

  // The unwritten bytes of the first block.
  std::string_view front() const { return first_.view().substr(offset_); }
  // The unwritten bytes, at most kSlicesMax slices; valid until the next non-const call. Returns how many were filled.
  std::size_t gather(std::span<std::string_view> slices) const;
  void written(std::size_t bytes);
  // The first block is the only one, and all that was left of it is written.
  void written_all() {
    first_ = {};
    offset_ = bytes_ = 0;
  }
  // Drops every block that is not partly written, so that what is sent stays a whole number of frames.
  void drop_unsent();

 private:
  void push_behind(const base::SharedBytes& block);
  void next();

  base::SharedBytes first_;
  std::unique_ptr<std::deque<base::SharedBytes>> backlog_;  // null or not empty
  std::uint32_t offset_ = 0;                                // bytes of the first block that are written
  std::uint32_t bytes_ = 0;
};
static_assert(sizeof(OutQueue) <= 24);

}  // namespace server
