#include "app/import/centrifugo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "app/config.h"
#include "auth/test_keys.h"

namespace app::import {
namespace {

using namespace std::chrono_literals;
using auth::Access;
using Kind = Finding::Kind;

constexpr std::string_view kHmacKey = "3f5c0e5b-8c0a-4c43-9d0c-7e0a4a5c9a11";
constexpr std::string_view kApiKey = "b1a5b3f4-7d2e-4c8f-9a61-0c2d4e6f8a90";

class MemoryFiles final : public Files {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}
  std::expected<std::string, std::string> read(const std::string& path) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return std::unexpected("is not there");
    return found->second;
  }

 private:
  std::map<std::string, std::string> files_;
};

Imported imported(Format format, std::string_view text, const ImportPlan& plan = {}) {
  auto made = import_centrifugo(format, text, plan);
  EXPECT_TRUE(made) << (made ? "" : made.error());
  return made ? *std::move(made) : Imported{};
}

// What our own loader makes of the file.
server::Options loaded(const Imported& made, std::map<std::string, std::string> files = {}) {
  files["w.toml"] = made.toml;
  files.emplace("/etc/cert.pem", "-----BEGIN X-----");
  files.emplace("/etc/key.pem", "-----BEGIN X-----");
  const auto options = load_options({.file = "w.toml", .environment = {}, .flags = {}}, MemoryFiles(files));
  if (options) return *options;
  for (const ConfigError& error : options.error()) ADD_FAILURE() << to_string(error) << "\n" << made.toml;
  return {};
}

const server::NamespaceOptions& space(const server::Options& options, std::string_view name) {
  const auto found = std::ranges::find(options.namespaces, name, &server::NamespaceOptions::name);
  EXPECT_NE(found, options.namespaces.end()) << name;
  return *found;
}

std::string why(const Imported& made, Kind kind, std::string_view key) {
  for (const Finding& finding : made.findings) {
    if (finding.kind == kind && finding.key == key) return finding.why.empty() ? "(no reason)" : finding.why;
  }
  return "";
}

std::string all_of(const Imported& made, Kind kind) {
  std::string keys;
  for (const Finding& finding : made.findings) {
    if (finding.kind == kind) keys += finding.key + "\n";
  }
  return keys;
}

// A chat application, in the layout of version 6.
constexpr std::string_view kChatJson = R"({
  "http_server": {"address": "0.0.0.0", "port": 8100, "internal_port": "9100"},
  "log": {"level": "warn"},
  "client": {
    "allowed_origins": ["https://chat.example.com"],
    "token": {"hmac_secret_key": "3f5c0e5b-8c0a-4c43-9d0c-7e0a4a5c9a11", "audience": "chat", "issuer": "https://id"},
    "ping_interval": "20s",
    "channel_limit": 200,
    "allow_anonymous_connect_without_token": true,
    "subscribe_to_user_personal_channel": {"enabled": true, "personal_channel_namespace": "personal",
      "single_connection": true}
  },
  "channel": {
    "without_namespace": {"history_size": 10, "history_ttl": "60s", "allow_subscribe_for_client": true,
      "allow_subscribe_for_anonymous": true},
    "namespaces": [
      {"name": "chat", "presence": true, "join_leave": true, "force_push_join_leave": true, "history_size": 100,
       "history_ttl": "300s", "force_recovery": true, "force_positioning": true,
       "allow_subscribe_for_client": true, "allow_publish_for_subscriber": true, "allow_history_for_subscriber": true,
       "allow_presence_for_client": true, "channel_regex": "^room-[0-9]+$", "publication_data_format": "json_object",
       "allowed_delta_types": ["fossil"], "delta_publish": true, "allow_tags_filter": true},
      {"name": "personal", "presence": true},
      {"name": "dialogs", "allow_user_limited_channels": true, "allow_publish_for_client": true},
      {"name": "rates", "history_size": 1, "history_ttl": "1h", "allow_recovery": true,
       "force_recovery_mode": "cache", "auto_cache_recover": true, "allow_subscribe_for_client": true}
    ]
  },
  "http_api": {"key": "b1a5b3f4-7d2e-4c8f-9a61-0c2d4e6f8a90"},
  "websocket": {"compression": true, "message_size_limit": 131072},
  "shutdown": {"timeout": "15s"},
  "prometheus": {"enabled": true},
  "health": {"enabled": true},
  "admin": {"enabled": false, "password": "hush-hush", "secret": "more-hush"}
})";

