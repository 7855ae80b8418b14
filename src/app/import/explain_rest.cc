// What no part of the import has taken: the table of what is known, and why it is not needed or has no equivalent.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "app/import/parts.h"

namespace app::import {
namespace {

struct Known {
  std::string_view path;  // it and everything below it
  std::string_view why;
};

constexpr std::string_view kOneProcess =
    "channels live in the memory of one process; several nodes and other brokers are not there yet";
constexpr std::string_view kFixedPath = "the path is fixed here";
constexpr std::string_view kNoGrpc = "there is no gRPC here; the HTTP API does the same";
constexpr std::string_view kNoExpressions = "there are no expressions in the configuration; ask a hook instead";
constexpr std::string_view kNoRegex = "there are no regular expressions for claims; name the one value";
constexpr std::string_view kNoMapHooks = "changes of maps are not asked about; see who may publish";
constexpr std::string_view kEvents = "occupied and vacated channels are told as events: set [events]";
constexpr std::string_view kNoBridges = "consuming from other systems is not there yet; publish over the HTTP API";
constexpr std::string_view kSystem = "the system's service manager does it";

// The longest path that fits counts.
constexpr auto kKnown = std::to_array<Known>({
    {"engine", kOneProcess},
    {"engine.type", kOneProcess},
    {"broker", kOneProcess},
    {"brokers", kOneProcess},
    {"presence_manager", kOneProcess},
    {"presence_managers", kOneProcess},
    {"map_broker", kOneProcess},
    {"redis", kOneProcess},
    {"consumers", kNoBridges},
    {"rpc.ping", "there is no built-in RPC method"},

    {"http_server.tls.client_ca_pem", "certificates of clients are not asked for"},
    {"http_server.tls_autocert", "certificates come from files; let an ACME client or a proxy renew them"},
    {"http_server.internal_tls", "every https:// listener has the same certificate"},
    {"http_server.http3", "there is no HTTP/3; a proxy in front may speak it"},
    {"log.file", "logs go to the standard error; the service manager keeps them"},
    {"pid_file", kSystem},

    {"http_api.disabled", "it is there for those who have a key; without auth.api_keys nobody has one"},
    {"http_api.insecure", "the HTTP API always asks for a key"},
    {"http_api.handler_prefix", kFixedPath},
    {"http_api.error_mode", "see docs/protocol.md for how errors are answered"},
    {"grpc_api", kNoGrpc},
    {"uni_grpc", kNoGrpc},
    {"webtransport", "there is no WebTransport; clients fall back to WebSocket"},

    {"websocket.disabled", "every way in is open"},
    {"websocket.handler_prefix", kFixedPath},
    {"sse.handler_prefix", kFixedPath},
    {"http_stream.handler_prefix", kFixedPath},
    {"emulation.handler_prefix", kFixedPath},
    {"uni_websocket.handler_prefix", kFixedPath},
    {"uni_websocket.join_push_messages", "every message has a frame of its own"},
    {"uni_sse.handler_prefix", kFixedPath},
    {"uni_sse.connect_code_to_http_response", "the answer's status is fixed here"},
    {"uni_http_stream.handler_prefix", kFixedPath},
    {"uni_http_stream.connect_code_to_http_response", "the answer's status is fixed here"},

    {"admin", "there is no administration page; /metrics and /api are on the admin listener"},
    {"prometheus.handler_prefix", "metrics are at /metrics of the admin listener"},
    {"prometheus.instrument_http_handlers", "the metrics have other names, see docs/operations.md"},
    {"health.handler_prefix", "health is at /health"},
    {"swagger", "the HTTP API is described at /api/openapi.yaml"},
    {"debug", "there are no profiling pages"},
    {"dev", "try things out with `wirebird serve --dev`"},
    {"init", "there is no endpoint that prepares connections"},
    {"opentelemetry", "there is no tracing"},
    {"graphite", "metrics are fetched by Prometheus only"},

    {"client.insecure_skip_token_signature_verify", "signatures are always checked"},
    {"client.user_id_http_header", "a header is not believed; let the proxy that sets it make a token"},
    {"client.disallow_anonymous_connection_tokens",
     "a token without a user is taken; who has one is not one of `user` in the permissions"},
    {"client.token.audience_regex", kNoRegex},
    {"client.token.issuer_regex", kNoRegex},
    {"client.token.jwks", "when keys are fetched is fixed here but for issuers.keys_age_max"},
    {"client.pong_timeout", "a client has 8 seconds to answer a ping, or half the interval if that is less"},
    {"client.expired_close_delay", "the time to bring a new token is fixed here"},
    {"client.expired_sub_close_delay", "the time to bring a new token is fixed here"},
    {"client.stale_close_delay", "the time to say who one is, is fixed here"},
    {"client.user_connection_limit", "connections of one user are not limited"},
    {"client.connection_rate_limit",
     "new connections are limited by limits.handshakes_per_s_max (TLS) and per address only"},
    {"client.history_max_publication_limit", "an answer has at most 300 messages"},
    {"client.recovery_max_publication_limit", "what was missed is replayed as far as the history reaches"},
    {"client.connect_code_to_unidirectional_disconnect", "the codes are fixed here"},
    {"client.rate_limit",
     "set limits.publishes_per_s_max and its neighbours: one rate for each operation of one connection"},
    {"client.write_delay", "set max_delay in the namespaces: messages of a channel wait for each other"},

    {"channel.patterns", "channel patterns as namespaces are not there; use prefixes"},
    {"channel.without_namespace.history_meta_ttl", "there is one for all channels: limits.history_meta_ttl"},
    {"channel.without_namespace.batch_max_size", "messages wait for max_delay, whatever their number"},
    {"channel.without_namespace.batch_flush_latest",
     "slow_reader = \"conflate\" gives slow clients the newest message only"},
    {"channel.without_namespace.subscribe_stream_proxy_enabled",
     "streams from a back end need gRPC, which is not there"},
    {"channel.without_namespace.state_proxy_enabled", kEvents},
    {"channel.without_namespace.state_events", kEvents},
    {"channel.without_namespace.subscription_types", "a namespace has one subscription_type"},
    {"channel.without_namespace.map.publish_proxy_enabled", kNoMapHooks},
    {"channel.without_namespace.map.publish_proxy_name", kNoMapHooks},
    {"channel.without_namespace.map.remove_proxy_enabled", kNoMapHooks},
    {"channel.without_namespace.map.remove_proxy_name", kNoMapHooks},
    {"channel.without_namespace.map", "pages of a map have up to 1,000 keys, and 5 seconds to be fetched each"},
    {"channel.without_namespace.shared_poll", "channels that are polled from a back end are not there"},
    {"channel.without_namespace.keep_latest_publication", "recovery_mode = \"cache\" keeps the newest message"},
    {"channel.without_namespace.subscribe_cel", kNoExpressions},
    {"channel.without_namespace.publish_cel", kNoExpressions},
    {"channel.without_namespace.presence_cel", kNoExpressions},
    {"channel.without_namespace.history_cel", kNoExpressions},
    {"channel.without_namespace.broker_name", kOneProcess},
    {"channel.without_namespace.presence_manager_name", kOneProcess},

    {"database", kOneProcess},
    {"cache", kOneProcess},
    {"state", kOneProcess},
    {"distributed_rate_limit", "limits count in one process"},
    {"clickhouse_analytics", "there is no export of analytics"},
    {"user_status", "there is no status of users; presence says who is there"},
    {"user_block", "users are blocked over the HTTP API; the list is in memory"},
    {"token_revoke", "tokens are revoked over the HTTP API; the list is in memory"},
    {"user_tokens_invalidate", "tokens are revoked over the HTTP API; the list is in memory"},
    {"push_notifications", "there are no push notifications to phones"},
});

// Needless here, or the same without a word: buffers of its implementation, ways in that are always open, presence that
// follows the subscriptions themselves, positions that every delivery checks. With everything below them.
constexpr auto kNeedless = std::to_array<std::string_view>({
    "channel.without_namespace.shared_position_sync",
    "channel.without_namespace.state_proxy_name",
    "channel.without_namespace.subscribe_stream_proxy_bidirectional",
    "channel.without_namespace.subscribe_stream_proxy_name",
    "client.channel_position_check_delay",
    "client.channel_position_max_time_lag",
    "client.concurrency",
    "client.connect_include_server_time",
    "client.max_messages_in_frame",
    "client.presence_update_interval",
    "client.queue_initial_cap",
    "client.reply_without_queue",
    "emulation.enabled",
    "enable_unreleased_features",
    "health.enabled",
    "http_server.tls.cert_pem",
    "http_server.tls.enabled",
    "http_server.tls.insecure_skip_verify",
    "http_server.tls.key_pem",
    "http_server.tls.server_ca_pem",
    "http_server.tls.server_name",
    "http_stream.enabled",
    "license",
    "node",
    "prometheus.enabled",
    "rpc.namespace_boundary",
    "shutdown.termination_delay",
    "singleflight",
    "sse.enabled",
    "uni_http_stream.enabled",
    "uni_sse.enabled",
    "uni_websocket.compression",
    "uni_websocket.compression_level",
    "uni_websocket.compression_min_size",
    "uni_websocket.enabled",
    "uni_websocket.read_buffer_size",
    "uni_websocket.use_write_buffer_pool",
    "uni_websocket.write_buffer_size",
    "uni_websocket.write_timeout",
    "usage_stats",
    "websocket.compression",
    "websocket.compression_level",
    "websocket.compression_min_size",
    "websocket.enabled",
    "websocket.read_buffer_size",
    "websocket.use_write_buffer_pool",
    "websocket.write_buffer_size",
    "websocket.write_timeout",
});

// Where a value of the original is as good as nothing said.
constexpr auto kStandard = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"engine.type", "memory"},
    {"broker.type", "memory"},
    {"presence_manager.type", "memory"},
    {"map_broker.type", "memory"},
    {"client.pong_timeout", "8s"},
    {"client.history_max_publication_limit", "300"},
    {"client.expired_close_delay", "25s"},
    {"client.expired_sub_close_delay", "25s"},
    {"client.stale_close_delay", "10s"},
    {"http_api.handler_prefix", "/api"},
    {"websocket.handler_prefix", "/connection/websocket"},
    {"sse.handler_prefix", "/connection/sse"},
    {"http_stream.handler_prefix", "/connection/http_stream"},
    {"emulation.handler_prefix", "/emulation"},
    {"uni_websocket.handler_prefix", "/connection/uni_websocket"},
    {"uni_sse.handler_prefix", "/connection/uni_sse"},
    {"uni_http_stream.handler_prefix", "/connection/uni_http_stream"},
    {"prometheus.handler_prefix", "/metrics"},
    {"health.handler_prefix", "/health"},
});

