// Bytes of one message while it is put together. Grows by doubling, never beyond the cap that the caller states, so it
// pins at most about twice what was received, whatever length a peer declares (T01, T02). Growing never zeroes and
// moves large buffers by remapping (realloc). A value that moves; one thread.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace ws {

class GrowingBytes {
 public:
  GrowingBytes() = default;
  GrowingBytes(GrowingBytes&& other) noexcept;
  GrowingBytes& operator=(GrowingBytes&& other) noexcept;

  // bytes_max: the capacity's limit; what is appended must fit (ASSERT).
  void append(std::string_view bytes, std::size_t bytes_max);
  // Free space to write into: empty only if size() == bytes_max. Call wrote() for what was written.
  std::span<char> room(std::size_t bytes_max);
  void wrote(std::size_t bytes);

  std::string_view view() const noexcept {
    return {bytes_.get(), size_};
  }  // until the next non-const call; moves keep it
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  void clear() noexcept { size_ = 0; }  // keeps the capacity

 private:
  struct Free {
    void operator()(char* bytes) const noexcept { std::free(bytes); }
  };
  void reserve(std::size_t bytes, std::size_t bytes_max);

  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace ws
