#include "app/import/old_layout.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace app::import {
namespace {

struct Move {
  std::string_view from;
  std::string_view to;
};

// Whole names that follow no rule.
constexpr auto kMoves = std::to_array<Move>({
    {"name", "node.name"},
    {"engine", "engine.type"},
    {"broker", "broker.type"},
    {"address", "http_server.address"},
    {"port", "http_server.port"},
    {"internal_address", "http_server.internal_address"},
    {"internal_port", "http_server.internal_port"},
    {"http3", "http_server.http3.enabled"},
    {"tls", "http_server.tls.enabled"},
    {"tls_external", "http_server.tls_external"},
    {"tls_autocert", "http_server.tls_autocert.enabled"},
    {"allowed_origins", "client.allowed_origins"},
    {"ping_interval", "client.ping_interval"},
    {"pong_timeout", "client.pong_timeout"},
    {"allow_anonymous_connect_without_token", "client.allow_anonymous_connect_without_token"},
    {"disallow_anonymous_connection_tokens", "client.disallow_anonymous_connection_tokens"},
    {"separate_subscription_token_config", "client.subscription_token.enabled"},
    {"user_subscribe_to_personal", "client.subscribe_to_user_personal_channel.enabled"},
    {"user_personal_channel_namespace", "client.subscribe_to_user_personal_channel.personal_channel_namespace"},
    {"user_personal_single_connection", "client.subscribe_to_user_personal_channel.single_connection"},
    {"global_history_meta_ttl", "channel.history_meta_ttl"},
    {"global_presence_ttl", "engine.redis.presence_ttl"},
    {"global_redis_presence_user_mapping", "engine.redis.presence_user_mapping"},
    {"namespaces", "channel.namespaces"},
    {"channel_patterns", "channel.patterns"},
    {"rpc_namespaces", "rpc.namespaces"},
    {"rpc_ping", "rpc.ping.enabled"},
    {"rpc_ping_method", "rpc.ping.method"},
    {"rpc_proxy_name", "rpc.without_namespace.proxy_name"},
    {"proxy_rpc", "rpc.without_namespace.proxy_enabled"},
    {"proxy_subscribe", "channel.without_namespace.subscribe_proxy_enabled"},
    {"proxy_publish", "channel.without_namespace.publish_proxy_enabled"},
    {"proxy_sub_refresh", "channel.without_namespace.sub_refresh_proxy_enabled"},
    {"proxy_subscribe_stream", "channel.without_namespace.subscribe_stream_proxy_enabled"},
    {"api_disable", "http_api.disabled"},
    {"websocket_disable", "websocket.disabled"},
    {"usage_stats_disable", "usage_stats.disabled"},
    {"log_level", "log.level"},
    {"log_file", "log.file"},
    {"shutdown_timeout", "shutdown.timeout"},
    {"node_info_metrics_aggregate_interval", "node.info_metrics_aggregate_interval"},
    {"client_command_rate_limit", "client.rate_limit.client_command"},
    {"user_command_rate_limit", "client.rate_limit.user_command"},
    {"redis_user_command_rate_limit", "client.rate_limit.redis_user_command"},
    {"client_error_limits", "client.rate_limit.client_error"},
    {"nats_raw_mode", "broker.nats.raw_mode"},
});

// What begins so moves as a whole. The longest that fits counts.
constexpr auto kPrefixes = std::to_array<Move>({
    {"token_", "client.token."},
    {"subscription_token_", "client.subscription_token."},
    {"client_", "client."},
    {"channel_", "channel."},
    {"rpc_", "rpc."},
    {"api_", "http_api."},
    {"grpc_api_", "grpc_api."},
    {"admin_", "admin."},
    {"websocket_", "websocket."},
    {"webtransport_", "webtransport."},
    {"sse_", "sse."},
    {"http_stream_", "http_stream."},
    {"uni_websocket_", "uni_websocket."},
    {"uni_sse_", "uni_sse."},
    {"uni_http_stream_", "uni_http_stream."},
    {"uni_grpc_", "uni_grpc."},
    {"emulation_", "emulation."},
    {"prometheus_", "prometheus."},
    {"health_", "health."},
    {"swagger_", "swagger."},
    {"graphite_", "graphite."},
    {"opentelemetry_", "opentelemetry."},
    {"tls_", "http_server.tls."},
    {"tls_autocert_", "http_server.tls_autocert."},
    {"redis_", "engine.redis."},
    {"nats_", "broker.nats."},
    {"proxy_connect_", "client.proxy.connect."},
    {"proxy_refresh_", "client.proxy.refresh."},
    {"proxy_subscribe_", "channel.proxy.subscribe."},
    {"proxy_publish_", "channel.proxy.publish."},
    {"proxy_sub_refresh_", "channel.proxy.sub_refresh."},
    {"proxy_subscribe_stream_", "channel.proxy.subscribe_stream."},
    {"proxy_cache_empty_", "channel.proxy.cache_empty."},
    {"proxy_state_", "channel.proxy.state."},
    {"proxy_rpc_", "rpc.proxy."},
    {"proxy_", "old_proxy."},  // of all of them at once: distribute_proxy_settings()
});

// A switch that has become the `enabled` of a table with the same name.
constexpr auto kSwitches = std::to_array<std::string_view>(
    {"admin", "debug", "emulation", "graphite", "grpc_api", "health", "http_stream", "opentelemetry", "prometheus",
     "sse", "swagger", "uni_grpc", "uni_http_stream", "uni_sse", "uni_websocket", "webtransport"});

// Options of a namespace that stood at the top for channels without one.
constexpr auto kChannelOptions = std::to_array<std::string_view>({"presence",
                                                                  "join_leave",
                                                                  "force_push_join_leave",
                                                                  "history_size",
                                                                  "history_ttl",
                                                                  "history_meta_ttl",
                                                                  "force_positioning",
                                                                  "allow_positioning",
                                                                  "force_recovery",
                                                                  "allow_recovery",
                                                                  "force_recovery_mode",
                                                                  "allowed_delta_types",
                                                                  "delta_publish",
                                                                  "allow_subscribe_for_anonymous",
                                                                  "allow_subscribe_for_client",
                                                                  "allow_publish_for_anonymous",
                                                                  "allow_publish_for_client",
                                                                  "allow_publish_for_subscriber",
                                                                  "allow_presence_for_anonymous",
                                                                  "allow_presence_for_client",
                                                                  "allow_presence_for_subscriber",
                                                                  "allow_history_for_anonymous",
                                                                  "allow_history_for_client",
                                                                  "allow_history_for_subscriber",
                                                                  "allow_user_limited_channels",
                                                                  "channel_regex",
                                                                  "subscribe_proxy_name",
                                                                  "publish_proxy_name",
                                                                  "sub_refresh_proxy_name",
                                                                  "subscribe_stream_proxy_name",
                                                                  "cache_empty_proxy_name",
                                                                  "subscribe_cel",
                                                                  "publish_cel",
                                                                  "presence_cel",
                                                                  "history_cel",
                                                                  "keep_latest_publication",
                                                                  "shared_position_sync",
                                                                  "state_events",
                                                                  "broker_name",
                                                                  "presence_manager_name"});

constexpr auto kNamespaceSwitches = std::to_array<Move>({
    {"proxy_subscribe", "subscribe_proxy_enabled"},
    {"proxy_publish", "publish_proxy_enabled"},
    {"proxy_sub_refresh", "sub_refresh_proxy_enabled"},
    {"proxy_subscribe_stream", "subscribe_stream_proxy_enabled"},
});

// nullopt: the key stays. Some names are a table in version 6 and a scalar before it.
std::optional<std::string> new_name(std::string_view key, const Tree& value) {
  const bool is_table = value.table() != nullptr;
  if (const auto move = std::ranges::find(kMoves, key, &Move::from); move != kMoves.end()) {
    const bool was_scalar = move->to.ends_with(".enabled") || move->to.ends_with(".type");
    return is_table && was_scalar ? std::nullopt : std::optional<std::string>(move->to);
  }
  if (std::ranges::find(kSwitches, key) != kSwitches.end()) {
    return is_table ? std::nullopt : std::optional(std::string(key) + ".enabled");
  }
  if (is_table && key.starts_with("token_")) return std::nullopt;  // token_revoke, of both
  if (std::ranges::find(kChannelOptions, key) != kChannelOptions.end()) {
    return "channel.without_namespace." + std::string(key);
  }
  const Move* longest = nullptr;
  for (const Move& prefix : kPrefixes) {
    if (!key.starts_with(prefix.from) || key.size() == prefix.from.size()) continue;
    if (longest == nullptr || prefix.from.size() > longest->from.size()) longest = &prefix;
  }
  if (longest == nullptr) return std::nullopt;
  std::string_view rest = key.substr(longest->from.size());
  const bool is_pem = longest->to.ends_with("tls.") && (rest == "cert" || rest == "key");
  return std::string(longest->to) + std::string(rest) + (is_pem ? "_pem" : "");
}

// Version 5 had one set of headers for all proxies.
void distribute_proxy_settings(Tree& tree) {
  auto settings = take(tree, "old_proxy");
  if (!settings || settings->table() == nullptr) return;
  constexpr std::string_view kProxies[] = {"client.proxy.connect",      "client.proxy.refresh",
                                           "channel.proxy.subscribe",   "channel.proxy.publish",
                                           "channel.proxy.sub_refresh", "rpc.proxy"};
  constexpr Move kSettings[] = {{"http_headers", "http_headers"},
                                {"static_http_headers", "http.static_headers"},
                                {"binary_encoding", "binary_encoding"},
                                {"include_connection_meta", "include_connection_meta"},
                                {"grpc_metadata", "grpc_metadata"}};
  for (const Move& setting : kSettings) {
    const auto value = take(*settings, setting.from);
    if (!value) continue;
    for (const std::string_view proxy : kProxies) {
      const Tree* const there = find(tree, proxy);
      if (there != nullptr && there->table() != nullptr) {
        put(tree, std::string(proxy) + "." + std::string(setting.to), *value);
      }
    }
  }
  for (auto& [name, value] : *settings->table()) put(tree, "proxy_" + name, std::move(value));
}

// Naming a proxy was enough to use it, with the granular mode that version 6 does not know any more.
void use_named_proxies(Tree& space) {
  for (const std::string_view event : {"subscribe", "publish", "sub_refresh", "subscribe_stream"}) {
    const Tree* const name = find(space, std::string(event) + "_proxy_name");
    if (name != nullptr && !name->is_off()) put(space, std::string(event) + "_proxy_enabled", Tree{true});
  }
}

// One of the list `proxies` becomes the settings of an event of its own.
void copy_named_proxy(Tree& tree, std::string_view name_key, const std::string& to) {
  const auto name = take(tree, name_key);
  if (!name || name->is_off()) return;
  const Tree* const proxies = find(tree, "proxies");
  if (proxies == nullptr || proxies->list() == nullptr) return;
  for (const Tree& proxy : *proxies->list()) {
    const Tree* const own = find(proxy, "name");
    if (own == nullptr || *own != *name) continue;
    Tree settings = proxy;
    take(settings, "name");
    put(tree, to, std::move(settings));
    return;
  }
}

void rename_in_namespaces(Tree& tree) {
  if (auto standard = take(tree, "channel.without_namespace")) {
    use_named_proxies(*standard);
    put(tree, "channel.without_namespace", *std::move(standard));
  }
  auto namespaces = take(tree, "channel.namespaces");
  if (!namespaces) return;
  if (namespaces->list() != nullptr) {
    for (Tree& space : *namespaces->list()) {
      for (const Move& move : kNamespaceSwitches) {
        if (auto value = take(space, move.from)) put(space, move.to, *std::move(value));
      }
      use_named_proxies(space);
    }
  }
  put(tree, "channel.namespaces", *std::move(namespaces));
}

void switch_on_what_has_an_endpoint(Tree& tree) {
  for (const std::string event : {"client.proxy.connect", "client.proxy.refresh"}) {
    const Tree* const endpoint = find(tree, event + ".endpoint");
    if (endpoint != nullptr && !endpoint->is_off()) put(tree, event + ".enabled", Tree{true});
  }
}

}  // namespace

NewLayout with_new_layout(Tree tree) {
  NewLayout made{.tree = Tree{Tree::Table{}}};
  std::vector<std::pair<std::string, std::string>> moves;  // from, to
  std::vector<Tree> values;
  if (tree.table() == nullptr) return made;
  for (auto& [key, value] : *tree.table()) {
    auto name = new_name(key, value);
    if (!name) {
      put(made.tree, key, std::move(value));
      continue;
    }
    moves.emplace_back(key, *std::move(name));
    values.push_back(std::move(value));
  }
  made.moved = !moves.empty();
  for (std::size_t i = 0; i < moves.size(); ++i) {
    if (!put(made.tree, moves[i].second, std::move(values[i]))) made.collided.push_back(moves[i].first);
  }
  if (!made.moved) return made;
  take(made.tree, "granular_proxy_mode");
  copy_named_proxy(made.tree, "connect_proxy_name", "client.proxy.connect");
  copy_named_proxy(made.tree, "refresh_proxy_name", "client.proxy.refresh");
  distribute_proxy_settings(made.tree);
  switch_on_what_has_an_endpoint(made.tree);
  rename_in_namespaces(made.tree);
  return made;
}

}  // namespace app::import
