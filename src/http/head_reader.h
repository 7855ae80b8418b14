// Collects the head of a request or response: the lines up to the empty one, within limits (T05). It does not read what
// the lines say; parse_request_head() and parse_response_head() do, once the head is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/line_reader.h"

namespace http {

struct HeadLimits {
  std::size_t first_line_bytes_max;  // without CRLF; beyond it uri_too_long
  std::size_t head_bytes_max;        // every line with its CRLF; beyond it headers_too_large
  std::size_t headers_max;           // beyond it headers_too_large
};

class HeadReader {
 public:
  enum class Status : std::uint8_t { need_more, done, failed };

  explicit HeadReader(const HeadLimits& limits) : limits_(limits) {}

  // Takes bytes up to the end of the head.
  std::size_t receive(std::string_view bytes);
  Status status() const noexcept { return status_; }
  base::Error error() const noexcept { return error_; }
  // Every line with its CRLF, the empty one last. Once done; valid until reset().
  std::string_view text() const noexcept { return lines_.text(); }
  std::uint32_t header_count() const noexcept { return lines_read_ == 0 ? 0 : lines_read_ - 1; }
  void reset();
  std::size_t held_bytes() const noexcept { return lines_.held_bytes(); }

 private:
  std::size_t room() const noexcept;
  void take_line();
  void fail(base::Error error);

  HeadLimits limits_;
  LineReader lines_;
  std::uint32_t lines_read_ = 0;
  bool skipped_empty_line_ = false;
  Status status_ = Status::need_more;
  base::Error error_ = base::Error::none;
};

}  // namespace http
