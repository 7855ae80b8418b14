#include "client/bench/payload.h"

#include <charconv>

#include "base/assert.h"

namespace client::bench {
namespace {

constexpr std::size_t kDigits = 16;

void append_hex(std::string& out, std::uint64_t value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = kDigits; i-- > 0;) out += kHex[(value >> (4 * i)) & 15];
}

std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void write_payload(std::string& out, const Stamp& stamp, std::size_t bytes) {
  ASSERT(bytes >= kPayloadBytesMin);
  out.clear();
  append_hex(out, stamp.sequence);
  append_hex(out, static_cast<std::uint64_t>(stamp.sent.time_since_epoch().count()));
  out.resize(bytes, 'x');
}

std::optional<Stamp> read_payload(std::string_view payload, std::size_t bytes) {
  if (payload.size() != bytes) return std::nullopt;
  auto sequence = read_hex(payload.substr(0, kDigits));
  auto sent = read_hex(payload.substr(kDigits, kDigits));
  if (!sequence || !sent) return std::nullopt;
  if (payload.find_first_not_of('x', kPayloadBytesMin) != std::string_view::npos) return std::nullopt;
  return Stamp{*sequence, base::Instant(base::Duration(static_cast<std::int64_t>(*sent)))};
}

}  // namespace client::bench