void expect_chat(const Imported& made) {
  const server::Options options = loaded(made);
  ASSERT_EQ(options.listeners.size(), 2U);
  EXPECT_EQ(options.listeners[0].address, "0.0.0.0:8100");
  EXPECT_EQ(options.listeners[1].address, "0.0.0.0:9100");
  EXPECT_TRUE(options.listeners[1].admin);
  EXPECT_EQ(options.log_level, "warning");
  EXPECT_EQ(options.allowed_origins, std::vector<std::string>{"https://chat.example.com"});
  ASSERT_EQ(options.token_hs256_keys.size(), 1U);
  EXPECT_EQ(options.token_hs256_keys[0].reveal(), kHmacKey);
  ASSERT_EQ(options.api_keys.size(), 1U);
  EXPECT_EQ(options.api_keys[0].reveal(), kApiKey);
  EXPECT_EQ(options.token_audience, "chat");
  EXPECT_EQ(options.token_issuer, "https://id");
  EXPECT_EQ(options.ping_interval, 20s);
  EXPECT_EQ(options.channels_per_peer_max, 200);
  EXPECT_EQ(options.message_bytes_max, 131072U);
  EXPECT_EQ(options.drain_time_max, 15s);
  EXPECT_EQ(options.history_meta_ttl, 720h);
  EXPECT_TRUE(options.deflate && options.strict_namespaces && options.private_channels);
  EXPECT_TRUE(options.anonymous_without_token && options.personal_channel &&
              options.personal_channel_single_connection);
  EXPECT_EQ(options.personal_channel_namespace, "personal");

  ASSERT_EQ(options.namespaces.size(), 5U);
  const server::NamespaceOptions& standard = space(options, "");
  EXPECT_EQ(standard.permissions.subscribe, Access::anyone);
  EXPECT_EQ(standard.permissions.publish, Access::nobody);
  EXPECT_EQ(standard.permissions.history, Access::nobody);
  EXPECT_EQ(standard.history_messages_max, 10U);
  EXPECT_EQ(standard.history_age_max, 60s);
  EXPECT_FALSE(standard.allow_recovery || standard.allow_positioning || standard.presence);

  const server::NamespaceOptions& chat = space(options, "chat");
  EXPECT_TRUE(chat.presence && chat.join_leave && chat.force_push_join_leave && chat.force_recovery);
  EXPECT_TRUE(chat.force_positioning && chat.allow_delta && chat.delta_publish && chat.allow_tags_filter);
  EXPECT_EQ(chat.permissions, (auth::NamespacePermissions{.subscribe = Access::user,
                                                          .publish = Access::nobody,
                                                          .history = Access::nobody,
                                                          .presence = Access::user,
                                                          .publish_for_subscriber = true,
                                                          .history_for_subscriber = true}));
  EXPECT_EQ(chat.history_messages_max, 100U);
  EXPECT_EQ(chat.history_age_max, 300s);
  EXPECT_EQ(chat.history_bytes_max, 100U * 64 * 1024);
  EXPECT_EQ(chat.channel_pattern, "room-[0-9]+");
  EXPECT_EQ(chat.payload_format, door::PayloadFormat::json_object);

  EXPECT_EQ(space(options, "personal").permissions.subscribe, Access::token);
  EXPECT_EQ(space(options, "personal").history_messages_max, 0U);
  EXPECT_TRUE(space(options, "dialogs").permissions.user_limited_channels);
  EXPECT_EQ(space(options, "dialogs").permissions.publish, Access::user);
  EXPECT_EQ(space(options, "rates").recovery_mode, server::RecoveryMode::cache);
  EXPECT_TRUE(space(options, "rates").auto_cache_recover && space(options, "rates").allow_recovery);
  EXPECT_EQ(all_of(made, Kind::unknown), "");
  EXPECT_EQ(all_of(made, Kind::left_out), "");
}

