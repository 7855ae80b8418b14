#include "server/out_queue.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace server {

void OutQueue::push_behind(const base::SharedBytes& block) {
  ASSERT(!block.empty() && block.size() <= std::numeric_limits<std::uint32_t>::max() - bytes_);
  bytes_ += static_cast<std::uint32_t>(block.size());
  if (!backlog_) backlog_ = std::make_unique<std::deque<base::SharedBytes>>();
  backlog_->push_back(block);
}

std::size_t OutQueue::gather(std::span<std::string_view> slices) const {
  if (empty() || slices.empty()) return 0;
  slices[0] = front();
  const std::size_t count = std::min(slices.size(), blocks());
  for (std::size_t i = 1; i < count; ++i) slices[i] = (*backlog_)[i - 1].view();
  return count;
}

void OutQueue::written(std::size_t bytes) {
  ASSERT(bytes <= bytes_);
  bytes_ -= static_cast<std::uint32_t>(bytes);
  while (bytes > 0) {
    const std::size_t left = first_.size() - offset_;
    if (bytes < left) {
      offset_ += static_cast<std::uint32_t>(bytes);
      return;
    }
    bytes -= left;
    next();
  }
}

void OutQueue::next() {
  offset_ = 0;
  if (!backlog_) {
    first_ = {};
    return;
  }
  first_ = std::move(backlog_->front());
  backlog_->pop_front();
  if (backlog_->empty()) backlog_.reset();
}

void OutQueue::drop_unsent() {
  backlog_.reset();
  if (offset_ == 0) first_ = {};
  bytes_ = static_cast<std::uint32_t>(first_.size()) - offset_;
}

}  // namespace server
