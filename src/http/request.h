// HTTP/1.1 messages as values. Views point into the reader's buffer and are valid until its next non-const call.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace http {

struct Header {
  std::string_view name;   // as sent; compare with `same_name`
  std::string_view value;  // without leading and trailing white space
};

bool same_name(std::string_view a, std::string_view b) noexcept;  // ASCII case-insensitive

struct HeaderList {
  std::vector<Header> headers;
  // The only value of that name; nullopt if absent *or* doubled (count() tells).
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;
  // True if any header of that name has the token in its comma-separated list (RFC 9110 5.6.1), case-insensitive.
  bool has_token(std::string_view name, std::string_view token) const noexcept;
};

struct Request : HeaderList {
  std::string_view method;
  std::string_view target;  // as sent, origin form ("*" for OPTIONS *); routing uses `path`, never decoded twice
  std::string_view path;    // raw, before '?'
  std::string_view query;   // raw, after '?', empty if none
  std::string_view host;    // Host, or the same from an absolute-form target; empty only in HTTP/1.0
  std::uint8_t minor_version = 1;
  bool keep_alive = true;
  bool expects_continue = false;
  bool has_body = false;  // Content-Length > 0 or chunked
  std::string_view body;  // complete once the reader says done
};

struct ResponseHead : HeaderList {
  std::uint16_t status = 0;
  std::uint8_t minor_version = 1;
  bool keep_alive = true;  // false too if only the end of the connection ends the body
};

}  // namespace http
