#include "http/response.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <vector>

#include "base/assert.h"
#include "codec/json_out.h"
#include "http/syntax.h"

namespace http {
namespace {

struct Reason {
  std::uint16_t status;
  std::string_view phrase;
};

// RFC 9110 section 15 and RFC 6585, what this server sends.
constexpr Reason kReasons[] = {
    {200, "OK"},
    {204, "No Content"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

void append_decimal(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  ASSERT(is_token(name));
  ASSERT(std::ranges::all_of(value, is_field_value_char));
  out.append(name);
  out += ": ";
  out.append(value);
  out += "\r\n";
}

}  // namespace

std::string_view reason_phrase(std::uint16_t status) noexcept {
  const auto known = std::ranges::find(kReasons, status, &Reason::status);
  return known == std::end(kReasons) ? "Unknown" : known->phrase;
}

void append_continue(std::string& out) { out += "HTTP/1.1 100 Continue\r\n\r\n"; }

void append_head(std::string& out, std::uint16_t status, std::span<const Field> fields, Connection connection,
                 Body body, std::size_t body_bytes) {
  ASSERT(status >= 100 && status <= 599);
  out += "HTTP/1.1 ";
  append_decimal(out, status);
  out += ' ';
  out.append(reason_phrase(status));
  out += "\r\n";
  // HTTP/1.0 clients need to hear keep-alive; the others do not mind.
  append_field(out, "Connection", connection == Connection::close ? "close" : "keep-alive");
  if (body == Body::with_length) {
    out += "Content-Length: ";
    append_decimal(out, body_bytes);
    out += "\r\n";
  } else if (body == Body::chunked) {
    append_field(out, "Transfer-Encoding", "chunked");
  }
  for (const Field& field : fields) append_field(out, field.name, field.value);
  out += "\r\n";
}

void append_response(std::string& out, std::uint16_t status, std::string_view content_type, std::string_view body,
                     Connection connection, std::span<const Field> extra) {
  std::vector<Field> fields{{"Content-Type", content_type}};
  fields.insert(fields.end(), extra.begin(), extra.end());
  append_head(out, status, fields, connection, Body::with_length, body.size());
  out.append(body);
}

void append_error_json(std::string& out, base::Error error, std::string_view hint, int retry_after_s) {
  const base::ErrorEntry& entry = base::entry(error);
  std::string message(entry.text);
  if (!hint.empty()) message.append(" ").append(hint);
  codec::JsonWriter json(out);
  json.begin_object().key("code").string(entry.code).key("message").string(message);
  if (retry_after_s >= 0) json.key("retry_after").number(retry_after_s);
  json.end_object();
}

void append_error(std::string& out, base::Error error, Connection connection, std::string_view hint, int retry_after_s,
                  std::span<const Field> extra) {
  const std::uint16_t status = base::entry(error).http_status;
  std::string retry_after;
  std::vector<Field> fields{{"Cache-Control", "no-store"}};
  if (retry_after_s >= 0) {
    append_decimal(retry_after, static_cast<std::uint64_t>(retry_after_s));
    fields.push_back({"Retry-After", retry_after});
  }
  if (status == 401) fields.push_back({"WWW-Authenticate", "Bearer"});
  if (error == base::Error::upgrade_required) {
    fields.insert(fields.end(), {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}});
  }
  fields.insert(fields.end(), extra.begin(), extra.end());
  std::string body;
  append_error_json(body, error, hint, retry_after_s);
  append_response(out, status, "application/json", body, connection, fields);
}

void insert_date(std::string& response, std::string_view date) {
  std::string field;
  append_field(field, "Date", date);
  response.insert(response.find("\r\n") + 2, field);
}

void append_chunk(std::string& out, std::string_view data) {
  ASSERT(!data.empty());  // an empty chunk would end the body
  append_decimal(out, data.size(), 16);
  out += "\r\n";
  out.append(data);
  out += "\r\n";
}

void append_last_chunk(std::string& out) { out += "0\r\n\r\n"; }

}  // namespace http
