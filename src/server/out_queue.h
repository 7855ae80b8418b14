// What waits to be written to one peer: shared blocks in order, each a whole number of frames or events, and how much
// of the first one is written already. Caps are the owner's (it asks bytes() before it pushes). At rest: no heap
// memory. Threads: owned by one worker.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/shared_bytes.h"

namespace server {

class OutQueue {
 public:
  static constexpr std::size_t kSlicesMax = 64;

  void push(base::SharedBytes block);  // not empty
  bool empty() const { return head_ == blocks_.size(); }
  std::size_t blocks() const { return blocks_.size() - head_; }
  std::size_t bytes() const { return bytes_; }  // not yet written

  // The unwritten bytes, at most kSlicesMax slices; valid until the next non-const call. Returns how many were filled.
  std::size_t gather(std::span<std::string_view> slices) const;
  void written(std::size_t bytes);
  // Drops every block that is not partly written, so that what is sent stays a whole number of frames.
  void drop_unsent();

 private:
  void rest();

  std::vector<base::SharedBytes> blocks_;
  std::uint32_t head_ = 0;    // first block that is not completely written
  std::uint32_t offset_ = 0;  // bytes of it that are
  std::size_t bytes_ = 0;
};

}  // namespace server
