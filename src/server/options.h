// Everything an operator can set that the server needs, as one immutable value with defaults; `app` fills it from file,
// environment and flags. A reload makes a new value and mails it to every worker. [live]: counts at once; [new]: for
// new connections; [restart]: only at start.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/auth.h"
#include "base/secret.h"
#include "base/time.h"
#include "door/payload_format.h"
#include "hub/rules.h"

namespace server {

using namespace std::chrono_literals;

// How a subscriber that asks for what it missed gets it.
enum class RecoveryMode : std::uint8_t {
  stream,  // every message since its position
  cache,   // the newest message, if it is not the one it has
};

// Which key a client that publishes to a map changes.
enum class ClientKey : std::uint8_t {
  any,        // the one that it names
  client_id,  // its own, whatever it names
  user_id,
};

struct NamespaceOptions {
  std::string name;                                      // empty: the default namespace
  auth::NamespacePermissions permissions;                // [live]
  std::uint32_t history_messages_max = 1000;             // [live] 0 keeps none
  std::uint32_t history_bytes_max = 1 << 20;             // [live]
  base::Duration history_age_max = 1h;                   // [live]
  bool durable = false;                                  // [restart] kept by the ledger
  std::uint64_t retention_messages_max = 100'000;        // [live] of what is durable; retention_... say what is kept
  std::uint64_t retention_bytes_max = 256ULL << 20;      // [live]
  base::Duration retention_age_max = 24h * 7;            // [live]
  base::Duration max_delay = 0s;                         // [live] of a delivery, so that more leave together; 0: none
  bool last_value = false;                               // [live] the newest message is kept when history has expired
  hub::SlowReader slow_reader = hub::SlowReader::close;  // [live]

  std::string channel_pattern;                                    // [live] auth::NamePattern; empty: any name
  door::PayloadFormat payload_format = door::PayloadFormat::any;  // [live] of what clients and back ends publish

  // Maps [live]. What the history_... above say is of the stream of changes there; an ephemeral map keeps none.
  hub::SubscriptionType subscription_type = hub::SubscriptionType::stream;
  hub::MapMode map_mode = hub::MapMode::recoverable;
  bool map_ordered = false;          // by score
  base::Duration map_key_ttl = 60s;  // not of persistent maps, nor of those that the server keeps
  std::uint32_t map_keys_max = 100'000;
  std::uint32_t map_bytes_max = 64 << 20;
  std::uint32_t map_page_entries_min = 100;  // of what clients of the Centrifuge door ask for
  std::uint32_t map_page_entries_max = 1000;
  base::Duration map_catch_up_max = 5s;  // from the first page to the last
  ClientKey map_client_key = ClientKey::any;
  bool map_remove_client_on_unsubscribe = false;  // the key that is the id of a client goes with its subscription
  // Who is subscribed to a channel stands in the map of this name with the channel's behind it; empty: in none.
  std::string map_clients_presence_prefix;
  std::string map_users_presence_prefix;

  // What subscribers of the Centrifuge door get [live, for new subscriptions]
  bool presence = false;
  bool join_leave = false;
  bool force_push_join_leave = false;  // to who did not ask for them too
  bool allow_positioning = true;
  bool force_positioning = false;
  bool allow_recovery = true;
  bool force_recovery = false;
  RecoveryMode recovery_mode = RecoveryMode::stream;
  bool auto_cache_recover = false;  // RecoveryMode::cache: to who did not ask for it too
  bool allow_delta = false;         // fossil
  bool delta_publish = false;       // for every message, without a word from the publisher
  bool allow_tags_filter = false;
  bool allow_channel_compaction = false;  // pushes by number; clients that ask for it
  bool allow_wildcards = false;           // one subscription to `news.*` (hub/wildcard.h)
  bool exclude_sender = false;            // of the messages of clients: their connections do not get them
  base::Duration publish_debounce = 0s;   // told to subscribers, whose SDK holds back what it publishes

  // [live] Names of hooks; empty: nobody is asked.
  std::string subscribe_hook;
  std::string publish_hook;
  std::string sub_refresh_hook;
  std::string cache_empty_hook;
  friend bool operator==(const NamespaceOptions&, const NamespaceOptions&) = default;
};

// How a refusal of the HTTP API says so.
enum class ApiErrors : std::uint8_t {
  status,  // by the HTTP status, and in the body
  body,    // in the body of a 200
};

// A back end of the operator that is asked over HTTP (server/hooks.h). [live]
struct HookOptions {
  std::string name;
  std::string url;
  base::Duration timeout = 1s;
  std::vector<base::Secret> headers;         // "Name: value", on every request; often with a password in them
  std::vector<std::string> forward_headers;  // names of the client's headers that are handed on
  std::vector<std::string> status_rules;     // door/hook/status_rule.h
  bool base64_payloads = false;
  bool include_meta = false;
  std::uint32_t in_flight_max = 1024;  // questions on their way, all workers together
  std::uint32_t response_bytes_max = 256 * 1024;
  friend bool operator==(const HookOptions&, const HookOptions&) = default;
};

// Who signs tokens with keys that are fetched (server/key_fetcher.h). [live]
struct IssuerOptions {
  std::string name;
  std::string jwks_url;
  std::string issuer;    // empty: `iss` is not looked at
  std::string audience;  // the same for `aud`
  friend bool operator==(const IssuerOptions&, const IssuerOptions&) = default;
};

struct Listener {
  std::string address;  // "127.0.0.1:8000", "[::]:8000", "unix:/run/wirebird.sock"
  bool tls = false;
  bool proxy_protocol = false;
  bool admin = false;  // outside --dev: /metrics, and /api/* (unless Options::public_api) only here
  friend bool operator==(const Listener&, const Listener&) = default;
};

struct Options {
  bool dev = false;                  // [restart]
  bool dev_public = false;           // [restart]
  std::string data_dir;              // [restart] of what is durable; empty: none
  std::string log_level = "info";    // [restart] debug, info, warning, error
  std::uint16_t workers = 0;         // [restart] 0: one per core
  bool send_batcher = true;          // [restart] io_uring, where the kernel allows it
  std::vector<Listener> listeners;   // [restart]
  std::string tls_certificate_file;  // [new] reloadable
  std::string tls_key_file;

