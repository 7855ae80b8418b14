// The server's API as values: one struct per method, as its body says it (docs/protocol.md, Server API; the methods and
// their fields are those of the Centrifugo server API, and some of ours). Values; who is told what stands in answers.h.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/refusal.h"
#include "base/time.h"
#include "door/content.h"
#include "hub/limits.h"
#include "hub/mail.h"
#include "hub/since.h"
#include "hub/tags.h"
#include "hub/window.h"

namespace door::server_api {

// What a publish says beside its channel.
struct Publication {
  Content content;
  hub::Tags tags;
  std::optional<std::string> idempotency_key;
  bool skip_history = false;
  bool delta = false;
  bool durable = false;       // refused on a channel that is not
  std::uint64_t version = 0;  // 0: none
  std::string version_epoch;
};

struct Publish {
  std::string channel;
  Publication publication;
};

struct Broadcast {
  std::vector<std::string> channels;  // 1 to kBroadcastChannelsMax, each once
  Publication publication;
};

// Which connections of a user: all, or those of one client id or session. An empty user is nobody's name: then `client`
// or `session` must be given.
struct Target {
  std::string user;
  std::string client;
  std::string session;
};

struct Subscribe {
  Target target;
  std::string channel;
  std::string info;           // JSON; what other subscribers are told of this one; empty: nothing
  std::string data;           // JSON; goes to the client with its subscription; empty: nothing
  base::WallTime expires{0};  // 0: never
  std::optional<hub::Position> recover_since;
  // Of the namespace's options, for this subscription; absent: as the namespace says.
  std::optional<bool> presence, join_leave, force_recovery, force_positioning, force_push_join_leave;
};

struct Unsubscribe {
  Target target;
  std::string channel;
};

struct Disconnect {
  Target target;
  std::uint16_t code = 3503;
  std::string reason;                  // ASCII; empty: that of the code
  std::vector<std::string> whitelist;  // client ids that stay
};

struct Refresh {
  Target target;
  enum class Verdict : std::uint8_t { go_on, expired } verdict = Verdict::go_on;
  base::WallTime expires{0};  // 0: never
  std::string info;           // JSON; empty: as it was
};

struct Presence {
  std::string channel;
  std::uint32_t limit = 0;  // 0: all in one piece
  std::string cursor;       // of the answer before
};

struct PresenceStats {
  std::string channel;
};

struct History {
  std::string channel;
  // Answered with `messages` from there on, at most `limit`; nullopt if the request uses what only the original has.
  std::optional<hub::Since> since;
  std::uint32_t limit = 100;
  // Answered with `publications`. With `since` and a window of no messages these are the `messages`.
  hub::Window window;
};

struct HistoryRemove {
  std::string channel;
};

struct Channels {
  std::string prefix;
  std::string pattern;                 // a glob (hub/glob.h); empty: all
  std::optional<std::uint32_t> limit;  // absent: our list has 100, the original's answer all
  std::string cursor;                  // channels behind this one
};

struct MapPublish {
  std::string channel;
  std::string key;
  Publication publication;             // without skip_history
  std::optional<Content> stream_data;  // subscribers get this; absent: the same as the state keeps
  std::int64_t score = 0;
  hub::MapChange::When when = hub::MapChange::When::always;
  std::optional<hub::Position> expected;  // of the last change of the key
};

struct MapRemove {
  std::string channel;
  std::string key;
  std::optional<std::string> idempotency_key;
  hub::Tags tags;  // of the removal; empty: those of the key
  std::optional<hub::Position> expected;
};

struct MapReadState {
  std::string channel;
  std::string cursor;
  std::uint32_t limit = 100;  // 0: only where the channel stands
  std::string key;            // not empty: that one alone
  hub::ReadState::Order order = hub::ReadState::Order::usual;
  std::optional<hub::Epoch> epoch;  // of the pages before
};

struct MapReadStream {
  std::string channel;
  hub::Window window;
};

struct MapStats {
  std::string channel;
};

struct MapClear {
  std::string channel;
};

struct Info {};

struct Rpc {
  std::string method;
  std::string params;  // JSON
};

struct Connections {
  std::string user;  // empty: of everybody
  std::uint32_t limit = 100;
  std::string cursor;
};

struct BlockUser {
  std::string user;
  base::WallTime expires{0};  // 0: never
};

struct UnblockUser {
  std::string user;
};

struct RevokeToken {
  std::string token_id;
  base::WallTime expires{0};  // when the token would; 0: not known
};

struct InvalidateUserTokens {
  std::string user;
  base::WallTime issued_before{0};  // 0: now
  base::WallTime expires{0};        // when the last of them would; 0: not known
};

// A method that the original has and this server does not do: answered with "not available".
struct NotServed {};

using Command = std::variant<Publish, Broadcast, Subscribe, Unsubscribe, Disconnect, Refresh, Presence, PresenceStats,
                             History, HistoryRemove, Channels, Info, Rpc, Connections, BlockUser, UnblockUser,
                             RevokeToken, InvalidateUserTokens, MapPublish, MapRemove, MapReadState, MapReadStream,
                             MapStats, MapClear, NotServed>;

// One command as it was asked for. A name is a constant of the method table.
struct Asked {
  std::string_view name;
  std::uint32_t id = 0;  // legacy: comes back with the reply
  std::expected<Command, base::Refusal> command;
};

struct Request {
  enum class Form : std::uint8_t {
    single,  // POST /api/METHOD
    batch,   // POST /api/batch: {"commands":[{"METHOD":{...}}],"parallel"?}
    legacy,  // POST /api: {"method","params"}, one or more, each on a line of its own
  };
  Form form = Form::single;
  enum class Order : std::uint8_t { one_by_one, parallel } order = Order::one_by_one;
  std::vector<Asked> commands;  // single: one
};

inline constexpr std::uint32_t kBroadcastChannelsMax = 1000;
inline constexpr std::uint32_t kBatchCommandsMax = 1000;
// Of all commands of a batch, each channel of a broadcast counted: ten seconds' worth of a busy publisher.
inline constexpr std::uint32_t kBatchPublishesMax = 10'000;
inline constexpr std::uint32_t kHistoryLimitMax = 10'000;
inline constexpr std::uint32_t kPageLimitMax = 1000;  // of lists
inline constexpr std::uint32_t kMapLimitMax = 1'000'000;
inline constexpr std::size_t kNameBytesMax = 255;  // of users, clients, sessions, methods, token ids
inline constexpr std::size_t kWhitelistMax = 1000;
inline constexpr std::size_t kInfoBytesMax = 16 * 1024;  // of `info`; `data` as well

}  // namespace door::server_api
