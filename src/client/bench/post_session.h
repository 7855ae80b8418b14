// Publishing over HTTP on one connection: POST requests one after the other, each after the answer to the one before.
// No I/O.
//
// Calling order: request() when not waiting(); receive() until it returns; an answer that is not 2xx ends the session.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/response_reader.h"

namespace client::bench {

class PostSession {
 public:
  // `limits` must outlive the session. `fields` are header lines, each with its line end.
  PostSession(const http::ResponseLimits& limits, std::string_view target, std::string_view fields);

  bool waiting() const { return asked_.has_value(); }
  // Appends the request.
  void request(std::string& out, std::string_view body, base::Instant now);
  // The time the answer took, or nothing while it is not complete. The error says why the connection is of no more use.
  std::expected<std::optional<base::Duration>, std::string> receive(std::string_view bytes, base::Instant now);

 private:
  std::string head_;
  http::ResponseReader response_;
  std::optional<base::Instant> asked_;
};

}  // namespace client::bench
