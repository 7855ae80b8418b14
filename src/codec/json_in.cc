#include "codec/json_in.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/assert.h"
#include "codec/json_run.h"
#include "codec/utf8.h"

namespace codec {
namespace {

using base::Error;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool is_separator(char c) { return is_space(c) || c == ',' || c == ':'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The four hex digits at the front; -1 if they are not there.
int hex4(std::string_view text) {
  if (text.size() < 4) return -1;
  int unit = 0;
  for (const char c : text.substr(0, 4)) {
    if (hex_digit(c) < 0) return -1;
    unit = unit * 16 + hex_digit(c);
  }
  return unit;
}

constexpr bool is_high_surrogate(int unit) { return unit >= 0xd800 && unit <= 0xdbff; }
constexpr bool is_low_surrogate(int unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// Length of the string at the front without its opening quote but with the closing one; 0 if it is not valid.
std::size_t string_length(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    i += json_run(text.substr(i));
    if (i == text.size()) return 0;
    if (text[i] == '"') return i + 1;
    if (text[i] != '\\' || i + 1 == text.size()) return 0;  // a control character, or half an escape
    const char escape = text[i + 1];
    i += 2;
    if (escape != 'u') {
      if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) return 0;
      continue;
    }
    const int unit = hex4(text.substr(i));
    i += 4;
    if (unit < 0 || is_low_surrogate(unit)) return 0;
    if (!is_high_surrogate(unit)) continue;
    if (!text.substr(i).starts_with("\\u") || !is_low_surrogate(hex4(text.substr(i + 2)))) return 0;
    i += 6;
  }
  return 0;
}

std::size_t digits_length(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

// A number of the grammar below, taken apart; whole of "-12.50e+3" is "12", fraction "50", exponent "+3".
struct NumberParts {
  std::string_view all;
  std::string_view whole;
  std::string_view fraction;
  std::string_view exponent;
};

// RFC 8259 section 6; nullopt if there is none at the front.
std::optional<NumberParts> take_number(std::string_view text) {
  NumberParts parts;
  std::size_t i = text.starts_with('-') ? 1 : 0;
  parts.whole = text.substr(i, digits_length(text.substr(i)));
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole[0] == '0')) return std::nullopt;
  i += parts.whole.size();
  if (text.substr(i).starts_with('.')) {
    ++i;
    parts.fraction = text.substr(i, digits_length(text.substr(i)));
    if (parts.fraction.empty()) return std::nullopt;
    i += parts.fraction.size();
  }
  if (text.substr(i).starts_with('e') || text.substr(i).starts_with('E')) {
    ++i;
    const std::size_t sign = text.substr(i).starts_with('-') || text.substr(i).starts_with('+') ? 1 : 0;
    const std::size_t digits = digits_length(text.substr(i + sign));
    if (digits == 0) return std::nullopt;
    parts.exponent = text.substr(i, sign + digits);
    i += sign + digits;
  }
  parts.all = text.substr(0, i);
  return parts;
}

// Saturates: a number that needs more than six digits of exponent is judged by its sign.
std::int64_t exponent_of(std::string_view text) {
  if (text.empty()) return 0;
  const bool negative = text.starts_with('-');
  if (!is_digit(text.front())) text.remove_prefix(1);
  std::int64_t exponent = 0;
  for (const char c : text) exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), 1'000'000'000);
  return negative ? -exponent : exponent;
}

// True if the nearest double is infinite. Almost every number is decided by its count of digits.
bool overflows(const NumberParts& parts) {
  if (parts.exponent.empty() && parts.whole.size() < 300) return false;
  // The number is 0.d1d2d3... * 10^magnitude with d1 != 0.
  std::int64_t magnitude = static_cast<std::int64_t>(parts.whole.size());
  if (parts.whole == "0") {
    const std::size_t zeros = std::min(parts.fraction.find_first_not_of('0'), parts.fraction.size());
    if (zeros == parts.fraction.size()) return false;  // it is zero
    magnitude = -static_cast<std::int64_t>(zeros);
  }
  magnitude += exponent_of(parts.exponent);
  if (magnitude < 300) return false;
  if (magnitude > 310) return true;
  double value = 0;
  const auto [end, error] = std::from_chars(parts.all.data(), parts.all.data() + parts.all.size(), value);
  return error == std::errc::result_out_of_range;
}

// Walks the text once. Which brackets are open is one bit each.
class Validation {
 public:
  Validation(std::string_view text, int depth_max) : rest_(text), depth_max_(depth_max) { ASSERT(depth_max <= 64); }

