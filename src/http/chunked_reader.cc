#include "http/chunked_reader.h"

#include <algorithm>
#include <optional>

#include "http/syntax.h"

namespace http {
namespace {

using base::Error;

constexpr std::size_t kSizeLineBytesMax = 256;  // 16 digits and room for the extensions anybody has ever sent
// In one body: nobody needs extensions, and a sender must not feed us 250 of their bytes for every byte of payload.
constexpr std::uint32_t kExtensionBytesMax = 4 * 1024;
constexpr std::uint32_t kTrailerBytesMax = 4 * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Takes 1 to 16 hex digits.
std::optional<std::uint64_t> take_size(std::string_view& line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size() && hex_digit(line[digits]) >= 0; ++digits) {
    if (digits == 16) return std::nullopt;
    size = size * 16 + static_cast<unsigned>(hex_digit(line[digits]));
  }
  if (digits == 0) return std::nullopt;
  line.remove_prefix(digits);
  return size;
}

bool take_token(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_token_char);
  if (end == text.begin()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return true;
}

bool take_quoted_string(std::string_view& text) {  // after the opening quote
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return true;
    if (c == '\\') {
      if (text.empty()) return false;
      text.remove_prefix(1);
    }
  }
  return false;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
bool extensions_valid(std::string_view text) {
  while (!text.empty()) {
    skip_blanks(text);
    if (!take_char(text, ';')) return false;
    skip_blanks(text);
    if (!take_token(text)) return false;
    // White space that leads to neither "=" nor ";" is left over, and the next round refuses it.
    std::string_view value = text;
    skip_blanks(value);
    if (!take_char(value, '=')) continue;
    skip_blanks(value);
    if (!(take_char(value, '"') ? take_quoted_string(value) : take_token(value))) return false;
    text = value;
  }
  return true;
}

}  // namespace

std::size_t ChunkedReader::receive(std::string_view bytes, std::string& body, std::size_t body_bytes_max) {
  std::size_t consumed = 0;
  while (status_ == Status::need_more && consumed < bytes.size()) {
    const std::string_view rest = bytes.substr(consumed);
    consumed += state_ == State::data ? receive_data(rest, body) : receive_line(rest, body, body_bytes_max);
  }
  return consumed;
}

std::size_t ChunkedReader::receive_data(std::string_view bytes, std::string& body) {
  const std::string_view part = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), chunk_bytes_left_));
  body.append(part);
  chunk_bytes_left_ -= part.size();
  if (chunk_bytes_left_ == 0) state_ = State::data_end;
  return part.size();
}

std::size_t ChunkedReader::receive_line(std::string_view bytes, std::string& body, std::size_t body_bytes_max) {
  const std::size_t line_bytes_max = state_ == State::size       ? kSizeLineBytesMax
                                     : state_ == State::data_end ? 2
                                                                 : kTrailerBytesMax - trailer_bytes_;
  const std::size_t consumed = line_.receive(bytes, line_bytes_max - line_.line_bytes());
  switch (line_.status()) {
    case LineReader::Status::need_more:
      return consumed;
    case LineReader::Status::bad_byte:
      fail(Error::bad_request);
      return consumed;
    case LineReader::Status::too_long:
      fail(state_ == State::trailers ? Error::headers_too_large : Error::bad_request);
      return consumed;
    case LineReader::Status::line:
      break;
  }
  if (state_ == State::size) {
    take_size_line(body_bytes_max - std::min(body_bytes_max, body.size()));
  } else if (state_ == State::data_end) {
    state_ = State::size;  // two bytes that end with CRLF are the CRLF
  } else {
    take_trailer_line();
  }
  line_.clear();
  return consumed;
}

void ChunkedReader::take_size_line(std::size_t body_bytes_left) {
  std::string_view rest = line_.line();
  const std::optional<std::uint64_t> size = take_size(rest);
  if (!size || !extensions_valid(rest)) return fail(Error::bad_request);
  if (rest.size() > kExtensionBytesMax - extension_bytes_) return fail(Error::bad_request);
  extension_bytes_ += static_cast<std::uint32_t>(rest.size());
  if (*size > body_bytes_left) return fail(Error::payload_too_big);
  chunk_bytes_left_ = *size;
  state_ = *size > 0 ? State::data : State::trailers;
}

void ChunkedReader::take_trailer_line() {
  const std::string_view line = line_.line();
  if (line.empty()) {
    status_ = Status::done;
    return;
  }
  if (!is_token(line.substr(0, line.find(':'))) || line.find(':') == std::string_view::npos) {
    return fail(Error::bad_request);
  }
  trailer_bytes_ += static_cast<std::uint32_t>(line.size() + 2);
  if (trailer_bytes_ == kTrailerBytesMax) fail(Error::headers_too_large);
}

void ChunkedReader::fail(Error error) {
  status_ = Status::failed;
  error_ = error;
}

void ChunkedReader::reset() {
  line_.clear();
  chunk_bytes_left_ = 0;
  extension_bytes_ = 0;
  trailer_bytes_ = 0;
  state_ = State::size;
  status_ = Status::need_more;
  error_ = Error::none;
}

}  // namespace http
