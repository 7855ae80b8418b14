#include "http/message_head.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "http/syntax.h"

namespace http {
namespace {

using base::Error;

// Method names of extensions (WebDAV and the like) have at most 17 characters.
constexpr std::size_t kMethodBytesMax = 32;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

Error parse_version(std::string_view text, std::uint8_t& minor_version) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 8 || !text.starts_with("HTTP/") || !digit(text[5]) || text[6] != '.' || !digit(text[7])) {
    return Error::bad_request;
  }
  if (text != "HTTP/1.1" && text != "HTTP/1.0") return Error::http_version;
  minor_version = static_cast<std::uint8_t>(text[7] - '0');
  return Error::none;
}

// Splits a target in origin form. Visible ASCII without '#'; bytes above 0x7F are let through because curl and others
// send UTF-8 paths as they are: the grammar of channel names judges them.
bool parse_origin_form(std::string_view target, Request& request) {
  const bool clean = std::ranges::all_of(target, [](char c) { return c != ' ' && c != '\t' && c != '#'; });
  if (!clean) return false;
  const std::size_t question = target.find('?');
  request.target = target;
  request.path = target.substr(0, question);
  request.query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
  return true;
}

// "http://host:port/path?query": the authority is left in `request.host`, the rest is read as origin form.
bool parse_absolute_form(std::string_view target, Request& request) {
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return false;
  if (!same_text(target.substr(0, scheme), "http") && !same_text(target.substr(0, scheme), "https")) return false;
  target.remove_prefix(scheme + 3);
  const std::size_t end = target.find_first_of("/?");
  request.host = target.substr(0, end);
  if (!is_host(request.host)) return false;  // also refuses user:password@
  target = end == std::string_view::npos ? std::string_view{} : target.substr(end);
  if (!parse_origin_form(target, request)) return false;
  if (request.path.empty()) request.path = "/";
  if (request.target.empty()) request.target = "/";
  return true;
}

bool parse_target(std::string_view target, Request& request) {
  if (target.starts_with('/')) return parse_origin_form(target, request);
  if (target == "*" && request.method == "OPTIONS") {
    request.target = request.path = target;
    return true;
  }
  return parse_absolute_form(target, request);
}

Error parse_request_line(std::string_view line, Request& request) {
  const std::size_t first_space = line.find(' ');
  if (first_space == std::string_view::npos) return Error::bad_request;
  const std::size_t second_space = line.find(' ', first_space + 1);
  if (second_space == std::string_view::npos) return Error::bad_request;

  request.method = line.substr(0, first_space);
  if (!is_token(request.method) || request.method.size() > kMethodBytesMax) return Error::bad_request;
  const Error version = parse_version(line.substr(second_space + 1), request.minor_version);
  if (version != Error::none) return version;
  const std::string_view target = line.substr(first_space + 1, second_space - first_space - 1);
  return parse_target(target, request) ? Error::none : Error::bad_request;
}

// "HTTP/1.1 200 reason"; the reason may be empty, and some servers leave out the space before it.
Error parse_status_line(std::string_view line, ResponseHead& response) {
  const Error version = parse_version(line.substr(0, 8), response.minor_version);
  if (version != Error::none) return version;
  line.remove_prefix(8);
  if (line.size() < 4 || line[0] != ' ' || (line.size() > 4 && line[4] != ' ')) return Error::bad_request;
  unsigned status = 0;
  for (const char c : line.substr(1, 3)) {
    if (c < '0' || c > '9') return Error::bad_request;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  if (status < 100 || status > 599) return Error::bad_request;
  response.status = static_cast<std::uint16_t>(status);
  return Error::none;
}

// `lines`: header lines and the empty one. A line that starts with white space is folding (obsolete, refused): its name
// would begin with a blank, which is no token. The same check refuses a space before the colon.
Error parse_headers(std::string_view lines, HeaderList& list) {
  for (std::string_view line = take_line(lines); !line.empty(); line = take_line(lines)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return Error::bad_request;
    list.headers.push_back({line.substr(0, colon), trim(line.substr(colon + 1))});
  }
  return Error::none;
}

// Digits only; saturates, since what is too long for 64 bits is too big for every limit.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    length = length > (kMax - 9) / 10 ? kMax : length * 10 + static_cast<unsigned>(c - '0');
  }
  return length;
}

