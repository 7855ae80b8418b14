// The one table of the wire: for each message its fields with their number in Protobuf, their name in JSON and the
// member that holds them. Readers and writers of both formats are visitors of it.
//
// visit(number, name, member)           a field; its type says how it travels
// visit(number, name, member, kAlways)  the same, written to JSON even if it is zero
// visit.zigzag(...)                     sint64
// visit.bytes(...)                      bytes that JSON carries as a string
// visit.one_of<Message>(number, name, variant)  an alternative; alternatives come in the order of their numbers
#pragma once

#include <concepts>
#include <type_traits>

#include "door/centrifuge/protocol.h"

namespace door::centrifuge {

struct Always {};
inline constexpr Always kAlways;

template <typename M, typename Message>
concept Is = std::same_as<std::remove_const_t<M>, Message>;

template <typename Visit, Is<ClientInfo> M>
void fields(Visit& visit, M& m) {
  visit(1, "user", m.user, kAlways);
  visit(2, "client", m.client, kAlways);
  visit(3, "conn_info", m.conn_info);
  visit(4, "chan_info", m.chan_info);
}

template <typename Visit, Is<Publication> M>
void fields(Visit& visit, M& m) {
  visit(4, "data", m.data);
  visit(5, "info", m.info);
  visit(6, "offset", m.offset);
  visit(7, "tags", m.tags);
  visit(8, "delta", m.delta);
  visit(9, "time", m.time);
  visit(10, "channel", m.channel);
  visit(11, "key", m.key);
  visit(12, "removed", m.removed);
  visit.zigzag(13, "score", m.score);
  visit(14, "epoch", m.epoch);
  visit(15, "prev_data", m.prev_data);
  visit(16, "version", m.version);
}

template <typename Visit, Is<FilterNode> M>
void fields(Visit& visit, M& m) {
  visit(1, "op", m.op);
  visit(2, "key", m.key);
  visit(3, "cmp", m.cmp);
  visit(4, "val", m.val);
  visit(5, "vals", m.vals);
  visit(6, "nodes", m.nodes);
}

template <typename Visit, Is<KeyedItem> M>
void fields(Visit& visit, M& m) {
  visit(1, "key", m.key);
  visit(2, "version", m.version);
}

template <typename Visit, Is<TrackBatch> M>
void fields(Visit& visit, M& m) {
  visit(1, "signature", m.signature);
  visit(2, "items", m.items);
}

template <typename Visit, Is<StreamPosition> M>
void fields(Visit& visit, M& m) {
  visit(1, "offset", m.offset);
  visit(2, "epoch", m.epoch);
}

template <typename Visit, Is<Dictionary> M>
void fields(Visit& visit, M& m) {
  visit(1, "id", m.id);
  visit(2, "data", m.data);
  visit(3, "data_b64", m.data_b64);
}

template <typename Visit, Is<SubscribeRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "channel", m.channel);
  visit(2, "token", m.token);
  visit(3, "recover", m.recover);
  visit(6, "epoch", m.epoch);
  visit(7, "offset", m.offset);
  visit(8, "data", m.data);
  visit(9, "positioned", m.positioned);
  visit(10, "recoverable", m.recoverable);
  visit(11, "join_leave", m.join_leave);
  visit(12, "delta", m.delta);
  visit(13, "tf", m.tf);
  visit(14, "flag", m.flag);
  visit(15, "type", m.type);
  visit(16, "phase", m.phase);
  visit(17, "cursor", m.cursor);
  visit(18, "limit", m.limit);
  visit(19, "asc", m.asc);
}

template <typename Visit, Is<ConnectRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "token", m.token);
  visit(2, "data", m.data);
  visit(3, "subs", m.subs);
  visit(4, "name", m.name);
  visit(5, "version", m.version);
  visit(6, "headers", m.headers);
  visit(7, "flag", m.flag);
  visit(8, "dict", m.dict);
  visit(9, "profile", m.profile);
}

template <typename Visit, Is<UnsubscribeRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "channel", m.channel);
}

template <typename Visit, Is<PublishRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "channel", m.channel);
  visit(2, "data", m.data);
  visit(3, "type", m.type);
  visit(4, "key", m.key);
  visit(5, "removed", m.removed);
}

template <typename Visit, Is<PresenceRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "channel", m.channel);
}

