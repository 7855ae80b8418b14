#include "app/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "app/choices.h"
#include "app/reference.h"
#include "app/settings.h"
#include "auth/test_keys.h"

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLongKey = "0123456789abcdef0123456789abcdef";

class MemoryFiles final : public Files {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}
  std::expected<std::string, std::string> read(const std::string& path) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return std::unexpected("cannot be opened: No such file or directory");
    return found->second;
  }

 private:
  std::map<std::string, std::string> files_;
};

using Loaded = std::expected<server::Options, std::vector<ConfigError>>;

Loaded load(std::string toml, Environment environment = {}, std::vector<FlagValue> flags = {},
            std::map<std::string, std::string> files = {}, std::optional<bool> runs_in_dev = {}) {
  files["w.toml"] = std::move(toml);
  return load_options(
      {.file = "w.toml", .environment = std::move(environment), .flags = std::move(flags), .runs_in_dev = runs_in_dev},
      MemoryFiles(std::move(files)));
}

std::string errors_of(const Loaded& loaded) {
  std::string text;
  if (!loaded) {
    for (const ConfigError& error : loaded.error()) text += to_string(error) + "\n";
  }
  return text;
}

TEST(Config, DefaultsNeedNothing) {
  const auto options = load_options({}, MemoryFiles({}));
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_FALSE(options->dev);
  ASSERT_EQ(options->listeners.size(), 2U);
  EXPECT_EQ(options->listeners[0], (server::Listener{.address = "127.0.0.1:8000"}));
  EXPECT_EQ(options->listeners[1], (server::Listener{.address = "127.0.0.1:8001", .admin = true}));
  ASSERT_EQ(options->namespaces.size(), 1U);
  EXPECT_EQ(options->namespaces[0], server::NamespaceOptions{});
  EXPECT_EQ(options->namespaces[0].permissions, auth::NamespacePermissions{});
}

TEST(Config, TheWholeDefaultFileChangesNothing) {
  const auto with = load(default_config());
  ASSERT_TRUE(with) << errors_of(with);
  EXPECT_EQ(*with, *load_options({}, MemoryFiles({})));
}

TEST(Config, ReadsEveryTypeFromTheFile) {
  const auto options = load(R"(
[server]
listen = ["0.0.0.0:80", "unix:/run/w.sock"]
admin_listen = []
workers = 3
trusted_proxies = ["10.0.0.0/8"]
proxy_protocol = true
drain_window = "1m30s"
[auth]
token_keys = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"]
strict_namespaces = true
[limits]
message_bytes_max = "64KiB"
queue_bytes_max = 1048576
memory_bytes_max = "auto"
connections_per_address_max = 10
[channels]
subscribe = "anyone"
history_messages_max = 0
max_delay = "1ms"
[namespaces.chat]
publish = "token"
history_age_max = "24h"
max_delay = "1s"
[namespaces.a-B_9]
)");
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->listeners,
            (std::vector<server::Listener>{{.address = "0.0.0.0:80", .proxy_protocol = true},
                                           {.address = "unix:/run/w.sock", .proxy_protocol = true}}));
  EXPECT_EQ(options->workers, 3);
  EXPECT_EQ(options->drain_window, 90s);
  EXPECT_EQ(options->token_hs256_keys.size(), 2U);
  EXPECT_EQ(options->token_hs256_keys[0].reveal(), kLongKey);
  EXPECT_TRUE(options->strict_namespaces);
  EXPECT_EQ(options->message_bytes_max, 65536U);
  EXPECT_EQ(options->queue_bytes_max, 1U << 20);
  EXPECT_EQ(options->memory_bytes_max, 0U);
  EXPECT_EQ(options->connections_per_address_max, 10U);
  ASSERT_EQ(options->namespaces.size(), 3U);
  EXPECT_EQ(options->namespaces[0].name, "");
  EXPECT_EQ(options->namespaces[0].permissions.subscribe, auth::Access::anyone);
  EXPECT_EQ(options->namespaces[0].history_messages_max, 0U);
  EXPECT_EQ(options->namespaces[0].max_delay, 1ms);
  EXPECT_EQ(options->namespaces[1], (server::NamespaceOptions{.name = "a-B_9"}));
  EXPECT_EQ(options->namespaces[2].name, "chat");
  EXPECT_EQ(options->namespaces[2].permissions.subscribe, auth::Access::nobody);
  EXPECT_EQ(options->namespaces[2].permissions.publish, auth::Access::token);
  EXPECT_EQ(options->namespaces[2].history_age_max, 24h);
  EXPECT_EQ(options->namespaces[2].history_messages_max, 1000U);
  EXPECT_EQ(options->namespaces[2].max_delay, 1s);
}