// The options of every namespace are known by the names of those without one.
std::string canonical(std::string_view path) {
  constexpr std::string_view kSpaces = "channel.namespaces.";
  if (!path.starts_with(kSpaces)) return std::string(path);
  const std::size_t end = path.find('.', kSpaces.size());
  return "channel.without_namespace" + (end == std::string_view::npos ? "" : std::string(path.substr(end)));
}

bool is_below(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '.');
}

bool is_needless(std::string_view path) {
  return std::ranges::any_of(kNeedless, [&](std::string_view each) { return is_below(path, each); });
}

const Known* known_for(std::string_view path) {
  const Known* longest = nullptr;
  for (const Known& each : kKnown) {
    if (is_below(path, each.path) && (longest == nullptr || each.path.size() > longest->path.size())) longest = &each;
  }
  return longest;
}

// Switched off, or as it is anyway.
bool says_nothing(const std::string& path, const Tree& value) {
  if (value.is_off()) return true;
  if (const Tree::Table* const table = value.table()) {
    if (const Tree* const enabled = find(value, "enabled"); enabled != nullptr && enabled->is_off()) return true;
    return std::ranges::all_of(
        *table, [&](const auto& member) { return says_nothing(path + "." + member.name, member.value); });
  }
  return std::ranges::any_of(kStandard, [&](const auto& standard) {
    return path == standard.first && text_of_scalar(value) == standard.second;
  });
}

