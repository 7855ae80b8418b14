#include "http/body_reader.h"

#include <algorithm>

namespace http {

using base::Error;

void BodyReader::start(const Framing& framing, std::size_t bytes_max) {
  framing_ = framing;
  bytes_left_ = framing.length;
  bytes_max_ = bytes_max;
  chunked_.reset();
  body_.clear();
  error_ = Error::none;
  status_ = framing.kind == Framing::Kind::none ? Status::done : Status::need_more;
  if (framing.kind == Framing::Kind::length && framing.length > bytes_max) fail(Error::payload_too_big);
}

std::size_t BodyReader::receive(std::string_view bytes) {
  if (status_ != Status::need_more) return 0;
  return framing_.kind == Framing::Kind::chunked ? receive_chunked(bytes) : receive_plain(bytes);
}

std::size_t BodyReader::receive_plain(std::string_view bytes) {
  if (framing_.kind == Framing::Kind::length)
    bytes = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), bytes_left_));
  if (bytes.size() > bytes_max_ - body_.size()) {
    fail(Error::payload_too_big);
    return 0;
  }
  body_.append(bytes);
  bytes_left_ -= framing_.kind == Framing::Kind::length ? bytes.size() : 0;
  if (framing_.kind == Framing::Kind::length && bytes_left_ == 0) status_ = Status::done;
  return bytes.size();
}

std::size_t BodyReader::receive_chunked(std::string_view bytes) {
  const std::size_t consumed = chunked_.receive(bytes, body_, bytes_max_);
  if (chunked_.status() == ChunkedReader::Status::done) status_ = Status::done;
  if (chunked_.status() == ChunkedReader::Status::failed) fail(chunked_.error());
  return consumed;
}

void BodyReader::receive_eof() {
  if (status_ != Status::need_more) return;
  if (framing_.kind == Framing::Kind::until_close) {
    status_ = Status::done;
  } else {
    fail(Error::bad_request);
  }
}

void BodyReader::fail(Error error) {
  status_ = Status::failed;
  error_ = error;
}

}  // namespace http