  Error run() {
    Error error = Error::none;
    while (error == Error::none && expected_ != Expected::end) {
      skip_spaces();
      error = rest_.empty() ? Error::bad_json : step();
    }
    if (error != Error::none) return error;
    skip_spaces();
    return rest_.empty() ? Error::none : Error::bad_json;
  }

 private:
  enum class Expected : std::uint8_t { value, value_or_close, key, key_or_close, comma_or_close, end };

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool in_object() const { return (objects_ & 1) != 0; }

  Error step() {
    const char c = rest_.front();
    switch (expected_) {
      case Expected::value_or_close:
        if (c == ']') return close();
        return value();
      case Expected::value:
        return value();
      case Expected::key_or_close:
        if (c == '}') return close();
        return key();
      case Expected::key:
        return key();
      case Expected::comma_or_close:
        if (c == (in_object() ? '}' : ']')) return close();
        if (c != ',') return Error::bad_json;
        rest_.remove_prefix(1);
        expected_ = in_object() ? Expected::key : Expected::value;
        return Error::none;
      case Expected::end:
        break;
    }
    return Error::bad_json;
  }

  Error value() {
    switch (rest_.front()) {
      case '{':
        return open(1, Expected::key_or_close);
      case '[':
        return open(0, Expected::value_or_close);
      case '"':
        return string() ? value_ended() : Error::bad_json;
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  Error open(std::uint64_t object_bit, Expected next) {
    if (depth_ == depth_max_) return Error::json_depth;
    ++depth_;
    objects_ = objects_ << 1 | object_bit;
    rest_.remove_prefix(1);
    expected_ = next;
    return Error::none;
  }

  Error close() {
    --depth_;
    objects_ >>= 1;
    rest_.remove_prefix(1);
    return value_ended();
  }

  Error value_ended() {
    expected_ = depth_ == 0 ? Expected::end : Expected::comma_or_close;
    return Error::none;
  }

  Error key() {
    if (rest_.front() != '"' || !string()) return Error::bad_json;
    skip_spaces();
    if (!rest_.starts_with(':')) return Error::bad_json;
    rest_.remove_prefix(1);
    expected_ = Expected::value;
    return Error::none;
  }

  bool string() {
    const std::size_t length = string_length(rest_.substr(1));
    rest_.remove_prefix(1 + length);
    return length > 0;
  }

  Error literal(std::string_view word) {
    if (!rest_.starts_with(word)) return Error::bad_json;
    rest_.remove_prefix(word.size());
    return value_ended();
  }

  Error number() {
    const std::optional<NumberParts> parts = take_number(rest_);
    if (!parts || overflows(*parts)) return Error::bad_json;
    rest_.remove_prefix(parts->all.size());
    return value_ended();
  }

  std::string_view rest_;
  std::uint64_t objects_ = 0;  // bit 0: the innermost open bracket is an object's
  const int depth_max_;
  int depth_ = 0;
  Expected expected_ = Expected::value;
};

// The functions from here on read validated text, where every quote, bracket and escape is known to be right.

std::size_t validated_string_length(std::string_view text) {  // with both quotes
  for (std::size_t i = 1;;) {
    i += json_run(text.substr(i));
    if (text[i] == '"') return i + 1;
    i += 2;
  }
}

std::size_t validated_length(std::string_view text) {
  if (text.front() == '"') return validated_string_length(text);
  if (text.front() != '{' && text.front() != '[') {
    const auto end = std::ranges::find_if(text, [](char c) { return is_separator(c) || c == '}' || c == ']'; });
    return static_cast<std::size_t>(end - text.begin());
  }
  int depth = 0;
  for (std::size_t i = 0;; ++i) {
    switch (text[i]) {
      case '"':
        i += validated_string_length(text.substr(i)) - 1;
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return i + 1;
        break;
      default:
        break;
    }
  }
}

// Takes the next value, and the separators before it, from the inside of an object or array; empty if there is none.
std::string_view take_value(std::string_view& rest) {
  while (!rest.empty() && is_separator(rest.front())) rest.remove_prefix(1);
  if (rest.empty()) return {};
  const std::string_view value = rest.substr(0, validated_length(rest));
  rest.remove_prefix(value.size());
  return value;
}

std::string_view inside(std::string_view brackets) { return brackets.substr(1, brackets.size() - 2); }

void append_utf8(std::string& out, unsigned code_point) {
  const auto byte = [&out](unsigned value) { out += static_cast<char>(value); };
  if (code_point < 0x80) return byte(code_point);
  if (code_point < 0x800) {
    byte(0xc0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      byte(0xe0 | code_point >> 12);
    } else {
      byte(0xf0 | code_point >> 18);
      byte(0x80 | (code_point >> 12 & 0x3f));
    }
    byte(0x80 | (code_point >> 6 & 0x3f));
  }
  byte(0x80 | (code_point & 0x3f));
}

// Appends what the escape at text[i] (a backslash) stands for; returns where it ends.
std::size_t append_unescaped(std::string& out, std::string_view text, std::size_t i) {
  static constexpr std::string_view kLetters = "bfnrt";
  static constexpr std::string_view kMeanings = "\b\f\n\r\t";
  const char escape = text[i + 1];
  if (escape != 'u') {
    const std::size_t letter = kLetters.find(escape);
    out += letter == std::string_view::npos ? escape : kMeanings[letter];
    return i + 2;
  }
  const int high = hex4(text.substr(i + 2));
  if (!is_high_surrogate(high)) {
    append_utf8(out, static_cast<unsigned>(high));
    return i + 6;
  }
  const int low = hex4(text.substr(i + 8));
  append_utf8(out, static_cast<unsigned>(0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00)));
  return i + 12;
}

std::string unescaped(std::string_view quoted) {
  const std::string_view text = inside(quoted);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t run = json_run(text.substr(i));
    out.append(text.substr(i, run));
    i += run;
    if (i < text.size()) i = append_unescaped(out, text, i);
  }
  return out;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Error check_json(std::string_view text, int depth_max) noexcept {
  if (!utf8_valid(text)) return Error::bad_json;
  return Validation(text, depth_max).run();
}

std::expected<std::string, Error> validate_json(std::string_view text) {
  if (const Error error = check_json(text); error != Error::none) return std::unexpected(error);
  std::string json(text);
  std::erase_if(json, [](char c) { return c == '\r' || c == '\n'; });
  return json;
}

std::expected<JsonValue, Error> JsonValue::parse(std::string_view text, int depth_max) {
  if (const Error error = check_json(text, depth_max); error != Error::none) return std::unexpected(error);
  return JsonValue(take_value(text));
}

JsonValue::Type JsonValue::type() const noexcept {
  switch (raw_.front()) {
    case '{':
      return Type::object;
    case '[':
      return Type::array;
    case '"':
      return Type::string;
    case 't':
    case 'f':
      return Type::boolean;
    case 'n':
      return Type::null;
    default:
      return Type::number;
  }
}

std::optional<std::string> JsonValue::string() const {
  if (type() != Type::string) return std::nullopt;
  return unescaped(raw_);
}

std::optional<std::uint64_t> JsonValue::unsigned_integer() const noexcept { return whole_number<std::uint64_t>(raw_); }

std::optional<std::int64_t> JsonValue::integer() const noexcept { return whole_number<std::int64_t>(raw_); }

std::optional<double> JsonValue::number() const noexcept {
  if (type() != Type::number) return std::nullopt;
  double value = 0;
  // What is too small for a double is zero; what is too large did not pass validation.
  const auto [end, error] = std::from_chars(raw_.data(), raw_.data() + raw_.size(), value);
  return error == std::errc{} ? value : 0.0;
}

std::optional<bool> JsonValue::boolean() const noexcept {
  if (type() != Type::boolean) return std::nullopt;
  return raw_ == "true";
}

std::optional<JsonValue> JsonValue::find(std::string_view name) const {
  std::optional<JsonValue> found;
  JsonMembers members(*this);
  while (const std::optional<JsonMember> member = members.next()) {
    if (member->name != name) continue;
    if (found) return std::nullopt;
    found = member->value;
  }
  return found;
}

JsonMembers::JsonMembers(JsonValue object) {
  if (object.type() == JsonValue::Type::object) rest_ = inside(object.raw());
}

std::optional<JsonMember> JsonMembers::next() {
  const std::string_view name = take_value(rest_);
  if (name.empty()) return std::nullopt;
  return JsonMember{unescaped(name), JsonValue(take_value(rest_))};
}

JsonElements::JsonElements(JsonValue array) {
  if (array.type() == JsonValue::Type::array) rest_ = inside(array.raw());
}

std::optional<JsonValue> JsonElements::next() {
  const std::string_view value = take_value(rest_);
  if (value.empty()) return std::nullopt;
  return JsonValue(value);
}

}  // namespace codec
