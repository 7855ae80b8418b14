#include "codec/url.h"

#include <algorithm>
#include <utility>

namespace codec {
namespace {

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_unreserved(char c) {  // RFC 3986 section 2.3
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

enum class Plus : bool { is_itself, is_space };

std::optional<std::string> decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus == Plus::is_space) {
      decoded += ' ';
    } else if (c != '%') {
      decoded += c;
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) { return decode(text, Plus::is_itself); }

std::optional<std::string> query_decode(std::string_view text) { return decode(text, Plus::is_space); }

void append_percent_encoded(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

std::expected<Query, base::Error> Query::parse(std::string_view raw) {
  Query query;
  while (!raw.empty()) {
    const std::size_t end = raw.find('&');
    const std::string_view piece = raw.substr(0, end);
    raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
    if (piece.empty()) continue;
    if (query.parameters_.size() == kParametersMax) return std::unexpected(base::Error::bad_parameter);

    const std::size_t equals = piece.find('=');
    std::optional<std::string> name = query_decode(piece.substr(0, equals));
    std::optional<std::string> value =
        equals == std::string_view::npos ? std::string{} : query_decode(piece.substr(equals + 1));
    if (!name || !value) return std::unexpected(base::Error::bad_parameter);
    query.parameters_.push_back({std::move(*name), std::move(*value)});
  }
  return query;
}

std::size_t Query::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(parameters_, name, &Parameter::name));
}

std::optional<std::string_view> Query::find(std::string_view name) const noexcept {
  if (count(name) != 1) return std::nullopt;
  return std::ranges::find(parameters_, name, &Parameter::name)->value;
}

std::vector<std::string_view> Query::values(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) values.emplace_back(parameter.value);
  }
  return values;
}

}  // namespace codec