// One header, `chunked` last and once. Anything before it is a coding we do not know.
Error check_transfer_encoding(const HeaderList& list) {
  const std::optional<std::string_view> value = list.find("Transfer-Encoding");
  if (!value || value->empty()) return Error::bad_request;
  Error verdict = Error::none;
  for (std::string_view rest = *value; !rest.empty();) {
    const std::string_view coding = take_element(rest);
    if (!is_token(coding)) return Error::bad_request;
    const bool last = rest.empty();
    if (same_text(coding, "chunked") != last) return Error::bad_request;
    if (!last) verdict = Error::not_implemented;
  }
  return value->ends_with(',') ? Error::bad_request : verdict;
}

// RFC 9112 section 6.3 without its lenient branches: both headers, two lengths or a list of them are refused.
Error parse_framing(const HeaderList& list, std::uint8_t minor_version, Framing& framing) {
  const std::size_t lengths = list.count("Content-Length");
  if (list.count("Transfer-Encoding") > 0) {
    if (lengths > 0 || minor_version == 0) return Error::bad_request;
    framing.kind = Framing::Kind::chunked;
    return check_transfer_encoding(list);
  }
  if (lengths == 0) return Error::none;
  const std::optional<std::string_view> value = list.find("Content-Length");
  const std::optional<std::uint64_t> length = value ? parse_length(*value) : std::nullopt;
  if (!length) return Error::bad_request;
  framing.length = *length;
  framing.kind = *length > 0 ? Framing::Kind::length : Framing::Kind::none;
  return Error::none;
}

Error check_host(Request& request) {
  const std::size_t count = request.count("Host");
  if (count > 1 || (count == 0 && request.minor_version == 1)) return Error::bad_request;
  if (count == 0) return Error::none;
  const std::string_view host = *request.find("Host");
  if (!is_host(host)) return Error::bad_request;
  // RFC 9112 section 3.2.2 would ignore Host beside an absolute target. Two names for one server have only ever served
  // attacks, so they must agree.
  if (!request.host.empty() && !same_text(request.host, host)) return Error::bad_request;
  request.host = host;
  return Error::none;
}

Error check_expect(Request& request) {
  const std::size_t count = request.count("Expect");
  if (count == 0 || request.minor_version == 0) return Error::none;  // RFC 9110 10.1.1: ignored in HTTP/1.0
  const std::optional<std::string_view> value = request.find("Expect");
  if (!value || !same_text(*value, "100-continue")) return Error::expectation_failed;
  request.expects_continue = request.has_body;
  return Error::none;
}

bool keeps_alive(const HeaderList& list, std::uint8_t minor_version) {
  if (list.has_token("Connection", "close")) return false;
  return minor_version == 1 || list.has_token("Connection", "keep-alive");
}

}  // namespace

Error parse_request_head(std::string_view text, Request& request, Framing& framing) {
  if (const Error error = parse_request_line(take_line(text), request); error != Error::none) return error;
  if (const Error error = parse_headers(text, request); error != Error::none) return error;
  if (const Error error = check_host(request); error != Error::none) return error;
  if (const Error error = parse_framing(request, request.minor_version, framing); error != Error::none) return error;
  request.has_body = framing.kind != Framing::Kind::none;
  request.keep_alive = keeps_alive(request, request.minor_version);
  return check_expect(request);
}

Error parse_response_head(std::string_view text, AnswerTo answer_to, ResponseHead& response, Framing& framing) {
  if (const Error error = parse_status_line(take_line(text), response); error != Error::none) return error;
  if (const Error error = parse_headers(text, response); error != Error::none) return error;
  response.keep_alive = keeps_alive(response, response.minor_version);
  const bool never_a_body =
      response.status < 200 || response.status == 204 || response.status == 304 || answer_to == AnswerTo::head;
  if (never_a_body) return Error::none;
  if (const Error error = parse_framing(response, response.minor_version, framing); error != Error::none) return error;
  if (framing.kind == Framing::Kind::none && response.count("Content-Length") == 0) {
    framing.kind = Framing::Kind::until_close;
    response.keep_alive = false;
  }
  return Error::none;
}

}  // namespace http
