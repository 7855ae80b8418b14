// An array of which most have one item or none: the one lies inside, more than one in memory of their own. Contiguous
// in any case, and its memory follows what is in it, down too. For small trivial values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "base/assert.h"

namespace base {

template <class T>
class OneOrMany {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T* begin() { return many_ ? many_.get() : &one_; }
  const T* begin() const { return many_ ? many_.get() : &one_; }
  T* end() { return begin() + size_; }
  const T* end() const { return begin() + size_; }
  T& operator[](std::size_t index) { return begin()[index]; }  // index < size()
  const T& operator[](std::size_t index) const { return begin()[index]; }
  T& back() { return begin()[size_ - 1]; }

  void push_back(const T& item) {
    ASSERT(size_ < UINT32_MAX / 2);
    if (size_ == capacity()) resize(size_ * 2);
    begin()[size_++] = item;
  }
  void pop_back() {
    ASSERT(size_ > 0);
    --size_;
    if (many_ && size_ <= capacity_ / 4) resize(capacity_ / 2);
  }

 private:
  std::size_t capacity() const { return many_ ? capacity_ : 1; }

  void resize(std::uint32_t capacity) {
    if (capacity <= 1) {
      one_ = size_ == 0 ? T{} : many_[0];
      many_.reset();
      return;
    }
    auto items = std::make_unique_for_overwrite<T[]>(capacity);
    std::copy_n(begin(), size_, items.get());
    many_ = std::move(items);
    capacity_ = capacity;
  }

  T one_{};
  std::unique_ptr<T[]> many_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;  // of many_
};

}  // namespace base