template <typename Visit, Is<PresenceStatsRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "channel", m.channel);
}

template <typename Visit, Is<HistoryRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "channel", m.channel);
  visit(7, "limit", m.limit);
  visit(8, "since", m.since);
  visit(9, "reverse", m.reverse);
}

template <typename Visit, Is<PingRequest> M>
void fields(Visit&, M&) {}

template <typename Visit, Is<SendRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "data", m.data);
}

template <typename Visit, Is<RpcRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "data", m.data);
  visit(2, "method", m.method);
}

template <typename Visit, Is<RefreshRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "token", m.token);
}

template <typename Visit, Is<SubRefreshRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "channel", m.channel);
  visit(2, "token", m.token);
  visit(3, "type", m.type);
  visit(4, "track", m.track);
  visit(5, "untrack", m.untrack);
}

template <typename Visit, Is<Command> M>
void fields(Visit& visit, M& m) {
  visit(1, "id", m.id);
  visit.template one_of<ConnectRequest>(4, "connect", m.request);
  visit.template one_of<SubscribeRequest>(5, "subscribe", m.request);
  visit.template one_of<UnsubscribeRequest>(6, "unsubscribe", m.request);
  visit.template one_of<PublishRequest>(7, "publish", m.request);
  visit.template one_of<PresenceRequest>(8, "presence", m.request);
  visit.template one_of<PresenceStatsRequest>(9, "presence_stats", m.request);
  visit.template one_of<HistoryRequest>(10, "history", m.request);
  visit.template one_of<PingRequest>(11, "ping", m.request);
  visit.template one_of<SendRequest>(12, "send", m.request);
  visit.template one_of<RpcRequest>(13, "rpc", m.request);
  visit.template one_of<RefreshRequest>(14, "refresh", m.request);
  visit.template one_of<SubRefreshRequest>(15, "sub_refresh", m.request);
}

template <typename Visit, Is<EmulationRequest> M>
void fields(Visit& visit, M& m) {
  visit(1, "node", m.node);
  visit(2, "session", m.session);
  visit.bytes(3, "data", m.data);
}

template <typename Visit, Is<SubscribeResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "expires", m.expires);
  visit(2, "ttl", m.ttl);
  visit(3, "recoverable", m.recoverable);
  visit(6, "epoch", m.epoch);
  visit(7, "publications", m.publications);
  visit(8, "recovered", m.recovered);
  visit(9, "offset", m.offset);
  visit(10, "positioned", m.positioned);
  visit(11, "data", m.data);
  visit(12, "was_recovering", m.was_recovering);
  visit(13, "delta", m.delta);
  visit(14, "id", m.id);
  visit(15, "type", m.type);
  visit(16, "phase", m.phase);
  visit(17, "cursor", m.cursor);
  visit(18, "state", m.state);
  visit(19, "publish_debounce", m.publish_debounce);
}

template <typename Visit, Is<ConnectResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "client", m.client);
  visit(2, "version", m.version);
  visit(3, "expires", m.expires);
  visit(4, "ttl", m.ttl);
  visit(5, "data", m.data);
  visit(6, "subs", m.subs);
  visit(7, "ping", m.ping);
  visit(8, "pong", m.pong);
  visit(9, "session", m.session);
  visit(10, "node", m.node);
  visit(11, "time", m.time);
  visit(12, "flag", m.flag);
  visit(13, "dict", m.dict);
}

template <typename Visit, Is<UnsubscribeResult> M>
void fields(Visit&, M&) {}

template <typename Visit, Is<PublishResult> M>
void fields(Visit&, M&) {}

template <typename Visit, Is<PresenceResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "presence", m.presence, kAlways);
}

template <typename Visit, Is<PresenceStatsResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "num_clients", m.num_clients, kAlways);
  visit(2, "num_users", m.num_users, kAlways);
}

template <typename Visit, Is<HistoryResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "publications", m.publications, kAlways);
  visit(2, "epoch", m.epoch, kAlways);
  visit(3, "offset", m.offset, kAlways);
}

template <typename Visit, Is<PingResult> M>
void fields(Visit&, M&) {}

template <typename Visit, Is<RpcResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "data", m.data);
}

