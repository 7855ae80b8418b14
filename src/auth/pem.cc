#include "auth/pem.h"

#include <optional>

#include "codec/base64.h"

namespace auth {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

// Takes a line without its end and without white space behind it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

// The label of "-----BEGIN label-----" with that beginning.
std::optional<std::string_view> label_of(std::string_view line, std::string_view beginning) {
  if (!line.starts_with(beginning) || !line.ends_with(kDashes)) return std::nullopt;
  line.remove_prefix(beginning.size());
  if (line.size() <= kDashes.size()) return std::nullopt;
  return line.substr(0, line.size() - kDashes.size());
}

}  // namespace

std::expected<std::vector<PemBlock>, std::string_view> parse_pem(std::string_view text) {
  std::vector<PemBlock> blocks;
  while (!text.empty()) {
    const auto label = label_of(take_line(text), kBegin);
    if (!label) continue;
    std::string base64;
    bool ended = false;
    while (!text.empty() && !ended) {
      const std::string_view line = take_line(text);
      if (const auto end = label_of(line, kEnd)) {
        if (*end != *label) return std::unexpected("has a PEM block that ends with another label than it begins with");
        ended = true;
      } else {
        base64 += line;
      }
    }
    if (!ended) return std::unexpected("has a PEM block without its end");
    auto bytes = codec::base64_decode(base64);
    if (!bytes || bytes->empty()) return std::unexpected("has a PEM block that is no plain base64");
    blocks.push_back({std::string(*label), *std::move(bytes)});
  }
  return blocks;
}

}  // namespace auth
