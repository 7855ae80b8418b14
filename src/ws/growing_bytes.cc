#include "ws/growing_bytes.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"

namespace ws {
namespace {

// The first allocation: small enough for a thousand stalled peers, large enough that tiny pieces do not reallocate
// often.
constexpr std::size_t kFirstBytes = 256;

}  // namespace

GrowingBytes::GrowingBytes(GrowingBytes&& other) noexcept
    : bytes_(std::move(other.bytes_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

GrowingBytes& GrowingBytes::operator=(GrowingBytes&& other) noexcept {
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

void GrowingBytes::append(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.empty()) return;
  ASSERT(size_ <= bytes_max && bytes.size() <= bytes_max - size_);
  if (bytes.size() > capacity_ - size_) reserve(size_ + bytes.size(), bytes_max);
  std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

std::span<char> GrowingBytes::room(std::size_t bytes_max) {
  if (size_ == capacity_ && size_ < bytes_max) reserve(size_ + 1, bytes_max);
  // A reused buffer may have more capacity than this message may fill.
  const std::size_t end = std::min(capacity_, bytes_max);
  if (size_ >= end) return {};
  return {bytes_.get() + size_, end - size_};
}

void GrowingBytes::wrote(std::size_t bytes) {
  ASSERT(bytes <= capacity_ - size_);
  size_ += bytes;
}

void GrowingBytes::reserve(std::size_t bytes, std::size_t bytes_max) {
  const std::size_t capacity = std::max(bytes, std::min(std::max(2 * capacity_, kFirstBytes), bytes_max));
  auto* grown = static_cast<char*>(std::realloc(bytes_.get(), capacity));
  if (grown == nullptr) throw std::bad_alloc();
  static_cast<void>(bytes_.release());  // realloc has freed or kept it
  bytes_.reset(grown);
  capacity_ = capacity;
}

}  // namespace ws
