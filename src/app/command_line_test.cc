#include "app/command_line.h"

#include <gtest/gtest.h>

#include <variant>

namespace app {
namespace {

using namespace std::chrono_literals;

std::expected<Command, Farewell> parse(std::vector<std::string> words, const Environment& environment = {}) {
  return parse_command_line(words, environment);
}

template <class Verb>
Verb parse_as(std::vector<std::string> words, const Environment& environment = {}) {
  auto command = parse(std::move(words), environment);
  if (!command) {
    ADD_FAILURE() << command.error().text;
    return {};
  }
  if (!std::holds_alternative<Verb>(*command)) {
    ADD_FAILURE() << "another verb";
    return {};
  }
  return std::get<Verb>(*command);
}

std::string refusal(std::vector<std::string> words) {
  const auto command = parse(std::move(words));
  if (command) return "accepted";
  EXPECT_EQ(command.error().exit_code, kExitUsage);
  return command.error().text;
}

TEST(CommandLine, ServeTakesEveryOptionOfTheTable) {
  for (const Option& option : all_options()) {
    SCOPED_TRACE(option.key);
    const std::string flag = flag_name(option);
    if (option.command_line == OnCommandLine::no_flag) {
      EXPECT_TRUE(refusal({"serve", flag, "x"}).contains("there is no flag"));
      continue;
    }
    const auto command =
        is_switch(option) ? parse_as<ServeCommand>({"serve", flag}) : parse_as<ServeCommand>({"serve", flag, "x"});
    ASSERT_EQ(command.sources.flags.size(), 1U);
    EXPECT_EQ(command.sources.flags[0].key, option.key);
    EXPECT_EQ(command.sources.flags[0].values, std::vector<std::string>{is_switch(option) ? "true" : "x"});
  }
}

TEST(CommandLine, ServeDevNeedsNothingElse) {
  const auto command = parse_as<ServeCommand>({"serve", "--dev", "--listen", "127.0.0.1:9999"});
  const auto options = load_options(command.sources, DiskFiles{});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->dev);
  EXPECT_EQ(options->listeners, (std::vector<server::Listener>{{.address = "127.0.0.1:9999"}}));
}

TEST(CommandLine, ServeSwitchesListsAndRepetition) {
  const auto values = [](std::vector<std::string> words) {
    words.insert(words.begin(), "serve");
    return parse_as<ServeCommand>(std::move(words)).sources.flags.at(0).values;
  };
  using Values = std::vector<std::string>;
  EXPECT_EQ(values({"--websocket-deflate=false"}), Values{"false"});
  EXPECT_EQ(values({"--listen", "a", "--listen", "b"}), (Values{"a", "b"}));
  EXPECT_EQ(values({"--listen=a,b"}), Values{"a,b"});  // taken apart with the environment's
  EXPECT_EQ(values({"--workers", "1", "--workers", "2"}), Values{"2"});
  EXPECT_EQ(values({"--drain-window=3s"}), Values{"3s"});
}

TEST(CommandLine, ConfigFromFlagOrEnvironment) {
  EXPECT_EQ(parse_as<ServeCommand>({"serve"}).sources.file, "");
  EXPECT_EQ(parse_as<ServeCommand>({"serve", "-c", "a"}).sources.file, "a");
  EXPECT_EQ(parse_as<ServeCommand>({"serve"}, {{"WIREBIRD_CONFIG", "b"}}).sources.file, "b");
  EXPECT_EQ(parse_as<ServeCommand>({"serve", "--config", "a"}, {{"WIREBIRD_CONFIG", "b"}}).sources.file, "a");
  EXPECT_EQ(parse_as<CheckConfigCommand>({"check-config", "a"}).sources.file, "a");
  EXPECT_EQ(parse_as<CheckConfigCommand>({"check-config", "--config", "a"}).sources.file, "a");
  EXPECT_EQ(parse_as<CheckConfigCommand>({"check-config"}, {{"WIREBIRD_X", "y"}}).sources.environment.size(), 1U);
}

TEST(CommandLine, Pub) {
  using Pub = client::PubOptions;
  auto pub = parse_as<Pub>({"pub", "news", "Hello"});
  EXPECT_EQ(pub.channel, "news");
  EXPECT_EQ(pub.message, "Hello");
  EXPECT_EQ(pub.source, Pub::Source::argument);
  EXPECT_EQ(pub.kind, Pub::Kind::text);
  EXPECT_EQ(pub.endpoint.url, "http://127.0.0.1:8000");
  pub = parse_as<Pub>({"pub", "news"});
  EXPECT_EQ(pub.source, Pub::Source::lines);
  pub = parse_as<Pub>({"pub", "news", ""});
  EXPECT_EQ(pub.source, Pub::Source::argument);
  pub = parse_as<Pub>({"pub", "news", "--file", "-", "--binary", "--key", "k", "--timeout", "2m", "--quiet"});
  EXPECT_EQ(pub.source, Pub::Source::file);
  EXPECT_EQ(pub.message, "-");
  EXPECT_EQ(pub.kind, Pub::Kind::binary);
  EXPECT_EQ(pub.idempotency_key, "k");
  EXPECT_EQ(pub.time_max, 2min);
  EXPECT_EQ(pub.report, Pub::Report::nothing);
  pub = parse_as<Pub>({"pub", "--json", "--answer", "news", "{}"});
  EXPECT_EQ(pub.kind, Pub::Kind::json);
  EXPECT_EQ(pub.report, Pub::Report::answer);
  EXPECT_EQ(parse_as<Pub>({"pub", "news", "--", "-5 degrees"}).message, "-5 degrees");
  EXPECT_TRUE(refusal({"pub"}).contains("channel is required"));
  EXPECT_TRUE(refusal({"pub", "news", "a", "b"}).contains("\"b\" is one word too many"));
  EXPECT_TRUE(refusal({"pub", "news", "a", "--file", "b"}).contains("message excludes --file"));
  EXPECT_TRUE(refusal({"pub", "news", "a", "--json", "--binary"}).contains("excludes"));
  EXPECT_TRUE(refusal({"pub", "news", "a", "--timeout", "10"}).contains("--timeout: \"10\" is not a duration"));
}

TEST(CommandLine, EndpointOfTheClients) {
  const Environment environment = {{"WIREBIRD_URL", "https://e"}, {"WIREBIRD_TOKEN", "t"}};
  auto sub = parse_as<client::SubOptions>({"sub", "news"}, environment);
  EXPECT_EQ(sub.endpoint.url, "https://e");
  EXPECT_EQ(sub.endpoint.token, "t");
  EXPECT_EQ(sub.endpoint.tls_verify, client::Endpoint::Verify::yes);
  sub = parse_as<client::SubOptions>(
      {"sub", "news", "-u", "wss://f", "--token", "v", "--ca-file", "ca.pem", "--insecure"}, environment);
  EXPECT_EQ(sub.endpoint.url, "wss://f");
  EXPECT_EQ(sub.endpoint.token, "v");
  EXPECT_EQ(sub.endpoint.tls_ca_file, "ca.pem");
  EXPECT_EQ(sub.endpoint.tls_verify, client::Endpoint::Verify::no);
}

TEST(CommandLine, Sub) {
  using Sub = client::SubOptions;
  const auto plain = parse_as<Sub>({"sub", "news"});
  EXPECT_EQ(plain.channels, std::vector<std::string>{"news"});
  EXPECT_EQ(plain.output, Sub::Output::payload);
  EXPECT_EQ(plain.retry, Sub::Retry::forever);
  const auto sub = parse_as<Sub>(
      {"sub", "news", "weather", "--since", "-10", "--json", "--count", "3", "--for", "1m", "--no-reconnect", "-v"});
  EXPECT_EQ(sub.channels, (std::vector<std::string>{"news", "weather"}));
  EXPECT_EQ(sub.since, "-10");
  EXPECT_EQ(sub.output, Sub::Output::records);
  EXPECT_EQ(sub.count, 3U);
  EXPECT_EQ(sub.time_max, 1min);
  EXPECT_EQ(sub.retry, Sub::Retry::never);
  EXPECT_EQ(sub.remarks, Sub::Remarks::connection);
  EXPECT_TRUE(refusal({"sub"}).contains("channel is required"));
  EXPECT_TRUE(refusal({"sub", "news", "--count", "many"}).contains("--count"));
  EXPECT_TRUE(refusal({"sub", "news", "--sinse", "-10"}).contains("did you mean --since?"));
}

TEST(CommandLine, DemoFeed) {
  const auto feed = parse_as<client::DemoFeedOptions>(
      {"demo", "feed", "--rate", "2.5", "--prefix", "x:", "--seed", "7", "--count", "9"});
  EXPECT_EQ(feed.messages_per_s, 2.5);
  EXPECT_EQ(feed.prefix, "x:");
  EXPECT_EQ(feed.seed, 7U);
  EXPECT_EQ(feed.count, 9U);
  EXPECT_EQ(parse_as<client::DemoFeedOptions>({"demo", "feed"}).seed, std::nullopt);
  EXPECT_EQ(refusal({"demo"}).substr(0, 15), "wirebird demo: ");
  EXPECT_TRUE(refusal({"demo", "fed"}).contains("there is no verb fed; did you mean feed?"));
}

TEST(CommandLine, Bench) {
  using Bench = client::BenchOptions;
  const auto bench = parse_as<Bench>({"bench", "fan-out", "--connections", "5", "--connect-rate", "6", "--duration",
                                      "7s", "--bytes", "1KiB", "--in-flight", "8", "--rate", "9", "--channels", "10",
                                      "--channel-prefix", "p", "--json"});
  EXPECT_EQ(bench.mode, Bench::Mode::fan_out);
  EXPECT_EQ(bench.connections, 5U);
  EXPECT_EQ(bench.connects_per_s, 6U);
  EXPECT_EQ(bench.duration, 7s);
  EXPECT_EQ(bench.message_bytes, 1024U);
  EXPECT_EQ(bench.in_flight, 8U);
  EXPECT_EQ(bench.messages_per_s, 9U);
  EXPECT_EQ(bench.channels, 10U);
  EXPECT_EQ(bench.channel_prefix, "p");
  EXPECT_EQ(bench.output, Bench::Output::json);
  for (const auto& [name, mode] : client::kBenchModes) {
    EXPECT_EQ(parse_as<Bench>({"bench", std::string(name)}).mode, mode);
  }
  EXPECT_TRUE(refusal({"bench", "all"}).contains("none of connect, idle, reconnect, echo, fan-out, fan-in, mixed"));
  EXPECT_TRUE(refusal({"bench", "echo", "--connections", "-1"}).contains("--connections"));
  EXPECT_TRUE(refusal({"bench", "echo", "--bytes", "1M"}).contains("--bytes"));
  EXPECT_TRUE(refusal({"bench", "echo", "--bytes", "8GiB"}).contains("too large"));
}

TEST(CommandLine, BenchOfAnotherServer) {
  using Bench = client::BenchOptions;
  const auto plain = parse_as<Bench>({"bench", "mixed"});
  EXPECT_EQ(plain.publishers, 0U);
  EXPECT_EQ(plain.frames, Bench::Frames::text);
  EXPECT_EQ(plain.publish, Bench::Publish::usual);
  EXPECT_EQ(plain.progress, Bench::Progress::on_terminal);
  EXPECT_EQ(plain.plot_file, "");
  const auto bench = parse_as<Bench>({"bench",
                                      "mixed",
                                      "--publishers",
                                      "3",
                                      "--path",
                                      "/ws/{channel}",
                                      "--publish-path",
                                      "/p",
                                      "--post",
                                      "--subprotocol",
                                      "s",
                                      "--hello-text",
                                      "h",
                                      "--subscribe-text",
                                      "s {channel}",
                                      "--publish-text",
                                      "{payload}\\n",
                                      "--binary",
                                      "--server-pid",
                                      "1",
                                      "--server-pid",
                                      "2",
                                      "--progress",
                                      "--plot",
                                      "p.svg"});
  EXPECT_EQ(bench.publishers, 3U);
  EXPECT_EQ(bench.path, "/ws/{channel}");
  EXPECT_EQ(bench.publish_path, "/p");
  EXPECT_EQ(bench.publish, Bench::Publish::post);
  EXPECT_EQ(bench.subprotocol, "s");
  EXPECT_EQ(bench.hello_text, "h");
  EXPECT_EQ(bench.subscribe_text, "s {channel}");
  EXPECT_EQ(bench.publish_text, "{payload}\\n");
  EXPECT_EQ(bench.frames, Bench::Frames::binary);
  EXPECT_EQ(bench.server_pids, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(bench.progress, Bench::Progress::always);
  EXPECT_EQ(bench.plot_file, "p.svg");
  EXPECT_TRUE(refusal({"bench", "echo", "--server-pid", "x"}).contains("--server-pid"));
}

TEST(CommandLine, GenTokenWithAPrivateKey) {
  const auto command = parse_as<GenTokenCommand>({"gen-token", "--private-key-file", "p.pem", "--algorithm", "PS384",
                                                  "--kid", "k", "--aud", "a", "--iss", "i", "--channel", "x"});
  EXPECT_EQ(command.private_key_file, "p.pem");
  EXPECT_EQ(command.algorithm, "PS384");
  EXPECT_EQ(command.kid, "k");
  EXPECT_EQ(command.audience, "a");
  EXPECT_EQ(command.issuer, "i");
  EXPECT_FALSE(refusal({"gen-token", "--private-key-file", "p.pem", "--key-file", "k"}).empty());
}

TEST(CommandLine, Import) {
  const auto command = parse_as<ImportCommand>({"import", "centrifugo", "config.json", "--out", "w.toml"});
  EXPECT_EQ(command.file, "config.json");
  EXPECT_EQ(command.out, "w.toml");
  EXPECT_EQ(parse_as<ImportCommand>({"import", "centrifugo", "-"}).file, "-");
  EXPECT_NE(refusal({"import"}), "accepted");
  EXPECT_NE(refusal({"import", "centrifugo"}), "accepted");
  EXPECT_TRUE(refusal({"import", "centrifuge", "a"}).contains("did you mean centrifugo?"));
}

TEST(CommandLine, CheckToken) {
  const auto command = parse_as<CheckTokenCommand>(
      {"check-token", "a.b.c", "--key-file", "k", "--public-keys-file", "p.pem", "--config", "w.toml"});
  EXPECT_EQ(command.token, "a.b.c");
  EXPECT_EQ(command.key_file, "k");
  EXPECT_EQ(command.public_keys_file, "p.pem");
  EXPECT_EQ(command.sources.file, "w.toml");
  EXPECT_EQ(parse_as<CheckTokenCommand>({"check-token", "-"}).token, "-");
}

TEST(CommandLine, GenToken) {
  const auto command =
      parse_as<GenTokenCommand>({"gen-token", "--sub", "alice", "--ttl", "12h", "--channel", "a", "--channel", "b",
                                 "--subscribe", "c", "--publish", "d", "--key-file", "k", "--config", "w"});
  EXPECT_EQ(command.subject, "alice");
  EXPECT_EQ(command.lifetime, 12h);
  EXPECT_EQ(command.channels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(command.subscribe, std::vector<std::string>{"c"});
  EXPECT_EQ(command.publish, std::vector<std::string>{"d"});
  EXPECT_EQ(command.key_file, "k");
  EXPECT_EQ(command.sources.file, "w");
  EXPECT_TRUE(refusal({"gen-token", "--channel", "a", "b"}).contains("\"b\" is one word too many"));
}

TEST(CommandLine, SmallVerbs) {
  EXPECT_EQ(parse_as<DefaultConfigCommand>({"default-config"}).format, DefaultConfigCommand::Format::toml);
  EXPECT_EQ(parse_as<DefaultConfigCommand>({"default-config", "--markdown"}).format,
            DefaultConfigCommand::Format::markdown);
  parse_as<VersionCommand>({"version"});
  parse_as<VersionCommand>({"--version"});
}

TEST(CommandLine, HelpTeachesWithExamples) {
  for (const std::string verb :
       {"serve", "pub", "sub", "demo", "bench", "gen-token", "check-token", "check-config", "default-config"}) {
    const auto help = parse({verb, "--help"});
    ASSERT_FALSE(help);
    EXPECT_EQ(help.error().exit_code, 0);
    EXPECT_TRUE(help.error().text.contains("Example")) << verb;
    EXPECT_TRUE(help.error().text.contains("wirebird " + verb)) << verb;
  }
  const auto help = parse({"--help"});
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().exit_code, 0);
  EXPECT_TRUE(parse({"demo", "feed", "-h"}).error().text.contains("wirebird demo feed"));
}

TEST(CommandLine, WrongWordsGetHints) {
  EXPECT_TRUE(refusal({}).contains("Usage: wirebird"));
  EXPECT_TRUE(refusal({"serv"}).contains("there is no verb serv; did you mean serve?"));
  EXPECT_TRUE(refusal({"frobnicate"}).contains("there are serve, pub, sub"));
  EXPECT_TRUE(refusal({"serve", "--lisen", "x"}).contains("there is no flag --lisen; did you mean --listen?"));
  EXPECT_TRUE(refusal({"serve", "--lisen=x"}).contains("there is no flag --lisen; did you mean --listen?"));
  EXPECT_TRUE(refusal({"serve", "--xyzzy"}).contains("there is no flag --xyzzy;"));
  EXPECT_TRUE(refusal({"serve", "--listen"}).contains("--listen"));
  EXPECT_TRUE(refusal({"serve", "now"}).contains("\"now\" is one word too many"));
  EXPECT_TRUE(refusal({"--colour"}).contains("wirebird"));
  EXPECT_TRUE(refusal({"demo", "feed", "--rate", "abc"}).contains("--rate takes a number, not \"abc\""));
  EXPECT_TRUE(refusal({"demo", "feed", "--seed", "abc"}).contains("--seed takes a number, not \"abc\""));
  // The last line is the reason.
  EXPECT_TRUE(refusal({}).ends_with("\nwirebird: a verb is missing\n"));
  EXPECT_TRUE(refusal({"serve", "--xyzzy"}).ends_with("; `wirebird serve --help` explains\n"));
}

}  // namespace
}  // namespace app
