#include "http/head_reader.h"

#include <algorithm>

namespace http {

std::size_t HeadReader::room() const noexcept {
  const std::size_t left = limits_.head_bytes_max - lines_.text().size();
  if (lines_read_ > 0) return left;
  return std::min(left, limits_.first_line_bytes_max + 2 - lines_.line_bytes());
}

std::size_t HeadReader::receive(std::string_view bytes) {
  std::size_t consumed = 0;
  while (status_ == Status::need_more && consumed < bytes.size()) {
    consumed += lines_.receive(bytes.substr(consumed), room());
    switch (lines_.status()) {
      case LineReader::Status::need_more:
        break;
      case LineReader::Status::line:
        take_line();
        break;
      case LineReader::Status::bad_byte:
        fail(base::Error::bad_request);
        break;
      case LineReader::Status::too_long:
        fail(lines_read_ == 0 ? base::Error::uri_too_long : base::Error::headers_too_large);
        break;
    }
  }
  return consumed;
}

void HeadReader::take_line() {
  if (lines_.line().empty()) {
    if (lines_read_ > 0) {
      status_ = Status::done;
    } else if (!skipped_empty_line_) {
      // RFC 9112 section 2.2: one empty line before the request line is ignored; old clients send it after a body.
      skipped_empty_line_ = true;
      lines_.clear();
    } else {
      fail(base::Error::bad_request);
    }
    return;
  }
  if (lines_read_ > limits_.headers_max) return fail(base::Error::headers_too_large);
  // A head that fills the limit without its empty line would leave no room for a next byte.
  if (lines_.text().size() == limits_.head_bytes_max) return fail(base::Error::headers_too_large);
  ++lines_read_;
}

void HeadReader::fail(base::Error error) {
  status_ = Status::failed;
  error_ = error;
}

void HeadReader::reset() {
  lines_.clear();
  lines_read_ = 0;
  skipped_empty_line_ = false;
  status_ = Status::need_more;
  error_ = base::Error::none;
}

}  // namespace http
