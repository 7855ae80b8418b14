#include "http/static_file.h"

#include <vector>

#include "http/syntax.h"

namespace http {
namespace {

// True if `parameters` (";q=0.5") say "not at all": q=0, q=0.0 and so on (RFC 9110 section 12.4.2).
bool has_zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = parameters.find(';');
    const std::string_view parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

bool accepts_gzip(const Request& request) {
  bool any = false;  // "*" counts only where gzip is not named
  for (const Header& header : request.headers) {
    if (!same_name(header.name, "Accept-Encoding")) continue;
    for (std::string_view list = header.value; !list.empty();) {
      const std::string_view element = take_element(list);
      const std::size_t end = element.find(';');
      const std::string_view coding = trim(element.substr(0, end));
      const bool refused = end != std::string_view::npos && has_zero_weight(element.substr(end + 1));
      if (same_text(coding, "gzip") || same_text(coding, "x-gzip")) return !refused;
      if (coding == "*") any = !refused;
    }
  }
  return any;
}

// `"abc"` becomes `"abc-gzip"`: another representation has another strong ETag (RFC 9110 section 8.8.3.3).
std::string etag_of(const StaticFile& file, bool gzip) {
  std::string etag(file.etag);
  if (gzip) etag.insert(etag.size() - 1, "-gzip");
  return etag;
}

// Weak comparison (RFC 9110 section 13.1.2). Our ETags have no commas in them.
bool matches(const Request& request, std::string_view etag) {
  for (const Header& header : request.headers) {
    if (!same_name(header.name, "If-None-Match")) continue;
    for (std::string_view list = header.value; !list.empty();) {
      std::string_view element = take_element(list);
      if (element == "*") return true;
      if (element.starts_with("W/")) element.remove_prefix(2);
      if (element == etag) return true;
    }
  }
  return false;
}

}  // namespace

void append_static_file(std::string& out, const Request& request, const StaticFile& file, Connection connection) {
  const bool gzip = !file.gzip.empty() && accepts_gzip(request);
  const std::string etag = etag_of(file, gzip);
  std::vector<Field> fields{
      {"ETag", etag},
      {"Cache-Control", file.cache_control},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Content-Security-Policy", file.content_security_policy},
  };
  if (!file.gzip.empty()) fields.push_back({"Vary", "Accept-Encoding"});
  if (matches(request, etag)) {
    append_head(out, 304, fields, connection, Body::none);
    return;
  }
  const std::string_view bytes = gzip ? file.gzip : file.bytes;
  fields.push_back({"Content-Type", file.content_type});
  if (gzip) fields.push_back({"Content-Encoding", "gzip"});
  append_head(out, 200, fields, connection, Body::with_length, bytes.size());
  if (request.method != "HEAD") out.append(bytes);
}

}  // namespace http
