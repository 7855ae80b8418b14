// Collects lines that end with CRLF and nothing else: a bare CR, a bare LF, NUL and every other control character but
// the tab are refused as they arrive (RFC 9112 section 2.2, T41). What it says does not depend on how the bytes were
// cut. A value; keeps its capacity over clear().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace http {

class LineReader {
 public:
  enum class Status : std::uint8_t { need_more, line, bad_byte, too_long };

  // Takes bytes up to the end of the current line. `room`: how many more bytes this line may have, CRLF included.
  // After bad_byte or too_long only clear() is of use.
  std::size_t receive(std::string_view bytes, std::size_t room);
  Status status() const noexcept { return status_; }
  // The line that has just ended, without CRLF, valid until the next non-const call.
  std::string_view line() const noexcept {
    return std::string_view(text_).substr(line_start_, text_.size() - line_start_ - 2);
  }
  // Every line since clear(), with CRLFs and the line in progress.
  std::string_view text() const noexcept { return text_; }
  std::size_t line_bytes() const noexcept {  // of the line in progress
    return status_ == Status::line ? 0 : text_.size() - line_start_;
  }
  void clear();
  std::size_t held_bytes() const noexcept { return text_.capacity(); }

 private:
  std::string text_;
  std::size_t line_start_ = 0;
  Status status_ = Status::need_more;
};

}  // namespace http
