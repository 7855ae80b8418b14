// Channels: names, namespaces, and who may do what in them.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "app/import/parts.h"
#include "app/import/regex.h"
#include "auth/policy.h"

namespace app::import {
namespace {

using auth::Access;
using server::NamespaceOptions;

// One namespace of the document, and ours that is made of it.
class Channels {
 public:
  // `path` is where it stands in the document ("channel.without_namespace").
  Channels(Tree& source, std::string path, NamespaceOptions& options, Draft& draft)
      : source_(source), path_(std::move(path)), options_(options), draft_(draft) {}

  void run() {
    import_history();
    import_map();
    import_switches();
    import_delta();
    import_recovery();
    import_permissions();
    import_names();
    if (const auto delay = take(source_, "batch_max_delay"); delay && !delay->is_off()) {
      set("channels.max_delay", *delay, "batch_max_delay");
    }
  }

 private:
  void set(std::string_view option, const Tree& value, const std::string& name) {
    draft_.set_in(options_, option, value, key(name));
  }
  std::string key(const std::string& name) const { return path_ + "." + name; }
  bool take_switch(const std::string& name) {
    const auto value = take(source_, name);
    return is_on(value ? &*value : nullptr);
  }
  // There is no limit in bytes there: as many as so many messages of the usual largest size (64 KiB) are.
  static Tree history_bytes_of(std::int64_t messages) {
    return Tree{std::clamp<std::int64_t>(messages, 16, 16 * 1024) * 64 * 1024};
  }
  bool keeps_history() const { return options_.history_messages_max > 0; }

  void import_history() {
    const auto size = take(source_, "history_size");
    const auto ttl = take(source_, "history_ttl");
    const auto text = ttl ? text_of_scalar(*ttl) : std::nullopt;
    const auto age = text ? go_duration(*text) : std::nullopt;
    const std::int64_t messages = size ? number_of(*size).value_or(0) : 0;
    options_.history_messages_max = 0;  // it takes both
    if (messages <= 0 || (age && age->count() == 0) || !ttl) return;
    set("channels.history_messages_max", Tree{messages}, "history_size");
    set("channels.history_age_max", *ttl, "history_ttl");
    set("channels.history_bytes_max", history_bytes_of(messages), "history_size");
  }

  // Their kind, what is kept of their changes (which is the history here), and who may change them.
  void import_map() {
    auto map = take(source_, "map");
    Tree nothing{Tree::Table{}};
    Tree& from = map ? *map : nothing;
    if (const auto kind = take(source_, "subscription_type"); kind && !kind->is_off()) {
      if (text_of_scalar(*kind) == "shared_poll") {
        draft_.left_out(key("subscription_type"), "nobody is asked for values by the clock; publish them into a map");
      } else {
        set("channels.subscription_type", *kind, "subscription_type");
      }
    }
    for (const std::string whose : {"map_clients_presence", "map_users_presence"}) {
      const auto prefix = take(source_, whose + "_channel_prefix");
      if (prefix && !prefix->is_off()) set("channels." + whose + "_prefix", *prefix, whose + "_channel_prefix");
    }
    if (options_.subscription_type != hub::SubscriptionType::stream) {
      import_map_changes(from);
      import_map_writers(from);
    }
    if (map) put(source_, "map", *std::move(map));  // what is left of it, for explain_rest
  }

  void import_map_changes(Tree& map) {
    if (const auto mode = take(map, "mode"); mode && !mode->is_off()) set("channels.map_mode", *mode, "map.mode");
    const auto ttl = take(map, "key_ttl");
    if (ttl && !ttl->is_off()) set("channels.map_key_ttl", *ttl, "map.key_ttl");
    const auto size = take(map, "stream_size");
    const auto age = take(map, "stream_ttl");
    take(map, "meta_ttl");
    if (options_.map_mode == hub::MapMode::ephemeral) return;
    const std::int64_t changes = size && number_of(*size).value_or(0) > 0 ? *number_of(*size) : 100;
    set("channels.history_messages_max", Tree{changes}, "map.stream_size");
    set("channels.history_age_max", age && !age->is_off() ? *age : Tree{std::string("1m")}, "map.stream_ttl");
    set("channels.history_bytes_max", history_bytes_of(changes), "map.stream_size");
  }

