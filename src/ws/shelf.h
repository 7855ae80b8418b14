// Where messages that were put together or inflated stand until their events are read. Owned by a Scratch; emptied by
// Scratch::clear(). Small buffers are kept and lent again, so steady traffic does not allocate. One thread.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "ws/growing_bytes.h"

namespace ws {

class Shelf {
 public:
  // An empty buffer, possibly with capacity from before.
  GrowingBytes blank() {
    if (spare_.empty()) return {};
    GrowingBytes bytes = std::move(spare_.back());
    spare_.pop_back();
    return bytes;
  }

  // The view is valid until clear().
  std::string_view keep(GrowingBytes message) {
    capacity_ += message.capacity();
    messages_.push_back(std::move(message));
    return messages_.back().view();
  }

  // Capacity, not length, of what stands here: that is what it costs (T01).
  std::size_t capacity() const noexcept { return capacity_; }

  void clear() {
    for (GrowingBytes& message : messages_) {
      if (spare_.size() == kSpareMax || message.capacity() > kSpareBytesMax) continue;
      message.clear();
      spare_.push_back(std::move(message));
    }
    messages_.clear();
    capacity_ = 0;
  }

 private:
  static constexpr std::size_t kSpareMax = 8;
  static constexpr std::size_t kSpareBytesMax = 8 * 1024;  // chat and JSON messages; larger ones pay an allocation

  std::vector<GrowingBytes> messages_;
  std::vector<GrowingBytes> spare_;
  std::size_t capacity_ = 0;
};

}  // namespace ws