TEST(ImportCentrifugo, AChatApplicationInJson) { expect_chat(imported(Format::json, kChatJson)); }

TEST(ImportCentrifugo, TheSameInToml) {
  expect_chat(imported(Format::toml, R"(
[http_server]
address = "0.0.0.0"
port = 8100
internal_port = "9100"
[log]
level = "warn"
[client]
allowed_origins = ["https://chat.example.com"]
ping_interval = "20s"
channel_limit = 200
allow_anonymous_connect_without_token = true
[client.token]
hmac_secret_key = "3f5c0e5b-8c0a-4c43-9d0c-7e0a4a5c9a11"
audience = "chat"
issuer = "https://id"
[client.subscribe_to_user_personal_channel]
enabled = true
personal_channel_namespace = "personal"
single_connection = true
[channel.without_namespace]
history_size = 10
history_ttl = "60s"
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
[[channel.namespaces]]
name = "chat"
presence = true
join_leave = true
force_push_join_leave = true
history_size = 100
history_ttl = "300s"
force_recovery = true
force_positioning = true
allow_subscribe_for_client = true
allow_publish_for_subscriber = true
allow_history_for_subscriber = true
allow_presence_for_client = true
channel_regex = "^room-[0-9]+$"
publication_data_format = "json_object"
allowed_delta_types = ["fossil"]
delta_publish = true
allow_tags_filter = true
[[channel.namespaces]]
name = "personal"
presence = true
[[channel.namespaces]]
name = "dialogs"
allow_user_limited_channels = true
allow_publish_for_client = true
[[channel.namespaces]]
name = "rates"
history_size = 1
history_ttl = "1h"
allow_recovery = true
force_recovery_mode = "cache"
auto_cache_recover = true
allow_subscribe_for_client = true
[http_api]
key = "b1a5b3f4-7d2e-4c8f-9a61-0c2d4e6f8a90"
[websocket]
compression = true
message_size_limit = 131072
[shutdown]
timeout = "15s"
)"));
}

// The flat layout of version 5, in YAML, with its old names.
TEST(ImportCentrifugo, TheSameOfVersion5InYaml) {
  expect_chat(imported(Format::yaml, R"(
address: 0.0.0.0
port: 8100
internal_port: "9100"
log_level: warn
allowed_origins:
  - https://chat.example.com
token_hmac_secret_key: 3f5c0e5b-8c0a-4c43-9d0c-7e0a4a5c9a11
token_audience: chat
token_issuer: https://id
ping_interval: 20s
client_channel_limit: 200
allow_anonymous_connect_without_token: true
user_subscribe_to_personal: true
user_personal_channel_namespace: personal
user_personal_single_connection: true
history_size: 10
history_ttl: 60s
allow_subscribe_for_client: true
allow_subscribe_for_anonymous: true
api_key: b1a5b3f4-7d2e-4c8f-9a61-0c2d4e6f8a90
websocket_compression: true
websocket_message_size_limit: 131072
shutdown_timeout: 15s
prometheus: true
health: true
admin: false
admin_password: hush-hush
namespaces:
  - name: chat
    presence: true
    join_leave: true
    force_push_join_leave: true
    history_size: 100
    history_ttl: 300s
    force_recovery: true
    force_positioning: true
    allow_subscribe_for_client: true
    allow_publish_for_subscriber: true
    allow_history_for_subscriber: true
    allow_presence_for_client: true
    channel_regex: "^room-[0-9]+$"
    publication_data_format: json_object
    allowed_delta_types: [fossil]
    delta_publish: true
    allow_tags_filter: true
  - name: personal
    presence: true
  - name: dialogs
    allow_user_limited_channels: true
    allow_publish_for_client: true
  - name: rates
    history_size: 1
    history_ttl: 1h
    allow_recovery: true
    force_recovery_mode: cache
    auto_cache_recover: true
    allow_subscribe_for_client: true
)"));
}

TEST(ImportCentrifugo, AnEmptyFileIsThatServersDefaults) {
  const Imported made = imported(Format::json, "{}");
  const server::Options options = loaded(made);
  EXPECT_EQ(options.listeners[0].address, "0.0.0.0:8000");
  EXPECT_FALSE(options.deflate);
  EXPECT_TRUE(options.strict_namespaces);
  const server::NamespaceOptions& standard = space(options, "");
  EXPECT_EQ(standard.permissions.subscribe, Access::token);
  EXPECT_EQ(standard.permissions.publish, Access::nobody);
  EXPECT_EQ(standard.history_messages_max, 0U);
  EXPECT_FALSE(standard.allow_recovery);
  EXPECT_EQ(all_of(made, Kind::left_out) + all_of(made, Kind::unknown), "");
  EXPECT_TRUE(why(made, Kind::changed, "http_server.internal_port").contains("server.admin_listen"));
  EXPECT_TRUE(options.public_api) << "clients of the HTTP API go on";
}

TEST(ImportCentrifugo, WhatHasNoEquivalentIsListedWithAReason) {
  const Imported made = imported(Format::json, R"({
    "engine": {"type": "redis", "redis": {"address": "redis://localhost:6379", "password": "hush-hush"}},
    "client": {"user_connection_limit": 5, "concurrency": 8, "stale_close_delay": "10s",
      "expired_close_delay": "1m", "token": {"audience_regex": "^a$"}, "coulour": "red",
      "subscription_token": {"enabled": true, "hmac_secret_key": "hush-hush"}},
    "channel": {"namespaces": [
      {"name": "calc", "subscribe_cel": "1 == 1", "publish_cel": "",
       "history_meta_ttl": "1h", "presense": true, "channel_regex": "^(a|b)$"},
      {"name": "with.dot"}, {"name": "calc"}]},
    "grpc_api": {"enabled": true, "port": 10000, "key": "hush-hush"},
    "uni_grpc": {"enabled": false, "port": 11000},
    "consumers": [{"name": "kafka", "enabled": true}],
    "admin": {"enabled": true, "password": "hush-hush"},
    "websocket": {"handler_prefix": "/ws", "write_timeout": "1s"},
    "sse": {"enabled": true, "handler_prefix": "/connection/sse"},
    "frobnicate": {"a": 1},
    "usage_stats": {"disabled": true}
  })");
  loaded(made);
  EXPECT_EQ(all_of(made, Kind::left_out),
            "client.subscription_token\n"
            "channel.namespaces.calc.channel_regex\n"
            "channel.namespaces.with.dot\n"
            "channel.namespaces.calc\n"
            "engine\n"
            "client.user_connection_limit\n"
            "client.expired_close_delay\n"
            "client.token.audience_regex\n"
            "channel.namespaces.calc.subscribe_cel\n"
            "channel.namespaces.calc.history_meta_ttl\n"
            "grpc_api\n"
            "consumers\n"
            "admin\n"
            "websocket.handler_prefix\n");
  EXPECT_EQ(all_of(made, Kind::unknown), "client.coulour\nchannel.namespaces.calc.presense\nfrobnicate.a\n");
  for (const Finding& finding : made.findings) {
    EXPECT_TRUE(finding.kind != Kind::left_out || !finding.why.empty()) << finding.key;
    EXPECT_FALSE((finding.key + finding.why).contains("hush-hush")) << finding.key;
  }
  EXPECT_FALSE(made.toml.contains("hush-hush"));
  EXPECT_TRUE(made.toml.contains("# * engine: channels live in the memory of one process"));
  EXPECT_TRUE(made.toml.contains("# * client.coulour\n"));
}

TEST(ImportCentrifugo, ShortSecretsAreTakenWithAWarning) {
  const Imported made =
      imported(Format::json, R"({"client":{"token":{"hmac_secret_key":"hush-hush","hmac_previous_secret_key":)"
                             R"("0123456789abcdef0123456789abcdef"}}})");
  const server::Options options = loaded(made);
  ASSERT_EQ(options.token_hs256_keys.size(), 2U);
  EXPECT_EQ(options.token_hs256_keys[0].reveal(), "hush-hush");
  EXPECT_TRUE(options.allow_short_keys);
  EXPECT_EQ(why(made, Kind::changed, "client.token.hmac_secret_key"),
            "has 9 characters, where auth.token_keys wants 32: it is taken because of auth.allow_short_keys; choose a "
            "long random one soon");
  EXPECT_FALSE(loaded(imported(Format::json, "{}")).allow_short_keys);
}

TEST(ImportCentrifugo, SecretsThatNoFileCanSayStandInACommentAndNotInTheList) {
  const Imported made = imported(Format::json, R"({"http_api":{"key":"sh\nush\"]"}})");
  const server::Options options = loaded(made);
  EXPECT_TRUE(options.api_keys.empty());
  EXPECT_TRUE(made.toml.contains("# api_keys = [\"sh\\u000aush\\\"]\"]\n")) << made.toml;
}

