// Percent-encoding and query strings (RFC 3986, and the `+` of HTML forms in queries). Decodes once and strictly: a `%`
// without two hex digits is an error, never passed through. Does not judge what it decodes: control characters and
// UTF-8 are the business of the grammar above (channel names, cursors). Stateless, linear, any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace codec {

// Of a path: `+` is itself. nullopt if a `%` is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

// Of one name or value of a query: `+` is a space, as HTML forms, URLSearchParams and Python's urlencode write it.
std::optional<std::string> query_decode(std::string_view text);

// Appends text with everything but RFC 3986 unreserved characters encoded: right in a path segment and in a query.
void append_percent_encoded(std::string& out, std::string_view text);

// The parameters of a query string, decoded, in their order. A value; empty pieces ("a=1&&b=2") are skipped, "a" is a
// parameter with an empty value.
class Query {
 public:
  struct Parameter {
    std::string name;
    std::string value;
  };

  // `raw` is what stands after '?'. bad_parameter if a piece does not decode or there are more than kParametersMax.
  static std::expected<Query, base::Error> parse(std::string_view raw);

  const std::vector<Parameter>& all() const noexcept { return parameters_; }
  std::size_t count(std::string_view name) const noexcept;
  // The only value of that name; nullopt if absent *or* doubled (count() tells).
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  // Every value of that name, in order. The views live as long as the query.
  std::vector<std::string_view> values(std::string_view name) const;

  // 256: twice the channels of one connection; keeps lookups, which are linear, cheap.
  static constexpr std::size_t kParametersMax = 256;

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace codec
