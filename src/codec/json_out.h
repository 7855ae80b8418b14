// JSON out: text appended to a string. Strings are assumed to be valid UTF-8 (checked where they came in). Stateless.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace codec {

// `"text"` with the quotes. Escapes what RFC 8259 section 7 demands and nothing else; U+2028 and U+2029 stay as they
// are.
void append_json_string(std::string& out, std::string_view utf8);

// Decimal, exact.
void append_json_number(std::string& out, std::uint64_t number);
void append_json_number(std::string& out, std::int64_t number);

// Writes one JSON value piece by piece and sets the commas. It trusts its caller for the rest: keys in objects, every
// begin with its end. Holds a reference to `out` only, so several may follow each other on the same string.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out), start_(out.size()) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return shut('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return shut(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view utf8);
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  JsonWriter& number(Number value) {
    separate();
    if constexpr (std::unsigned_integral<Number>) {
      append_json_number(out_, std::uint64_t{value});
    } else {
      append_json_number(out_, std::int64_t{value});
    }
    return *this;
  }
  enum class Truth : bool { no, yes };
  JsonWriter& boolean(Truth value) { return raw(value == Truth::yes ? "true" : "false"); }
  JsonWriter& raw(std::string_view json);  // one value, already JSON

 private:
  void separate();
  JsonWriter& open(char bracket);
  JsonWriter& shut(char bracket);

  std::string& out_;
  std::size_t start_;
};

}  // namespace codec
