#include "codec/json_out.h"

#include <array>
#include <charconv>

#include "codec/json_run.h"

namespace codec {
namespace {

void append_escaped(std::string& out, char c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

template <typename Number>
void append_decimal(std::string& out, Number number) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view utf8) {
  out += '"';
  while (true) {
    const std::size_t run = json_run(utf8);
    out.append(utf8.substr(0, run));
    if (run == utf8.size()) break;
    append_escaped(out, utf8[run]);
    utf8.remove_prefix(run + 1);
  }
  out += '"';
}

void append_json_number(std::string& out, std::uint64_t number) { append_decimal(out, number); }
void append_json_number(std::string& out, std::int64_t number) { append_decimal(out, number); }

void JsonWriter::separate() {
  // No value ends with one of these three, so the last byte alone says whether a value came before.
  if (out_.size() == start_ || out_.back() == '{' || out_.back() == '[' || out_.back() == ':') return;
  out_ += ',';
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::shut(char bracket) {
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view utf8) {
  separate();
  append_json_string(out_, utf8);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

}  // namespace codec
