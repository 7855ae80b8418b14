#include "door/parameters.h"

#include <charconv>
#include <system_error>

namespace door {

using base::Error;

std::expected<std::optional<bool>, Error> parse_switch(const codec::Query& query, std::string_view name) {
  if (query.count(name) == 0) return std::nullopt;
  const std::optional<std::string_view> value = query.find(name);
  if (value == "1") return true;
  if (value == "0") return false;
  return std::unexpected(Error::bad_parameter);
}

std::expected<std::uint32_t, Error> parse_number(std::string_view text, std::uint32_t min, std::uint32_t max) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::unexpected(Error::bad_parameter);
  if (number < min || number > max) return std::unexpected(Error::bad_parameter);
  return number;
}

std::expected<std::uint32_t, Error> parse_number(const codec::Query& query, std::string_view name, std::uint32_t min,
                                                 std::uint32_t max, std::uint32_t absent) {
  if (query.count(name) == 0) return absent;
  return parse_number(query.find(name).value_or(""), min, max);
}

}  // namespace door
