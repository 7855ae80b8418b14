// Decodes a chunked body (RFC 9112 section 7.1). Strict: hex sizes, CRLF only, extensions by their grammar (the line
// endings hidden in them were CVE-2025-55315), trailers by theirs; extensions and trailers are bounded and dropped. A
// value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head_reader.h"
#include "http/line_reader.h"

namespace http {

class ChunkedReader {
 public:
  enum class Status : std::uint8_t { need_more, done, failed };

  // Takes bytes, appends what they carry to `body`, which never grows beyond `body_bytes_max` (else payload_too_big,
  // from the chunk's size line, before any of its bytes). Stops right after the last CRLF.
  std::size_t receive(std::string_view bytes, std::string& body, std::size_t body_bytes_max);
  Status status() const noexcept { return status_; }
  base::Error error() const noexcept { return error_; }
  void reset();
  std::size_t held_bytes() const noexcept { return line_.held_bytes(); }

 private:
  // size -> data -> data_end -> size ... size (0) -> trailers -> (done)
  enum class State : std::uint8_t { size, data, data_end, trailers };

  std::size_t receive_line(std::string_view bytes, std::string& body, std::size_t body_bytes_max);
  std::size_t receive_data(std::string_view bytes, std::string& body);
  void take_size_line(std::size_t body_bytes_left);
  void take_trailer_line();
  void fail(base::Error error);

  LineReader line_;
  std::uint64_t chunk_bytes_left_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  State state_ = State::size;
  Status status_ = Status::need_more;
  base::Error error_ = base::Error::none;
};

}  // namespace http