TEST(ImportCentrifugo, Maps) {
  const Imported made = imported(Format::json, R"({"channel":{"namespaces":[
    {"name":"cursors","subscription_type":"map","allow_subscribe_for_client":true,
     "map":{"mode":"ephemeral","key_ttl":"90s","allow_publish_for_subscriber":true,"client_key":"client_id",
            "remove_client_on_unsubscribe":true}},
    {"name":"deals","subscription_type":"map","allowed_delta_types":["fossil"],"map_clients_presence_channel_prefix":"who:",
     "map":{"mode":"persistent","stream_size":500,"allow_publish_for_client":true,"allow_remove_for_client":true}},
    {"name":"who","subscription_type":"map_clients","map":{"mode":"recoverable","key_ttl":"60s"}},
    {"name":"half","subscription_type":"map","map":{"mode":"recoverable","key_ttl":"60s","stream_ttl":"5m",
     "allow_publish_for_client":true,"publish_proxy_enabled":true}},
    {"name":"poll","subscription_type":"shared_poll","shared_poll":{"mode":"versioned"}}]}})");
  const server::Options options = loaded(made);
  const server::NamespaceOptions& cursors = space(options, "cursors");
  EXPECT_EQ(cursors.subscription_type, hub::SubscriptionType::map);
  EXPECT_EQ(cursors.map_mode, hub::MapMode::ephemeral);
  EXPECT_EQ(cursors.map_key_ttl, 90s);
  EXPECT_EQ(cursors.map_client_key, server::ClientKey::client_id);
  EXPECT_TRUE(cursors.map_remove_client_on_unsubscribe);
  EXPECT_TRUE(cursors.permissions.publish_for_subscriber);
  EXPECT_EQ(cursors.permissions.publish, Access::nobody);
  EXPECT_EQ(cursors.history_messages_max, 0U);
  const server::NamespaceOptions& deals = space(options, "deals");
  EXPECT_EQ(deals.map_mode, hub::MapMode::persistent);
  EXPECT_EQ(deals.history_messages_max, 500U);
  EXPECT_EQ(deals.history_age_max, 1min);
  EXPECT_TRUE(deals.allow_delta);
  EXPECT_EQ(deals.permissions.publish, Access::user);
  EXPECT_EQ(deals.map_clients_presence_prefix, "who:");
  EXPECT_EQ(space(options, "who").subscription_type, hub::SubscriptionType::map_clients);
  EXPECT_EQ(space(options, "half").history_messages_max, 100U);
  EXPECT_EQ(space(options, "half").history_age_max, 5min);
  EXPECT_EQ(all_of(made, Kind::changed).contains("channel.namespaces.half.map\n"), true);
  EXPECT_EQ(all_of(made, Kind::changed).contains("channel.namespaces.deals.map\n"), false);
  EXPECT_EQ(all_of(made, Kind::left_out),
            "channel.namespaces.poll.subscription_type\n"
            "channel.namespaces.half.map.publish_proxy_enabled\n"
            "channel.namespaces.poll.shared_poll\n");
}

