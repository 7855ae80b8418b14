// The messages of the Centrifuge client protocol v2 as values: what a frame says, in whichever of the two formats it
// came or goes. Names and field names are the protocol's own; what number and name a field has on the wire stands in
// schema.h.
//
// A zero value means "not there", as in the protocol itself. Nothing here owns bytes. Views in a decoded message point
// into the frame or into the reader that decoded it, and live as long as both; views in a message to encode are the
// caller's. Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hub/message.h"

namespace door::centrifuge {

// A `bytes` field. In a JSON frame it is a JSON value in its place, in a Protobuf frame these bytes.
//
// Decoded from JSON: valid JSON without raw line ends, at most codec::kJsonDepthMax deep, `null` kept as a value.
// Decoded from Protobuf: binary, which promises nothing; the door finds out what it is.
// To encode: json must be valid and without raw line ends, as ingest leaves it. JSON frames carry text as a JSON string
// and binary as {"base64":"..."}; Protobuf frames carry the bytes alone, whatever the kind.
struct Payload {
  std::string_view bytes;
  hub::Kind kind = hub::Kind::json;

  // Empty JSON is no value; an empty text is one.
  bool absent() const { return bytes.empty() && kind == hub::Kind::json; }
  friend bool operator==(const Payload&, const Payload&) = default;
};

// In decoded messages sorted by key, every key once.
template <typename Value>
using Map = std::vector<std::pair<std::string_view, Value>>;

// --- parts of commands and replies ---

struct ClientInfo {
  std::string_view user;
  std::string_view client;
  Payload conn_info;
  Payload chan_info;
  friend bool operator==(const ClientInfo&, const ClientInfo&) = default;
};

struct Publication {
  Payload data;
  std::optional<ClientInfo> info;
  std::uint64_t offset = 0;
  Map<std::string_view> tags;
  bool delta = false;
  std::int64_t time = 0;     // Unix, ms
  std::string_view channel;  // only for subscriptions to patterns
  std::string_view key;
  bool removed = false;
  std::int64_t score = 0;
  std::string_view epoch;
  Payload prev_data;
  std::uint64_t version = 0;
  friend bool operator==(const Publication&, const Publication&) = default;
};

struct FilterNode {
  std::string_view op;  // "" for a leaf, and, or, not
  std::string_view key;
  std::string_view cmp;
  std::string_view val;
  std::vector<std::string_view> vals;
  std::vector<FilterNode> nodes;
  friend bool operator==(const FilterNode&, const FilterNode&) = default;
};

struct KeyedItem {
  std::string_view key;
  std::uint64_t version = 0;
  friend bool operator==(const KeyedItem&, const KeyedItem&) = default;
};

struct TrackBatch {
  std::string_view signature;
  std::vector<KeyedItem> items;
  friend bool operator==(const TrackBatch&, const TrackBatch&) = default;
};

struct StreamPosition {
  std::uint64_t offset = 0;
  std::string_view epoch;
  friend bool operator==(const StreamPosition&, const StreamPosition&) = default;
};

struct Dictionary {
  std::string_view id;
  Payload data;
  std::string_view data_b64;
  friend bool operator==(const Dictionary&, const Dictionary&) = default;
};

// --- requests ---

struct SubscribeRequest {
  std::string_view channel;
  std::string_view token;
  bool recover = false;
  std::string_view epoch;
  std::uint64_t offset = 0;
  Payload data;
  bool positioned = false;
  bool recoverable = false;
  bool join_leave = false;
  std::string_view delta;
  std::optional<FilterNode> tf;
  std::int64_t flag = 0;   // SubscribeFlag
  std::int32_t type = 0;   // SubscriptionType
  std::int32_t phase = 0;  // SubscriptionPhase
  std::string_view cursor;
  std::int32_t limit = 0;
  bool asc = false;
  friend bool operator==(const SubscribeRequest&, const SubscribeRequest&) = default;
};

// Values of the fields above. A peer may send others; they are not in these enums.
enum class SubscribeFlag : std::int64_t { channel_compaction = 1, reject_unrecovered = 2 };
enum class SubscriptionType : std::int32_t { stream = 0, map = 1, map_clients = 2, map_users = 3, shared_poll = 4 };
enum class SubscriptionPhase : std::int32_t { live = 0, stream = 1, state = 2 };

struct ConnectRequest {
  std::string_view token;
  Payload data;
  Map<SubscribeRequest> subs;
  std::string_view name;
  std::string_view version;
  Map<std::string_view> headers;
  std::int64_t flag = 0;
  std::string_view dict;
  std::string_view profile;
  friend bool operator==(const ConnectRequest&, const ConnectRequest&) = default;
};

struct UnsubscribeRequest {
  std::string_view channel;
  friend bool operator==(const UnsubscribeRequest&, const UnsubscribeRequest&) = default;
};

struct PublishRequest {
  std::string_view channel;
  Payload data;
  std::int32_t type = 0;  // SubscriptionType: stream or map
  std::string_view key;
  bool removed = false;
  friend bool operator==(const PublishRequest&, const PublishRequest&) = default;
};

struct PresenceRequest {
  std::string_view channel;
  friend bool operator==(const PresenceRequest&, const PresenceRequest&) = default;
};

struct PresenceStatsRequest {
  std::string_view channel;
  friend bool operator==(const PresenceStatsRequest&, const PresenceStatsRequest&) = default;
};

struct HistoryRequest {
  std::string_view channel;
  std::int32_t limit = 0;
  std::optional<StreamPosition> since;
  bool reverse = false;
  friend bool operator==(const HistoryRequest&, const HistoryRequest&) = default;
};

struct PingRequest {
  friend bool operator==(const PingRequest&, const PingRequest&) = default;
};

struct SendRequest {
  Payload data;
  friend bool operator==(const SendRequest&, const SendRequest&) = default;
};

struct RpcRequest {
  Payload data;
  std::string_view method;
  friend bool operator==(const RpcRequest&, const RpcRequest&) = default;
};

struct RefreshRequest {
  std::string_view token;
  friend bool operator==(const RefreshRequest&, const RefreshRequest&) = default;
};

struct SubRefreshRequest {
  std::string_view channel;
  std::string_view token;
  std::int32_t type = 0;  // SubRefreshType
  std::vector<TrackBatch> track;
  std::vector<std::string_view> untrack;
  friend bool operator==(const SubRefreshRequest&, const SubRefreshRequest&) = default;
};

enum class SubRefreshType : std::int32_t { refresh = 0, track = 1, untrack = 2 };

// In the order of their numbers in a command.
using Request = std::variant<std::monostate, ConnectRequest, SubscribeRequest, UnsubscribeRequest, PublishRequest,
                             PresenceRequest, PresenceStatsRequest, HistoryRequest, PingRequest, SendRequest,
                             RpcRequest, RefreshRequest, SubRefreshRequest>;

struct Command {
  std::uint32_t id = 0;
  Request request;

