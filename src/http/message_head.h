// Reads complete heads (head_reader.h has collected them: CRLF only, no control characters) into values, strictly by
// RFC 9112, and decides how the body is framed. The decisions that smuggling attacks live from (T40, T41) are all in
// message_head.cc. Stateless.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/request.h"

namespace http {

// How long a body is (RFC 9112 section 6.3).
struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  // for Kind::length, > 0
};

// `text` is the head with its empty line and must outlive the request, whose views point into it. Returns none or the
// error: bad_request, http_version, not_implemented (a transfer coding), expectation_failed.
base::Error parse_request_head(std::string_view text, Request& request, Framing& framing);

enum class AnswerTo : std::uint8_t { head, other };  // the answer to HEAD has no body

// The same for a response; a broken one is bad_request too.
base::Error parse_response_head(std::string_view text, AnswerTo answer_to, ResponseHead& response, Framing& framing);

}  // namespace http