TEST(ImportCentrifugo, InsecureClients) {
  const Imported made = imported(Format::json, R"({"client":{"insecure":true}})");
  EXPECT_TRUE(loaded(made).insecure_clients);
  EXPECT_TRUE(why(made, Kind::changed, "client.insecure").contains("auth.insecure_clients"));
  EXPECT_FALSE(loaded(imported(Format::json, R"({"client":{"insecure":false}})")).insecure_clients);
}

TEST(ImportCentrifugo, PublicKeysInTheFileGetOneOfTheirOwn) {
  const std::string public_pem = auth::test::public_pem(auth::test::ec_key("P-256"));
  std::string escaped;
  for (const char c : public_pem) escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
  const std::string json = "{\"client\":{\"token\":{\"ecdsa_public_key\":\"" + escaped + "\"}}}";

  const Imported without = imported(Format::json, json);
  loaded(without);
  EXPECT_TRUE(why(without, Kind::changed, "client.token.ecdsa_public_key").contains("--out"));
  EXPECT_EQ(without.public_keys_pem, "");

  const Imported made = imported(Format::json, json, {.public_keys_file = "keys.pem"});
  EXPECT_EQ(made.public_keys_pem, public_pem);
  EXPECT_EQ(loaded(made, {{"keys.pem", made.public_keys_pem}}).token_public_keys_pem, public_pem);
}