  void import_map_writers(Tree& map) {
    options_.map_remove_client_on_unsubscribe = is_on(find(map, "remove_client_on_unsubscribe"));
    take(map, "remove_client_on_unsubscribe");
    if (const auto whose = take(map, "client_key"); whose && !whose->is_off()) {
      set("channels.map_client_key", *whose, "map.client_key");
    }
    // Who may set a key may remove it here; these names then mean what import_permissions() reads.
    bool same = true;
    for (const std::string whom : {"client", "subscriber", "anonymous"}) {
      const auto publish = take(map, "allow_publish_for_" + whom);
      const auto remove = take(map, "allow_remove_for_" + whom);
      const bool publishes = is_on(publish ? &*publish : nullptr);
      same = same && publishes == is_on(remove ? &*remove : nullptr);
      take(source_, "allow_publish_for_" + whom);  // of streams
      put(source_, "allow_publish_for_" + whom, Tree{publishes});
    }
    if (!same && options_.map_client_key == server::ClientKey::any) {
      draft_.changed(key("map"), "who may set keys may remove them too, and nobody else");
    }
  }

  void import_switches() {
    options_.allow_positioning = take_switch("allow_positioning");
    options_.allow_recovery = take_switch("allow_recovery");
    options_.force_positioning = take_switch("force_positioning");
    options_.allow_tags_filter = take_switch("allow_tags_filter");
    options_.allow_channel_compaction = take_switch("allow_channel_compaction");
    options_.presence = take_switch("presence");
    options_.join_leave = take_switch("join_leave");
    options_.force_push_join_leave = take_switch("force_push_join_leave");
    if (options_.force_push_join_leave && !options_.join_leave) {
      draft_.left_out(key("force_push_join_leave"), "does nothing without join_leave");
      options_.force_push_join_leave = false;
    }
    options_.permissions.user_limited_channels = take_switch("allow_user_limited_channels");
    if (const auto interval = take(source_, "client_publish_debounce_interval"); interval && !interval->is_off()) {
      set("channels.publish_debounce", *interval, "client_publish_debounce_interval");
    }
  }

  void import_delta() {
    if (const auto types = take(source_, "allowed_delta_types")) {
      const auto names = texts_of_list(*types);
      options_.allow_delta = names && std::ranges::find(*names, "fossil") != names->end();
      if (!names || names->size() > (options_.allow_delta ? 1U : 0U)) {
        draft_.left_out(key("allowed_delta_types"), "there is fossil and no other");
      }
    }
    options_.delta_publish = take_switch("delta_publish");
    if (options_.allow_delta && !keeps_history()) {
      draft_.left_out(key("allowed_delta_types"), "a difference needs history_size and history_ttl");
      options_.allow_delta = false;
    }
    if (options_.delta_publish && !options_.allow_delta) {
      draft_.left_out(key("delta_publish"), "does nothing without allowed_delta_types");
      options_.delta_publish = false;
    }
  }

  void import_recovery() {
    if (const auto mode = take(source_, "force_recovery_mode"); mode && !mode->is_off()) {
      set("channels.recovery_mode", *mode, "force_recovery_mode");
    }
    const bool cache = options_.recovery_mode == server::RecoveryMode::cache;
    options_.force_recovery = take_switch("force_recovery");
    if (options_.force_recovery && !cache && !keeps_history()) {
      draft_.left_out(key("force_recovery"), "there is nothing to recover without history_size and history_ttl");
      options_.force_recovery = false;
    }
    options_.auto_cache_recover = take_switch("auto_cache_recover");
    const bool recovers = options_.allow_recovery || options_.force_recovery;
    if (options_.auto_cache_recover && !(cache && recovers)) {
      draft_.left_out(key("auto_cache_recover"), "does nothing without recovery in the mode cache");
      options_.auto_cache_recover = false;
    }
  }

  // for_client is every user; for_anonymous adds those without one, and does nothing alone.
  std::optional<Access> access_of(const std::string& verb) {
    const bool client = take_switch("allow_" + verb + "_for_client");
    const bool anonymous = take_switch("allow_" + verb + "_for_anonymous");
    if (!client) return std::nullopt;
    return anonymous ? Access::anyone : Access::user;
  }

  void import_permissions() {
    auth::NamespacePermissions& permissions = options_.permissions;
    // A token for a channel always opens it there.
    permissions.subscribe = access_of("subscribe").value_or(Access::token);
    permissions.publish = access_of("publish").value_or(Access::nobody);
    permissions.history = access_of("history").value_or(Access::nobody);
    permissions.presence = access_of("presence").value_or(Access::nobody);
    permissions.publish_for_subscriber = take_switch("allow_publish_for_subscriber");
    permissions.history_for_subscriber = take_switch("allow_history_for_subscriber");
    permissions.presence_for_subscriber = take_switch("allow_presence_for_subscriber");
  }

