#include "app/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "app/command_line_bench.h"
#include "app/command_line_flags.h"
#include "app/nearest.h"
#include "app/reference.h"

namespace app {
namespace {

std::string variable(const Environment& environment, std::string_view name) {
  const auto found = std::ranges::find(environment, name, &Variable::name);
  return found == environment.end() ? "" : found->value;
}

// CLI11 says "Could not convert: --rate = abc".
std::string conversion_text(std::string_view what) {
  constexpr std::string_view kBegin = "Could not convert: ";
  const std::size_t equals = what.find(" = ");
  if (!what.starts_with(kBegin) || equals == std::string_view::npos) return std::string(what);
  return fmt::format("{} takes a number, not \"{}\"", what.substr(kBegin.size(), equals - kBegin.size()),
                     what.substr(equals + 3));
}

// The verbs with what they fill in. CLI11 keeps references, so it stays where it was made.
class CommandLine {
 public:
  explicit CommandLine(const Environment& environment) : environment_(environment) {
    root_.name("wirebird");
    root_.require_subcommand(1);
    root_.get_formatter()->column_width(kHelpNameColumn);
    root_.set_help_flag("-h,--help", "Explains the verb and its flags");
    root_.add_flag("--version", says_version_, "Prints the version");
    root_.footer(
        "Try it out:\n"
        "  wirebird serve --dev                 a server on http://127.0.0.1:8000/ with a page to look at\n"
        "  wirebird sub news                    print what happens on the channel news\n"
        "  wirebird pub news 'Hello'            say something there\n"
        "  wirebird VERB --help                 more about each verb, with examples");
    add_serve();
    add_pub();
    add_sub();
    add_demo();
    add_bench();
    add_gen_token();
    add_check_token();
    add_check_config();
    add_default_config();
    add_import();
    root_.add_subcommand("version", "Prints the version");
  }
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  std::expected<Command, Farewell> parse(std::span<const std::string> arguments) {
    if (arguments.empty())
      return std::unexpected(Farewell{kExitUsage, root_.help() + "\nwirebird: a verb is missing\n"});
    if (arguments.front() == "--version") return VersionCommand{};
    if (!arguments.front().starts_with('-') && !has_verb(arguments.front())) {
      return std::unexpected(unknown_verb(root_, arguments.front()));
    }
    try {
      // CLI11 takes the words from the back.
      root_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
      return std::unexpected(Farewell{0, root_.help()});
    } catch (const CLI::ExtrasError&) {
      return std::unexpected(unknown_words());
    } catch (const CLI::RequiredError& error) {
      // `demo fed`: the word that is too much is the verb that is missing.
      return std::unexpected(root_.remaining(true).empty() ? refusal(error.what()) : unknown_words());
    } catch (const CLI::ConversionError& error) {
      return std::unexpected(refusal(conversion_text(error.what())));
    } catch (const CLI::ParseError& error) {
      return std::unexpected(refusal(error.what()));
    }
    return command();
  }

 private:
  void add_config(CLI::App& verb, ConfigSources& sources) {
    sources.file = variable(environment_, "WIREBIRD_CONFIG");
    sources.environment = environment_;
    verb.add_option("-c,--config", sources.file,
                    wrapped("Configuration file (TOML); default: $WIREBIRD_CONFIG, or none"))
        ->option_text("FILE");
  }

  void add_serve() {
    CLI::App& verb = *root_.add_subcommand("serve", "Runs the server");
    verb.footer(
        "Examples:\n"
        "  wirebird serve --dev                                  everything open, this machine only\n"
        "  wirebird serve --config wirebird.toml                 for real; `wirebird default-config` prints a file to "
        "start from\n"
        "  wirebird serve --listen 0.0.0.0:80 --channels-subscribe anyone --channels-publish token\n"
        "  wirebird serve --listen https://0.0.0.0:443 --tls-certificate-file cert.pem --tls-key-file key.pem\n"
        "\n"
        "Every flag can stand in the file (--limits-connections-max: connections_max under [limits]; flags without a\n"
        "section: [server]) and in the environment (WIREBIRD_LIMITS_CONNECTIONS_MAX). Flags win over the environment, "
        "the\n"
        "environment over the file. Secrets have no flags: WIREBIRD_AUTH_TOKEN_KEYS, WIREBIRD_AUTH_API_KEYS, or a "
        "file.\n"
        "SIGHUP reads the configuration again, SIGTERM lets clients go in good order.");
    add_config(verb, serve_.sources);
    for (const Option& option : all_options()) {
      if (option.command_line == OnCommandLine::no_flag) continue;
      add_option_flag(verb, option);
    }
  }

