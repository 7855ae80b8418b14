#include "client/bench/post_session.h"

#include "base/assert.h"
#include "client/core/refusal.h"

namespace client::bench {

PostSession::PostSession(const http::ResponseLimits& limits, std::string_view target, std::string_view fields)
    : response_(limits) {
  head_ = "POST ";
  head_ += target;
  head_ += " HTTP/1.1\r\n";
  head_ += fields;
  head_ += "Content-Length: ";
}

void PostSession::request(std::string& out, std::string_view body, base::Instant now) {
  ASSERT(!waiting());
  asked_ = now;
  out += head_;
  out += std::to_string(body.size());
  out += "\r\n\r\n";
  out += body;
}

std::expected<std::optional<base::Duration>, std::string> PostSession::receive(std::string_view bytes,
                                                                               base::Instant now) {
  using Status = http::ResponseReader::Status;
  while (!bytes.empty() && response_.status() != Status::done && response_.status() != Status::failed) {
    bytes.remove_prefix(response_.receive(bytes));
  }
  if (response_.status() == Status::failed) return std::unexpected("The answer to a publish is not HTTP.");
  if (response_.status() != Status::done) return std::nullopt;
  const http::ResponseHead& head = response_.response();
  if (head.status < 200 || head.status > 299) return std::unexpected(read_refusal(head, response_.body()).text());
  if (!waiting() || !bytes.empty()) return std::unexpected("An answer came that was not asked for.");
  if (head.has_token("connection", "close")) return std::unexpected("The server closes after each publish.");
  const base::Duration took = now - *asked_;
  asked_.reset();
  response_.reset();
  return took;
}

}  // namespace client::bench