TEST(ImportCentrifugo, PublicKeysByPath) {
  const Imported made = imported(Format::json, R"({"client":{"token":{"rsa_public_key":"/etc/rsa.pem",)"
                                               R"("ecdsa_public_key":"/etc/ec.pem"}}})");
  EXPECT_TRUE(made.toml.contains("token_public_keys_file = \"/etc/rsa.pem\""));
  EXPECT_TRUE(why(made, Kind::left_out, "client.token.ecdsa_public_key").contains("append this one"));
}

TEST(ImportCentrifugo, TlsListeners) {
  const Imported made =
      imported(Format::json,
               R"({"http_server":{"port":"443","internal_address":"127.0.0.1","internal_port":9000,"tls_external":)"
               R"(true,"tls":{"enabled":true,"cert_pem":"/etc/cert.pem","key_pem":"/etc/key.pem",)"
               R"("client_ca_pem":"/etc/ca.pem"},"http3":{"enabled":true}}})");
  const server::Options options = loaded(made);
  ASSERT_EQ(options.listeners.size(), 2U);
  EXPECT_EQ(options.listeners[0].address, "0.0.0.0:443");
  EXPECT_TRUE(options.listeners[0].tls);
  EXPECT_EQ(options.listeners[1].address, "127.0.0.1:9000");
  EXPECT_FALSE(options.listeners[1].tls);
  EXPECT_EQ(options.tls_certificate_file, "/etc/cert.pem");
  EXPECT_EQ(all_of(made, Kind::left_out), "http_server.tls.client_ca_pem\nhttp_server.http3\n");
}

TEST(ImportCentrifugo, ACertificateInTheFileItselfIsForThePersonToWriteOut) {
  const Imported made = imported(
      Format::json,
      R"({"http_server":{"tls":{"enabled":true,"cert_pem":"-----BEGIN C-----\n","key_pem":"LS0tLS1CRUdJTg=="}}})");
  EXPECT_TRUE(why(made, Kind::changed, "http_server.tls.cert_pem").contains("tls.certificate_file"));
  EXPECT_TRUE(why(made, Kind::changed, "http_server.tls.key_pem").contains("tls.key_file"));
  EXPECT_TRUE(made.toml.contains("[tls]\n# certificate_file = \"...\"\n"));
}