  void add_option_flag(CLI::App& verb, const Option& option) {
    Settings defaults;
    std::string name = flag_name(option);
    if (option.key == "server.data_dir") name += ",--data";
    const std::string help =
        wrapped(fmt::format("{} Default: {}", option.help, toml_value(option, {defaults, defaults.channels})));
    CLI::Option* added = nullptr;
    if (is_switch(option)) {
      added = verb.add_flag(name, help);
    } else {
      added = verb.add_option(name, unused_, help)
                  ->allow_extra_args(false)
                  ->option_text(std::string(option.section() == "server" && is_list(option) ? "ADDRESS ..."
                                                                                            : placeholder(option)));
    }
    added->group(fmt::format("[{}]", option.section()));
    flags_.emplace_back(&option, added);
  }

  static std::string_view placeholder(const Option& option) {
    const std::string_view type = type_name(option);
    if (type == "duration") return "DURATION";
    if (type == "size") return "SIZE";
    if (type == "number") return "NUMBER";
    if (type == "nobody, anyone or token") return "WHO";
    return option.key.ends_with("_file") ? "FILE" : is_list(option) ? "TEXT ..." : "TEXT";
  }

  void add_endpoint(CLI::App& verb, client::Endpoint& endpoint) {
    if (const std::string url = variable(environment_, "WIREBIRD_URL"); !url.empty()) endpoint.url = url;
    endpoint.token = variable(environment_, "WIREBIRD_TOKEN");
    verb.add_option(
            "-u,--url", endpoint.url,
            wrapped("Server: http://, https://, ws:// or wss://HOST[:PORT], or unix:/path; default: $WIREBIRD_URL, or "
                    "http://127.0.0.1:8000"))
        ->option_text("URL");
    verb.add_option(
            "--token", endpoint.token,
            wrapped("Token to show; better in $WIREBIRD_TOKEN, where other users of the machine cannot read it"))
        ->option_text("TOKEN");
    verb.add_option("--ca-file", endpoint.tls_ca_file, wrapped("Certificates to trust (PEM); default: the system's"))
        ->option_text("FILE");
    add_choice(verb, "--insecure", endpoint.tls_verify, client::Endpoint::Verify::no,
               "Takes any certificate: for tests only");
  }

  void add_pub() {
    CLI::App& verb = *root_.add_subcommand("pub", "Publishes messages");
    verb.footer(
        "Without MESSAGE and --file every line of the standard input is one message.\n"
        "\n"
        "Examples:\n"
        "  wirebird pub news 'Hello'                              one text\n"
        "  wirebird pub news --json '{\"title\":\"Hello\"}'           one JSON value, checked\n"
        "  tail -f app.log | wirebird pub logs                    a message for each line\n"
        "  wirebird pub pictures --binary --file cat.jpg          a whole file\n"
        "  wirebird pub news -- '-5 degrees'                      -- before a message that begins with -\n"
        "\n"
        "Exit code: 0 published; 1 the server refuses; 2 wrong flags; 3 not known whether it was published (the same "
        "--key\n"
        "may be sent again without doubling); 4 the server cannot be reached.");
    using Pub = client::PubOptions;
    verb.add_option("channel", pub_.channel, "Channel to publish to")->required()->option_text(" ");
    verb.add_option("message", pub_message_, "The message")->option_text(" ");
    verb.add_option("--file", pub_file_, wrapped("The message is the content of this file (-: of the standard input)"))
        ->option_text("FILE")
        ->excludes("message");
    CLI::Option* const json =
        add_choice(verb, "--json", pub_.kind, Pub::Kind::json, "Messages are JSON; the server checks them");
    add_choice(verb, "--binary", pub_.kind, Pub::Kind::binary, "Messages are bytes")->excludes(json);
    verb.add_option("--key", pub_.idempotency_key,
                    wrapped("Idempotency key: the same key never publishes twice within 5 minutes; default: a random "
                            "one per message"))
        ->option_text("KEY");
    add_duration(verb, "--timeout", pub_.time_max, "Time for one message, retries included; default: 30s");
    CLI::Option* const quiet = add_choice(verb, "-q,--quiet", pub_.report, Pub::Report::nothing, "Prints nothing");
    add_choice(verb, "--answer", pub_.report, Pub::Report::answer, "Prints the server's answer (JSON)")
        ->excludes(quiet);
    add_endpoint(verb, pub_.endpoint);
  }