class Rest {
 public:
  explicit Rest(Draft& draft) : draft_(draft) {}

  void visit(const std::string& path, const Tree& value) {
    const std::string known_path = canonical(path);
    const bool silent = says_nothing(known_path, value);
    if (const Tree::Table* const table = value.table()) {
      if (!silent && explain_as_one(path, known_path)) return;
      for (const auto& [name, member] : *table) {
        if (!silent || is_unknown(below(known_path, name), member)) visit(below(path, name), member);
      }
      return;
    }
    if (is_needless(known_path)) return;
    const Known* const known = known_for(known_path);
    if (known == nullptr) {
      draft_.unknown(path);
    } else if (!silent) {
      draft_.left_out(path, std::string(known->why));
    }
  }

 private:
  static std::string below(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  // Nobody knows the name, though what it says is off.
  static bool is_unknown(const std::string& path, const Tree& value) {
    return value.table() != nullptr || (!is_needless(path) && known_for(path) == nullptr);
  }

  // One line for a table of which everything has the same reason.
  bool explain_as_one(const std::string& path, const std::string& known_path) {
    const Known* const known = known_for(known_path);
    if (known == nullptr) return false;
    const auto differs = [&](const Known& each) { return is_below(each.path, known_path) && each.why != known->why; };
    if (std::ranges::any_of(kKnown, differs)) return false;
    draft_.left_out(path, std::string(known->why));
    return true;
  }

  Draft& draft_;
};

}  // namespace

void explain_rest(const Tree& document, Draft& draft) { Rest(draft).visit("", document); }

}  // namespace app::import