template <typename Visit, Is<RefreshResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "client", m.client);
  visit(2, "version", m.version);
  visit(3, "expires", m.expires);
  visit(4, "ttl", m.ttl);
}

template <typename Visit, Is<SubRefreshResult> M>
void fields(Visit& visit, M& m) {
  visit(1, "expires", m.expires);
  visit(2, "ttl", m.ttl);
  visit(3, "items", m.items);
}

template <typename Visit, Is<JoinPush> M>
void fields(Visit& visit, M& m) {
  visit(1, "info", m.info);
}

template <typename Visit, Is<LeavePush> M>
void fields(Visit& visit, M& m) {
  visit(1, "info", m.info);
}

template <typename Visit, Is<UnsubscribePush> M>
void fields(Visit& visit, M& m) {
  visit(2, "code", m.code);
  visit(3, "reason", m.reason);
}

template <typename Visit, Is<MessagePush> M>
void fields(Visit& visit, M& m) {
  visit(1, "data", m.data);
}

template <typename Visit, Is<SubscribePush> M>
void fields(Visit& visit, M& m) {
  visit(1, "recoverable", m.recoverable);
  visit(4, "epoch", m.epoch);
  visit(5, "offset", m.offset);
  visit(6, "positioned", m.positioned);
  visit(7, "data", m.data);
}

template <typename Visit, Is<ConnectPush> M>
void fields(Visit& visit, M& m) {
  visit(1, "client", m.client);
  visit(2, "version", m.version);
  visit(3, "data", m.data);
  visit(4, "subs", m.subs);
  visit(5, "expires", m.expires);
  visit(6, "ttl", m.ttl);
  visit(7, "ping", m.ping);
  visit(8, "pong", m.pong);
  visit(9, "session", m.session);
  visit(10, "node", m.node);
  visit(11, "time", m.time);
}

template <typename Visit, Is<DisconnectPush> M>
void fields(Visit& visit, M& m) {
  visit(1, "code", m.code);
  visit(2, "reason", m.reason);
  visit(3, "reconnect", m.reconnect);
}

template <typename Visit, Is<RefreshPush> M>
void fields(Visit& visit, M& m) {
  visit(1, "expires", m.expires);
  visit(2, "ttl", m.ttl);
}

template <typename Visit, Is<Push> M>
void fields(Visit& visit, M& m) {
  visit(1, "id", m.id);
  visit(2, "channel", m.channel);
  visit.template one_of<Publication>(4, "pub", m.body);
  visit.template one_of<JoinPush>(5, "join", m.body);
  visit.template one_of<LeavePush>(6, "leave", m.body);
  visit.template one_of<UnsubscribePush>(7, "unsubscribe", m.body);
  visit.template one_of<MessagePush>(8, "message", m.body);
  visit.template one_of<SubscribePush>(9, "subscribe", m.body);
  visit.template one_of<ConnectPush>(10, "connect", m.body);
  visit.template one_of<DisconnectPush>(11, "disconnect", m.body);
  visit.template one_of<RefreshPush>(12, "refresh", m.body);
}

template <typename Visit, Is<ReplyError> M>
void fields(Visit& visit, M& m) {
  visit(1, "code", m.code);
  visit(2, "message", m.message);
  visit(3, "temporary", m.temporary);
}

template <typename Visit, Is<Reply> M>
void fields(Visit& visit, M& m) {
  visit(1, "id", m.id);
  visit(2, "error", m.error);
  visit.template one_of<Push>(4, "push", m.body);
  visit.template one_of<ConnectResult>(5, "connect", m.body);
  visit.template one_of<SubscribeResult>(6, "subscribe", m.body);
  visit.template one_of<UnsubscribeResult>(7, "unsubscribe", m.body);
  visit.template one_of<PublishResult>(8, "publish", m.body);
  visit.template one_of<PresenceResult>(9, "presence", m.body);
  visit.template one_of<PresenceStatsResult>(10, "presence_stats", m.body);
  visit.template one_of<HistoryResult>(11, "history", m.body);
  visit.template one_of<PingResult>(12, "ping", m.body);
  visit.template one_of<RpcResult>(13, "rpc", m.body);
  visit.template one_of<RefreshResult>(14, "refresh", m.body);
  visit.template one_of<SubRefreshResult>(15, "sub_refresh", m.body);
}

}  // namespace door::centrifuge