  void add_sub() {
    CLI::App& verb = *root_.add_subcommand("sub", "Subscribes and prints what comes");
    verb.footer(
        "Examples:\n"
        "  wirebird sub news                        one payload per line, from now on, until Ctrl-C\n"
        "  wirebird sub news weather --json         several channels; envelopes with channel, offset and time\n"
        "  wirebird sub news --since -10            the last ten messages first\n"
        "  wirebird sub news --since 2025-11-20T08:00:00Z --count 100\n"
        "\n"
        "A cut connection is made again and resumed where it was; what was missed is printed, and what cannot be "
        "replayed is\n"
        "announced on the standard error output.\n"
        "\n"
        "Exit code: 0 enough seen, or stopped; 1 the server refuses; 2 wrong flags; 4 not connected: with --for never, "
        "with\n"
        "--no-reconnect any more.");
    using Sub = client::SubOptions;
    verb.add_option("channel", sub_.channels, "Channels to subscribe to")->required()->option_text("...");
    verb.add_option(
            "--since", sub_.since,
            wrapped(
                "Where to start: -N (the last N messages), a time (RFC 3339 or milliseconds since 1970), or a cursor; "
                "default: now"))
        ->option_text("START");
    add_choice(verb, "--json", sub_.output, Sub::Output::records,
               "Prints envelopes and control records, one JSON object per line");
    add_choice(verb, "--no-newline", sub_.ending, Sub::Ending::nothing,
               "Prints payloads as they are, without a line end after each: for binary ones");
    verb.add_option("--count", sub_.count, wrapped("Stops after so many messages"))->option_text("N");
    add_duration(verb, "--for", sub_.time_max, "Stops after so long");
    add_choice(verb, "--no-reconnect", sub_.retry, Sub::Retry::never, "Ends when the connection is cut");
    add_choice(verb, "-v,--verbose", sub_.remarks, Sub::Remarks::connection,
               "Says when it connects and when it is cut");
    add_endpoint(verb, sub_.endpoint);
  }

  void add_demo() {
    CLI::App& demo = *root_.add_subcommand("demo", "Publishes made-up messages to look at");
    demo.require_subcommand(1);
    CLI::App& verb = *demo.add_subcommand("feed", "A stock ticker, weather and scores");
    demo.footer(
        "Example:\n  wirebird demo feed --rate 20             then `wirebird sub ticker weather scores`, or the demo "
        "page");
    verb.footer(
        "Publishes to the channels ticker, weather and scores until Ctrl-C.\n"
        "\n"
        "Examples:\n"
        "  wirebird demo feed\n"
        "  wirebird demo feed --rate 100 --prefix demo: --seed 1 --count 10000");
    verb.add_option("--rate", feed_.messages_per_s, wrapped("Messages per second of all channels together; default: 4"))
        ->option_text("NUMBER");
    verb.add_option("--prefix", feed_.prefix, wrapped("Stands before the channel names"))->option_text("TEXT");
    verb.add_option_function<std::uint64_t>(
            "--seed", [this](std::uint64_t seed) { feed_.seed = seed; },
            wrapped("The same seed makes the same messages"))
        ->option_text("N");
    verb.add_option("--count", feed_.count, wrapped("Stops after so many messages"))->option_text("N");
    add_endpoint(verb, feed_.endpoint);
  }

  void add_bench() {
    CLI::App& verb = *root_.add_subcommand("bench", "Measures a server");
    add_bench_flags(verb, bench_);
    add_endpoint(verb, bench_.endpoint);
  }

