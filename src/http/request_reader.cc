#include "http/request_reader.h"

namespace http {

using base::Error;

RequestReader::RequestReader(const RequestLimits& limits)
    : limits_(limits),
      head_({.first_line_bytes_max = limits.request_line_bytes_max,
             .head_bytes_max = limits.head_bytes_max,
             .headers_max = limits.headers_max}) {}

std::size_t RequestReader::receive(std::string_view bytes) {
  if (status_ == Status::done || status_ == Status::failed) return 0;
  if (head_.status() == HeadReader::Status::need_more) {
    const std::size_t consumed = head_.receive(bytes);
    if (head_.status() == HeadReader::Status::failed) fail(head_.error());
    if (head_.status() == HeadReader::Status::done) take_head();
    return consumed;
  }
  status_ = Status::need_more;
  const std::size_t consumed = body_.receive(bytes);
  request_.body = body_.body();
  if (body_.status() == BodyReader::Status::failed) fail(body_.error());
  if (body_.status() == BodyReader::Status::done) status_ = Status::done;
  return consumed;
}

void RequestReader::take_head() {
  request_.headers.reserve(head_.header_count());
  Framing framing;
  if (const Error error = parse_request_head(head_.text(), request_, framing); error != Error::none) return fail(error);
  body_.start(framing, limits_.body_bytes_max);
  if (body_.status() == BodyReader::Status::failed) return fail(body_.error());
  status_ = request_.has_body ? Status::head_done : Status::done;
}

void RequestReader::fail(Error error) {
  status_ = Status::failed;
  error_ = error;
}

RequestReader::Status RequestReader::status() const noexcept { return status_; }
Error RequestReader::error() const noexcept { return error_; }
const Request& RequestReader::request() const noexcept { return request_; }

void RequestReader::reset() {
  head_.reset();
  body_.start({}, limits_.body_bytes_max);
  request_ = {};
  status_ = Status::need_more;
  error_ = Error::none;
}

std::size_t RequestReader::held_bytes() const noexcept {
  return head_.held_bytes() + body_.held_bytes() + request_.headers.capacity() * sizeof(Header);
}

}  // namespace http
