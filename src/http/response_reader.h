// Reads one HTTP/1.1 response from bytes, for our clients: head, and body by Content-Length, chunked or until the
// connection ends. As strict as the request reader. Interim answers (1xx but 101) are read over. No I/O, no clock.
//
// Calling order: receive() until head_done or beyond; receive() on until done or failed; receive_eof() when the peer
// has finished sending. After status 101 the reader is done right after the head and the rest belongs to the new
// protocol. A body without end (server-sent events) is read by taking body() and calling drop_body() after every
// receive().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/body_reader.h"
#include "http/head_reader.h"
#include "http/message_head.h"
#include "http/request.h"

namespace http {

struct ResponseLimits {
  std::uint32_t head_bytes_max = 16 * 1024;
  std::uint16_t headers_max = 100;
  std::uint32_t body_bytes_max = 16 << 20;  // of what is held: drop_body() makes room
};

class ResponseReader {
 public:
  enum class Status : std::uint8_t { need_more, head_done, done, failed };

  explicit ResponseReader(const ResponseLimits& limits,
                          AnswerTo answer_to = AnswerTo::other);  // limits outlive the reader
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // Takes bytes; returns how many were consumed. Stops right after the head once (head_done) and at the end (done).
  std::size_t receive(std::string_view bytes);
  void receive_eof();
  Status status() const noexcept { return status_; }
  // When failed: bad_request (also for a response that is cut off), http_version, not_implemented, headers_too_large or
  // payload_too_big.
  base::Error error() const noexcept { return error_; }
  // From head_done on; valid until the next non-const call.
  const ResponseHead& response() const noexcept { return response_; }
  std::string_view body() const noexcept { return body_.body(); }
  void drop_body() { body_.drop_body(); }
  void reset(AnswerTo answer_to = AnswerTo::other);  // for the next response on the connection

 private:
  void take_head();
  void take_body_status();
  void fail(base::Error error);

  const ResponseLimits& limits_;
  AnswerTo answer_to_;
  HeadReader head_;
  BodyReader body_;
  ResponseHead response_;
  std::uint32_t interim_answers_ = 0;
  Status status_ = Status::need_more;
  base::Error error_ = base::Error::none;
};

}  // namespace http