  void add_gen_token() {
    CLI::App& verb = *root_.add_subcommand("gen-token", "Makes a token (JWT) that this server accepts");
    verb.footer(
        "The key is the first one of --key-file, else of the configuration (auth.token_keys, "
        "WIREBIRD_AUTH_TOKEN_KEYS),\n"
        "or a private key (--private-key-file) whose public half the server has (auth.token_public_keys_file).\n"
        "Audience, issuer and the user's claim are the configuration's, if it can be read.\n"
        "A NAME that ends in * stands for every channel that begins with what comes before.\n"
        "\n"
        "Examples:\n"
        "  openssl rand -base64 48 > token.key\n"
        "  wirebird serve --auth-token-keys-file token.key --channels-subscribe token --channels-publish token\n"
        "  export WIREBIRD_TOKEN=$(wirebird gen-token --key-file token.key --sub alice --ttl 12h --channel 'chat:*')\n"
        "  wirebird gen-token --config wirebird.toml --sub screen-1 --subscribe news --ttl 30d\n"
        "  openssl genpkey -algorithm ed25519 -out private.pem && openssl pkey -in private.pem -pubout -out "
        "public.pem\n"
        "  wirebird gen-token --private-key-file private.pem --sub alice --channel news");
    verb.add_option("--sub", gen_token_.subject, "Whose token it is: a user or device")->option_text("TEXT");
    add_duration(verb, "--ttl", gen_token_.lifetime, "How long it is good for; default: 1h");
    add_list(verb, "--channel", gen_token_.channels, "Channel to subscribe and publish to; may be repeated");
    add_list(verb, "--subscribe", gen_token_.subscribe, "Channel to subscribe to only; may be repeated");
    add_list(verb, "--publish", gen_token_.publish, "Channel to publish to only; may be repeated");
    verb.add_option("--key-file", gen_token_.key_file,
                    wrapped("File with the key on its first line (-: standard input)"))
        ->option_text("FILE");
    verb.add_option("--private-key-file", gen_token_.private_key_file,
                    wrapped("File with a private key in PEM: RSA, ECDSA or Ed25519 (-: standard input)"))
        ->option_text("FILE")
        ->excludes("--key-file");
    verb.add_option(
            "--algorithm", gen_token_.algorithm,
            wrapped("HS256, HS384, HS512, RS256, ..., PS256, ..., ES256, ..., EdDSA; default: the first one that "
                    "the key can do"))
        ->option_text("NAME");
    add_text(verb, "--kid", gen_token_.kid, "TEXT", "Names the key in the token's header");
    add_text(verb, "--aud", gen_token_.audience, "TEXT", "Audience; default: auth.token_audience");
    add_text(verb, "--iss", gen_token_.issuer, "TEXT", "Issuer; default: auth.token_issuer");
    add_config(verb, gen_token_.sources);
  }

  void add_check_token() {
    CLI::App& verb = *root_.add_subcommand("check-token", "Says what is in a token, and what is wrong with it");
    verb.footer(
        "The keys are those of --key-file and --public-keys-file, else of the configuration. Without a key the token "
        "is\n"
        "printed, and not believed.\n"
        "\n"
        "Examples:\n"
        "  wirebird check-token --config wirebird.toml \"$WIREBIRD_TOKEN\"\n"
        "  wirebird check-token --public-keys-file public.pem -          the token comes from the standard input\n"
        "\n"
        "Exit code: 0 the token is good now; 1 it is not.");
    check_token_.token = variable(environment_, "WIREBIRD_TOKEN");
    verb.add_option("token", check_token_.token, wrapped("The token (-: standard input); default: $WIREBIRD_TOKEN"))
        ->option_text(" ");
    add_text(verb, "--key-file", check_token_.key_file, "FILE", "File with secret keys, one per line");
    add_text(verb, "--public-keys-file", check_token_.public_keys_file, "FILE", "File with public keys in PEM");
    add_config(verb, check_token_.sources);
  }

  void add_check_config() {
    CLI::App& verb = *root_.add_subcommand("check-config", "Says what is wrong with a configuration, without starting");
    verb.footer(
        "Looks at the file and at the environment, as serve does.\n"
        "\n"
        "Example:\n"
        "  wirebird check-config wirebird.toml && kill -HUP $(pidof wirebird)\n"
        "\n"
        "Exit code: 0 all is well (there may be warnings); 1 something is wrong.");
    add_config(verb, check_.sources);
    verb.add_option("file", check_.sources.file, "Configuration file; the same as --config")->option_text(" ");
  }

  void add_default_config() {
    CLI::App& verb = *root_.add_subcommand("default-config", "Prints a configuration file with every key explained");
    verb.footer("Example:\n  wirebird default-config > wirebird.toml");
    add_choice(verb, "--markdown", default_config_.format, DefaultConfigCommand::Format::markdown,
               "Prints the page docs/configuration.md instead");
  }

  void add_import() {
    CLI::App& all = *root_.add_subcommand("import", "Makes a configuration file of another server's");
    all.require_subcommand(1);
    all.footer("Example:\n  wirebird import centrifugo config.json --out wirebird.toml");
    CLI::App& verb = *all.add_subcommand("centrifugo", "Reads a configuration of Centrifugo 5 or 6");
    verb.footer(
        "FILE is JSON, TOML or YAML. Settings of the environment are not looked at. The file that comes out has the\n"
        "secrets of the first one in it; what could not be carried over is listed at its head and on the standard\n"
        "error, with the reason.\n"
        "\n"
        "Examples:\n"
        "  wirebird import centrifugo config.json --out wirebird.toml\n"
        "  wirebird import centrifugo - <config.yaml | less\n"
        "\n"
        "Exit code: 0 everything was carried over; 1 the file cannot be read or written; 3 some was left out.");
    verb.add_option("file", import_.file, wrapped("The configuration to read (-: standard input)"))
        ->required()
        ->option_text(" ");
    add_text(verb, "--out", import_.out, "FILE",
             "Writes to this file, which must not exist yet, and keys to FILE.public-keys.pem");
  }

