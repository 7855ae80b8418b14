// JSON in (RFC 8259): full validation, and a view of validated text that keeps every value's own bytes, so that a
// payload inside a request travels on exactly as it came, numbers included. By hand and not by simdjson's DOM, which
// has no place for those bytes, refuses integers above 64 bits and needs a padded copy; simdjson is the reference in
// the tests.
//
// Strictly: valid UTF-8, no lone surrogates in escapes, no number beyond the range of a double (1e400: most readers
// would make infinity of it), nothing after the value, at most kJsonDepthMax brackets open. Integers of any length are
// fine. Linear, no recursion, no allocation while validating. Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace codec {

inline constexpr int kJsonDepthMax = 32;  // T07; deeper than any message people write, small enough for every reader

// none, bad_json or json_depth. `depth_max` is at most 64; what wraps a payload in an object of its own (the envelope)
// needs one more than the payload was allowed.
base::Error check_json(std::string_view text, int depth_max = kJsonDepthMax) noexcept;

// The text with its raw CRs and LFs removed (they can only stand between tokens), everything else as it came.
std::expected<std::string, base::Error> validate_json(std::string_view text);

// One value inside text that check_json() has accepted: a view, valid as long as that text. Lookups scan and are linear
// in the value's length; they are meant for requests of a few members.
class JsonValue {
 public:
  enum class Type : std::uint8_t { object, array, string, number, boolean, null };

  // Validates the text and views its value.
  static std::expected<JsonValue, base::Error> parse(std::string_view text, int depth_max = kJsonDepthMax);

  std::string_view raw() const noexcept { return raw_; }  // from the first to the last byte of the value
  Type type() const noexcept;

  // Each is nullopt if the value has another type or does not fit.
  std::optional<std::string> string() const;                       // unescaped
  std::optional<std::uint64_t> unsigned_integer() const noexcept;  // digits only: 1.0 and 1e3 are not integers here
  std::optional<std::int64_t> integer() const noexcept;
  std::optional<double> number() const noexcept;
  std::optional<bool> boolean() const noexcept;

  // The member of that name of an object; nullopt if absent *or* doubled (T07): two readers must not see two values.
  std::optional<JsonValue> find(std::string_view name) const;

 private:
  friend class JsonMembers;
  friend class JsonElements;
  explicit JsonValue(std::string_view raw) : raw_(raw) {}
  std::string_view raw_;
};

struct JsonMember {
  std::string name;  // unescaped
  JsonValue value;
};

// The members of an object, in order; none if the value is no object.
class JsonMembers {
 public:
  explicit JsonMembers(JsonValue object);
  std::optional<JsonMember> next();

 private:
  std::string_view rest_;
};

// The elements of an array, in order; none if the value is no array.
class JsonElements {
 public:
  explicit JsonElements(JsonValue array);
  std::optional<JsonValue> next();

 private:
  std::string_view rest_;
};

}  // namespace codec
