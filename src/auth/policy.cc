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

Access access_for(Verb verb, const NamespacePermissions& permissions) {
  switch (verb) {
    case Verb::publish:
      return permissions.publish;
    case Verb::remove:
      return permissions.remove;
    case Verb::history:
      return permissions.history.value_or(permissions.subscribe);
    case Verb::presence:
      return permissions.presence.value_or(permissions.subscribe);
    case Verb::subscribe:
      break;
  }
  return permissions.subscribe;
}

// Being subscribed is enough.
bool for_subscriber(Verb verb, const NamespacePermissions& permissions) {
  switch (verb) {
    case Verb::publish:
      return permissions.publish_for_subscriber;
    case Verb::remove:
      return permissions.remove_for_subscriber;
    case Verb::history:
      return permissions.history_for_subscriber || !permissions.history;
    case Verb::presence:
      return permissions.presence_for_subscriber || !permissions.presence;
    case Verb::subscribe:
      break;
  }
  return false;
}

bool changes(Verb verb) { return verb == Verb::publish || verb == Verb::remove; }

// The verb is granted with the subscription.
bool goes_with_subscribing(Verb verb, const NamespacePermissions& permissions) {
  return verb == Verb::subscribe || (verb == Verb::history && !permissions.history) ||
         (verb == Verb::presence && !permissions.presence);
}

}  // namespace

bool valid_namespace_name(std::string_view name) {
  return !name.empty() && name.size() <= kNamespaceBytesMax && std::ranges::all_of(name, is_namespace_byte);
}

std::string_view namespace_prefix(std::string_view channel) {
  const std::string_view prefix = channel.substr(0, channel.substr(0, kNamespaceBytesMax + 1).find(':'));
  return prefix.size() < channel.size() && valid_namespace_name(prefix) ? prefix : std::string_view{};
}

bool names_user(std::string_view channel, std::string_view user) {
  const std::size_t boundary = channel.rfind('#');
  if (boundary == std::string_view::npos || user.empty()) return false;
  std::string_view rest = channel.substr(boundary + 1);
  while (true) {
    const std::size_t comma = rest.find(',');
    if (rest.substr(0, comma) == user) return true;
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 1);
  }
}

Policy::Policy(PolicyRules rules)
    : mode_(rules.mode),
      unknown_prefix_(rules.unknown_prefix),
      private_channels_(rules.private_channels),
      version_(rules.version) {
  for (NamespaceRule& rule : rules.namespaces) {
    namespaces_.insert_or_assign(std::move(rule.name), Rule{rule.permissions, std::move(rule.pattern)});
  }
}

std::expected<std::string_view, base::Error> Policy::namespace_of(std::string_view channel) const {
  const std::string_view prefix = namespace_prefix(channel.substr(is_private(channel) ? 1 : 0));
  if (prefix.empty() || namespaces_.contains(prefix)) return prefix;
  if (unknown_prefix_ == PolicyRules::UnknownPrefix::is_error) return std::unexpected(base::Error::forbidden);
  return std::string_view{};
}

const Policy::Rule& Policy::rule_of(std::string_view name) const {
  static constexpr Rule kNoRule{};
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? kNoRule : found->second;
}

std::expected<void, base::Error> Policy::check_name(std::string_view channel) const {
  const auto name = namespace_of(channel);
  if (!name) return std::unexpected(name.error());
  const Rule& rule = rule_of(*name);
  if (!rule.pattern) return {};
  const std::size_t before = (is_private(channel) ? 1 : 0) + (name->empty() ? 0 : name->size() + 1);
  if (!rule.pattern->matches(channel.substr(before))) return std::unexpected(base::Error::bad_channel);
  return {};
}

bool Policy::is_user_limited(std::string_view channel) const {
  const auto name = namespace_of(channel);
  return name && rule_of(*name).permissions.user_limited_channels && !is_private(channel) && channel.contains('#');
}

bool Policy::is_covered(std::string_view wildcard, std::string_view channel) const {
  const auto name = namespace_of(channel);
  if (!name || name != namespace_of(wildcard) || is_private(channel) || is_user_limited(channel)) return false;
  const Access access = rule_of(*name).permissions.subscribe;
  return mode_ == PolicyRules::Mode::open || access == Access::user || access == Access::anyone;
}

std::expected<void, base::Error> Policy::authorize_within(const Principal& principal, std::string_view wildcard,
                                                          std::string_view channel, base::WallTime now,
                                                          Standing standing) const {
  if (namespace_of(channel) != namespace_of(wildcard)) return std::unexpected(base::Error::forbidden);
  const bool opens = !is_user_limited(channel) && (!is_private(channel) || is_private(wildcard));
  standing.channel_token = standing.channel_token && opens;
  standing.wildcard = channel == wildcard;
  return authorize(principal, Verb::subscribe, channel, now, standing);
}

std::expected<void, base::Error> Policy::authorize(const Principal& principal, Verb verb, std::string_view channel,
                                                   base::WallTime now, Standing standing) const {
  const auto name = namespace_of(channel);
  if (!name) return std::unexpected(name.error());
  const bool is_private = this->is_private(channel);
  const Rule& rule = rule_of(*name);
  if (!standing.wildcard) {
    if (const auto named = check_name(channel); !named) return named;
  }
  if (mode_ == PolicyRules::Mode::open || principal.kind == Principal::Kind::api_key) return {};

  const NamespacePermissions& permissions = rule.permissions;
  if (standing.subscribed && for_subscriber(verb, permissions)) return {};
  const bool live = principal.kind == Principal::Kind::token && now < principal.expires;
  const bool user_limited = permissions.user_limited_channels && !is_private && channel.contains('#');
  const bool named = user_limited && live && names_user(channel, principal.subject);
  if (named && goes_with_subscribing(verb, permissions)) return {};

  const Access access = access_for(verb, permissions);
  if (access == Access::nobody) return std::unexpected(base::Error::forbidden);
  const bool inside = standing.subscribed || named || !(is_private || user_limited);
  if (access == Access::anyone && inside) return {};
  if (standing.channel_token && !changes(verb)) return {};
  if (principal.kind != Principal::Kind::token) return std::unexpected(base::Error::token_missing);
  if (!live) return std::unexpected(base::Error::token_expired);
  if (access != Access::token && inside && !principal.subject.empty()) return {};
  if (covered(changes(verb) ? principal.publish : principal.subscribe, channel)) return {};
  return std::unexpected(base::Error::forbidden);
}

}  // namespace auth
