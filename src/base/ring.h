// A queue in one array that goes round: 24 bytes and no allocation while it is empty, which std::deque has (some 650
// bytes). For queues of which there are very many and most are empty. Its memory follows what is in it, down too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace base {

template <class T>
class Ring {
 public:
  Ring() = default;
  Ring(Ring&& other) noexcept
      : items_(std::move(other.items_)),
        capacity_(std::exchange(other.capacity_, 0)),
        first_(std::exchange(other.first_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Ring& operator=(Ring other) noexcept {
    std::swap(items_, other.items_);
    std::swap(capacity_, other.capacity_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
    return *this;
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return items_[place(index)]; }  // index < size()
  const T& operator[](std::size_t index) const { return items_[place(index)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(T item) {
    ASSERT(size_ < UINT32_MAX / 2);
    if (size_ == capacity_) resize(capacity_ == 0 ? 1 : capacity_ * 2);
    items_[place(size_++)] = std::move(item);
  }
  void pop_front() {
    ASSERT(size_ > 0);
    items_[first_] = T{};
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
    if (size_ == 0) {
      *this = {};
    } else if (size_ < capacity_ / 4) {
      resize(capacity_ / 2);
    }
  }

 private:
  std::size_t place(std::size_t index) const { return (first_ + index) & (capacity_ - 1); }

  void resize(std::uint32_t capacity) {
    auto items = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) items[i] = std::move((*this)[i]);
    items_ = std::move(items);
    capacity_ = capacity;
    first_ = 0;
  }

  std::unique_ptr<T[]> items_;
  std::uint32_t capacity_ = 0;  // a power of two, or 0
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace base
