// Collects the body of a request or response by its framing, up to a number of bytes. Nothing is allocated on the word
// of a declared length: memory grows as bytes arrive (T02). A value; keeps its capacity over start().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/chunked_reader.h"
#include "http/message_head.h"

namespace http {

class BodyReader {
 public:
  enum class Status : std::uint8_t { need_more, done, failed };

  // Begins a body. A length above `bytes_max` fails at once; Kind::none is done at once.
  void start(const Framing& framing, std::size_t bytes_max);
  // Takes bytes up to the end of the body.
  std::size_t receive(std::string_view bytes);
  void receive_eof();  // ends a body framed by the end of the connection; cuts off every other
  Status status() const noexcept { return status_; }
  base::Error error() const noexcept { return error_; }
  std::string_view body() const noexcept { return body_; }
  void drop_body() { body_.clear(); }  // for bodies without end: the limit then counts what is held
  std::size_t held_bytes() const noexcept { return body_.capacity() + chunked_.held_bytes(); }

 private:
  std::size_t receive_plain(std::string_view bytes);
  std::size_t receive_chunked(std::string_view bytes);
  void fail(base::Error error);

  Framing framing_;
  std::uint64_t bytes_left_ = 0;  // of a body with a length
  std::size_t bytes_max_ = 0;
  ChunkedReader chunked_;
  std::string body_;
  Status status_ = Status::done;
  base::Error error_ = base::Error::none;
};

}  // namespace http