TEST(Config, LaterPlacesWin) {
  const std::string file = "[limits]\nconnections_max = 1\nfragments_max = 1\nchannels_per_peer_max = 1\n";
  const Environment environment = {{"WIREBIRD_LIMITS_CONNECTIONS_MAX", "2"}, {"WIREBIRD_LIMITS_FRAGMENTS_MAX", "2"}};
  const auto options = load(file, environment, {{"limits.connections_max", {"3"}}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->connections_max, 3U);
  EXPECT_EQ(options->fragments_max, 2);
  EXPECT_EQ(options->channels_per_peer_max, 1);
}

TEST(Config, ListsFromEveryPlaceReplaceEachOther) {
  const std::string file = "[server]\nlisten = [\"127.0.0.1:1\"]\n";
  auto options =
      load(file, {{"WIREBIRD_SERVER_LISTEN", "127.0.0.1:2, 127.0.0.1:3"}, {"WIREBIRD_SERVER_ADMIN_LISTEN", ""}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->listeners,
            (std::vector<server::Listener>{{.address = "127.0.0.1:2"}, {.address = "127.0.0.1:3"}}));
  options = load(file, {{"WIREBIRD_SERVER_LISTEN", "127.0.0.1:2"}},
                 {{"server.listen", {"127.0.0.1:4,127.0.0.1:5", "[::1]:6"}}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->listeners.size(), 4U);
  EXPECT_EQ(options->listeners[2].address, "[::1]:6");
}

TEST(Config, EveryOptionCanBeSetInEveryPlace) {
  for (const Option& option : all_options()) {
    SCOPED_TRACE(option.key);
    Settings defaults;
    std::string value = toml_value(option, {defaults, defaults.channels});
    if (is_secret(option)) value = R"(["0123456789abcdef0123456789abcdef"])";
    if (option.key == "events.headers") value = R"(["Authorization: x"])";
    // Some values need others beside them; what is tested here is that nobody calls the key or its value wrong.
    const auto complains = [&](const Loaded& loaded) {
      return !loaded && std::ranges::any_of(loaded.error(), [](const ConfigError& error) {
        return error.message.contains("unknown") || error.message.contains(": ");
      });
    };
    const std::string toml =
        "[" + std::string(option.section()) + "]\n" + std::string(option.name()) + " = " + value + "\n";
    const auto from_file = load(toml);
    EXPECT_FALSE(complains(from_file)) << errors_of(from_file);

    std::string plain;  // as a shell would say it
    for (const char c : value) {
      if (c != '"' && c != '[' && c != ']') plain += c;
    }
    if (option.key == "server.listen" || option.key == "server.admin_listen") plain = "127.0.0.1:9";
    const auto from_environment = load("", {{environment_name(option), plain}});
    EXPECT_FALSE(complains(from_environment)) << errors_of(from_environment);
    const auto from_flag = load("", {}, {{std::string(option.key), {plain}}});
    EXPECT_FALSE(complains(from_flag)) << errors_of(from_flag);
  }
}

struct Refusal {
  std::string_view toml;
  std::string_view expected;  // what the errors contain
};

class RefusedConfig : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedConfig, SaysWhereAndWhat) {
  const auto options =
      load(std::string(GetParam().toml), {}, {}, {{"empty", ""}, {"pem", "-----BEGIN X-----"}, {"words", "hello"}});
  ASSERT_FALSE(options);
  EXPECT_TRUE(errors_of(options).contains(GetParam().expected)) << errors_of(options);
}

constexpr Refusal kRefusals[] = {
    // Syntax
    {"[server\n", "w.toml:1:8: "},
    {"[server]\nworkers = \n", "w.toml:2:1"},
    {"[server]\nworkers = 1\nworkers = 2\n", "w.toml:3:"},
    {"a = \xff\n", "w.toml:1:"},
    // Unknown keys, with hints
    {"[limit]\nx = 1\n", "w.toml:1:2: unknown key limit; did you mean limits?"},
    {"[limits]\n\nmesage_bytes_max = 1\n",
     "w.toml:3:1: unknown key limits.mesage_bytes_max; did you mean limits.message_bytes_max?"},
    {"[server]\n  connections_max = 1\n",
     "w.toml:2:3: unknown key server.connections_max; did you mean limits.connections_max?"},
    {"listen = [\"127.0.0.1:1\"]\n", "unknown key listen; did you mean server.listen?"},
    {"[colours]\n", "unknown key colours; `wirebird default-config` prints all keys"},
    {"[namespaces.chat]\npubish = \"token\"\n",
     "w.toml:2:1: unknown key namespaces.chat.pubish; did you mean publish?"},
    {"[namespaces.chat]\nlisten = []\n", "unknown key namespaces.chat.listen; "},
    {"[channels]\nname = \"x\"\n", "unknown key channels.name"},
    // Types
    {"server = 1\n", "w.toml:1:10: server is a table: write [server]"},
    {"namespaces = 1\n", "namespaces is a table"},
    {"[namespaces]\nchat = 1\n", "w.toml:2:8: namespaces.chat is a table"},
    {"[server]\nworkers = true\n", "w.toml:2:11: server.workers is a whole number"},
    {"[server]\nworkers = 1.5\n", "server.workers is a whole number"},
    {"[server]\nworkers = -1\n", "not offered; the largest value is 1024"},
    {"[server]\nlisten = \"127.0.0.1:1\"\n", "server.listen is a list of texts in quotes"},
    {"[server]\nlisten = [1]\n", "w.toml:2:11: server.listen is a list of texts"},
    {"[server]\ndev = \"true\"\n", "server.dev is true or false"},
    {"[server]\ndev = 1\n", "server.dev is true or false"},
    {"[server]\ndrain_window = 10\n", "server.drain_window is a duration in quotes, for example \"10s\""},
    {"[server]\ndrain_window = \"10\"\n", "server.drain_window: \"10\" is not a duration; write a number with a unit"},
    {"[server]\ndrain_window = [\"10s\"]\n", "is a duration in quotes"},
    {"[channels]\nsubscribe = \"everyone\"\n",
     "channels.subscribe: \"everyone\" is none of nobody, anyone, token or user"},
    {"[tls]\ncertificate_file = 1979-05-27\n", "tls.certificate_file is a text in quotes"},
    // Ranges
    {"[limits]\nmessage_bytes_max = \"1GiB\"\n", "limits.message_bytes_max: 1GiB is out of range; take 1B to 64MiB"},
    {"[limits]\nmessage_bytes_max = \"1M\"\n", "\"1M\" is not a size"},
    {"[limits]\nconnections_max = \"unlimited\"\n", "\"unlimited\" is not offered; the largest value is 10000000"},
    {"[limits]\nqueue_bytes_max = \"1KB\"\n", "1KB is out of range; take 16KiB to 1GiB"},
    {"[limits]\nconnections_max = 0\n", "0 is out of range; take 1 to 10000000"},
    {"[limits]\nmemory_bytes_max = 0\n", "0 is out of range; take 64MiB to 64TiB, or \"auto\""},
    {"[websocket]\nping_interval = \"0s\"\n", "websocket.ping_interval: 0s is out of range; take 1s to 1h"},
    // Listeners
    {"[server]\nlisten = []\n", "w.toml:2:10: server.listen is empty"},
    {"[server]\nlisten = [\"8000\"]\n", "server.listen = 8000 has no port; write IP:PORT"},
    {"[server]\nlisten = [\":8000\"]\n", "has no IP address; write IP:PORT such as 127.0.0.1:8000, 0.0.0.0:8000"},
    {"[server]\nlisten = [\"127.0.0.1:70000\"]\n", "needs a port of 0 to 65535"},
    {"[server]\nlisten = [\"127.0.0.1:1\", \"http://127.0.0.1:1\"]\n", "this address is used twice"},
    {"[server]\nlisten = [\"127.0.0.1:8001\"]\n",
     "server.admin_listen: server.admin_listen = 127.0.0.1:8001: this address is used twice"},
    {"[server]\ndev = true\nlisten = [\"0.0.0.0:1\"]\n",
     "w.toml:3:10: server.listen = 0.0.0.0:1: with --dev everybody may do everything"},
    {"[server]\ndev = true\nadmin_listen = [\"[::]:1\"]\n", "server.admin_listen = [::]:1: with --dev"},
    {"[server]\ndev_public = true\n", "server.dev_public does nothing without server.dev"},
    {"[server]\nproxy_protocol = true\n", "server.proxy_protocol needs server.trusted_proxies"},
    {"[server]\ntrusted_proxies = [\"10.0.0.1/8\"]\n",
     "server.trusted_proxies = 10.0.0.1/8 names one address and not a network"},
    {"[server]\nlog_level = \"verbose\"\n",
     "w.toml:2:13: server.log_level = verbose is none of debug, info, warning, error"},
    // TLS
    {"[server]\nlisten = [\"https://127.0.0.1:1\"]\n", "it needs tls.certificate_file and tls.key_file"},
    {"[tls]\ncertificate_file = \"pem\"\n", "tls.certificate_file needs tls.key_file beside it"},
    {"[tls]\nkey_file = \"pem\"\n", "tls.key_file needs tls.certificate_file beside it"},
    {"[tls]\ncertificate_file = \"pem\"\nkey_file = \"pem\"\n", "is not used: no address begins with https://"},
    {"[tls]\ncertificate_file = \"gone\"\nkey_file = \"pem\"\n",
     "w.toml:2:20: tls.certificate_file = gone cannot be opened: No such file or directory"},
    {"[tls]\ncertificate_file = \"pem\"\nkey_file = \"words\"\n", "tls.key_file = words is not in PEM form"},
    // Keys
    {"[auth]\ntoken_keys = [\"secret\"]\n",
     "w.toml:2:14: auth.token_keys number 1 has 6 characters; take 32 to 1024 random ones"},
    {"[auth]\ntoken_keys = [\"\"]\n", "has 0 characters"},
    {"[auth]\napi_keys = [\"0123456789abcdef\", \"short\"]\n", "auth.api_keys number 2 has 5 characters; take 16 to"},
    {"[auth]\ntoken_keys_file = \"gone\"\n", "auth.token_keys_file = gone cannot be opened"},
    {"[auth]\napi_keys_file = \"empty\"\n", "auth.api_keys_file = empty has no key in it"},
    {"[auth]\nallowed_origins = [\"https://x/\"]\n",
     "auth.allowed_origins = https://x/ is not an origin as browsers send it"},
    // Relations
    {"[limits]\nmessage_bytes_max = \"2MiB\"\n", "limits.queue_bytes_max is below limits.message_bytes_max"},
    {"[limits]\nconnections_per_address_max = 20000\n",
     "limits.connections_per_address_max is above limits.connections_max"},
    {"[limits]\nmemory_bytes_max = \"1GiB\"\nhistory_bytes_total_max = \"2GiB\"\n",
     "limits.history_bytes_total_max is above"},
    {"[websocket]\ndeflate = false\ndeflate_context_takeover = true\n", "needs websocket.deflate"},
    {"[limits]\nhistory_bytes_total_max = \"1MiB\"\n[namespaces.x]\nhistory_bytes_max = \"2MiB\"\n",
     "w.toml:4:21: namespaces.x.history_bytes_max is above limits.history_bytes_total_max"},
    // Channels that contradict themselves
    {"[channels]\nchannel_pattern = \"[a-z\"\n", "w.toml:2:19: channels.channel_pattern = [a-z has a [ without ]"},
    {"[namespaces.x]\nforce_recovery = true\nhistory_messages_max = 0\n",
     "w.toml:2:18: namespaces.x.force_recovery needs history"},
    {"[channels]\nforce_recovery = true\nslow_reader = \"drop\"\n",
     "channels.force_recovery and slow_reader contradict each other"},
    {"[channels]\nforce_recovery = true\nslow_reader = \"conflate\"\n",
     "channels.force_recovery and slow_reader contradict each other"},
    {"[channels]\nforce_push_join_leave = true\n", "channels.force_push_join_leave does nothing without join_leave"},
    {"[channels]\nauto_cache_recover = true\n",
     "channels.auto_cache_recover does nothing without recovery_mode = \"cache\""},
    {"[channels]\nauto_cache_recover = true\nrecovery_mode = \"cache\"\nallow_recovery = false\n",
     "channels.auto_cache_recover needs allow_recovery or force_recovery"},
    {"[channels]\nallow_delta = true\nhistory_messages_max = 0\n", "channels.allow_delta needs history"},
    {"[channels]\ndelta_publish = true\n", "channels.delta_publish does nothing without allow_delta"},
    {"[channels]\nsubscribe = \"as_subscribe\"\n",
     "channels.subscribe: \"as_subscribe\" is none of nobody, anyone, token or user"},
    {"[channels]\npayload_format = \"xml\"\n",
     "channels.payload_format: \"xml\" is none of any, json, json_object or binary"},
    {"[centrifuge]\npersonal_channel = true\npersonal_channel_namespace = \"own\"\n",
     "w.toml:3:30: centrifuge.personal_channel_namespace = own: there is no such namespace; write [namespaces.own]"},
    {"[centrifuge]\npersonal_channel = true\n[channels]\nsubscribe = \"user\"\n",
     "centrifuge.personal_channel needs channels.user_limited_channels = true"},
    {"[centrifuge]\npersonal_channel_single_connection = true\n", "does nothing without personal_channel"},
    {"[centrifuge]\npersonal_channel_namespace = \"x\"\n", "does nothing without personal_channel"},
    // Hooks, issuers, events
    {"[hooks.main]\n", "w.toml:1:8: hooks.main has a mistake: hooks.main.url is missing"},
    {"[hooks.main]\nurl = \"ftp://a/\"\n", "w.toml:2:7: hooks.main.url does not begin with http:// or https://"},
    {"[hooks.main]\nurl = \"http://0x7f.1/\"\n", "has a number as its host; write an address as 1.2.3.4"},
    {"[hooks.main]\nurl = \"http://a/\"\nulr = 1\n", "w.toml:3:1: unknown key hooks.main.ulr; did you mean url?"},
    {"[hooks.main]\nurl = \"http://a/\"\ntimeout = \"2m\"\n", "hooks.main.timeout: 2m is out of range"},
    {"[hooks.main]\nurl = \"http://a/\"\nheaders = [\"x\"]\n",
     "w.toml:3:11: hooks.main.headers number 1 is not written \"Name: value\""},
    {"[hooks.main]\nurl = \"http://a/\"\nforward_headers = [\"Host\"]\n",
     "hooks.main.forward_headers = Host cannot be handed on"},
    {"[hooks.main]\nurl = \"http://a/\"\nstatus_rules = [\"403\"]\n",
     "hooks.main.status_rules = 403 is not STATUS error|temporary|disconnect CODE TEXT"},
    {"[hooks.\"a b\"]\nurl = \"http://a/\"\n", "hooks.a b: its name is 1 to 32 letters, digits, _ and -"},
    {"[hooks.rpc_hook]\nurl = \"http://a/\"\n", "hooks.rpc_hook: its name is 1 to 32 letters"},
    {"[hooks]\nconnect_hook = \"other\"\n[hooks.main]\nurl = \"http://a/\"\n",
     "w.toml:2:16: hooks.connect_hook = other: there is no [hooks.other]"},
    {"[namespaces.chat]\nsubscribe_hook = \"x\"\n",
     "w.toml:2:18: namespaces.chat.subscribe_hook = x: there is no [hooks.x]"},
    {"[channels]\ncache_empty_hook = \"x\"\n", "channels.cache_empty_hook = x: there is no [hooks.x]"},
    {"[issuers.a]\n", "w.toml:1:10: issuers.a has a mistake: its jwks_url is missing"},
    {"[issuers.a]\njwks_url = \"https://a@b/\"\n", "issuers.a.jwks_url has a user or password in it"},
    {"[issuers.a]\njwks_url = \"https://a/\"\n[issuers.b]\njwks_url = \"https://b/\"\nissuer = \"B\"\n",
     "w.toml:1:10: issuers.a has a mistake: with several issuers each needs its `issuer`"},
    {"[events]\nurl = \"a\"\n", "w.toml:2:7: events.url does not begin with http"},
    {"[events]\ntypes = [\"connect\"]\n", "events.types = connect is none of connected, disconnected, subscribed"},
    {"[events]\nsigning_keys = [\"short\"]\n", "events.signing_keys number 1 has 5 characters"},
    // Namespaces
    {"[namespaces.\"a b\"]\n", "the name of a namespace is 1 to 32 letters, digits, _ and -"},
    {"[namespaces.\"\"]\n", "the name of a namespace is"},
    {"[namespaces.a123456789012345678901234567890123]\n", "the name of a namespace is"},
};

INSTANTIATE_TEST_SUITE_P(Table, RefusedConfig, testing::ValuesIn(kRefusals));

TEST(Config, AllErrorsAreCollected) {
  const auto options = load("[server]\nworkrs = 1\nworkers = \"many\"\n[limits]\nconnections_max = 0\n",
                            {{"WIREBIRD_LIMITS_FRAGMENTS_MAX", "x"}}, {{"server.listen", {"nowhere"}}});
  ASSERT_FALSE(options);
  ASSERT_EQ(options.error().size(), 5U) << errors_of(options);
  EXPECT_TRUE(std::ranges::any_of(options.error(),
                                  [](const ConfigError& e) { return e.where == "WIREBIRD_LIMITS_FRAGMENTS_MAX"; }));
  EXPECT_TRUE(std::ranges::any_of(options.error(), [](const ConfigError& e) { return e.where == "--listen"; }));
}

TEST(Config, NobodyReadsMoreThanTwentyErrors) {
  std::string toml = "[limits]\n";
  for (int i = 0; i < 5000; ++i) toml += "colour_" + std::to_string(i) + " = 1\n";
  const auto options = load(std::move(toml));
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().size(), 20U);
}

TEST(Config, AMissingFileIsAnError) {
  const auto options = load_options({.file = "nowhere.toml"}, MemoryFiles({}));
  ASSERT_FALSE(options);
  EXPECT_EQ(errors_of(options), "nowhere.toml: cannot be opened: No such file or directory\n");
}

TEST(Config, UnknownVariablesAreErrorsWithAHint) {
  const auto options = load("", {{"WIREBIRD_LIMITS_CONECTIONS_MAX", "1"}, {"WIREBIRD_COLOUR", "red"}});
  ASSERT_FALSE(options);
  EXPECT_EQ(errors_of(options),
            "WIREBIRD_LIMITS_CONECTIONS_MAX: unknown variable; did you mean WIREBIRD_LIMITS_CONNECTIONS_MAX?\n"
            "WIREBIRD_COLOUR: unknown variable; names are WIREBIRD_SECTION_KEY, see docs/configuration.md\n");
}

// A service called wirebird makes Kubernetes and Docker set these for every container beside it.
TEST(Config, VariablesOfOthersAreLeftAlone) {
  const auto options = load("", {{"WIREBIRD_SERVICE_HOST", "10.0.0.1"},
                                 {"WIREBIRD_SERVICE_PORT_HTTP", "8000"},
                                 {"WIREBIRD_PORT", "tcp://10.0.0.1:8000"},
                                 {"WIREBIRD_PORT_8000_TCP_ADDR", "10.0.0.1"},
                                 {"WIREBIRD_TOKEN", "x"},
                                 {"WIREBIRD_URL", "x"},
                                 {"WIREBIRD_CONFIG", "x"}});
  EXPECT_TRUE(options) << errors_of(options);
}

TEST(Config, ErrorsNeverShowASecret) {
  const std::string secret = "hush-hush";
  const auto options =
      load("[auth]\ntoken_keys = [\"" + secret + "\"]\napi_keys_file = \"keys\"\n",
           {{"WIREBIRD_AUTH_API_KEYS", secret}, {"WIREBIRD_AUTH_TOKEN_KEY", secret}}, {}, {{"keys", secret}});
  ASSERT_FALSE(options);
  EXPECT_GE(options.error().size(), 3U);
  EXPECT_FALSE(errors_of(options).contains(secret)) << errors_of(options);
}

TEST(Config, KeyFilesHaveOneKeyPerLine) {
  const std::string a(32, 'a');
  const std::string b(32, 'b');
  const auto options = load("[auth]\ntoken_keys = [\"" + std::string(kLongKey) + "\"]\ntoken_keys_file = \"keys\"\n",
                            {}, {}, {{"keys", "# new\n" + a + "\r\n\n  " + b + "  "}});
  ASSERT_TRUE(options) << errors_of(options);
  ASSERT_EQ(options->token_hs256_keys.size(), 3U);
  EXPECT_EQ(options->token_hs256_keys[0].reveal(), kLongKey);
  EXPECT_EQ(options->token_hs256_keys[1].reveal(), a);
  EXPECT_EQ(options->token_hs256_keys[2].reveal(), b);
}

TEST(Config, PublicKeysOfTokens) {
  const std::string pem = auth::test::public_pem(auth::test::ec_key("P-256"));
  const std::string toml =
      "[auth]\ntoken_public_keys_file = \"p.pem\"\ntoken_audience = \"a\"\ntoken_issuer = \"i\"\n"
      "token_user_claim = \"user_id\"\n[channels]\nsubscribe = \"token\"\n";
  const auto options = load(toml, {}, {}, {{"p.pem", pem}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->token_public_keys_pem, pem);
  EXPECT_EQ(options->token_audience, "a");
  EXPECT_EQ(options->token_issuer, "i");
  EXPECT_EQ(options->token_user_claim, "user_id");
  for (const std::string& warning : warnings(*options)) EXPECT_FALSE(warning.contains("there is no key")) << warning;

  // A reload with another key in the same file is a change.
  const auto rotated =
      load(toml, {}, {}, {{"p.pem", pem + auth::test::public_pem(auth::test::key_of_type("ED25519"))}});
  ASSERT_TRUE(rotated) << errors_of(rotated);
  const auto merged = merge_options(*options, *rotated);
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->changes, (std::vector<Change>{{"auth.token_public_keys_file", Reload::live}}));
  EXPECT_EQ(merged->options.token_public_keys_pem, rotated->token_public_keys_pem);
  EXPECT_TRUE(diff_options(*options, *options).empty());

  const auto refusal = [&](const std::string& text) {
    return errors_of(load("[auth]\ntoken_public_keys_file = \"p.pem\"\n", {}, {}, {{"p.pem", text}}));
  };
  EXPECT_TRUE(refusal("").contains("auth.token_public_keys_file = p.pem has no public key")) << refusal("");
  EXPECT_TRUE(refusal(auth::test::private_pem(auth::test::ec_key("P-256"))).contains("number 1 is a private key"));
  EXPECT_TRUE(refusal(auth::test::public_pem(auth::test::rsa_key(1024))).contains("fewer than 2048 bits"));
  EXPECT_TRUE(errors_of(load("[auth]\ntoken_public_keys_file = \"gone\"\n")).contains("gone cannot be opened"));
  EXPECT_TRUE(errors_of(load("[auth]\ntoken_user_claim = \"exp\"\n")).contains("= exp is no name for it"));
  // The public key in the place of a secret: everybody could sign.
  EXPECT_TRUE(
      errors_of(load("[auth]\ntoken_keys = [\"\"\"" + pem + "\"\"\"]\n")).contains("is a PEM text and no secret"));
  EXPECT_TRUE(errors_of(load("[auth]\ntoken_keys_file = \"p.pem\"\n", {}, {}, {{"p.pem", pem}}))
                  .contains("number 1 is a PEM text and no secret"));
}

TEST(Config, DevListensHereOnlyAndHasNoAdminListener) {
  const auto dev = [](std::vector<FlagValue> flags) {
    flags.push_back({"server.dev", {"true"}});
    return load_options({.file = {}, .environment = {}, .flags = std::move(flags)}, MemoryFiles({}));
  };
  auto options = dev({{"server.listen", {"127.0.0.1:9000"}}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_TRUE(options->dev);
  EXPECT_EQ(options->listeners, (std::vector<server::Listener>{{.address = "127.0.0.1:9000"}}));
  EXPECT_TRUE(warnings(*options).empty());

  EXPECT_TRUE(dev({{"server.listen", {"[::1]:1", "unix:/tmp/x", "localhost:2"}}}));
  for (const std::string address : {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "https://[::]:1"}) {
    EXPECT_FALSE(dev({{"server.listen", {address}}})) << address;
  }
  options = dev({{"server.listen", {"0.0.0.0:1"}}, {"server.dev_public", {"true"}}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(warnings(*options).size(), 1U);
  options = dev({{"server.admin_listen", {"127.0.0.1:8001"}}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->listeners.size(), 2U);
}

TEST(Config, DevTurnsOnWhatWasNotSet) {
  const std::string namespaces =
      "[namespaces.chat]\n[namespaces.bare]\nhistory_messages_max = 0\n[namespaces.set]\nallow_delta = false\n"
      "allow_tags_filter = false\n";
  const auto dev = load("[server]\ndev = true\n" + namespaces);
  ASSERT_TRUE(dev) << errors_of(dev);
  EXPECT_TRUE(dev->anonymous_without_token);
  ASSERT_EQ(dev->namespaces.size(), 4U);  // the default one, then by name
  const auto& [standard, bare, chat, set] =
      std::tie(dev->namespaces[0], dev->namespaces[1], dev->namespaces[2], dev->namespaces[3]);
  EXPECT_TRUE(standard.presence && standard.join_leave && standard.allow_delta && standard.allow_tags_filter);
  EXPECT_FALSE(chat.presence || chat.join_leave);
  EXPECT_TRUE(chat.allow_delta && chat.allow_tags_filter);
  EXPECT_FALSE(bare.allow_delta);  // it keeps no history
  EXPECT_TRUE(bare.allow_tags_filter);
  EXPECT_FALSE(set.allow_delta || set.allow_tags_filter);

  const auto said = load(
      "[server]\ndev = true\n[centrifuge]\nanonymous_without_token = false\n[channels]\npresence = false\n"
      "join_leave = false\n");
  ASSERT_TRUE(said) << errors_of(said);
  EXPECT_FALSE(said->anonymous_without_token);
  EXPECT_FALSE(said->namespaces[0].presence || said->namespaces[0].join_leave);

  // A reload does not turn them on or off.
  const auto later = load("[server]\ndev = true\n", {}, {}, {}, false);
  ASSERT_TRUE(later) << errors_of(later);
  EXPECT_FALSE(later->anonymous_without_token || later->namespaces[0].presence);
  const auto still = load("", {}, {}, {}, true);
  ASSERT_TRUE(still) << errors_of(still);
  EXPECT_TRUE(still->anonymous_without_token && still->namespaces[0].presence);

  const auto production = load(namespaces);
  ASSERT_TRUE(production) << errors_of(production);
  EXPECT_FALSE(production->anonymous_without_token);
  for (const server::NamespaceOptions& space : production->namespaces) {
    EXPECT_FALSE(space.presence || space.join_leave || space.allow_delta || space.allow_tags_filter);
    EXPECT_TRUE(space.allow_positioning && space.allow_recovery);
  }
}

TEST(Config, ChannelOptionsThatGoTogether) {
  for (const std::string_view toml : {
           "[channels]\nforce_recovery = true\n",
           "[channels]\nforce_recovery = true\nrecovery_mode = \"cache\"\nslow_reader = \"conflate\"\n",
           "[channels]\nforce_recovery = true\nrecovery_mode = \"cache\"\nhistory_messages_max = 0\n",
           "[channels]\nslow_reader = \"drop\"\n",
           "[channels]\nallow_delta = true\ndelta_publish = true\n",
           "[channels]\njoin_leave = true\nforce_push_join_leave = true\n",
           "[channels]\nrecovery_mode = \"cache\"\nauto_cache_recover = true\n",
           "[channels]\nchannel_pattern = \"room-[0-9]{1,8}\"\n",
           "[centrifuge]\npersonal_channel = true\n",
           "[centrifuge]\npersonal_channel = true\npersonal_channel_namespace = \"own\"\n[namespaces.own]\n"
           "subscribe = \"user\"\nuser_limited_channels = true\n",
       }) {
    const auto options = load(std::string(toml));
    EXPECT_TRUE(options) << toml << errors_of(options);
  }
}

TEST(Config, PermissionsOfANamespace) {
  const auto options = load(R"([namespaces.x]
subscribe = "user"
publish = "nobody"
read_history = "anyone"
read_presence = "as_subscribe"
publish_for_subscriber = true
read_history_for_subscriber = true
read_presence_for_subscriber = true
user_limited_channels = true
)");
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->namespaces[1].permissions, (auth::NamespacePermissions{.subscribe = auth::Access::user,
                                                                            .publish = auth::Access::nobody,
                                                                            .history = auth::Access::anyone,
                                                                            .presence = std::nullopt,
                                                                            .publish_for_subscriber = true,
                                                                            .history_for_subscriber = true,
                                                                            .presence_for_subscriber = true,
                                                                            .user_limited_channels = true}));
}

TEST(Config, HooksAndIssuers) {
  const auto options = load(R"([hooks]
connect_hook = "main"
allow_private_addresses = false
[hooks.main]
url = "http://127.0.0.1:3000/hooks"
timeout = "2s"
headers = ["Authorization: Bearer secret"]
forward_headers = ["Cookie"]
status_rules = ["403 error 1403 no"]
base64_payloads = true
include_meta = true
in_flight_max = 7
response_bytes_max = "1MiB"
[hooks.other]
url = "https://a/"
[namespaces.chat]
subscribe_hook = "other"
[issuers.login]
jwks_url = "https://login/jwks"
issuer = "L"
audience = "chat"
)");
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_EQ(options->connect_hook, "main");
  EXPECT_FALSE(options->hooks_allow_private_addresses);
  ASSERT_EQ(options->hooks.size(), 2U);
  server::HookOptions main{.name = "main", .url = "http://127.0.0.1:3000/hooks", .timeout = 2s};
  main.headers.emplace_back("Authorization: Bearer secret");
  main.forward_headers = {"Cookie"};
  main.status_rules = {"403 error 1403 no"};
  main.base64_payloads = true;
  main.include_meta = true;
  main.in_flight_max = 7;
  main.response_bytes_max = 1 << 20;
  EXPECT_EQ(options->hooks[0], main);
  EXPECT_EQ(options->hooks[1], (server::HookOptions{.name = "other", .url = "https://a/"}));
  EXPECT_EQ(options->namespaces[1].subscribe_hook, "other");
  EXPECT_EQ(options->issuers,
            (std::vector<server::IssuerOptions>{
                {.name = "login", .jwks_url = "https://login/jwks", .issuer = "L", .audience = "chat"}}));
}

TEST(Config, SecretsOfHooksAreNeverShown) {
  const auto loaded = load(
      "[hooks.a]\nurl = \"http://a/\"\nheaders = [\"very-secret\"]\n[events]\nheaders = [\"very-secret\"]\n"
      "signing_keys = [\"very-secret\"]\n");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().size(), 3U);
  EXPECT_FALSE(errors_of(loaded).contains("very-secret")) << errors_of(loaded);
}

TEST(DiffOptions, HooksAndIssuersByName) {
  const auto before =
      load("[hooks.a]\nurl = \"http://a/\"\n[hooks.b]\nurl = \"http://b/\"\n[issuers.i]\njwks_url = \"http://i/\"\n");
  const auto after = load("[hooks.b]\nurl = \"http://b2/\"\n[hooks.c]\nurl = \"http://c/\"\n");
  ASSERT_TRUE(before && after);
  EXPECT_EQ(diff_options(*before, *after), (std::vector<Change>{{"hooks.a", Reload::live},
                                                                {"hooks.b", Reload::live},
                                                                {"hooks.c", Reload::live},
                                                                {"issuers.i", Reload::live}}));
}

TEST(Config, TlsListenersWithTheirFiles) {
  const auto options = load(
      "[server]\nlisten = [\"https://0.0.0.0:443\", \"0.0.0.0:80\"]\n[tls]\ncertificate_file = \"c\"\nkey_file = "
      "\"k\"\n",
      {}, {}, {{"c", "-----BEGIN CERTIFICATE-----"}, {"k", "-----BEGIN PRIVATE KEY-----"}});
  ASSERT_TRUE(options) << errors_of(options);
  EXPECT_TRUE(options->listeners[0].tls);
  EXPECT_FALSE(options->listeners[1].tls);
  EXPECT_EQ(options->tls_certificate_file, "c");
}

TEST(Warnings, SayWhatIsProbablyNotMeant) {
  const auto warned = [](std::string toml, std::string_view expected) {
    const auto options = load(std::move(toml));
    EXPECT_TRUE(options) << errors_of(options);
    if (!options) return false;
    const auto found = warnings(*options);
    return std::ranges::any_of(found, [&](const std::string& text) { return text.contains(expected); });
  };
  const std::string key = "[auth]\ntoken_keys = [\"0123456789abcdef0123456789abcdef\"]\n";
  const std::string api_key = "[auth]\napi_keys = [\"0123456789abcdef\"]\n";
  EXPECT_TRUE(warned("", "Nobody may do anything yet"));
  EXPECT_TRUE(warned(api_key, "Only API keys may do anything"));
  EXPECT_FALSE(warned(api_key, "Nobody may do anything yet"));
  EXPECT_FALSE(warned("[namespaces.x]\npublish = \"anyone\"\n", "may do anything"));
  EXPECT_TRUE(warned("[channels]\npublish = \"token\"\n", "[channels] asks for tokens, but there is no key"));
  EXPECT_TRUE(warned("[namespaces.x]\nsubscribe = \"token\"\n", "[namespaces.x] asks for tokens"));
  EXPECT_TRUE(warned("[namespaces.x]\nread_history = \"user\"\n", "[namespaces.x] asks for tokens"));
  EXPECT_TRUE(warned("[namespaces.x]\nuser_limited_channels = true\n", "[namespaces.x] asks for tokens"));
  EXPECT_FALSE(warned(key + "[channels]\npublish = \"token\"\n", "asks for tokens"));
  EXPECT_TRUE(warned("[server]\nadmin_listen = [\"0.0.0.0:8001\"]\n", "admin listener can be reached"));
  EXPECT_TRUE(warned(key + "[server]\nlisten = [\"0.0.0.0:80\"]\n", "Tokens travel unencrypted"));
  EXPECT_FALSE(warned(key, "Tokens travel unencrypted"));
  EXPECT_TRUE(warned("[auth]\nallowed_origins = [\"*\"]\n", "pages of every web site"));
  EXPECT_TRUE(warned("[auth]\ninsecure_clients = true\n", "may subscribe and publish everywhere"));
  EXPECT_FALSE(warned("[auth]\ninsecure_clients = true\n", "Nobody may do anything"));
  EXPECT_TRUE(warned("[auth]\nallow_short_keys = true\ntoken_keys = [\"short\"]\n", "find a short key by trying"));
}

TEST(DiffOptions, NamesWhatChangedAndWhenItCounts) {
  const auto before = load("[namespaces.gone]\n[namespaces.same]\n[namespaces.other]\nsubscribe = \"anyone\"\n");
  const auto after = load(R"([server]
listen = ["127.0.0.1:9000"]
workers = 2
[auth]
api_keys = ["0123456789abcdef"]
[limits]
connections_max = 5
message_bytes_max = 5
[channels]
publish = "anyone"
[namespaces.same]
[namespaces.other]
subscribe = "token"
[namespaces.new]
)");
  ASSERT_TRUE(before && after) << errors_of(after);
  EXPECT_EQ(diff_options(*before, *after), (std::vector<Change>{{"server.listen", Reload::restart},
                                                                {"server.workers", Reload::restart},
                                                                {"auth.api_keys", Reload::live},
                                                                {"limits.message_bytes_max", Reload::new_connections},
                                                                {"limits.connections_max", Reload::live},
                                                                {"channels.publish", Reload::live},
                                                                {"namespaces.gone", Reload::live},
                                                                {"namespaces.new", Reload::live},
                                                                {"namespaces.other", Reload::live}}));
  EXPECT_TRUE(diff_options(*after, *after).empty());
}

TEST(DiffOptions, EveryFieldOfTheOptionsIsCompared) {
  // One changed option at a time: the difference is that key and no other.
  const server::Options defaults = *load_options({}, MemoryFiles({}));
  for (const Option& option : all_options()) {
    SCOPED_TRACE(option.key);
    if (option.key.ends_with("_keys_file")) continue;  // known by the keys they hold
    Settings changed = settings_of(defaults);
    const Slot slot = option.slot({changed, changed.channels});
    std::visit(
        [](auto* value) {
          using Value = std::remove_pointer_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, bool>) {
            *value = !*value;
          } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
            *value = {"127.0.0.1:7777"};
          } else if constexpr (std::is_same_v<Value, std::vector<base::Secret>>) {
            value->emplace_back("secret");
          } else if constexpr (IsChoice<Value>) {
            *value = Choices<Value>::kAll.back().choice;
          } else if constexpr (std::is_same_v<Value, std::string>) {
            *value = "other";
          } else {
            ++*value;
          }
        },
        slot);
    server::Options after = changed.server;
    after.namespaces = {changed.channels};
    after.listeners.clear();
    for (const std::string& address : changed.listen) {
      after.listeners.push_back({.address = address, .proxy_protocol = changed.proxy_protocol});
    }
    for (const std::string& address : changed.admin_listen)
      after.listeners.push_back({.address = address, .admin = true});
    EXPECT_EQ(diff_options(defaults, after), (std::vector<Change>{{std::string(option.key), option.reload}}));
  }
}

TEST(MergeOptions, WhatNeedsARestartKeepsTheValueItRunsWith) {
  const auto running = load("[channels]\nsubscribe = \"token\"\n[limits]\nconnections_max = 7\n");
  const auto wanted = load(R"([server]
dev = true
dev_public = true
listen = ["127.0.0.1:9000"]
workers = 3
log_level = "debug"
trusted_proxies = ["10.0.0.1"]
proxy_protocol = true
[limits]
connections_max = 8
)",
                           {}, {}, {}, running->dev);
  ASSERT_TRUE(running && wanted) << errors_of(wanted);
  const auto merged = merge_options(*running, *wanted);
  ASSERT_TRUE(merged);
  EXPECT_FALSE(merged->options.dev);
  EXPECT_FALSE(merged->options.dev_public);
  EXPECT_EQ(merged->options.workers, running->workers);
  EXPECT_EQ(merged->options.log_level, "info");
  EXPECT_EQ(merged->options.listeners, running->listeners);
  EXPECT_EQ(merged->options.connections_max, 8U);
  EXPECT_EQ(merged->changes, (std::vector<Change>{{"server.trusted_proxies", Reload::new_connections},
                                                  {"limits.connections_max", Reload::live},
                                                  {"channels.subscribe", Reload::live}}));
  EXPECT_EQ(merged->waiting,
            (std::vector<std::string>{"server.dev", "server.dev_public", "server.listen", "server.admin_listen",
                                      "server.workers", "server.log_level", "server.proxy_protocol"}));
  // Said again as long as it is so; the old values need no restart.
  EXPECT_EQ(merge_options(merged->options, *wanted)->waiting, merged->waiting);
  EXPECT_TRUE(merge_options(merged->options, *wanted)->changes.empty());
  EXPECT_TRUE(merge_options(merged->options, *running)->waiting.empty());
}

TEST(MergeOptions, EveryOptionThatNeedsARestartIsKept) {
  const server::Options defaults = *load_options({}, MemoryFiles({}));
  Settings kept = settings_of(defaults);
  server::Options wanted = defaults;
  wanted.dev = wanted.dev_public = true;
  wanted.workers = 9;
  wanted.log_level = "error";
  wanted.listeners = {{.address = "127.0.0.1:1", .tls = true, .proxy_protocol = true}};
  Settings merged = settings_of(merge_options(defaults, wanted)->options);
  for (const Option& option : all_options()) {
    if (option.reload != Reload::restart) continue;
    EXPECT_TRUE(same_value(option, {kept, kept.channels}, {merged, merged.channels})) << option.key;
  }
}

TEST(MergeOptions, ARunningHttpsListenerNeedsItsCertificate) {
  server::Options running = *load_options({}, MemoryFiles({}));
  running.listeners = {{.address = "127.0.0.1:1", .tls = true}};
  running.tls_certificate_file = "c.pem";
  const server::Options wanted = *load_options({}, MemoryFiles({}));
  ASSERT_FALSE(merge_options(running, wanted));
  EXPECT_TRUE(merge_options(running, wanted).error().contains("tls.certificate_file"));
}

TEST(DiskFiles, ReadsWholeFilesAndSaysWhyNot) {
  const DiskFiles files;
  EXPECT_TRUE(files.read("/proc/self/status"));
  EXPECT_EQ(files.read("/nowhere/at/all").error(), "cannot be opened: No such file or directory");
  EXPECT_EQ(files.read("/").error(), "cannot be read: Is a directory");
  EXPECT_EQ(files.read("/dev/zero").error(), "is larger than 1 MiB");
}

}  // namespace
}  // namespace app
