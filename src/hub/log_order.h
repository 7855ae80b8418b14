// The messages of all logs of one home in the order of their numbering, for the cap over all logs: which is the oldest?
// Logs drop messages on their own, so entries may name what is gone; tidy() takes such entries out, a block at a time.
// Owned by one home.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "hub/position.h"

namespace hub {

class LogOrder {
 public:
  struct Entry {
    std::uint32_t slot;  // of the channel
    std::uint32_t generation;
    Offset offset;
  };

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  void push_back(const Entry& entry) {
    if (blocks_.empty() || blocks_.back().size() >= kBlock) {
      blocks_.emplace_back();
      if (blocks_.size() > 1) blocks_.back().reserve(kBlock);
    }
    blocks_.back().push_back(entry);
    ++size_;
  }

  Entry pop_front() {
    ASSERT(size_ > 0);
    const Entry entry = blocks_.front()[taken_++];
    --size_;
    if (taken_ == blocks_.front().size()) drop_front();
    return entry;
  }

  // Takes what is gone out of the next block, round after round: a bounded number of calls of `alive`. If more than
  // half of all is gone, one call for each new entry keeps it from becoming more.
  template <class Alive>
  void tidy(Alive alive) {
    if (blocks_.empty()) return;
    if (cursor_ >= blocks_.size()) cursor_ = 0;
    std::vector<Entry>& block = blocks_[cursor_];
    const std::size_t first = cursor_ == 0 ? std::exchange(taken_, 0) : 0;
    size_ -= block.size() - first;
    block.erase(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(first));
    std::erase_if(block, [&](const Entry& entry) { return !alive(entry); });
    size_ += block.size();
    if (cursor_ > 0 && block.size() + blocks_[cursor_ - 1].size() <= kBlock) {
      std::vector<Entry>& before = blocks_[cursor_ - 1];
      before.insert(before.end(), block.begin(), block.end());
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(cursor_));
      return;
    }
    if (block.empty()) {  // the first
      blocks_.pop_front();
      return;
    }
    ++cursor_;
  }

 private:
  static constexpr std::size_t kBlock = 1024;

  void drop_front() {
    blocks_.pop_front();
    taken_ = 0;
    if (cursor_ > 0) --cursor_;
  }

  std::deque<std::vector<Entry>> blocks_;  // none is empty
  std::size_t taken_ = 0;                  // of the first block; less than it holds
  std::size_t cursor_ = 0;                 // the block that tidy() looks at next
  std::size_t size_ = 0;
};

}  // namespace hub
