#include "http/line_reader.h"

#include "http/syntax.h"

namespace http {
namespace {

// `previous` is the byte before `part`, 0 at the start of a line; an LF is the last byte of `part` or not in it.
bool bytes_may_follow(char previous, std::string_view part) {
  // A CR is followed by LF, and an LF follows a CR.
  const bool line_ends = part.ends_with('\n');
  if (line_ends) {
    part.remove_suffix(1);
    if ((part.empty() ? previous : part.back()) != '\r') return false;
  }
  if (!part.empty()) {
    if (previous == '\r') return false;
    if (part.back() == '\r') part.remove_suffix(1);
  }
  // No way out of the loop before its end: a branch per byte costs more than a bad request is worth.
  bool clean = true;
  for (const char c : part) clean &= is_field_value_char(c);
  return clean;
}

}  // namespace

std::size_t LineReader::receive(std::string_view bytes, std::size_t room) {
  if (status_ == Status::line) {
    line_start_ = text_.size();
    status_ = Status::need_more;
  }
  // Bytes beyond the room are not looked at, so that "too long" comes at the same byte for every way to cut.
  std::string_view part = bytes.substr(0, room);
  const std::size_t end = part.find('\n');
  if (end != std::string_view::npos) part = part.substr(0, end + 1);

  const char previous = text_.size() > line_start_ ? text_.back() : '\0';
  if (!bytes_may_follow(previous, part)) {
    status_ = Status::bad_byte;
    return part.size();
  }
  text_.append(part);
  if (end != std::string_view::npos) {
    status_ = Status::line;
  } else if (part.size() == room) {
    status_ = Status::too_long;
  }
  return part.size();
}

void LineReader::clear() {
  text_.clear();
  line_start_ = 0;
  status_ = Status::need_more;
}

}  // namespace http
