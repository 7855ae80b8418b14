#include "app/config_channels.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "auth/name_pattern.h"
#include "auth/policy.h"

namespace app {
namespace {

using server::NamespaceOptions;

std::string key_of(const NamespaceOptions& space, std::string_view name) {
  return space.name.empty() ? fmt::format("channels.{}", name) : fmt::format("namespaces.{}.{}", space.name, name);
}

bool keeps_history(const NamespaceOptions& space) { return space.history_messages_max > 0; }

// What follows has a meaning for one namespace alone.
void check_channel_options(ConfigDraft& draft, const NamespaceOptions& space) {
  const auto refuse = [&](std::string_view key, std::string_view why) {
    draft.refuse_key(key_of(space, key), std::string(why));
  };
  const bool cache = space.recovery_mode == server::RecoveryMode::cache;
  if (const auto pattern = auth::NamePattern::parse(space.channel_pattern); !pattern) {
    refuse("channel_pattern", fmt::format("= {} {}", space.channel_pattern, pattern.error()));
  }
  if (space.force_push_join_leave && !space.join_leave)
    refuse("force_push_join_leave", "does nothing without join_leave");
  if (space.force_recovery && !cache && !keeps_history(space)) {
    refuse("force_recovery", "needs history: history_messages_max is 0, so nothing that was missed could be replayed");
  }
  if (space.force_recovery && !cache && space.slow_reader != hub::SlowReader::close) {
    refuse("force_recovery",
           "and slow_reader contradict each other: drop and conflate leave messages out, and every subscriber is "
           "promised all of them; take slow_reader = \"close\", allow_recovery, or recovery_mode = \"cache\"");
  }
  if (space.auto_cache_recover && !cache)
    refuse("auto_cache_recover", "does nothing without recovery_mode = \"cache\"");
  if (space.auto_cache_recover && !space.allow_recovery && !space.force_recovery) {
    refuse("auto_cache_recover", "needs allow_recovery or force_recovery");
  }
  if (space.allow_delta && !keeps_history(space)) {
    refuse("allow_delta", "needs history: history_messages_max is 0, so there is no message to tell the difference to");
  }
  if (space.delta_publish && !space.allow_delta) refuse("delta_publish", "does nothing without allow_delta");
}

void check_durable(ConfigDraft& draft, const server::Options& options, const NamespaceOptions& space) {
  if (!space.durable) return;
  if (options.data_dir.empty()) {
    draft.refuse_key(key_of(space, "durable"), "needs server.data_dir (--data DIR): where is it to be kept?");
  }
  if (space.subscription_type != hub::SubscriptionType::stream) {
    draft.refuse_key(key_of(space, "durable"), "is for streams: maps are kept in memory only");
  }
}

// The map of who is subscribed to a channel of `space` must be one that the server keeps.
void check_presence_map(ConfigDraft& draft, const server::Options& options, const NamespaceOptions& space,
                        std::string_view key, const std::string& prefix, hub::SubscriptionType type,
                        std::string_view type_text) {
  if (prefix.empty()) return;
  const std::string_view name = auth::namespace_prefix(prefix + "x").empty()
                                    ? std::string_view{}
                                    : std::string_view(prefix).substr(0, prefix.find(':'));
  const auto found = std::ranges::find(options.namespaces, name, &NamespaceOptions::name);
  if (found != options.namespaces.end() && found->subscription_type == type) return;
  draft.refuse_key(
      key_of(space, key),
      fmt::format("= {} begins no names of a namespace with subscription_type = \"{}\"", prefix, type_text));
}

void check_maps(ConfigDraft& draft, const server::Options& options, const NamespaceOptions& space) {
  using Type = hub::SubscriptionType;
  check_presence_map(draft, options, space, "map_clients_presence_prefix", space.map_clients_presence_prefix,
                     Type::map_clients, "map_clients");
  check_presence_map(draft, options, space, "map_users_presence_prefix", space.map_users_presence_prefix,
                     Type::map_users, "map_users");
  if (space.map_remove_client_on_unsubscribe && space.subscription_type != Type::map) {
    draft.refuse_key(key_of(space, "map_remove_client_on_unsubscribe"),
                     "does nothing without subscription_type = \"map\"");
  }
  if (space.map_client_key != server::ClientKey::any && space.subscription_type != Type::map) {
    draft.refuse_key(key_of(space, "map_client_key"), "does nothing without subscription_type = \"map\"");
  }
}

void check_personal_channel(ConfigDraft& draft, const server::Options& options) {
  if (!options.personal_channel) {
    if (options.personal_channel_single_connection) {
      draft.refuse_key("centrifuge.personal_channel_single_connection", "does nothing without personal_channel");
    }
    if (!options.personal_channel_namespace.empty()) {
      draft.refuse_key("centrifuge.personal_channel_namespace", "does nothing without personal_channel");
    }
    return;
  }
  const auto space = std::ranges::find(options.namespaces, options.personal_channel_namespace, &NamespaceOptions::name);
  if (space == options.namespaces.end()) {
    return draft.refuse_key(
        "centrifuge.personal_channel_namespace",
        fmt::format("= {0}: there is no such namespace; write [namespaces.{0}]", options.personal_channel_namespace));
  }
  const auth::NamespacePermissions& permissions = space->permissions;
  const bool users_subscribe =
      permissions.subscribe == auth::Access::user || permissions.subscribe == auth::Access::anyone;
  if (users_subscribe && !permissions.user_limited_channels && !options.dev) {
    draft.refuse_key("centrifuge.personal_channel",
                     fmt::format("needs {} = true, or every user could subscribe to the channels of the others",
                                 key_of(*space, "user_limited_channels")));
  }
}

}  // namespace

void add_durable_namespace(server::Options& options) {
  constexpr std::string_view kName = "durable";
  const auto place = std::ranges::lower_bound(options.namespaces, kName, {}, &NamespaceOptions::name);
  if (options.data_dir.empty() || (place != options.namespaces.end() && place->name == kName)) return;
  NamespaceOptions space{.name = std::string(kName)};
  space.durable = true;
  options.namespaces.insert(place, std::move(space));
}

std::vector<std::string> durable_names(const server::Options& options) {
  std::vector<std::string> names;
  for (const NamespaceOptions& space : options.namespaces) {
    if (space.durable) names.push_back(space.name);
  }
  return names;
}

void apply_dev_defaults(const ConfigDraft& draft, server::Options& options) {
  if (!draft.was_set("centrifuge.anonymous_without_token")) options.anonymous_without_token = true;
  for (NamespaceOptions& space : options.namespaces) {
    const auto set = [&](std::string_view name) { return draft.was_set(key_of(space, name)); };
    if (space.name.empty() && !set("presence")) space.presence = true;
    if (space.name.empty() && !set("join_leave")) space.join_leave = true;
    if (keeps_history(space) && !set("allow_delta")) space.allow_delta = true;
    if (!set("allow_tags_filter")) space.allow_tags_filter = true;
    if (!set("allow_wildcards")) space.allow_wildcards = true;
  }
}

void check_channels(ConfigDraft& draft, const server::Options& options) {
  for (const NamespaceOptions& space : options.namespaces) {
    check_durable(draft, options, space);
    check_channel_options(draft, space);
    check_maps(draft, options, space);
  }
  check_personal_channel(draft, options);
}

}  // namespace app
