#include "auth/policy.h"

#include <algorithm>
#include <utility>

#include "auth/pattern.h"

namespace auth {
namespace {

constexpr std::size_t kNamespaceBytesMax = 32;

bool is_namespace_byte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool covered(const std::vector<std::string>& patterns, std::string_view channel) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return covers(pattern, channel); });
}

}  // namespace

bool valid_namespace_name(std::string_view name) {
  return !name.empty() && name.size() <= kNamespaceBytesMax && std::ranges::all_of(name, is_namespace_byte);
}

std::string_view namespace_prefix(std::string_view channel) {
  const std::string_view prefix = channel.substr(0, channel.substr(0, kNamespaceBytesMax + 1).find(':'));
  return prefix.size() < channel.size() && valid_namespace_name(prefix) ? prefix : std::string_view{};
}

Policy::Policy(PolicyRules rules) : mode_(rules.mode), unknown_prefix_(rules.unknown_prefix), version_(rules.version) {
  for (NamespaceRule& rule : rules.namespaces) namespaces_.insert_or_assign(std::move(rule.name), rule.permissions);
}

std::expected<std::string_view, base::Error> Policy::namespace_of(std::string_view channel) const {
  const std::string_view prefix = namespace_prefix(channel);
  if (prefix.empty() || namespaces_.contains(prefix)) return prefix;
  if (unknown_prefix_ == PolicyRules::UnknownPrefix::is_error) return std::unexpected(base::Error::forbidden);
  return std::string_view{};
}

std::expected<void, base::Error> Policy::authorize(const Principal& principal, Verb verb, std::string_view channel,
                                                   base::WallTime now) const {
  const auto name = namespace_of(channel);
  if (!name) return std::unexpected(name.error());
  if (mode_ == PolicyRules::Mode::open || principal.kind == Principal::Kind::api_key) return {};

  const auto found = namespaces_.find(*name);
  const NamespacePermissions permissions = found == namespaces_.end() ? NamespacePermissions{} : found->second;
  switch (verb == Verb::publish ? permissions.publish : permissions.subscribe) {
    case Access::anyone:
      return {};
    case Access::nobody:
      return std::unexpected(base::Error::forbidden);
    case Access::token:
      break;
  }
  if (principal.kind != Principal::Kind::token) return std::unexpected(base::Error::token_missing);
  if (now >= principal.expires) return std::unexpected(base::Error::token_expired);
  if (!covered(verb == Verb::publish ? principal.publish : principal.subscribe, channel)) {
    return std::unexpected(base::Error::forbidden);
  }
  return {};
}

}  // namespace auth
