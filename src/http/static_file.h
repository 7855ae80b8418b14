// An embedded file as a response: ETag and If-None-Match (RFC 9110 section 13.1.2), the precompressed form where gzip
// is accepted, security headers (CSP, nosniff, no framing). Stateless.
#pragma once

#include <string>
#include <string_view>

#include "http/request.h"
#include "http/response.h"

namespace http {

struct StaticFile {
  std::string_view content_type;
  std::string_view etag;  // with its quotes
  std::string_view bytes;
  std::string_view gzip;  // empty: none
  std::string_view cache_control;
  std::string_view content_security_policy;
};

void append_static_file(std::string& out, const Request& request, const StaticFile& file, Connection connection);

}  // namespace http
