#include "door/hook/status_rule.h"

#include <algorithm>
#include <charconv>

#include "codec/utf8.h"

namespace door::hook {
namespace {

std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::uint32_t number_of(std::string_view word) {  // 0: it is none
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size() ? number : 0;
}

}  // namespace

std::expected<StatusRule, std::string_view> parse_status_rule(std::string_view text) {
  constexpr std::string_view kForm =
      "is not STATUS error|temporary|disconnect CODE TEXT, for example \"403 error 1403 not allowed\"";
  std::string_view rest = text;
  const std::uint32_t status = number_of(take_word(rest));
  const std::string_view what = take_word(rest);
  const std::uint32_t code = number_of(take_word(rest));
  if (status < 100 || status > 599) return std::unexpected(kForm);
  if (status == 200) return std::unexpected("is about status 200, whose body says what it means");
  if (!codec::utf8_valid(rest)) return std::unexpected("is not valid UTF-8");
  StatusRule rule{.status = static_cast<std::uint16_t>(status), .meaning = {}};
  if (what == "error" || what == "temporary") {
    if (!valid_error_code(code)) return std::unexpected("has an error whose code is not 400 to 1999");
    rule.meaning = Error{.code = code, .message = std::string(rest), .temporary = what == "temporary"};
  } else if (what == "disconnect") {
    if (!valid_disconnect_code(code)) return std::unexpected("has a disconnect whose code is not 4000 to 4999");
    if (fitting_reason(rest) != rest) return std::unexpected("has a reason that is not at most 32 bytes of ASCII");
    rule.meaning = Disconnect{.code = code, .reason = std::string(rest)};
  } else {
    return std::unexpected(kForm);
  }
  return rule;
}

const StatusRule* find_rule(std::span<const StatusRule> rules, std::uint16_t status) {
  const auto found = std::ranges::find(rules, status, &StatusRule::status);
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace door::hook
