#include "door/since.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "codec/time_text.h"

namespace door {
namespace {

using hub::Since;

// Decimal digits and nothing else.
template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The `+` of "+01:00" is a space by the time a query has been decoded, unless the client knew to write %2B.
std::optional<base::WallTime> parse_time_of_query(std::string_view text) {
  std::string repaired(text);
  std::ranges::replace(repaired, ' ', '+');
  return codec::parse_rfc3339(repaired);
}

// What counts for every channel of the request: nothing, -N, a time.
std::optional<Since> parse_for_all(std::string_view text) {
  Since since;
  if (text.empty()) return since;
  if (text.front() == '-') {
    const std::optional<std::uint64_t> count = whole_number<std::uint64_t>(text.substr(1));
    if (!count) return std::nullopt;
    if (*count == 0) return since;  // "the last 0" is "from now"
    since.kind = Since::Kind::last;
    since.count = *count;
    return since;
  }
  if (const std::optional<std::int64_t> ms = whole_number<std::int64_t>(text)) {
    since.kind = Since::Kind::time;
    since.time = {*ms};
    return since;
  }
  if (const std::optional<base::WallTime> time = parse_time_of_query(text)) {
    since.kind = Since::Kind::time;
    since.time = *time;
    return since;
  }
  return std::nullopt;
}

std::optional<Since> parse_element(std::string_view text) {
  Since since;
  if (text.empty()) return since;
  const std::optional<hub::Position> position = hub::parse_position(text);
  if (!position) return std::nullopt;
  since.kind = Since::Kind::position;
  since.position = *position;
  return since;
}

}  // namespace

std::expected<std::vector<Since>, base::Refusal> parse_since(std::string_view text, std::size_t channels) {
  if (const std::optional<Since> all = parse_for_all(text)) return std::vector<Since>(channels, *all);

  const auto elements = static_cast<std::size_t>(std::ranges::count(text, ',')) + 1;
  if (elements != channels) {
    return std::unexpected(base::Refusal(base::Error::bad_cursor,
                                         "since: as many positions as channels, joined by commas; or -N or a time"));
  }
  std::vector<Since> cursor;
  cursor.reserve(channels);
  for (std::size_t i = 0; i < channels; ++i) {
    const std::size_t end = text.find(',');
    const std::optional<Since> since = parse_element(text.substr(0, end));
    if (!since) {
      return std::unexpected(base::Refusal(
          base::Error::bad_cursor, "since: a position (epoch:offset), -N or a time (RFC 3339 or milliseconds)"));
    }
    cursor.push_back(*since);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return cursor;
}

}  // namespace door
