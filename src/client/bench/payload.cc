#include "client/bench/payload.h"

#include <charconv>
#include <optional>

#include "base/assert.h"

namespace client::bench {
namespace {

constexpr std::string_view kMark = "wb";
constexpr std::size_t kSenderDigits = 5;
constexpr std::size_t kNumberDigits = 11;
constexpr std::size_t kSentDigits = 14;
static_assert(kMark.size() + kSenderDigits + kNumberDigits + kSentDigits == kPayloadBytesMin);

void append_hex(std::string& out, std::uint64_t value, std::size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = digits; i-- > 0;) out += kHex[(value >> (4 * i)) & 15];
}

std::optional<std::uint64_t> take_hex(std::string_view& text, std::size_t digits) {
  const std::string_view word = text.substr(0, digits);
  text.remove_prefix(word.size());
  std::uint64_t value = 0;
  auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (word.size() < digits || failure != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// From the mark on.
std::optional<Stamp> read_stamp(std::string_view text) {
  if (!text.starts_with(kMark)) return std::nullopt;
  text.remove_prefix(kMark.size());
  auto sender = take_hex(text, kSenderDigits);
  auto number = take_hex(text, kNumberDigits);
  auto sent = take_hex(text, kSentDigits);
  if (!sender || !number || !sent) return std::nullopt;
  return Stamp{static_cast<std::uint32_t>(*sender), *number,
               base::Instant(base::Duration(static_cast<std::int64_t>(*sent)))};
}

bool is_filled(std::string_view payload) {
  return payload.find_first_not_of('x', kPayloadBytesMin) == std::string_view::npos;
}

}  // namespace

void write_payload(std::string& out, const Stamp& stamp, std::size_t bytes) {
  ASSERT(bytes >= kPayloadBytesMin);
  out = kMark;
  append_hex(out, stamp.sender, kSenderDigits);
  append_hex(out, stamp.number, kNumberDigits);
  append_hex(out, static_cast<std::uint64_t>(stamp.sent.time_since_epoch().count()), kSentDigits);
  out.resize(bytes, 'x');
}

PayloadReader::Found PayloadReader::next() {
  if (wrapping_ == Wrapping::bare) {
    if (done_) return Found::end;
    done_ = true;
    auto stamp = read_stamp(rest_);
    if (!stamp || rest_.size() != bytes_ || !is_filled(rest_)) return Found::damaged;
    stamp_ = *stamp;
    return Found::payload;
  }
  for (std::size_t at = rest_.find(kMark); at != std::string_view::npos; at = rest_.find(kMark)) {
    rest_.remove_prefix(at);
    auto stamp = read_stamp(rest_);
    if (!stamp) {  // two letters of the server's own words
      rest_.remove_prefix(kMark.size());
      continue;
    }
    const std::string_view payload = rest_.substr(0, bytes_);
    rest_.remove_prefix(payload.size());
    if (payload.size() < bytes_ || !is_filled(payload)) return Found::damaged;
    stamp_ = *stamp;
    return Found::payload;
  }
  return Found::end;
}

}  // namespace client::bench
