#include <gtest/gtest.h>

#include <algorithm>

#include "app/config.h"
#include "app/import/centrifugo.h"

namespace app::import {
namespace {

using namespace std::chrono_literals;
using Kind = Finding::Kind;

class OneFile final : public Files {
 public:
  explicit OneFile(const std::string& content) : content_(content) {}
  std::expected<std::string, std::string> read(const std::string& path) const override {
    if (path == "w.toml") return content_;
    return std::unexpected("is not there");
  }

 private:
  const std::string& content_;
};

Imported imported(std::string_view json) {
  auto made = import_centrifugo(Format::json, json, {});
  EXPECT_TRUE(made) << (made ? "" : made.error());
  return made ? *std::move(made) : Imported{};
}

server::Options loaded(const Imported& made) {
  const auto options = load_options({.file = "w.toml", .environment = {}, .flags = {}}, OneFile(made.toml));
  if (options) return *options;
  for (const ConfigError& error : options.error()) ADD_FAILURE() << to_string(error) << "\n" << made.toml;
  return {};
}

const server::HookOptions& hook(const server::Options& options, std::string_view name) {
  static const server::HookOptions kNone;
  const auto found = std::ranges::find(options.hooks, name, &server::HookOptions::name);
  EXPECT_NE(found, options.hooks.end()) << name;
  return found == options.hooks.end() ? kNone : *found;
}

std::string all_of(const Imported& made, Kind kind) {
  std::string keys;
  for (const Finding& finding : made.findings) {
    if (finding.kind == kind) keys += finding.key + ": " + finding.why + "\n";
  }
  return keys;
}

TEST(ImportHooks, EveryQuestionOfVersion6) {
  const Imported made = imported(R"({
    "client": {"proxy": {
      "connect": {"enabled": true, "endpoint": "http://localhost:3000/connect", "timeout": "2s",
        "http_headers": ["Cookie", "X-Trace"], "include_connection_meta": true, "binary_encoding": true,
        "http": {"static_headers": {"Authorization": "Bearer hush-hush"},
                 "status_to_code_transforms": [
                   {"status_code": 403, "to_error": {"code": 1403, "message": "not allowed"}},
                   {"status_code": 429, "to_error": {"code": 1429, "message": "slow", "temporary": true}},
                   {"status_code": 401, "to_disconnect": {"code": 4501, "reason": "unauthorized"}}]}},
      "refresh": {"enabled": true, "endpoint": "http://localhost:3000/refresh"}}},
    "channel": {
      "proxy": {"subscribe": {"endpoint": "http://localhost:3000/subscribe"},
                "publish": {"endpoint": "http://localhost:3000/publish"}},
      "without_namespace": {"subscribe_proxy_enabled": true},
      "namespaces": [
        {"name": "chat", "subscribe_proxy_enabled": true, "subscribe_proxy_name": "default",
         "publish_proxy_enabled": true, "publish_proxy_name": "special"},
        {"name": "quiet", "subscribe_proxy_enabled": false, "subscribe_proxy_name": "special"}]},
    "proxies": [{"name": "special", "endpoint": "https://api.example.com/hook"}, {"name": "unused", "endpoint": "x"}],
    "rpc": {"proxy": {"endpoint": "http://localhost:3000/rpc"}, "without_namespace": {"proxy_enabled": true}}
  })");
  const server::Options options = loaded(made);
  EXPECT_EQ(all_of(made, Kind::left_out) + all_of(made, Kind::unknown), "");
  EXPECT_EQ(options.connect_hook, "connect");
  EXPECT_EQ(options.refresh_hook, "refresh");
  EXPECT_EQ(options.rpc_hook, "rpc");
  const server::HookOptions& connect = hook(options, "connect");
  EXPECT_EQ(connect.url, "http://localhost:3000/connect");
  EXPECT_EQ(connect.timeout, 2s);
  EXPECT_EQ(connect.forward_headers, (std::vector<std::string>{"Cookie", "X-Trace"}));
  EXPECT_TRUE(connect.include_meta && connect.base64_payloads);
  ASSERT_EQ(connect.headers.size(), 1U);
  EXPECT_EQ(connect.headers[0].reveal(), "Authorization: Bearer hush-hush");
  EXPECT_EQ(connect.status_rules, (std::vector<std::string>{"403 error 1403 not allowed", "429 temporary 1429 slow",
                                                            "401 disconnect 4501 unauthorized"}));
  const auto space = [&](std::string_view name) {
    return *std::ranges::find(options.namespaces, name, &server::NamespaceOptions::name);
  };
  EXPECT_EQ(space("").subscribe_hook, "subscribe");
  EXPECT_EQ(space("chat").subscribe_hook, "subscribe");
  EXPECT_EQ(space("chat").publish_hook, "special");
  EXPECT_EQ(space("quiet").subscribe_hook, "");
  EXPECT_EQ(hook(options, "special").url, "https://api.example.com/hook");
  EXPECT_EQ(options.hooks.size(), 5U);  // connect, refresh, rpc, subscribe, special: publish and unused are not asked
  for (const Finding& finding : made.findings) EXPECT_FALSE(finding.why.contains("hush-hush"));
}

TEST(ImportHooks, OfVersion5) {
  const Imported made = imported(R"({
    "proxy_connect_endpoint": "http://localhost:3000/connect", "proxy_connect_timeout": "1s",
    "proxy_publish_endpoint": "http://localhost:3000/publish", "proxy_rpc_endpoint": "http://localhost:3000/rpc",
    "proxy_rpc": true, "proxy_publish": true, "proxy_http_headers": ["Cookie"],
    "namespaces": [{"name": "chat", "proxy_publish": true}]
  })");
  const server::Options options = loaded(made);
  EXPECT_EQ(all_of(made, Kind::left_out) + all_of(made, Kind::unknown), "");
  EXPECT_EQ(options.connect_hook, "connect");
  EXPECT_EQ(options.rpc_hook, "rpc");
  EXPECT_EQ(options.namespaces[0].publish_hook, "publish");
  EXPECT_EQ(options.namespaces[1].publish_hook, "publish");
  for (const std::string_view name : {"connect", "rpc", "publish"}) {
    EXPECT_EQ(hook(options, name).forward_headers, std::vector<std::string>{"Cookie"}) << name;
  }
}

