#include "door/parameters.h"

#include <charconv>
#include <system_error>

namespace door {

using base::Error;
using base::Refusal;

std::expected<std::optional<bool>, Refusal> parse_switch(const codec::Query& query, std::string_view name,
                                                         std::string_view hint) {
  if (query.count(name) == 0) return std::nullopt;
  const std::optional<std::string_view> value = query.find(name);
  if (value == "1") return true;
  if (value == "0") return false;
  return std::unexpected(Refusal(Error::bad_parameter, hint));
}

std::expected<std::uint32_t, Refusal> parse_number(std::string_view text, const NumberParameter& parameter) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || number < parameter.min || number > parameter.max) {
    return std::unexpected(Refusal(Error::bad_parameter, parameter.hint));
  }
  return number;
}

std::expected<std::uint32_t, Refusal> parse_number(const codec::Query& query, const NumberParameter& parameter) {
  if (query.count(parameter.name) == 0) return parameter.absent;
  return parse_number(query.find(parameter.name).value_or(""), parameter);
}

}  // namespace door
