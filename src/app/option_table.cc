#include "app/option_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "app/choices.h"
#include "app/value_text.h"
#include "base/assert.h"

namespace app {
namespace {

using namespace std::chrono_literals;
using server::NamespaceOptions;
using server::Options;

template <auto Member>
Slot in_server(Target target) {
  return &(target.settings.server.*Member);
}
template <auto Member>
Slot in_settings(Target target) {
  return &(target.settings.*Member);
}
template <auto Member>
Slot in_channels(Target target) {
  return &(target.channels.*Member);
}
template <auto Member>
Slot in_permissions(Target target) {
  return &(target.channels.permissions.*Member);
}

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

constexpr Range between(base::Duration lowest, base::Duration highest) {
  return {static_cast<std::uint64_t>(lowest.count()), static_cast<std::uint64_t>(highest.count())};
}

constexpr std::array kSections = {
    Section{"server", "Where the server listens and how it starts and stops."},
    Section{"tls", "Certificates for the listeners that begin with https://."},
    Section{"auth", "Who is let in. Every key must be a long random text: `openssl rand -base64 48` makes one."},
    Section{"api", "The HTTP API of back ends."},
    Section{
        "limits",
        "What one connection, and all together, may use. Every limit has a largest value; none can be switched off."},
    Section{"websocket", "WebSocket connections."},
    Section{"centrifuge", "Clients that speak the Centrifuge protocol."},
    Section{"sse", "Server-sent events."},
    Section{
        "hooks",
        "Your own back end is asked over HTTP what a client may do (docs/hooks.md). What is empty is not asked. Back "
        "ends themselves stand in tables of their own, [hooks.NAME]."},
    Section{"issuers",
            "Who signs tokens with keys that are fetched from a URL, in tables of their own: [issuers.NAME]."},
    Section{"events", "What happens to connections and channels is told to your back end, in batches (docs/hooks.md)."},
    Section{"channels",
            "Channels of the default namespace. The same keys under [namespaces.NAME] are for the channels whose name "
            "begins "
            "with `NAME:`; what is not set there has the default below, not the value set here."},
};

constexpr auto kOptions = std::to_array<Option>({
    // server
    {.key = "server.dev",
     .slot = in_server<&Options::dev>,
     .reload = Reload::restart,
     .help =
         "For trying out and developing: everybody may do everything, the HTTP API and /metrics are on the main "
         "listener. Refuses to listen anywhere but on this machine, and requests for any other host than localhost, "
         "*.localhost, 127.0.0.0/8 and [::1]."},
    {.key = "server.dev_public",
     .slot = in_server<&Options::dev_public>,
     .reload = Reload::restart,
     .help = "Lets dev listen for other machines too, and takes requests for any host. Everybody who reaches the port "
             "may then do everything."},
    {.key = "server.listen",
     .slot = in_settings<&Settings::listen>,
     .reload = Reload::restart,
     .help = "Addresses to listen on: IP:PORT, [IPv6]:PORT or unix:/path, with https:// in front for TLS. "
             "0.0.0.0:8000 is every IPv4 address of the machine, [::]:8000 every address."},
    {.key = "server.admin_listen",
     .slot = in_settings<&Settings::admin_listen>,
     .reload = Reload::restart,
     .help = "Addresses for /metrics and the HTTP API (/api/...), which are not on the main listeners outside dev. "
             "With dev there is no admin listener unless this is set."},
    {.key = "server.data_dir",
     .slot = in_server<&Options::data_dir>,
     .reload = Reload::restart,
     .help = "Directory in which what is published on durable channels is kept. It is made if only its last part is "
             "missing; one server at a time uses it. With dev the channels durable:... are durable. Empty: nothing is "
             "kept on a disk."},
    {.key = "server.workers",
     .slot = in_server<&Options::workers>,
     .reload = Reload::restart,
     .help = "Threads that serve connections. auto: one per processor core.",
     .range = {1, 1024},
     .zero = Zero::automatic},
    {.key = "server.send_batcher",
     .slot = in_server<&Options::send_batcher>,
     .reload = Reload::restart,
     .help = "Hands the sends of a fan-out to the kernel many at a time (io_uring), if the kernel lets this process; "
             "otherwise, and with false, each is a system call of its own."},
    {.key = "server.log_level",
     .slot = in_server<&Options::log_level>,
     .reload = Reload::restart,
     .help =
         "debug, info, warning or error. debug says why a request or connection was refused, at most once a second for "
         "each reason and address prefix."},
    {.key = "server.trusted_proxies",
     .slot = in_server<&Options::trusted_proxies>,
     .reload = Reload::new_connections,
     .help = "Addresses or networks (10.0.0.0/8) of proxies whose Forwarded and X-Forwarded-For headers, and PROXY "
             "protocol, say where a client really is."},
    {.key = "server.proxy_protocol",
     .slot = in_settings<&Settings::proxy_protocol>,
     .reload = Reload::restart,
     .help = "Connections to the main listeners begin with a PROXY protocol v2 header. Believed from trusted_proxies "
             "only."},
    {.key = "server.drain_time_max",
     .slot = in_server<&Options::drain_time_max>,
     .reload = Reload::live,
     .help = "After SIGTERM: how long queues may take to empty before the process ends.",
     .range = between(100ms, 10min)},
    {.key = "server.drain_window",
     .slot = in_server<&Options::drain_window>,
     .reload = Reload::live,
     .help = "After SIGTERM: clients are told to come back at a random moment within this time, so that they do not "
             "all come at once.",
     .range = between(0s, 10min)},

    // tls
    {.key = "tls.certificate_file",
     .slot = in_server<&Options::tls_certificate_file>,
     .reload = Reload::new_connections,
     .help = "Certificate chain in PEM, the server's own certificate first. Read again on reload."},
    {.key = "tls.key_file",
     .slot = in_server<&Options::tls_key_file>,
     .reload = Reload::new_connections,
     .help = "Private key of the certificate in PEM."},
    {.key = "tls.handshake_time_max",
     .slot = in_server<&Options::tls_handshake_time_max>,
     .reload = Reload::new_connections,
     .help = "A TLS handshake that takes longer is cut off.",
     .range = between(100ms, 1min)},
    {.key = "tls.handshakes_per_s_max",
     .slot = in_server<&Options::handshakes_per_s_max>,
     .reload = Reload::live,
     .help = "TLS handshakes per second that one worker begins; more wait their turn or are refused before any "
             "cryptography.",
     .range = {1, 1'000'000}},

    // auth
    {.key = "auth.token_keys",
     .slot = in_server<&Options::token_hs256_keys>,
     .reload = Reload::live,
     .help =
         "Secret keys of tokens (JWT, HMAC), at least 32 characters each: for HS256, from 48 characters for HS384 and "
         "from 64 for HS512 too. The first one signs in gen-token, all of them are "
         "accepted: put a new key first, wait until the old tokens have expired, then take the old key out.",
     .command_line = OnCommandLine::no_flag},
    {.key = "auth.token_keys_file",
     .slot = in_settings<&Settings::token_keys_file>,
     .reload = Reload::live,
     .help =
         "File with token keys, one per line, beside those in token_keys; empty lines and lines that begin with # do "
         "not count. Read again on reload."},
    {.key = "auth.token_public_keys_file",
     .slot = in_settings<&Settings::token_public_keys_file>,
     .reload = Reload::live,
     .help = "File with up to 8 public keys of tokens in PEM (-----BEGIN PUBLIC KEY-----), one after the other: RSA of "
             "2048 "
             "to 8192 bits (RS256, RS384, RS512, PS256, PS384, PS512), ECDSA on P-256, P-384 or P-521 (ES256, ES384, "
             "ES512) "
             "and Ed25519 (EdDSA). Read again on reload."},
    {.key = "auth.token_audience",
     .slot = in_server<&Options::token_audience>,
     .reload = Reload::live,
     .help = "Tokens must name this in their claim aud, alone or in a list. Empty: aud is not looked at."},
    {.key = "auth.token_issuer",
     .slot = in_server<&Options::token_issuer>,
     .reload = Reload::live,
     .help = "Tokens must have exactly this in their claim iss. Empty: iss is not looked at."},
    {.key = "auth.token_user_claim",
     .slot = in_server<&Options::token_user_claim>,
     .reload = Reload::live,
     .help = "The claim of tokens with the id of the user: sub, or another name of letters, digits and _."},
    {.key = "auth.api_keys",
     .slot = in_server<&Options::api_keys>,
     .reload = Reload::live,
     .help = "Keys of back ends (header X-API-Key), at least 16 characters each. Who has one may do everything, on "
             "every door and in the HTTP API.",
     .command_line = OnCommandLine::no_flag},
    {.key = "auth.api_keys_file",
     .slot = in_settings<&Settings::api_keys_file>,
     .reload = Reload::live,
     .help =
         "File with API keys, one per line, beside those in api_keys; empty lines and lines that begin with # do not "
         "count. Read again on reload."},
    {.key = "auth.allowed_origins",
     .slot = in_server<&Options::allowed_origins>,
     .reload = Reload::new_connections,
     .help = "Web origins whose pages may connect, for example https://app.example.com. Without any, only pages that "
             "come from this server's own host and port. \"*\" is every page of the web."},
    {.key = "auth.token_in_query",
     .slot = in_server<&Options::token_in_query>,
     .reload = Reload::new_connections,
     .help = "Takes ?token= in the URL, where logs of proxies and browsers keep it. Tickets (POST /api/ticket) do "
             "without."},
    {.key = "auth.allow_short_keys",
     .slot = in_server<&Options::allow_short_keys>,
     .reload = Reload::live,
     .help =
         "Takes token keys of fewer than 32 characters, for every HS algorithm, and API keys of fewer than 16: those "
         "of a server that you move from, until they are replaced. Whoever sees one token can find a short key by "
         "trying."},
    {.key = "auth.insecure_clients",
     .slot = in_server<&Options::insecure_clients>,
     .reload = Reload::live,
     .help = "Every client may do everything on every channel, without a token; one that is shown must be good all the "
             "same. For tests and closed networks. The HTTP API asks for its key as ever."},
    {.key = "auth.strict_namespaces",
     .slot = in_server<&Options::strict_namespaces>,
     .reload = Reload::live,
     .help =
         "Refuses channels whose prefix before the first `:` is not a configured namespace. Otherwise they belong to "
         "the default namespace."},
    {.key = "auth.private_channels",
     .slot = in_server<&Options::private_channels>,
     .reload = Reload::live,
     .help = "A channel whose name begins with $ is private: nobody but whose token names it gets in, even where "
             "subscribe is "
             "user or anyone. $chat:1 belongs to the namespace chat then. Otherwise $ is a character like any other."},

    // api
    {.key = "api.public",
     .slot = in_server<&Options::public_api>,
     .reload = Reload::live,
     .help = "The HTTP API is on the main listeners too, for whoever has an API key. /metrics stays where it is."},
    {.key = "api.error_mode",
     .slot = in_server<&Options::api_errors>,
     .reload = Reload::live,
     .help = "How the API refuses: status is the HTTP status, and the body says why; body is 200 with the error in the "
             "body, as libraries of Centrifugo expect. A request with the header X-Centrifugo-Error-Mode: transport is "
             "answered by the status either way."},
    {.key = "api.key_in_query",
     .slot = in_server<&Options::api_key_in_query>,
     .reload = Reload::live,
     .help = "Takes an API key as ?api_key= in the URL, where logs of proxies keep it. The headers X-API-Key and "
             "Authorization: apikey KEY do without."},

    // limits
    {.key = "limits.message_bytes_max",
     .slot = in_server<&Options::message_bytes_max>,
     .reload = Reload::new_connections,
     .help = "Largest message, after decompression.",
     .range = {1, 64 * kMiB},
     .unit = Unit::bytes},
    {.key = "limits.fragments_max",
     .slot = in_server<&Options::fragments_max>,
     .reload = Reload::new_connections,
     .help = "Most fragments of one WebSocket message.",
     .range = {1, 10'000}},
    {.key = "limits.message_time_max",
     .slot = in_server<&Options::message_time_max>,
     .reload = Reload::new_connections,
     .help = "Longest time from the first to the last fragment of one WebSocket message.",
     .range = between(100ms, 10min)},
    {.key = "limits.control_frames_per_s_max",
     .slot = in_server<&Options::control_frames_per_s_max>,
     .reload = Reload::new_connections,
     .help = "Most pings and other control frames per second from one connection.",
     .range = {1, 10'000}},
    {.key = "limits.channels_per_peer_max",
     .slot = in_server<&Options::channels_per_peer_max>,
     .reload = Reload::new_connections,
     .help = "Most channels that one connection subscribes to.",
     .range = {1, 10'000}},
    {.key = "limits.queue_bytes_max",
     .slot = in_server<&Options::queue_bytes_max>,
     .reload = Reload::new_connections,
     .help = "Most bytes that wait for one slow reader; channels.slow_reader says what happens then.",
     .range = {16 * kKiB, kGiB},
     .unit = Unit::bytes},
    {.key = "limits.queue_messages_max",
     .slot = in_server<&Options::queue_messages_max>,
     .reload = Reload::new_connections,
     .help = "Most messages that wait for one slow reader.",
     .range = {1, 10'000'000}},
    {.key = "limits.queue_age_max",
     .slot = in_server<&Options::queue_age_max>,
     .reload = Reload::new_connections,
     .help = "A reader that takes nothing at all for so long is disconnected.",
     .range = between(100ms, 10min)},
    {.key = "limits.request_time_max",
     .slot = in_server<&Options::request_time_max>,
     .reload = Reload::new_connections,
     .help = "Longest time for the head and body of one HTTP request to arrive.",
     .range = between(100ms, 10min)},
    {.key = "limits.keep_alive_time_max",
     .slot = in_server<&Options::keep_alive_time_max>,
     .reload = Reload::new_connections,
     .help = "Longest pause between two requests on one HTTP connection.",
     .range = between(100ms, 1h)},
    {.key = "limits.connections_max",
     .slot = in_server<&Options::connections_max>,
     .reload = Reload::live,
     .help = "Most connections at a time. The process needs about as many file descriptors (ulimit -n).",
     .range = {1, 10'000'000}},
    {.key = "limits.connections_per_address_max",
     .slot = in_server<&Options::connections_per_address_max>,
     .reload = Reload::live,
     .help = "Most connections at a time from one address. auto: as connections_max, for many people may share one "
             "address.",
     .range = {1, 10'000'000},
     .zero = Zero::automatic},
    {.key = "limits.memory_bytes_max",
     .slot = in_server<&Options::memory_bytes_max>,
     .reload = Reload::live,
     .help = "Memory of the process at which new work is refused. auto: 75 % of what the container or machine has.",
     .range = {64 * kMiB, 64 * kTiB},
     .unit = Unit::bytes,
     .zero = Zero::automatic},
    {.key = "limits.history_bytes_total_max",
     .slot = in_server<&Options::history_bytes_total_max>,
     .reload = Reload::live,
     .help = "Memory for the history of all channels together. auto: a quarter of memory_bytes_max.",
     .range = {kMiB, 64 * kTiB},
     .unit = Unit::bytes,
     .zero = Zero::automatic},
    {.key = "limits.map_bytes_total_max",
     .slot = in_server<&Options::map_bytes_total_max>,
     .reload = Reload::live,
     .help = "Memory for the keys and values of all maps together. auto: a quarter of memory_bytes_max.",
     .range = {kMiB, 64 * kTiB},
     .unit = Unit::bytes,
     .zero = Zero::automatic},
    {.key = "limits.channel_idle",
     .slot = in_server<&Options::channel_idle>,
     .reload = Reload::live,
     .help = "A channel without subscribers and history is put away after this time; its position is kept.",
     .range = between(1s, 24h)},
    {.key = "limits.history_meta_ttl",
     .slot = in_server<&Options::history_meta_ttl>,
     .reload = Reload::live,
     .help = "How long the position of a channel that was put away is kept. A client that comes back later is told of "
             "a gap.",
     .range = between(1s, 24h * 365)},
    {.key = "limits.channels_max",
     .slot = in_server<&Options::channels_max>,
     .reload = Reload::live,
     .help = "Most channels at a time, those that were put away not counted.",
     .range = {1, 100'000'000}},
    {.key = "limits.tombstones_max",
     .slot = in_server<&Options::tombstones_max>,
     .reload = Reload::live,
     .help = "Most positions of channels that were put away (some 90 bytes each); the oldest go first.",
     .range = {1, 100'000'000}},
    {.key = "limits.new_channels_per_s_max",
     .slot = in_server<&Options::new_channels_per_s_max>,
     .reload = Reload::live,
     .help = "New channels per second that one address makes by subscribing.",
     .range = {1, 1'000'000}},
    {.key = "limits.publishes_per_s_max",
     .slot = in_server<&Options::publishes_per_s_max>,
     .reload = Reload::live,
     .help =
         "Messages per second that one Centrifuge client publishes. Of this limit and the four below a second's worth "
         "may come at once; what is more is refused with the error 111, which clients take as try again later.",
     .range = {1, 1'000'000}},
    {.key = "limits.subscribes_per_s_max",
     .slot = in_server<&Options::subscribes_per_s_max>,
     .reload = Reload::live,
     .help = "Subscriptions per second that one Centrifuge client begins. As many as channels_per_peer_max may come at "
             "once, for a client that comes back begins all of them.",
     .range = {1, 1'000'000}},
    {.key = "limits.history_reads_per_s_max",
     .slot = in_server<&Options::history_reads_per_s_max>,
     .reload = Reload::live,
     .help = "Times per second that one Centrifuge client reads a history.",
     .range = {1, 1'000'000}},
    {.key = "limits.presence_reads_per_s_max",
     .slot = in_server<&Options::presence_reads_per_s_max>,
     .reload = Reload::live,
     .help = "Times per second that one Centrifuge client asks who is there.",
     .range = {1, 1'000'000}},
    {.key = "limits.rpcs_per_s_max",
     .slot = in_server<&Options::rpcs_per_s_max>,
     .reload = Reload::live,
     .help = "Calls (RPC) per second that one Centrifuge client makes.",
     .range = {1, 1'000'000}},

    // websocket
    {.key = "websocket.ping_interval",
     .slot = in_server<&Options::ping_interval>,
     .reload = Reload::new_connections,
     .help = "Time between pings to a silent client, give or take a fifth. One that is silent for two of them is dead.",
     .range = between(1s, 1h)},
    {.key = "websocket.deflate",
     .slot = in_server<&Options::deflate>,
     .reload = Reload::new_connections,
     .help = "Offers compression (permessage-deflate) to clients that ask for it."},
    {.key = "websocket.deflate_context_takeover",
     .slot = in_server<&Options::deflate_context_takeover>,
     .reload = Reload::new_connections,
     .help = "Keeps the compression window between messages: smaller small messages, for about 80 KiB of memory per "
             "connection. Messages of such a connection are compressed for it alone."},
    {.key = "websocket.deflate_context_bytes_max",
     .slot = in_server<&Options::deflate_context_bytes_max>,
     .reload = Reload::new_connections,
     .help = "Memory for the windows of all connections together. When it is used up, new connections compress each "
             "message alone.",
     .range = {0, kTiB},
     .unit = Unit::bytes},

    {.key = "websocket.echo",
     .slot = in_server<&Options::echo>,
     .reload = Reload::live,
     .help =
         "Answers on /echo: sends every WebSocket message back to whoever sends it, without asking for a credential. "
         "For trying out a way through proxies. With dev it is always there."},

    // centrifuge
    {.key = "centrifuge.anonymous_without_token",
     .slot = in_server<&Options::anonymous_without_token>,
     .reload = Reload::new_connections,
     .help = "Lets clients in that have no token; they may do what anyone may. With dev true unless it is set."},
    {.key = "centrifuge.personal_channel",
     .slot = in_server<&Options::personal_channel>,
     .reload = Reload::new_connections,
     .help = "Subscribes every connection of a user to the user's own channel: #ann for the user ann."},
    {.key = "centrifuge.personal_channel_namespace",
     .slot = in_server<&Options::personal_channel_namespace>,
     .reload = Reload::new_connections,
     .help = "The namespace of that channel: with notes it is notes:#ann. Empty: the default one."},
    {.key = "centrifuge.personal_channel_single_connection",
     .slot = in_server<&Options::personal_channel_single_connection>,
     .reload = Reload::new_connections,
     .help = "A user's newest connection closes the older ones that are subscribed to that channel."},

    // sse
    {.key = "sse.heartbeat_interval",
     .slot = in_server<&Options::sse_heartbeat_interval>,
     .reload = Reload::new_connections,
     .help = "Time between comments that keep a silent event stream open through proxies.",
     .range = between(1s, 1h)},

    // hooks
    {.key = "hooks.connect_hook",
     .slot = in_server<&Options::connect_hook>,
     .reload = Reload::live,
     .help = "Name of the hook that says who a client without a token is."},
    {.key = "hooks.refresh_hook",
     .slot = in_server<&Options::refresh_hook>,
     .reload = Reload::live,
     .help = "Name of the hook that is asked whether a connection whose time is over may stay."},
    {.key = "hooks.rpc_hook",
     .slot = in_server<&Options::rpc_hook>,
     .reload = Reload::live,
     .help = "Name of the hook that answers the calls of clients."},
    {.key = "hooks.allow_private_addresses",
     .slot = in_server<&Options::hooks_allow_private_addresses>,
     .reload = Reload::live,
     .help = "URLs of this configuration (hooks, issuers, events) may lead to this machine and to private networks, "
             "where back ends usually are. Addresses of a cloud's metadata, link-local ones and this server itself are "
             "never reached. false: public addresses only, on the ports 80, 443, 8080 and 8443."},

    // issuers
    {.key = "issuers.keys_age_max",
     .slot = in_server<&Options::issuer_keys_age_max>,
     .reload = Reload::live,
     .help = "Keys older than this are fetched again. While that fails the old ones stay. A token that names a key "
             "nobody has seen makes them be fetched at once, but not more often than every 10 s.",
     .range = between(1min, 24h)},

    // events
    {.key = "events.url",
     .slot = in_server<&Options::events_url>,
     .reload = Reload::live,
     .help = "Where events are posted. Empty: nowhere."},
    {.key = "events.types",
     .slot = in_server<&Options::events_types>,
     .reload = Reload::live,
     .help = "Which: connected, disconnected, subscribed, unsubscribed, occupied (a channel has its first subscriber), "
             "vacated (its last has gone)."},
    {.key = "events.signing_keys",
     .slot = in_server<&Options::events_signing_keys>,
     .reload = Reload::live,
     .help = "Secrets that batches are signed with (HMAC-SHA256), one signature for each, so that they can be changed "
             "without a pause.",
     .command_line = OnCommandLine::no_flag},
    {.key = "events.headers",
     .slot = in_server<&Options::events_headers>,
     .reload = Reload::live,
     .help = "Headers that every batch carries, \"Name: value\". Kept secret.",
     .command_line = OnCommandLine::no_flag},

    // channels
    {.key = "channels.subscribe",
     .slot = in_permissions<&auth::NamespacePermissions::subscribe>,
     .reload = Reload::live,
     .help =
         "Who may subscribe: nobody, token (whose token names the channel), user (and whoever else has a token with "
         "a subject), or anyone."},
    {.key = "channels.publish",
     .slot = in_permissions<&auth::NamespacePermissions::publish>,
     .reload = Reload::live,
     .help = "Who may publish: nobody, token, user or anyone. API keys always may."},
    {.key = "channels.remove",
     .slot = in_permissions<&auth::NamespacePermissions::remove>,
     .reload = Reload::live,
     .help = "Who may remove keys of a map: nobody, token (whose token names the channel to publish), user or anyone."},
    {.key = "channels.read_history",
     .slot = in_permissions<&auth::NamespacePermissions::history>,
     .reload = Reload::live,
     .help =
         "Who may read the history: as_subscribe (whoever is subscribed or may subscribe), or one of the above. What "
         "is replayed to a subscriber goes with subscribing."},
    {.key = "channels.read_presence",
     .slot = in_permissions<&auth::NamespacePermissions::presence>,
     .reload = Reload::live,
     .help = "Who may ask who is there: as_subscribe, or one of the above."},
    {.key = "channels.publish_for_subscriber",
     .slot = in_permissions<&auth::NamespacePermissions::publish_for_subscriber>,
     .reload = Reload::live,
     .help = "Who is subscribed may publish, whatever publish says."},
    {.key = "channels.remove_for_subscriber",
     .slot = in_permissions<&auth::NamespacePermissions::remove_for_subscriber>,
     .reload = Reload::live,
     .help = "Who is subscribed may remove keys of a map, whatever remove says."},
    {.key = "channels.read_history_for_subscriber",
     .slot = in_permissions<&auth::NamespacePermissions::history_for_subscriber>,
     .reload = Reload::live,
     .help = "Who is subscribed may read the history, whatever read_history says."},
    {.key = "channels.read_presence_for_subscriber",
     .slot = in_permissions<&auth::NamespacePermissions::presence_for_subscriber>,
     .reload = Reload::live,
     .help = "Who is subscribed may ask who is there, whatever read_presence says."},
    {.key = "channels.user_limited_channels",
     .slot = in_permissions<&auth::NamespacePermissions::user_limited_channels>,
     .reload = Reload::live,
     .help =
         "A channel with a # belongs to the users behind the last one: dialog#ann,bob may be subscribed to by ann and "
         "bob, whatever subscribe says, and by nobody else who has no token that names it."},
    {.key = "channels.channel_pattern",
     .slot = in_channels<&NamespaceOptions::channel_pattern>,
     .reload = Reload::live,
     .help =
         "Names that the channels may have, without the prefix of the namespace; others are refused to everybody. * "
         "is any text, [a-z0-9] one of these characters, [^/] any but these, [0-9]+ one or more of them, [a-z]{2,8} "
         "two to eight; everything else stands for itself. Empty: any name."},
    {.key = "channels.payload_format",
     .slot = in_channels<&NamespaceOptions::payload_format>,
     .reload = Reload::live,
     .help = "What may be published: any, json, json_object (JSON whose value is an object) or binary. Other payloads "
             "are refused to everybody."},
    {.key = "channels.history_messages_max",
     .slot = in_channels<&NamespaceOptions::history_messages_max>,
     .reload = Reload::live,
     .help = "Most messages kept per channel for those who come back. 0 keeps none.",
     .range = {0, 10'000'000}},
    {.key = "channels.history_bytes_max",
     .slot = in_channels<&NamespaceOptions::history_bytes_max>,
     .reload = Reload::live,
     .help = "Most bytes of messages kept per channel. The newest message is kept whatever its size.",
     .range = {kKiB, kGiB},
     .unit = Unit::bytes},
    {.key = "channels.history_age_max",
     .slot = in_channels<&NamespaceOptions::history_age_max>,
     .reload = Reload::live,
     .help = "How long a message is kept.",
     .range = between(1s, 24h * 365)},
    {.key = "channels.durable",
     .slot = in_channels<&NamespaceOptions::durable>,
     .reload = Reload::restart,
     .help = "What is published is kept in server.data_dir: it is answered and delivered when it is on stable storage, "
             "and survives crashes and power cuts. The retention_... keys say for how long; the history_... keys what "
             "of it is in memory too."},
    {.key = "channels.retention_messages_max",
     .slot = in_channels<&NamespaceOptions::retention_messages_max>,
     .reload = Reload::live,
     .help = "Of durable channels: most messages kept on disk per channel.",
     .range = {1, 1'000'000'000}},
    {.key = "channels.retention_bytes_max",
     .slot = in_channels<&NamespaceOptions::retention_bytes_max>,
     .reload = Reload::live,
     .help = "Of durable channels: most bytes kept on disk per channel. The newest message is kept whatever its size.",
     .range = {kKiB, 16 * kTiB},
     .unit = Unit::bytes},
    {.key = "channels.retention_age_max",
     .slot = in_channels<&NamespaceOptions::retention_age_max>,
     .reload = Reload::live,
     .help = "Of durable channels: how long a message is kept on disk.",
     .range = between(1s, 24h * 365 * 10)},
    {.key = "channels.max_delay",
     .slot = in_channels<&NamespaceOptions::max_delay>,
     .reload = Reload::live,
     .help =
         "How long a message may wait for others of its channel, so that all leave in one write per subscriber: far "
         "less CPU where many come per second, that much later where few do. 0s: none waits.",
     .range = between(0s, 1s)},
    {.key = "channels.slow_reader",
     .slot = in_channels<&NamespaceOptions::slow_reader>,
     .reload = Reload::live,
     .help =
         "What happens when a subscriber reads too slowly. close: it is disconnected once its queue is full, and can "
         "resume where it was. drop: what does not fit its queue is left out and announced as a gap once half of the "
         "queue is free. conflate: while nothing can be written to it nothing is queued; then it gets a gap and the "
         "newest message. Who cannot be told of a gap (a raw WebSocket), reads nothing for limits.queue_age_max or "
         "stands in the way when memory runs out is disconnected all the same."},
    {.key = "channels.subscription_type",
     .slot = in_channels<&NamespaceOptions::subscription_type>,
     .reload = Reload::live,
     .help =
         "What the channels are. stream: messages, one after the other. map: keys with their values, which subscribers "
         "get first, and then every change; the history_... keys say what is kept of the changes. map_clients and "
         "map_users: maps that the server keeps, of who is subscribed to other channels "
         "(map_clients_presence_prefix)."},
    {.key = "channels.map_mode",
     .slot = in_channels<&NamespaceOptions::map_mode>,
     .reload = Reload::live,
     .help = "Of maps. ephemeral: keys go map_key_ttl after their last change, and who comes back gets the whole map. "
             "recoverable: it gets the changes that it missed. persistent: keys stay until they are removed."},
    {.key = "channels.map_ordered",
     .slot = in_channels<&NamespaceOptions::map_ordered>,
     .reload = Reload::live,
     .help = "The keys of a map come by their scores, the highest first, instead of by their names."},
    {.key = "channels.map_key_ttl",
     .slot = in_channels<&NamespaceOptions::map_key_ttl>,
     .reload = Reload::live,
     .help = "How long a key stays after its last change, unless map_mode is persistent or the server keeps the map.",
     .range = between(1s, 24h * 365)},
    {.key = "channels.map_keys_max",
     .slot = in_channels<&NamespaceOptions::map_keys_max>,
     .reload = Reload::live,
     .help = "Most keys of one map; more are refused with E_MAP_FULL.",
     .range = {1, 10'000'000}},
    {.key = "channels.map_bytes_max",
     .slot = in_channels<&NamespaceOptions::map_bytes_max>,
     .reload = Reload::live,
     .help = "Most bytes of one map, keys, values and what holds them; more are refused with E_MAP_FULL.",
     .range = {kKiB, kGiB},
     .unit = Unit::bytes},
    {.key = "channels.map_page_entries_min",
     .slot = in_channels<&NamespaceOptions::map_page_entries_min>,
     .reload = Reload::live,
     .help = "Fewest entries of one page of a map; clients of the Centrifuge door that ask for fewer get as many.",
     .range = {1, 1000}},
    {.key = "channels.map_page_entries_max",
     .slot = in_channels<&NamespaceOptions::map_page_entries_max>,
     .reload = Reload::live,
     .help = "Most entries of one page of a map, and most changes that come with the answer that makes a subscription "
             "live. Who missed more while it paged begins anew.",
     .range = {1, 1000}},
    {.key = "channels.map_catch_up_max",
     .slot = in_channels<&NamespaceOptions::map_catch_up_max>,
     .reload = Reload::live,
     .help = "How long a client of the Centrifuge door may take from the first page of a map until it is live; then it "
             "is disconnected with 3008.",
     .range = between(100ms, 1h)},
    {.key = "channels.map_client_key",
     .slot = in_channels<&NamespaceOptions::map_client_key>,
     .reload = Reload::live,
     .help =
         "Which key of a map a client changes: any (the one that it names), client_id or user_id (its own, whatever "
         "it names)."},
    {.key = "channels.map_remove_client_on_unsubscribe",
     .slot = in_channels<&NamespaceOptions::map_remove_client_on_unsubscribe>,
     .reload = Reload::live,
     .help = "When a client's subscription to a map ends, the key that is the client's id is removed."},
    {.key = "channels.map_clients_presence_prefix",
     .slot = in_channels<&NamespaceOptions::map_clients_presence_prefix>,
     .reload = Reload::live,
     .help =
         "Who is subscribed to a channel stands in a map, by client id, whose name is this and then the channel's: "
         "clients: makes clients:NAME of it. Its namespace must have subscription_type map_clients. Empty: in none."},
    {.key = "channels.map_users_presence_prefix",
     .slot = in_channels<&NamespaceOptions::map_users_presence_prefix>,
     .reload = Reload::live,
     .help = "The same by user, in a map whose namespace has subscription_type map_users: a user stays for as long as "
             "one of its connections is subscribed."},
    {.key = "channels.presence",
     .slot = in_channels<&NamespaceOptions::presence>,
     .reload = Reload::live,
     .help = "Keeps who is subscribed, for those who ask. With dev true in the default namespace unless it is set."},
    {.key = "channels.join_leave",
     .slot = in_channels<&NamespaceOptions::join_leave>,
     .reload = Reload::live,
     .help = "Tells subscribers that ask for it who comes and goes: many messages where many are subscribed. With dev "
             "true in the default namespace unless it is set."},
    {.key = "channels.force_push_join_leave",
     .slot = in_channels<&NamespaceOptions::force_push_join_leave>,
     .reload = Reload::live,
     .help = "Tells every subscriber who comes and goes."},
    {.key = "channels.allow_positioning",
     .slot = in_channels<&NamespaceOptions::allow_positioning>,
     .reload = Reload::live,
     .help = "A subscriber that asks for it is told where it stands, and told to subscribe again should a message be "
             "lost on the way."},
    {.key = "channels.force_positioning",
     .slot = in_channels<&NamespaceOptions::force_positioning>,
     .reload = Reload::live,
     .help = "The same for every subscriber."},
    {.key = "channels.allow_recovery",
     .slot = in_channels<&NamespaceOptions::allow_recovery>,
     .reload = Reload::live,
     .help = "A subscriber that comes back gets what it missed, if it asks for it."},
    {.key = "channels.force_recovery",
     .slot = in_channels<&NamespaceOptions::force_recovery>,
     .reload = Reload::live,
     .help = "Every subscriber that comes back gets what it missed."},
    {.key = "channels.recovery_mode",
     .slot = in_channels<&NamespaceOptions::recovery_mode>,
     .reload = Reload::live,
     .help = "What that is. stream: every message since its position. cache: the newest message, which is kept for it "
             "when the history has expired."},
    {.key = "channels.auto_cache_recover",
     .slot = in_channels<&NamespaceOptions::auto_cache_recover>,
     .reload = Reload::live,
     .help = "With recovery_mode cache: every subscriber gets the newest message, the first time too."},
    {.key = "channels.allow_delta",
     .slot = in_channels<&NamespaceOptions::allow_delta>,
     .reload = Reload::live,
     .help = "A subscriber that asks for it gets differences between messages (fossil deltas). With dev true unless it "
             "is set."},
    {.key = "channels.delta_publish",
     .slot = in_channels<&NamespaceOptions::delta_publish>,
     .reload = Reload::live,
     .help = "Computes the difference for every message; otherwise for those published with delta."},
    {.key = "channels.allow_tags_filter",
     .slot = in_channels<&NamespaceOptions::allow_tags_filter>,
     .reload = Reload::live,
     .help = "A subscriber may say by their tags which messages it wants. With dev true unless it is set."},
    {.key = "channels.allow_channel_compaction",
     .slot = in_channels<&NamespaceOptions::allow_channel_compaction>,
     .reload = Reload::live,
     .help =
         "What is pushed to JSON clients of the Centrifuge protocol that ask for it carries a number in place of the "
         "channel's name."},
    {.key = "channels.allow_wildcards",
     .slot = in_channels<&NamespaceOptions::allow_wildcards>,
     .reload = Reload::live,
     .help = "Centrifuge clients may subscribe to many channels at once: news.* is every channel with one more part "
             "behind news., news.** with one or more; parts lie between . and :. Only what the client may subscribe to "
             "comes, and of one namespace. There is no history, recovery or presence of it. With "
             "dev true unless it is set."},
    {.key = "channels.exclude_sender",
     .slot = in_channels<&NamespaceOptions::exclude_sender>,
     .reload = Reload::live,
     .help = "What a Centrifuge client publishes does not come back to its own connection. Changes of maps do."},
    {.key = "channels.publish_debounce",
     .slot = in_channels<&NamespaceOptions::publish_debounce>,
     .reload = Reload::live,
     .help = "Told to Centrifuge clients: what they publish waits so long for something newer, which replaces it. The "
             "client does that. 0s: they publish everything.",
     .range = between(0s, 1min)},
    {.key = "channels.subscribe_hook",
     .slot = in_channels<&NamespaceOptions::subscribe_hook>,
     .reload = Reload::live,
     .help =
         "Name of the hook ([hooks.NAME]) that says who may subscribe, in place of subscribe. Empty: nobody is asked."},
    {.key = "channels.publish_hook",
     .slot = in_channels<&NamespaceOptions::publish_hook>,
     .reload = Reload::live,
     .help = "Name of the hook that says who may publish what, in place of publish."},
    {.key = "channels.sub_refresh_hook",
     .slot = in_channels<&NamespaceOptions::sub_refresh_hook>,
     .reload = Reload::live,
     .help = "Name of the hook that is asked whether a subscription whose time is over may stay."},
    {.key = "channels.cache_empty_hook",
     .slot = in_channels<&NamespaceOptions::cache_empty_hook>,
     .reload = Reload::live,
     .help = "Name of the hook that is told when the newest message of a channel is wanted and there is none."},
});

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

// Runs `visit` with the option's slot of fresh default settings: what type the option has.
template <class Visitor>
auto visit_type(const Option& option, Visitor&& visit) {
  Settings settings;
  server::HookOptions hook;
  server::IssuerOptions issuer;
  return std::visit(visit, option.slot({settings, settings.channels, &hook, &issuer}));
}

// A TOML basic string.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string number_text(const Option& option, std::uint64_t number) {
  return option.unit == Unit::bytes ? format_size(number) : fmt::format("{}", number);
}

std::expected<void, std::string> assign_number(const Option& option, std::string_view text, auto& value) {
  if (option.zero == Zero::automatic && text == "auto") {
    value = 0;
    return {};
  }
  if (text == "unlimited" || text == "infinite" || text == "none" || text == "-1") {
    return std::unexpected(fmt::format("{} is not offered; the largest value is {}", quoted(text),
                                       number_text(option, option.range.highest)));
  }
  const auto number = option.unit == Unit::bytes ? parse_size(text) : parse_count(text);
  if (!number) return std::unexpected(fmt::format("{} {}", quoted(text), number.error()));
  if (*number < option.range.lowest || *number > option.range.highest) {
    return std::unexpected(
        fmt::format("{} is out of range; take {} to {}{}", text, number_text(option, option.range.lowest),
                    number_text(option, option.range.highest), option.zero == Zero::automatic ? ", or \"auto\"" : ""));
  }
  value = static_cast<std::remove_reference_t<decltype(value)>>(*number);
  return {};
}

std::expected<void, std::string> assign_duration(const Option& option, std::string_view text, base::Duration& value) {
  const auto duration = parse_duration(text);
  if (!duration) return std::unexpected(fmt::format("{} {}", quoted(text), duration.error()));
  const auto lowest = base::Duration{static_cast<base::Duration::rep>(option.range.lowest)};
  const auto highest = base::Duration{static_cast<base::Duration::rep>(option.range.highest)};
  if (*duration < lowest || *duration > highest) {
    return std::unexpected(fmt::format("{} is out of range; take {} to {}", format_duration(*duration),
                                       format_duration(lowest), format_duration(highest)));
  }
  value = *duration;
  return {};
}

template <IsChoice Choice>
std::expected<void, std::string> assign_choice(std::string_view text, Choice& value) {
  const auto found = choice_of<Choice>(text);
  if (!found) return std::unexpected(fmt::format("{} is none of {}", quoted(text), Choices<Choice>::kSentence));
  value = *found;
  return {};
}

std::expected<void, std::string> assign_one(const Option& option, Target target, const std::string& text) {
  return std::visit(Overloaded{
                        [&](bool* value) -> std::expected<void, std::string> {
                          const auto on = parse_switch(text);
                          if (!on) return std::unexpected(fmt::format("{} {}", quoted(text), on.error()));
                          *value = *on;
                          return {};
                        },
                        [&](base::Duration* value) { return assign_duration(option, text, *value); },
                        [&](IsChoice auto* value) { return assign_choice(text, *value); },
                        [&](std::string* value) -> std::expected<void, std::string> {
                          *value = text;
                          return {};
                        },
                        [&](std::vector<std::string>*) -> std::expected<void, std::string> { return {}; },
                        [&](std::vector<base::Secret>*) -> std::expected<void, std::string> { return {}; },
                        [&](auto* number) { return assign_number(option, text, *number); },
                    },
                    option.slot(target));
}

}  // namespace

std::string_view to_string(Reload reload) {
  switch (reload) {
    case Reload::live:
      return "live";
    case Reload::new_connections:
      return "new";
    case Reload::restart:
      break;
  }
  return "restart";
}

std::span<const Section> all_sections() { return kSections; }
std::span<const Option> all_options() { return kOptions; }

const Option* find_option(std::string_view key) {
  const auto found = std::ranges::find(kOptions, key, &Option::key);
  return found == kOptions.end() ? nullptr : &*found;
}

std::string environment_name(const Option& option) {
  std::string name = "WIREBIRD_";
  for (const char c : option.key) {
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string flag_name(const Option& option) {
  std::string name = "--";
  for (const char c : option.section() == "server" ? option.name() : option.key) {
    name += c == '.' || c == '_' ? '-' : c;
  }
  return name;
}

std::string_view type_name(const Option& option) {
  return visit_type(option,
                    Overloaded{
                        [](bool*) -> std::string_view { return "true or false"; },
                        [](base::Duration*) -> std::string_view { return "duration"; },
                        []<IsChoice Choice>(Choice*) -> std::string_view { return Choices<Choice>::kSentence; },
                        [](std::string*) -> std::string_view { return "text"; },
                        [](std::vector<std::string>*) -> std::string_view { return "list of texts"; },
                        [](std::vector<base::Secret>*) -> std::string_view { return "list of secrets"; },
                        [&](auto*) -> std::string_view { return option.unit == Unit::bytes ? "size" : "number"; },
                    });
}

bool is_secret(const Option& option) {
  return visit_type(option, [](auto* value) { return std::is_same_v<decltype(value), std::vector<base::Secret>*>; });
}

bool is_list(const Option& option) {
  return is_secret(option) ||
         visit_type(option, [](auto* value) { return std::is_same_v<decltype(value), std::vector<std::string>*>; });
}

bool is_switch(const Option& option) {
  return visit_type(option, [](auto* value) { return std::is_same_v<decltype(value), bool*>; });
}

std::expected<void, std::string> assign(const Option& option, Target target, std::span<const std::string> texts) {
  const Slot slot = option.slot(target);
  if (auto* const list = std::get_if<std::vector<std::string>*>(&slot)) {
    (*list)->assign(texts.begin(), texts.end());
    return {};
  }
  if (auto* const secrets = std::get_if<std::vector<base::Secret>*>(&slot)) {
    (*secrets)->clear();
    for (const std::string& text : texts) (*secrets)->emplace_back(text);
    return {};
  }
  if (texts.size() != 1) return std::unexpected("takes one value");
  return assign_one(option, target, texts.front());
}

std::string toml_value(const Option& option, Target target) {
  return std::visit(Overloaded{
                        [](bool* value) -> std::string { return *value ? "true" : "false"; },
                        [](base::Duration* value) { return quoted(format_duration(*value)); },
                        [](IsChoice auto* value) { return quoted(text_of(*value)); },
                        [](std::string* value) { return quoted(*value); },
                        [](std::vector<std::string>* value) {
                          std::string list;
                          for (const std::string& text : *value) list += (list.empty() ? "" : ", ") + quoted(text);
                          return "[" + list + "]";
                        },
                        [](std::vector<base::Secret>*) -> std::string { return "[]"; },
                        [&](auto* number) -> std::string {
                          if (option.zero == Zero::automatic && *number == 0) return quoted("auto");
                          return option.unit == Unit::bytes ? quoted(format_size(*number)) : fmt::format("{}", *number);
                        },
                    },
                    option.slot(target));
}

bool same_value(const Option& option, Target a, Target b) {
  return std::visit(
      [&](auto* left) {
        const Slot right = option.slot(b);
        return *left == *std::get<decltype(left)>(right);
      },
      option.slot(a));
}

void copy_value(const Option& option, Target to, Target from) {
  std::visit(
      [&](auto* value) {
        const Slot source = option.slot(from);
        *value = *std::get<decltype(value)>(source);
      },
      option.slot(to));
}

}  // namespace app
