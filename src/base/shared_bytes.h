// SharedBytes: immutable bytes with an atomic reference count, made once per message and wire format and shared
// by every subscriber on every worker. One allocation holds the count, the size and the bytes.
//
// Threads: a handle belongs to one thread; different handles to the same bytes may live on different threads.
// Views stay valid as long as any handle lives.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace base {

class SharedBytes {
 public:
  SharedBytes() noexcept = default;
  SharedBytes(const SharedBytes& other) noexcept : block_(other.block_) { retain(); }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() { release(); }

  // Copies `bytes` into a new block. An empty view makes the null handle, which views as "".
  static SharedBytes copy(std::string_view bytes);

  // One block holding a followed by b: a frame header and its payload without a temporary.
  static SharedBytes concat(std::string_view a, std::string_view b);

  std::string_view view() const noexcept {
    return block_ == nullptr ? std::string_view{} : std::string_view{block_->bytes(), block_->size};
  }
  std::size_t size() const noexcept { return block_ == nullptr ? 0 : block_->size; }
  bool empty() const noexcept { return block_ == nullptr; }

 private:
  struct Block {
    std::atomic<std::uint32_t> references;
    std::uint32_t size;
    const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
    char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  };

  void retain() const noexcept {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(block_);
    block_ = nullptr;
  }
  static void destroy(Block* block) noexcept;

  Block* block_ = nullptr;
};

}  // namespace base