TEST(ImportHooks, WhatCannotBeAsked) {
  const Imported made = imported(R"({
    "client": {"proxy": {"connect": {"enabled": true, "endpoint": "grpc://localhost:12000", "http": {}},
                         "refresh": {"enabled": true, "endpoint": "http://u:hush-hush@a/"}}},
    "channel": {"proxy": {"publish": {"endpoint": "http://a/", "http_headers": ["Host"], "colour": "red",
                                      "grpc": {"compression": true}, "http": {"tls": {"enabled": true},
                                      "status_to_code_transforms": [{"status_code": 500, "to_error": {"code": 5}}]}}},
                "namespaces": [{"name": "a", "subscribe_proxy_enabled": true, "publish_proxy_enabled": true},
                               {"name": "b", "subscribe_proxy_enabled": true, "subscribe_proxy_name": "gone"}]},
    "rpc": {"proxy": {"endpoint": "http://a/rpc"},
            "namespaces": [{"name": "x", "proxy_enabled": true}, {"name": "y", "proxy_enabled": true,
                            "proxy_name": "other"}]}
  })");
  const server::Options options = loaded(made);
  EXPECT_EQ(options.connect_hook, "");
  EXPECT_EQ(options.refresh_hook, "");
  EXPECT_EQ(options.rpc_hook, "rpc");
  EXPECT_EQ(options.hooks.size(), 2U);
  const std::string left_out = all_of(made, Kind::left_out);
  for (const std::string_view part :
       {"client.proxy.connect.endpoint: there is no gRPC here", "client.proxy.refresh.endpoint: ",
        "channel.proxy.publish.http_headers: Host is not handed on", "channel.proxy.publish.grpc: ",
        "channel.proxy.publish.http.tls: ", "channel.proxy.publish.http.status_to_code_transforms: ",
        "channel.namespaces.a.subscribe_proxy_enabled: channel.proxy.subscribe has no endpoint",
        "channel.namespaces.b.subscribe_proxy_enabled: there is no proxy gone", "rpc.namespaces: one hook answers"}) {
    EXPECT_TRUE(left_out.contains(part)) << part << "\n" << left_out;
  }
  EXPECT_TRUE(all_of(made, Kind::unknown).contains("channel.proxy.publish.colour"));
  EXPECT_FALSE(left_out.contains("hush-hush"));
  EXPECT_FALSE(made.toml.contains("hush-hush"));
}

TEST(ImportHooks, NamesThatMeet) {
  const Imported made = imported(R"({
    "channel": {"proxy": {"subscribe": {"endpoint": "http://a/standard"}},
                "namespaces": [{"name": "a", "subscribe_proxy_enabled": true, "subscribe_proxy_name": "subscribe"},
                               {"name": "b", "subscribe_proxy_enabled": true},
                               {"name": "c", "subscribe_proxy_enabled": true, "subscribe_proxy_name": "no.name"}]},
    "proxies": [{"name": "subscribe", "endpoint": "http://a/named"}, {"name": "no.name", "endpoint": "http://a/"}]
  })");
  const server::Options options = loaded(made);
  EXPECT_EQ(hook(options, options.namespaces[1].subscribe_hook).url, "http://a/named");
  EXPECT_EQ(hook(options, options.namespaces[2].subscribe_hook).url, "http://a/standard");
  EXPECT_EQ(options.namespaces[3].subscribe_hook, "");
  EXPECT_TRUE(all_of(made, Kind::left_out).contains("proxies.no.name: a name here is"));
}

TEST(ImportHooks, PublishedKeysBecomeAnIssuer) {
  const Imported made = imported(R"({"client":{"token":{"jwks_public_endpoint":"https://id.example.com/jwks",)"
                                 R"("issuer":"https://id.example.com","audience":"chat"}}})");
  const server::Options options = loaded(made);
  ASSERT_EQ(options.issuers.size(), 1U);
  EXPECT_EQ(options.issuers[0].jwks_url, "https://id.example.com/jwks");
  EXPECT_EQ(options.issuers[0].issuer, "https://id.example.com");
  EXPECT_EQ(options.issuers[0].audience, "chat");
  EXPECT_TRUE(
      all_of(imported(R"({"client":{"token":{"jwks_public_endpoint":"https://{{tenant}}/jwks"}}})"), Kind::left_out)
          .contains("client.token.jwks_public_endpoint: an address is not made of claims"));
}

}  // namespace
}  // namespace app::import