  Command command() {
    const CLI::App& verb = *root_.get_subcommands().front();
    const std::string& name = verb.get_name();
    if (name == "pub") return pub_command();
    if (name == "sub") return sub_;
    if (name == "demo") return feed_;
    if (name == "bench") return bench_;
    if (name == "gen-token") return gen_token_;
    if (name == "check-token") return check_token_;
    if (name == "check-config") return check_;
    if (name == "default-config") return default_config_;
    if (name == "import") return import_;
    if (name == "version") return VersionCommand{};
    for (const auto& [option, flag] : flags_) {
      if (flag->count() == 0) continue;
      std::vector<std::string> values = flag->results();
      if (!is_list(*option)) values.erase(values.begin(), values.end() - 1);  // said twice: the last one counts
      serve_.sources.flags.push_back({std::string(option->key), std::move(values)});
    }
    return serve_;
  }

  Command pub_command() {
    const CLI::App& verb = *root_.get_subcommand("pub");
    using Source = client::PubOptions::Source;
    if (verb.get_option("--file")->count() > 0) {
      pub_.source = Source::file;
      pub_.message = pub_file_;
    } else if (verb.get_option("message")->count() > 0) {
      pub_.source = Source::argument;
      pub_.message = pub_message_;
    } else {
      pub_.source = Source::lines;
    }
    return pub_;
  }

  // The verb that was chosen, `demo feed` included.
  const CLI::App& chosen() const {
    const CLI::App* verb = &root_;
    while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
    return *verb;
  }

  Farewell refusal(std::string_view what) const {
    const CLI::App& verb = chosen();
    std::string name = "wirebird";
    if (&verb != &root_)
      name += " " + (verb.get_parent() == &root_ ? "" : verb.get_parent()->get_name() + " ") + verb.get_name();
    return {kExitUsage, fmt::format("{}: {}; `{} --help` explains\n", name, what, name)};
  }

  static std::vector<std::string> verbs_of(const CLI::App& parent) {
    std::vector<std::string> names;
    for (const CLI::App* verb : parent.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(verb->get_name());
    return names;
  }

  bool has_verb(const std::string& name) const {
    const auto names = verbs_of(root_);
    return std::ranges::find(names, name) != names.end();
  }

  Farewell unknown_verb(const CLI::App& parent, const std::string& typed) const {
    const std::vector<std::string> words = verbs_of(parent);
    const auto hint = nearest(typed, words);
    return refusal(hint ? fmt::format("there is no verb {}; did you mean {}?", typed, *hint)
                        : fmt::format("there is no verb {}; there are {}", typed, fmt::join(words, ", ")));
  }

  Farewell unknown_words() const {
    const CLI::App& verb = chosen();
    const std::string typed = root_.remaining(true).front();
    if (!typed.starts_with('-') && !verbs_of(verb).empty()) {
      return unknown_verb(verb, typed);
    }
    if (!typed.starts_with('-')) return refusal(fmt::format("\"{}\" is one word too many", typed));
    const std::string flag = typed.substr(0, typed.find('='));
    std::vector<std::string> words;
    for (const CLI::Option* option : verb.get_options()) {
      for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
    }
    const auto hint = nearest(flag, words);
    return refusal(hint ? fmt::format("there is no flag {}; did you mean {}?", flag, *hint)
                        : fmt::format("there is no flag {}", flag));
  }

  const Environment& environment_;
  CLI::App root_{"Real-time push: publish once, everybody who watches the channel sees it, nobody misses a message."};
  bool says_version_ = false;
  ServeCommand serve_;
  std::vector<std::string> unused_;  // CLI11 wants a place for values; they are taken from the options' results
  std::vector<std::pair<const Option*, const CLI::Option*>> flags_;
  CheckConfigCommand check_;
  DefaultConfigCommand default_config_;
  GenTokenCommand gen_token_;
  CheckTokenCommand check_token_;
  ImportCommand import_;
  client::PubOptions pub_;
  std::string pub_message_;
  std::string pub_file_;
  client::SubOptions sub_;
  client::DemoFeedOptions feed_;
  client::BenchOptions bench_;
};

}  // namespace

std::expected<Command, Farewell> parse_command_line(std::span<const std::string> arguments,
                                                    const Environment& environment) {
  return std::make_unique<CommandLine>(environment)->parse(arguments);
}

}  // namespace app
