#include "http/response_reader.h"

namespace http {
namespace {

constexpr std::uint32_t kInterimAnswersMax = 8;  // a server sends one or two; more of them is a flood

}  // namespace

using base::Error;

ResponseReader::ResponseReader(const ResponseLimits& limits, AnswerTo answer_to)
    : limits_(limits),
      answer_to_(answer_to),
      head_({.first_line_bytes_max = limits.head_bytes_max,
             .head_bytes_max = limits.head_bytes_max,
             .headers_max = limits.headers_max}) {}

std::size_t ResponseReader::receive(std::string_view bytes) {
  std::size_t consumed = 0;
  while (head_.status() == HeadReader::Status::need_more && status_ == Status::need_more && consumed < bytes.size()) {
    consumed += head_.receive(bytes.substr(consumed));
    if (head_.status() == HeadReader::Status::failed) fail(head_.error());
    if (head_.status() != HeadReader::Status::done) return consumed;
    take_head();
    if (status_ != Status::need_more) return consumed;
  }
  if (status_ == Status::done || status_ == Status::failed || head_.status() != HeadReader::Status::done)
    return consumed;
  consumed += body_.receive(bytes.substr(consumed));
  take_body_status();
  return consumed;
}

void ResponseReader::take_head() {
  response_ = {};
  Framing framing;
  const Error error = parse_response_head(head_.text(), answer_to_, response_, framing);
  if (error != Error::none) return fail(error);
  if (response_.status < 200 && response_.status != 101) {
    if (++interim_answers_ > kInterimAnswersMax) return fail(Error::bad_request);
    head_.reset();
    return;
  }
  body_.start(framing, limits_.body_bytes_max);
  take_body_status();
  if (status_ == Status::need_more) status_ = Status::head_done;
}

void ResponseReader::take_body_status() {
  switch (body_.status()) {
    case BodyReader::Status::need_more:
      status_ = Status::need_more;
      break;
    case BodyReader::Status::done:
      status_ = Status::done;
      break;
    case BodyReader::Status::failed:
      fail(body_.error());
      break;
  }
}

void ResponseReader::receive_eof() {
  if (status_ == Status::done || status_ == Status::failed) return;
  if (head_.status() != HeadReader::Status::done) return fail(Error::bad_request);
  body_.receive_eof();
  take_body_status();
}

void ResponseReader::fail(Error error) {
  status_ = Status::failed;
  error_ = error == Error::uri_too_long ? Error::headers_too_large : error;  // there is no URI in a status line
}

void ResponseReader::reset(AnswerTo answer_to) {
  answer_to_ = answer_to;
  head_.reset();
  body_.start({}, limits_.body_bytes_max);
  response_ = {};
  interim_answers_ = 0;
  status_ = Status::need_more;
  error_ = Error::none;
}

}  // namespace http
