// What a call ends with: a value, or an error with a code. C++17. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace wirebird {

// `code` is one of the server's (100 and above: codes.h, or the application's own from 400 to 1999) or below 100 one of
// this library's (ErrorCode in codes.h).
struct Error {
  std::uint32_t code = 0;
  std::string message;     // for a person
  bool temporary = false;  // the same may succeed later
};

// Converts to true if it holds a value. value() of a Result without one, and error() of one with, throw
// std::bad_variant_access.
template <typename T>
class Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return std::get<0>(content_); }
  const T& value() const& { return std::get<0>(content_); }
  T&& value() && { return std::get<0>(std::move(content_)); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<T, Error> content_;
};

}  // namespace wirebird
