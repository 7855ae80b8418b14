// Writes HTTP/1.1 responses as bytes. Header values are checked tokens or our own constants: a CR, LF or NUL in one is
// our bug (ASSERT), so callers never pass user text into a header unchecked (T42). Stateless.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace http {

struct Field {
  std::string_view name;
  std::string_view value;
};

enum class Connection : std::uint8_t { keep_alive, close };
// none: no framing header. Right for 204 and 304, and for a stream that the end of the connection ends
// (Connection::close).
enum class Body : std::uint8_t { with_length, chunked, none };

std::string_view reason_phrase(std::uint16_t status) noexcept;  // "Unknown" for a status we never send
// "HTTP/1.1 100 Continue", for a request that expects it and whose body is wanted.
void append_continue(std::string& out);
// `fields` go out in their order after the ones of this function (Connection, Content-Length, Transfer-Encoding).
void append_head(std::string& out, std::uint16_t status, std::span<const Field> fields, Connection connection,
                 Body body, std::size_t body_bytes = 0);
// Head and body in one.
void append_response(std::string& out, std::uint16_t status, std::string_view content_type, std::string_view body,
                     Connection connection, std::span<const Field> extra = {});
// {"code":"E_...","message":"...","retry_after":n?} with the status of the registry; `hint` is added to the message and
// is JSON-escaped here. retry_after_s < 0: none; otherwise also a Retry-After header. 401 says WWW-Authenticate:
// Bearer, upgrade_required says which protocol (RFC 9110 sections 11.6.1 and 15.5.22).
void append_error(std::string& out, base::Error error, Connection connection, std::string_view hint = {},
                  int retry_after_s = -1, std::span<const Field> extra = {});
// The JSON of append_error alone, for doors that carry errors inside their own frames.
void append_error_json(std::string& out, base::Error error, std::string_view hint = {}, int retry_after_s = -1);
// Adds Date (RFC 9110 section 6.6.1) to a response that was just made; `date` is an IMF-fixdate.
void insert_date(std::string& response, std::string_view date);
void append_chunk(std::string& out, std::string_view data);  // data not empty
void append_last_chunk(std::string& out);

}  // namespace http
