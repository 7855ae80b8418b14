// What travels: publications, positions, presence, and the events of a client and its subscriptions. C++17. Plain
// values that own what they hold; any thread.
//
// `data` and `info` are bytes: on a JSON connection always one JSON value, on a Protobuf connection whatever was
// published.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wirebird {

// A place in the stream of a channel. Offsets count 1, 2, 3 within an epoch.
struct StreamPosition {
  std::uint64_t offset = 0;
  std::string epoch;
};

struct ClientInfo {
  std::string user;
  std::string client;
  std::string conn_info;  // empty: none
  std::string chan_info;
};

struct Publication {
  std::string data;                // whole, also where the server sent a delta
  std::optional<ClientInfo> info;  // of the publishing client, if it was one
  std::uint64_t offset = 0;        // 0: the channel keeps no history
  std::map<std::string, std::string> tags;
  std::int64_t time_ms = 0;  // since 1970; 0: not told
  std::string channel;       // only if it differs from that of the subscription (a pattern)
  std::string key;           // only in channels of keyed state, with the next two
  bool removed = false;
  std::int64_t score = 0;
  std::uint64_t version = 0;
};

// A condition on the tags of publications: the server sends what fulfils it.
struct TagsFilter {
  std::string op;   // "" for a comparison; "and", "or", "not"
  std::string key;  // of a comparison
  std::string cmp;  // "eq", "neq", "in", "nin", "ex", "nex", "sw", "ew", "ct", "lt", "lte", "gt", "gte"
  std::string val;
  std::vector<std::string> vals;  // of "in" and "nin"
  std::vector<TagsFilter> nodes;  // of "and", "or" and "not"

  static TagsFilter compare(std::string key, std::string cmp, std::string val) {
    TagsFilter filter;
    filter.key = std::move(key);
    filter.cmp = std::move(cmp);
    filter.val = std::move(val);
    return filter;
  }
  static TagsFilter equal(std::string key, std::string val) { return compare(std::move(key), "eq", std::move(val)); }
  static TagsFilter one_of(std::string key, std::vector<std::string> vals) {
    TagsFilter filter = compare(std::move(key), "in", {});
    filter.vals = std::move(vals);
    return filter;
  }
  static TagsFilter exists(std::string key) { return compare(std::move(key), "ex", {}); }
  static TagsFilter all(std::vector<TagsFilter> nodes) { return combine("and", std::move(nodes)); }
  static TagsFilter any(std::vector<TagsFilter> nodes) { return combine("or", std::move(nodes)); }
  static TagsFilter no(TagsFilter node) {
    std::vector<TagsFilter> nodes;
    nodes.push_back(std::move(node));
    return combine("not", std::move(nodes));
  }

 private:
  static TagsFilter combine(std::string op, std::vector<TagsFilter> nodes) {
    TagsFilter filter;
    filter.op = std::move(op);
    filter.nodes = std::move(nodes);
    return filter;
  }
};

// --- results of calls ---

struct PublishResult {};
struct SendResult {};  // handed to the connection; no answer comes
struct RpcResult {
  std::string data;
};
struct PresenceResult {
  std::map<std::string, ClientInfo> clients;  // by client
};
struct PresenceStatsResult {
  std::uint32_t num_clients = 0;
  std::uint32_t num_users = 0;
};
struct HistoryResult {
  std::vector<Publication> publications;
  StreamPosition position;  // of the newest publication of the stream, whatever was asked for
};

struct HistoryOptions {
  std::int32_t limit = 0;  // 0: only the position; below 0: as many as the server gives
  std::optional<StreamPosition> since;
  enum class Order : std::uint8_t { oldest_first, newest_first } order = Order::oldest_first;
};

// --- events of a client ---

enum class ClientState : std::uint8_t { disconnected, connecting, connected };

struct ConnectingEvent {
  std::uint32_t code = 0;  // ConnectingCode
  std::string reason;
};
struct ConnectedEvent {
  std::string client;   // the server's name for this connection
  std::string version;  // of the server
  std::string data;     // what it had to say
};
struct DisconnectedEvent {
  std::uint32_t code = 0;  // DisconnectedCode
  std::string reason;
};
// Sent by the server to this connection outside of channels.
struct MessageEvent {
  std::string data;
};

// --- events of a subscription ---

enum class SubscriptionState : std::uint8_t { unsubscribed, subscribing, subscribed };

struct SubscribingEvent {
  std::uint32_t code = 0;  // SubscribingCode
  std::string reason;
};
struct SubscribedEvent {
  bool recoverable = false;
  bool positioned = false;
  bool was_recovering = false;  // a recovery was asked for,
  bool recovered = false;       // and nothing is missing: what was missed follows as publications
  bool has_recovered_publications = false;
  std::optional<StreamPosition> position;  // if recoverable or positioned
  std::string data;
};
struct UnsubscribedEvent {
  std::uint32_t code = 0;  // UnsubscribedCode
  std::string reason;
};
struct JoinEvent {
  ClientInfo info;
};
struct LeaveEvent {
  ClientInfo info;
};

// --- events of subscriptions that the server made for this connection ---

struct ServerSubscribingEvent {  // the connection is gone; the server will make it again
  std::string channel;
};
struct ServerSubscribedEvent {
  std::string channel;
  SubscribedEvent subscribed;
};
struct ServerUnsubscribedEvent {
  std::string channel;
};
struct ServerPublicationEvent {
  std::string channel;
  Publication publication;
};
struct ServerJoinEvent {
  std::string channel;
  ClientInfo info;
};
struct ServerLeaveEvent {
  std::string channel;
  ClientInfo info;
};

}  // namespace wirebird