  void import_names() {
    if (const auto regex = take(source_, "channel_regex"); regex && !regex->is_off()) {
      const std::string text = text_of_scalar(*regex).value_or("");
      const auto pattern = channel_pattern_of(text);
      if (pattern) {
        options_.channel_pattern = *pattern;
      } else {
        draft_.left_out(
            key("channel_regex"),
            fmt::format("{} {}, which channel_pattern cannot say: every name is taken", text, pattern.error()));
      }
    }
    if (const auto format = take(source_, "publication_data_format"); format && !format->is_off()) {
      set("channels.payload_format", *format, "publication_data_format");
    }
  }

  Tree& source_;
  std::string path_;
  NamespaceOptions& options_;
  Draft& draft_;
};

void import_namespaces(Tree& document, Draft& draft) {
  auto namespaces = take(document, "channel.namespaces");
  if (!namespaces || namespaces->is_off()) return;
  if (namespaces->list() == nullptr) return draft.left_out("channel.namespaces", "is not a list");
  Tree::Table rest;
  for (Tree& space : *namespaces->list()) {
    const auto name = take(space, "name");
    const std::string text = name ? text_of_scalar(*name).value_or("") : "";
    const std::string path = "channel.namespaces." + text;
    const bool known =
        std::ranges::find(draft.settings.namespaces, text, &NamespaceOptions::name) != draft.settings.namespaces.end();
    if (!auth::valid_namespace_name(text) || known) {
      draft.left_out(
          path, known ? "is there twice; the first one counts" : "a name here is 1 to 32 letters, digits, _ and -");
      continue;
    }
    Channels(space, path, draft.settings.namespaces.emplace_back(NamespaceOptions{.name = text}), draft).run();
    rest.emplace_back(text, std::move(space));
  }
  put(document, "channel.namespaces", Tree{std::move(rest)});  // by name, for explain_rest
}

// Marks that stand inside names. Ours are fixed.
void import_marks(Tree& document, Draft& draft) {
  const auto text_or = [&](const std::string& path, std::string standard) {
    const auto value = take(document, path);
    return value ? text_of_scalar(*value).value_or("") : standard;
  };
  draft.settings.server.strict_namespaces = true;  // unknown namespaces are an error there
  const std::string prefix = text_or("channel.private_prefix", "$");
  draft.settings.server.private_channels = prefix == "$";
  if (!prefix.empty() && prefix != "$") {
    draft.left_out("channel.private_prefix",
                   "private channels begin with $ here; yours are open to whom their namespace "
                   "is open");
  }
  constexpr std::pair<std::string_view, std::string_view> kFixed[] = {
      {"channel.namespace_boundary", ":"}, {"channel.user_boundary", "#"}, {"channel.user_separator", ","}};
  for (const auto& [path, mark] : kFixed) {
    if (text_or(std::string(path), std::string(mark)) != mark) {
      draft.left_out(path, fmt::format("it is {} here", mark));
    }
  }
  if (const auto length = take(document, "channel.max_length"); length && number_of(*length).value_or(255) != 255) {
    draft.changed("channel.max_length", "names of up to 255 bytes are taken here");
  }
}

void guard_personal_channels(Draft& draft) {
  const auto& options = draft.settings.server;
  if (!options.personal_channel) return;
  const std::string& name = options.personal_channel_namespace;
  const auto space = std::ranges::find(draft.settings.namespaces, name, &NamespaceOptions::name);
  if (!name.empty() && space == draft.settings.namespaces.end()) {
    draft.left_out("client.subscribe_to_user_personal_channel", fmt::format("there is no namespace {}", name));
    draft.settings.server.personal_channel = false;
    draft.settings.server.personal_channel_namespace.clear();
    draft.settings.server.personal_channel_single_connection = false;
    return;
  }
  NamespaceOptions& owner = name.empty() ? draft.settings.channels : *space;
  auth::NamespacePermissions& permissions = owner.permissions;
  if (permissions.user_limited_channels || permissions.subscribe == Access::token) return;
  permissions.user_limited_channels = true;
  draft.changed("client.subscribe_to_user_personal_channel",
                "every user could subscribe to the personal channels of the others; user_limited_channels keeps them "
                "out");
}

}  // namespace

void import_channels(Tree& document, Draft& draft) {
  import_marks(document, draft);
  // A month there.
  const auto ttl = take(document, "channel.history_meta_ttl");
  draft.set("limits.history_meta_ttl", ttl && !ttl->is_off() ? *ttl : Tree{std::string("720h")},
            "channel.history_meta_ttl");
  Tree nothing{Tree::Table{}};
  auto standard = take(document, "channel.without_namespace");
  Channels(standard ? *standard : nothing, "channel.without_namespace", draft.settings.channels, draft).run();
  if (standard) put(document, "channel.without_namespace", *std::move(standard));
  import_namespaces(document, draft);
  guard_personal_channels(draft);
}

}  // namespace app::import
