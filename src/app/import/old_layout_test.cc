#include "app/import/old_layout.h"

#include <gtest/gtest.h>

namespace app::import {
namespace {

Tree moved(std::string_view json) { return with_new_layout(*read_tree(Format::json, json)).tree; }

TEST(OldLayout, KeysGetTheirNewNames) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"token_hmac_secret_key", "client.token.hmac_secret_key"},
      {"token_jwks_public_endpoint", "client.token.jwks_public_endpoint"},
      {"subscription_token_rsa_public_key", "client.subscription_token.rsa_public_key"},
      {"separate_subscription_token_config", "client.subscription_token.enabled"},
      {"api_key", "http_api.key"},
      {"admin", "admin.enabled"},
      {"admin_password", "admin.password"},
      {"allowed_origins", "client.allowed_origins"},
      {"client_channel_limit", "client.channel_limit"},
      {"client_insecure", "client.insecure"},
      {"user_subscribe_to_personal", "client.subscribe_to_user_personal_channel.enabled"},
      {"channel_private_prefix", "channel.private_prefix"},
      {"presence", "channel.without_namespace.presence"},
      {"history_size", "channel.without_namespace.history_size"},
      {"channel_regex", "channel.without_namespace.channel_regex"},
      {"global_history_meta_ttl", "channel.history_meta_ttl"},
      {"history_meta_ttl", "channel.without_namespace.history_meta_ttl"},
      {"port", "http_server.port"},
      {"internal_port", "http_server.internal_port"},
      {"tls", "http_server.tls.enabled"},
      {"tls_cert", "http_server.tls.cert_pem"},
      {"tls_key", "http_server.tls.key_pem"},
      {"tls_autocert", "http_server.tls_autocert.enabled"},
      {"tls_autocert_host_whitelist", "http_server.tls_autocert.host_whitelist"},
      {"engine", "engine.type"},
      {"redis_address", "engine.redis.address"},
      {"redis_tls_cert", "engine.redis.tls_cert"},
      {"nats_url", "broker.nats.url"},
      {"websocket_compression", "websocket.compression"},
      {"websocket_disable", "websocket.disabled"},
      {"uni_websocket", "uni_websocket.enabled"},
      {"uni_websocket_compression", "uni_websocket.compression"},
      {"uni_http_stream_max_request_body_size", "uni_http_stream.max_request_body_size"},
      {"sse", "sse.enabled"},
      {"http_stream", "http_stream.enabled"},
      {"grpc_api", "grpc_api.enabled"},
      {"grpc_api_port", "grpc_api.port"},
      {"log_level", "log.level"},
      {"shutdown_timeout", "shutdown.timeout"},
      {"ping_interval", "client.ping_interval"},
      {"proxy_subscribe", "channel.without_namespace.subscribe_proxy_enabled"},
      {"proxy_subscribe_endpoint", "channel.proxy.subscribe.endpoint"},
      {"proxy_subscribe_stream_endpoint", "channel.proxy.subscribe_stream.endpoint"},
      {"proxy_sub_refresh_timeout", "channel.proxy.sub_refresh.timeout"},
      {"proxy_rpc_endpoint", "rpc.proxy.endpoint"},
      {"name", "node.name"},
  };
  for (const auto& [from, to] : rows) {
    const auto layout = with_new_layout(*read_tree(Format::json, "{\"" + std::string(from) + "\":\"x\"}"));
    EXPECT_TRUE(layout.moved);
    const Tree* const found = find(layout.tree, to);
    ASSERT_NE(found, nullptr) << from;
    EXPECT_EQ(*found, Tree{std::string("x")}) << from;
    const Tree* const old = find(layout.tree, from);  // some have become tables
    EXPECT_TRUE(old == nullptr || old->table() != nullptr) << from;
  }
}

TEST(OldLayout, NewKeysStay) {
  const std::string_view json =
      R"({"client":{"token":{"hmac_secret_key":"x"}},"engine":{"type":"memory"},"admin":{"enabled":true},)"
      R"("http_stream":{"enabled":true},"token_revoke":{"enabled":true},"proxies":[{"name":"a"}],"colour":"red"})";
  const auto layout = with_new_layout(*read_tree(Format::json, json));
  EXPECT_FALSE(layout.moved);
  EXPECT_EQ(layout.tree, *read_tree(Format::json, json));
}

TEST(OldLayout, OfTwoThatSayTheSameTheNewOneCounts) {
  const auto layout = with_new_layout(*read_tree(Format::json, R"({"api_key":"old","http_api":{"key":"new"}})"));
  EXPECT_EQ(*find(layout.tree, "http_api.key"), Tree{std::string("new")});
  EXPECT_EQ(layout.collided, std::vector<std::string>{"api_key"});
}

TEST(OldLayout, OneSetOfHeadersBecomesThatOfEveryProxy) {
  const Tree tree =
      moved(R"({"proxy_connect_endpoint":"http://a","proxy_rpc_endpoint":"http://b","proxy_http_headers":["Cookie"],)"
            R"("proxy_static_http_headers":{"X":"y"},"proxy_include_connection_meta":true,"proxy_colour":"red"})");
  EXPECT_EQ(*find(tree, "client.proxy.connect.http_headers"), Tree{Tree::List{Tree{std::string("Cookie")}}});
  EXPECT_EQ(*find(tree, "rpc.proxy.http.static_headers.X"), Tree{std::string("y")});
  EXPECT_EQ(*find(tree, "client.proxy.connect.include_connection_meta"), Tree{true});
  EXPECT_EQ(*find(tree, "client.proxy.connect.enabled"), Tree{true});
  EXPECT_EQ(find(tree, "channel.proxy"), nullptr);
  EXPECT_EQ(*find(tree, "proxy_colour"), Tree{std::string("red")});
}

TEST(OldLayout, NamedProxiesAreUsedWhereTheyAreNamed) {
  const Tree tree =
      moved(R"({"granular_proxy_mode":true,"proxies":[{"name":"c","endpoint":"http://c","timeout":"3s"},)"
            R"({"name":"s","endpoint":"http://s"}],"connect_proxy_name":"c","subscribe_proxy_name":"s",)"
            R"("namespaces":[{"name":"chat","publish_proxy_name":"s"},{"name":"old","proxy_subscribe":true}]})");
  EXPECT_EQ(*find(tree, "client.proxy.connect.endpoint"), Tree{std::string("http://c")});
  EXPECT_EQ(*find(tree, "client.proxy.connect.timeout"), Tree{std::string("3s")});
  EXPECT_EQ(*find(tree, "client.proxy.connect.enabled"), Tree{true});
  EXPECT_EQ(*find(tree, "channel.without_namespace.subscribe_proxy_enabled"), Tree{true});
  const Tree::List& spaces = *find(tree, "channel.namespaces")->list();
  EXPECT_EQ(*find(spaces[0], "publish_proxy_enabled"), Tree{true});
  EXPECT_EQ(find(spaces[0], "subscribe_proxy_enabled"), nullptr);
  EXPECT_EQ(*find(spaces[1], "subscribe_proxy_enabled"), Tree{true});
  EXPECT_EQ(find(tree, "granular_proxy_mode"), nullptr);
}

}  // namespace
}  // namespace app::import
