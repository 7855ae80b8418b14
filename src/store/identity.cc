#include "store/identity.h"

#include <charconv>

namespace store {
namespace {

constexpr std::string_view kBegin = "wirebird ledger ";
constexpr std::size_t kIdDigits = 16;

std::optional<std::uint64_t> parse(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string identity_text(const Identity& identity) {
  char id[kIdDigits];
  const auto [end, error] = std::to_chars(id, id + kIdDigits, identity.id, 16);
  const std::string digits(id, end);
  return std::string(kBegin) + std::string(kIdDigits - digits.size(), '0') + digits + " " +
         std::to_string(identity.starts) + (identity.closed ? " closed\n" : " open\n");
}

std::optional<Identity> parse_identity(std::string_view text) {
  if (!text.starts_with(kBegin)) return std::nullopt;
  text.remove_prefix(kBegin.size());
  const std::size_t first = text.find(' ');
  const std::size_t second = text.find(' ', first + 1);
  if (first != kIdDigits || second == std::string_view::npos) return std::nullopt;
  const auto id = parse(text.substr(0, first), 16);
  const auto starts = parse(text.substr(first + 1, second - first - 1), 10);
  const std::string_view state = text.substr(second + 1);
  if (!id || !starts || (state != "open\n" && state != "closed\n")) return std::nullopt;
  return Identity{.id = *id, .starts = *starts, .closed = state == "closed\n"};
}

}  // namespace store
