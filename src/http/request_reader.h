// Reads one HTTP/1.1 request after another from bytes (RFC 9112, strict: CRLF only, no folding, no NUL, one Host,
// Content-Length xor Transfer-Encoding: chunked, no spaces before the colon). No I/O, no clock: the owner keeps the
// deadline. Exists only while a request is in progress; a fresh one per request costs one small allocation.
//
// Calling order: receive() until done or failed; use request(); then either reset() for the next request on the
// connection (bytes not consumed stay the caller's) or hand the rest to another protocol. After failed the connection
// is answered with error() and closed: where the next request would begin is not known. Bytes are bounded: the head by
// head_bytes_max, the body by body_bytes_max (checked against Content-Length before a byte of it is stored).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/body_reader.h"
#include "http/head_reader.h"
#include "http/request.h"

namespace http {

struct RequestLimits {
  std::uint32_t request_line_bytes_max = 8 * 1024;  // T05
  std::uint32_t head_bytes_max = 16 * 1024;         // request line and headers, with their CRLFs
  std::uint16_t headers_max = 100;
  std::uint32_t body_bytes_max = 1 << 20;  // after chunk decoding
  friend bool operator==(const RequestLimits&, const RequestLimits&) = default;
};

class RequestReader {
 public:
  enum class Status : std::uint8_t { need_more, head_done, done, failed };

  explicit RequestReader(const RequestLimits& limits);  // limits must outlive the reader
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes bytes; returns how many were consumed. Stops right after the head once (status head_done: the owner may look
  // at request() without its body, e.g. to refuse early or to answer 100-continue, and calls receive() again) and at
  // the end of the request (done). A request without a body goes straight to done.
  std::size_t receive(std::string_view bytes);
  Status status() const noexcept;
  // When failed: bad_request, uri_too_long, headers_too_large, payload_too_big, http_version, not_implemented or
  // expectation_failed.
  base::Error error() const noexcept;
  // From head_done on; its views are valid until the next non-const call. After payload_too_big the head is still
  // there.
  const Request& request() const noexcept;
  void reset();
  std::size_t held_bytes() const noexcept;

 private:
  void take_head();
  void fail(base::Error error);

  const RequestLimits& limits_;
  HeadReader head_;
  BodyReader body_;
  Request request_;
  Status status_ = Status::need_more;
  base::Error error_ = base::Error::none;
};

}  // namespace http