  // Limits of one connection [new]
  std::uint32_t message_bytes_max = 1 << 20;
  std::uint16_t fragments_max = 64;
  base::Duration message_time_max = 10s;
  std::uint16_t control_frames_per_s_max = 200;
  std::uint16_t channels_per_peer_max = 128;
  std::uint32_t queue_bytes_max = 1 << 20;  // slow reader: close 4408
  std::uint32_t queue_messages_max = 16 * 1024;
  base::Duration queue_age_max = 10s;     // no progress for so long
  base::Duration request_time_max = 10s;  // head and body of one HTTP request
  base::Duration tls_handshake_time_max = 5s;
  base::Duration keep_alive_time_max = 75s;  // between two requests
  base::Duration ping_interval = 25s;        // +-20 % jitter; dead after two without a sign of life
  base::Duration sse_heartbeat_interval = 15s;

  // Operations of one connection per second [live]
  std::uint32_t publishes_per_s_max = 10'000;
  std::uint32_t subscribes_per_s_max = 1'000;
  std::uint32_t history_reads_per_s_max = 1'000;
  std::uint32_t presence_reads_per_s_max = 1'000;
  std::uint32_t rpcs_per_s_max = 1'000;

  // Limits of the whole server [live]
  std::uint32_t connections_max = 16'000;
  std::uint32_t connections_per_address_max = 0;  // 0: connections_max (a proxy's clients share one address)
  std::uint32_t handshakes_per_s_max = 4'000;     // TLS, per worker, before the handshake
  std::uint64_t memory_bytes_max = 0;             // 0: 75 % of the cgroup or machine
  std::uint64_t history_bytes_total_max = 0;      // 0: a quarter of memory_bytes_max
  std::uint64_t map_bytes_total_max = 0;          // 0: a quarter of memory_bytes_max
  base::Duration channel_idle = 60s;
  base::Duration history_meta_ttl = 24h;
  std::uint32_t channels_max = 1'000'000;
  std::uint32_t tombstones_max = 1'000'000;
  std::uint32_t new_channels_per_s_max = 10'000;  // per address, by subscribing

  bool deflate = true;  // [new] permessage-deflate offered
  bool deflate_context_takeover = false;
  std::uint64_t deflate_context_bytes_max = 64 << 20;  // [new] all windows together; more connections get none
  bool echo = false;                                   // [live] /echo; in dev always
  bool strict_namespaces = false;
  bool private_channels = false;               // [live] names that begin with `$`
  std::vector<NamespaceOptions> namespaces;    // the default one has an empty name
  std::vector<std::string> allowed_origins;    // [new] exact; empty: same origin only; "*": any
  std::vector<std::string> trusted_proxies;    // CIDR
  std::vector<base::Secret> api_keys;          // [live]
  std::vector<base::Secret> token_hs256_keys;  // [live] HMAC; the first signs, all verify
  std::string token_public_keys_pem;           // [live] beside them
  std::string token_audience;                  // [live] empty: `aud` is not looked at
  std::string token_issuer;                    // [live] the same for `iss`
  std::string token_user_claim = "sub";        // [live]
  bool token_in_query = false;
  bool allow_short_keys = false;             // [live]
  bool insecure_clients = false;             // [live] every client may do everything
  bool public_api = false;                   // [live] /api/* on listeners of clients too
  ApiErrors api_errors = ApiErrors::status;  // [live]
  bool api_key_in_query = false;             // [live]

  // Centrifuge door [new]
  bool anonymous_without_token = false;
  bool personal_channel = false;           // every user is subscribed to `#user`
  std::string personal_channel_namespace;  // empty: the default one
  bool personal_channel_single_connection = false;

  std::vector<HookOptions> hooks;  // [live]
  std::string connect_hook;        // [live] names of them; empty: nobody is asked
  std::string refresh_hook;
  std::string rpc_hook;
  std::vector<IssuerOptions> issuers;       // [live]
  base::Duration issuer_keys_age_max = 1h;  // [live]
  std::string events_url;                   // [live] empty: events go nowhere
  std::vector<std::string> events_types = {"connected",    "disconnected", "subscribed",
                                           "unsubscribed", "occupied",     "vacated"};
  std::vector<base::Secret> events_signing_keys;
  std::vector<base::Secret> events_headers;
  bool hooks_allow_private_addresses = true;  // [live] URLs of the configuration may lead to the own network

  base::Duration drain_time_max = 5s;  // [live]
  base::Duration drain_window = 10s;   // reconnect window told to clients
  friend bool operator==(const Options&, const Options&) = default;
};

using OptionsRef = std::shared_ptr<const Options>;

}  // namespace server
