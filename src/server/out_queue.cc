#include "server/out_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace server {

void OutQueue::push(base::SharedBytes block) {
  ASSERT(!block.empty());
  bytes_ += block.size();
  blocks_.push_back(std::move(block));
}

std::size_t OutQueue::gather(std::span<std::string_view> slices) const {
  const std::size_t count = std::min(slices.size(), blocks());
  for (std::size_t i = 0; i < count; ++i) slices[i] = blocks_[head_ + i].view();
  if (count > 0) slices[0].remove_prefix(offset_);
  return count;
}

void OutQueue::written(std::size_t bytes) {
  ASSERT(bytes <= bytes_);
  bytes_ -= bytes;
  while (bytes > 0) {
    base::SharedBytes& first = blocks_[head_];
    const std::size_t left = first.size() - offset_;
    if (bytes < left) {
      offset_ += static_cast<std::uint32_t>(bytes);
      return;
    }
    bytes -= left;
    first = {};
    offset_ = 0;
    ++head_;
  }
  if (empty()) {
    rest();
  } else if (head_ > 64 && head_ > blocks_.size() / 2) {
    blocks_.erase(blocks_.begin(), blocks_.begin() + head_);
    head_ = 0;
  }
}

void OutQueue::drop_unsent() {
  const std::size_t keep = head_ + (offset_ > 0 ? 1U : 0U);
  while (blocks_.size() > keep) {
    bytes_ -= blocks_.back().size();
    blocks_.pop_back();
  }
  if (empty()) rest();
}

// Keeps a slot or two for the next message; a queue that was long gives its memory back.
void OutQueue::rest() {
  head_ = 0;
  blocks_.clear();
  if (blocks_.capacity() > 2) std::vector<base::SharedBytes>().swap(blocks_);
}

}  // namespace server
