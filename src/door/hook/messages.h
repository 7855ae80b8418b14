// What a hook asks the operator's own back end, and what that may answer: the values. A hook is an HTTP POST of a JSON
// object, answered with 200 and {"result": {...}}, {"error": {...}} or {"disconnect": {...}}; names and meaning are
// those that back ends of the Centrifuge protocol already speak (there they are called proxies), so that they work
// unchanged. request_json.h writes the questions, answer.h reads the answers.
//
// Values own their bytes: a question outlives the frame that caused it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "auth/claims.h"

namespace door::hook {

enum class Kind : std::uint8_t { connect, refresh, subscribe, sub_refresh, publish, rpc, cache_empty };
inline constexpr std::size_t kKinds = 7;
std::string_view to_string(Kind kind);  // "sub_refresh"

using auth::Payload;

// Who caused the question. What is empty is left out of the JSON.
struct Caller {
  std::string client;     // the connection's id
  std::string transport;  // "websocket", "sse", "http_stream", "uni_websocket", "uni_sse", "uni_http_stream"
  std::string protocol;   // "json" or "protobuf"
  std::string user;       // never known to connect
  std::string meta;       // a JSON object; only sent where the hook wants it
};

struct ConnectRequest {
  static constexpr Kind kKind = Kind::connect;
  Caller caller;
  Payload data;
  std::string name;  // of the client's library or application
  std::string version;
  std::vector<std::string> channels;  // that the client asks the server to subscribe it to
};

struct RefreshRequest {
  static constexpr Kind kKind = Kind::refresh;
  Caller caller;
};

struct SubscribeRequest {
  static constexpr Kind kKind = Kind::subscribe;
  Caller caller;
  std::string channel;
  std::string token;
  Payload data;
};

struct SubRefreshRequest {
  static constexpr Kind kKind = Kind::sub_refresh;
  Caller caller;
  std::string channel;
};

struct PublishRequest {
  static constexpr Kind kKind = Kind::publish;
  Caller caller;
  std::string channel;
  Payload data;
};

struct RpcRequest {
  static constexpr Kind kKind = Kind::rpc;
  Caller caller;
  std::string method;
  Payload data;
};

// A channel whose newest message is wanted has none: the back end may publish it and say so.
struct CacheEmptyRequest {
  static constexpr Kind kKind = Kind::cache_empty;
  std::string channel;
};

// ---- results; an answer without any is described at each ----

// Seconds since 1970; 0: never.
using ExpireAt = std::int64_t;

struct ConnectResult {
  bool authenticated = false;  // there was a result. Without one the hook knows nobody: another credential decides
  std::string user;
  ExpireAt expire_at = 0;
  Payload info;
  Payload data;
  std::string meta;  // a JSON object; empty: none
  std::vector<std::string> channels;
  std::vector<auth::ServerSubscription> subs;                  // by name
  std::vector<std::pair<std::string, ExpireAt>> sub_expiries;  // of those of them that end
};

struct RefreshResult {
  bool expired = false;  // the connection ends; so it does without a result
  ExpireAt expire_at = 0;
  Payload info;      // none: stays as it was
  std::string meta;  // the same
};

struct SubscribeResult {  // without one: subscribed, with the options of the namespace
  ExpireAt expire_at = 0;
  Payload info;
  Payload data;
  auth::ChannelOverride changes;
};

struct SubRefreshResult {
  bool expired = false;  // the subscription ends; so it does without a result
  ExpireAt expire_at = 0;
  Payload info;
};

struct PublishResult {  // without one: published as it came
  Payload data;         // in place of what the client sent; none: as it came
  bool skip_history = false;
  std::vector<std::pair<std::string, std::string>> tags;  // by name
  std::string idempotency_key;
  std::optional<bool> delta;
  std::uint64_t version = 0;
  std::string version_epoch;
};

struct RpcResult {  // without one: no data
  Payload data;
};

struct CacheEmptyResult {
  bool populated = false;  // without one: false
};

// The request goes on as if the client had been refused by the server: an error of the reply.
struct Error {
  std::uint32_t code = 0;  // 100 to 113 (the protocol's own) or 400 to 1999
  std::string message;
  bool temporary = false;  // the client tries again by itself
  friend bool operator==(const Error&, const Error&) = default;
};

// The connection ends.
struct Disconnect {
  std::uint32_t code = 0;  // 3000 to 4999; the client comes back unless it is 3500 to 3999 or 4500 to 4999
  std::string reason;      // at most kReasonBytesMax bytes of ASCII
  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};
inline constexpr std::size_t kReasonBytesMax = 32;
// Of a connection or subscription: what is published, and who is present, carries it.
inline constexpr std::size_t kInfoBytesMax = 16 * 1024;

constexpr bool valid_error_code(std::uint64_t code) {
  return (code >= 100 && code <= 113) || (code >= 400 && code <= 1999);
}
constexpr bool valid_disconnect_code(std::uint64_t code) { return code >= 3000 && code <= 4999; }
// As a close frame can carry it: cut, and what is no printable ASCII replaced.
std::string fitting_reason(std::string_view text);

template <class Result>
using Answer = std::variant<Result, Error, Disconnect>;

template <class Request>
struct ResultOf;
template <>
struct ResultOf<ConnectRequest> {
  using Type = ConnectResult;
};
template <>
struct ResultOf<RefreshRequest> {
  using Type = RefreshResult;
};
template <>
struct ResultOf<SubscribeRequest> {
  using Type = SubscribeResult;
};
template <>
struct ResultOf<SubRefreshRequest> {
  using Type = SubRefreshResult;
};
template <>
struct ResultOf<PublishRequest> {
  using Type = PublishResult;
};
template <>
struct ResultOf<RpcRequest> {
  using Type = RpcResult;
};
template <>
struct ResultOf<CacheEmptyRequest> {
  using Type = CacheEmptyResult;
};

}  // namespace door::hook