  // The empty command answers a ping.
  bool is_pong() const { return id == 0 && request.index() == 0; }
  friend bool operator==(const Command&, const Command&) = default;
};

// The body of POST /emulation: `data` holds the commands of one frame, in the format of the connection.
struct EmulationRequest {
  std::string_view node;
  std::string_view session;
  std::string_view data;
  friend bool operator==(const EmulationRequest&, const EmulationRequest&) = default;
};

// --- results ---

struct SubscribeResult {
  bool expires = false;
  std::uint32_t ttl = 0;  // s
  bool recoverable = false;
  std::string_view epoch;
  std::vector<Publication> publications;
  bool recovered = false;
  std::uint64_t offset = 0;
  bool positioned = false;
  Payload data;
  bool was_recovering = false;
  bool delta = false;
  std::int64_t id = 0;
  std::int32_t type = 0;   // SubscriptionType
  std::int32_t phase = 0;  // SubscriptionPhase
  std::string_view cursor;
  std::vector<Publication> state;
  std::uint32_t publish_debounce = 0;  // ms
  friend bool operator==(const SubscribeResult&, const SubscribeResult&) = default;
};

struct ConnectResult {
  std::string_view client;
  std::string_view version;
  bool expires = false;
  std::uint32_t ttl = 0;  // s
  Payload data;
  Map<SubscribeResult> subs;
  std::uint32_t ping = 0;  // s
  bool pong = false;
  std::string_view session;
  std::string_view node;
  std::int64_t time = 0;  // Unix, ms
  std::int64_t flag = 0;
  std::optional<Dictionary> dict;
  friend bool operator==(const ConnectResult&, const ConnectResult&) = default;
};

struct UnsubscribeResult {
  friend bool operator==(const UnsubscribeResult&, const UnsubscribeResult&) = default;
};
struct PublishResult {
  friend bool operator==(const PublishResult&, const PublishResult&) = default;
};

struct PresenceResult {
  Map<ClientInfo> presence;  // by client
  friend bool operator==(const PresenceResult&, const PresenceResult&) = default;
};

struct PresenceStatsResult {
  std::uint32_t num_clients = 0;
  std::uint32_t num_users = 0;
  friend bool operator==(const PresenceStatsResult&, const PresenceStatsResult&) = default;
};

struct HistoryResult {
  std::vector<Publication> publications;
  std::string_view epoch;
  std::uint64_t offset = 0;
  friend bool operator==(const HistoryResult&, const HistoryResult&) = default;
};

struct PingResult {
  friend bool operator==(const PingResult&, const PingResult&) = default;
};

struct RpcResult {
  Payload data;
  friend bool operator==(const RpcResult&, const RpcResult&) = default;
};

struct RefreshResult {
  std::string_view client;
  std::string_view version;
  bool expires = false;
  std::uint32_t ttl = 0;  // s
  friend bool operator==(const RefreshResult&, const RefreshResult&) = default;
};

struct SubRefreshResult {
  bool expires = false;
  std::uint32_t ttl = 0;  // s
  std::vector<Publication> items;
  friend bool operator==(const SubRefreshResult&, const SubRefreshResult&) = default;
};

// --- pushes ---

struct JoinPush {
  std::optional<ClientInfo> info;
  friend bool operator==(const JoinPush&, const JoinPush&) = default;
};

struct LeavePush {
  std::optional<ClientInfo> info;
  friend bool operator==(const LeavePush&, const LeavePush&) = default;
};

struct UnsubscribePush {
  std::uint32_t code = 0;
  std::string_view reason;
  friend bool operator==(const UnsubscribePush&, const UnsubscribePush&) = default;
};

struct MessagePush {
  Payload data;
  friend bool operator==(const MessagePush&, const MessagePush&) = default;
};

// A subscription that the server made.
struct SubscribePush {
  bool recoverable = false;
  std::string_view epoch;
  std::uint64_t offset = 0;
  bool positioned = false;
  Payload data;
  friend bool operator==(const SubscribePush&, const SubscribePush&) = default;
};

// The first push of a unidirectional connection. Its numbers are not those of ConnectResult.
struct ConnectPush {
  std::string_view client;
  std::string_view version;
  Payload data;
  Map<SubscribeResult> subs;
  bool expires = false;
  std::uint32_t ttl = 0;   // s
  std::uint32_t ping = 0;  // s
  bool pong = false;
  std::string_view session;
  std::string_view node;
  std::int64_t time = 0;  // Unix, ms
  friend bool operator==(const ConnectPush&, const ConnectPush&) = default;
};

struct DisconnectPush {
  std::uint32_t code = 0;
  std::string_view reason;
  bool reconnect = false;  // for old clients; new ones know it from the code (errors.h)
  friend bool operator==(const DisconnectPush&, const DisconnectPush&) = default;
};

struct RefreshPush {
  bool expires = false;
  std::uint32_t ttl = 0;  // s
  friend bool operator==(const RefreshPush&, const RefreshPush&) = default;
};

// In the order of their numbers in a push.
using PushBody = std::variant<std::monostate, Publication, JoinPush, LeavePush, UnsubscribePush, MessagePush,
                              SubscribePush, ConnectPush, DisconnectPush, RefreshPush>;

struct Push {
  std::int64_t id = 0;
  std::string_view channel;
  PushBody body;  // none: the ping of a unidirectional connection
  friend bool operator==(const Push&, const Push&) = default;
};

struct ReplyError {
  std::uint32_t code = 0;
  std::string_view message;
  bool temporary = false;
  friend bool operator==(const ReplyError&, const ReplyError&) = default;
};

// In the order of their numbers in a reply.
using ReplyBody =
    std::variant<std::monostate, Push, ConnectResult, SubscribeResult, UnsubscribeResult, PublishResult, PresenceResult,
                 PresenceStatsResult, HistoryResult, PingResult, RpcResult, RefreshResult, SubRefreshResult>;

struct Reply {
  std::uint32_t id = 0;  // of the command; 0 for a push
  std::optional<ReplyError> error;
  ReplyBody body;  // none, and no id: the ping
  friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace door::centrifuge
