#include "server/forwarded.h"

#include <string_view>
#include <vector>

namespace server {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The elements of every header of that name, in order; split at `separator`. Quoted strings hold no separators here: a
// proxy quotes only addresses, which have none.
std::vector<std::string_view> elements(std::string_view text, char separator) {
  std::vector<std::string_view> result;
  while (true) {
    const std::size_t end = text.find(separator);
    result.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return result;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> list_of(const http::Request& request, std::string_view name) {
  std::vector<std::string_view> result;
  for (const http::Header& header : request.headers) {
    if (!http::same_name(header.name, name)) continue;
    for (const std::string_view each : elements(header.value, ',')) result.push_back(each);
  }
  return result;
}

// The value of `key` in one element of Forwarded: for=192.0.2.1;proto=https, without quotes.
std::string_view parameter(std::string_view element, std::string_view key) {
  for (const std::string_view pair : elements(element, ';')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !http::same_name(trimmed(pair.substr(0, equals)), key)) continue;
    std::string_view value = trimmed(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

}  // namespace

std::optional<loop::Address> forwarded_address(const http::Request& request, const loop::Address& from,
                                               const loop::NetworkList& trusted) {
  if (!trusted.contains(from)) return std::nullopt;
  std::vector<std::string_view> chain;
  for (const std::string_view element : list_of(request, "Forwarded")) chain.push_back(parameter(element, "for"));
  if (chain.empty()) chain = list_of(request, "X-Forwarded-For");
  std::optional<loop::Address> client;
  for (auto each = chain.rbegin(); each != chain.rend(); ++each) {
    const auto address = loop::parse_address(*each);
    if (!address) break;  // "unknown", an obfuscated name or rubbish: what lies behind it cannot be believed
    client = address;
    if (!trusted.contains(*address)) break;
  }
  return client;
}

bool forwarded_https(const http::Request& request, const loop::Address& from, const loop::NetworkList& trusted) {
  if (!trusted.contains(from)) return false;
  const auto forwarded = list_of(request, "Forwarded");
  if (!forwarded.empty()) return http::same_name(parameter(forwarded.back(), "proto"), "https");
  const auto protocols = list_of(request, "X-Forwarded-Proto");
  return !protocols.empty() && http::same_name(protocols.back(), "https");
}

}  // namespace server
