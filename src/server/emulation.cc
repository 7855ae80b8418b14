#include "server/emulation.h"

#include <charconv>

#include "base/hash.h"

namespace server {
namespace {

void append_hex(std::string& out, std::uint64_t value, int digits) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  while (digits-- > 0) out += kDigits[(value >> (4 * digits)) & 15];
}

std::optional<std::uint64_t> take_hex(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, 16);
  if (error != std::errc{} || end != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

std::uint64_t process_number(const Shared& shared) { return base::hash64("node", shared.secret()); }

}  // namespace

std::optional<EmulationSession> EmulationSession::parse(std::string_view text) {
  const auto slot = take_hex(text, 8);
  const auto generation = take_hex(text, 8);
  const auto high = take_hex(text, 16);
  const auto low = take_hex(text, 16);
  if (!slot || !generation || !high || !low || !text.empty()) return std::nullopt;
  return EmulationSession{{static_cast<std::uint32_t>(*slot), static_cast<std::uint32_t>(*generation)}, {*high, *low}};
}

std::string EmulationSession::text() const {
  std::string out;
  append_hex(out, connection.slot, 8);
  append_hex(out, connection.generation, 8);
  append_hex(out, secret[0], 16);
  append_hex(out, secret[1], 16);
  return out;
}

std::string node_of(base::WorkerId worker, const Shared& shared) {
  std::string out;
  append_hex(out, process_number(shared), 16);
  append_hex(out, worker, 4);
  return out;
}

std::optional<base::WorkerId> worker_of_node(std::string_view node, const Shared& shared) {
  const auto process = take_hex(node, 16);
  const auto worker = take_hex(node, 4);
  if (!process || !worker || !node.empty()) return std::nullopt;
  if (*process != process_number(shared) || *worker >= shared.workers()) return std::nullopt;
  return static_cast<base::WorkerId>(*worker);
}

}  // namespace server