TEST(ImportCentrifugo, WhatContradictsItselfHereIsTakenOut) {
  const Imported made = imported(Format::json, R"({"channel":{"without_namespace":{
    "force_recovery":true,"force_push_join_leave":true,"auto_cache_recover":true,"delta_publish":true,
    "allowed_delta_types":["fossil","other"],"history_size":5}},
    "client":{"queue_max_size":20000,"channel_limit":0},"websocket":{"message_size_limit":2000000}})");
  const server::Options options = loaded(made);
  EXPECT_EQ(space(options, "").history_messages_max, 0U);  // there is no history_ttl
  EXPECT_EQ(options.queue_bytes_max, 2'000'000U);
  EXPECT_EQ(all_of(made, Kind::left_out),
            "channel.without_namespace.force_push_join_leave\n"
            "channel.without_namespace.allowed_delta_types\n"
            "channel.without_namespace.allowed_delta_types\n"
            "channel.without_namespace.delta_publish\n"
            "channel.without_namespace.force_recovery\n"
            "channel.without_namespace.auto_cache_recover\n");
  EXPECT_TRUE(why(made, Kind::changed, "client.channel_limit").contains("0 is no limit there"));
}

TEST(ImportCentrifugo, PersonalChannelsAreKeptPersonal) {
  const Imported made =
      imported(Format::json, R"({"client":{"subscribe_to_user_personal_channel":{"enabled":true}},)"
                             R"("channel":{"without_namespace":{"allow_subscribe_for_client":true}}})");
  EXPECT_TRUE(space(loaded(made), "").permissions.user_limited_channels);
  EXPECT_TRUE(why(made, Kind::changed, "client.subscribe_to_user_personal_channel").contains("user_limited_channels"));
  const Imported nowhere = imported(Format::json, R"({"client":{"subscribe_to_user_personal_channel":{"enabled":true,)"
                                                  R"("personal_channel_namespace":"gone"}}})");
  EXPECT_FALSE(loaded(nowhere).personal_channel);
  EXPECT_EQ(why(nowhere, Kind::left_out, "client.subscribe_to_user_personal_channel"), "there is no namespace gone");
}

TEST(ImportCentrifugo, MarksInNamesAndOrigins) {
  const Imported made = imported(Format::json, R"({
    "channel":{"private_prefix":"!","namespace_boundary":"/","user_boundary":"#","max_length":128},
    "client":{"allowed_origins":["*","https://*.example.com","https://a.example.com","nonsense"]},
    "http_server":{"address":"my.host"},"log":{"level":"loud"}})");
  const server::Options options = loaded(made);
  EXPECT_FALSE(options.private_channels);
  EXPECT_EQ(options.allowed_origins, (std::vector<std::string>{"*", "https://a.example.com"}));
  EXPECT_EQ(all_of(made, Kind::left_out),
            "http_server.address\nlog.level\nclient.allowed_origins\nclient.allowed_origins\nchannel.private_prefix\n"
            "channel.namespace_boundary\n");
  EXPECT_NE(why(made, Kind::changed, "channel.max_length"), "");
}

TEST(ImportCentrifugo, WhatIsNoConfigurationIsRefused) {
  EXPECT_EQ(import_centrifugo(Format::json, "[]", {}).error(), "is not a table of keys");
  EXPECT_EQ(import_centrifugo(Format::json, "", {}).error(), "is not valid JSON");
}

// Values of the wrong type everywhere, and names that could end a comment or a quote.
TEST(ImportCentrifugo, NonsenseLoadsToo) {
  const Imported made = imported(Format::json, R"({
    "client":{"token":[1,2],"allowed_origins":{"a":1},"ping_interval":[],"channel_limit":"many"},
    "channel":{"namespaces":{"a":1},"without_namespace":[3],"history_meta_ttl":"soon"},
    "http_server":"here","websocket":7,"http_api":{"key":["a"]},"a\nb = 1\n[server]":"\u001b[31m","\"":1})");
  loaded(made);
  EXPECT_FALSE(made.toml.contains("\nb = 1"));
  EXPECT_FALSE(made.toml.contains('\x1b'));
}

}  // namespace
}  // namespace app::import
