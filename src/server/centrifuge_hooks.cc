// What the Centrifuge door leaves to the operator's back end: who connects, who subscribes, what is published, calls.
#include <algorithm>
#include <utility>

#include "auth/token.h"
#include "base/assert.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"
#include "server/centrifuge_close.h"
#include "server/centrifuge_front.h"

namespace server {

using door::centrifuge::DisconnectCode;
using door::centrifuge::ErrorCode;
namespace hook = door::hook;

namespace {

constexpr base::Duration kAskAgain = std::chrono::minutes(1);  // after a hook that gave no answer

// Its end as tokens have it, with the skew that is allowed to clocks.
base::WallTime end_of(hook::ExpireAt seconds) {
  return seconds == 0 ? auth::kNoExpiry : base::WallTime{seconds * 1000 + auth::kSkewMs};
}

hook::Payload payload_of_request(const door::centrifuge::Payload& data) {
  using Kind = hook::Payload::Kind;
  if (data.absent()) return {};
  if (data.kind == hub::Kind::json) return {Kind::json, std::string(data.bytes)};
  return {Kind::binary, std::string(data.bytes)};
}

std::string_view transport_of(const door::centrifuge::Carrier& carrier) {
  using Transport = door::centrifuge::Carrier::Transport;
  switch (carrier.transport) {
    case Transport::websocket:
      return carrier.unidirectional ? "uni_websocket" : "websocket";
    case Transport::stream:
      return carrier.unidirectional ? "uni_http_stream" : "http_stream";
    case Transport::sse:
      return carrier.unidirectional ? "uni_sse" : "sse";
  }
  return {};
}

}  // namespace

hook::Caller CentrifugeFront::caller_of(const Session& session) {
  const bool json = session.carrier.format == door::centrifuge::Carrier::Format::json;
  return {.client = session.client,
          .transport = std::string(transport_of(session.carrier)),
          .protocol = json ? "json" : "protobuf",
          .user = std::string(session.identity.user.view()),
          .meta = session.meta};
}

void CentrifugeFront::refuse(Peer& peer, std::uint32_t command, const hook::Error& error) {
  reply(peer, {.id = command, .error = door::centrifuge::ReplyError{error.code, error.message, error.temporary}});
}

void CentrifugeFront::end(Peer& peer, const hook::Disconnect& told) {
  if (speaking_ == &peer) flush(peer);
  desk_.refused(peer, base::Error::forbidden);
  disconnect(desk_, peer, told.code, told.reason);
}

// Of a session that is told no by a hook, or not at all: true if there is a result to go on with.
template <class Result>
Result* CentrifugeFront::result_of(Peer& peer, std::uint32_t command, HookAnswer<Result>& answer) {
  if (!answer) {
    refuse(peer, command, ErrorCode::internal);
    return nullptr;
  }
  if (const auto* error = std::get_if<hook::Error>(&*answer)) {
    refuse(peer, command, *error);
    return nullptr;
  }
  if (const auto* told = std::get_if<hook::Disconnect>(&*answer)) {
    end(peer, *told);
    return nullptr;
  }
  return &std::get<Result>(*answer);
}

// ---- connect ----

void CentrifugeFront::ask_connect(Peer& peer, const door::centrifuge::ConnectRequest& request) {
  Session& session = *peer.centrifuge();
  session.stage = Session::Stage::connecting;
  session.joining = 1;  // the answer of the hook
  hook::ConnectRequest question{.caller = caller_of(session),
                                .data = payload_of_request(request.data),
                                .name = std::string(request.name),
                                .version = std::string(request.version)};
  for (const auto& [channel, sub] : request.subs) question.channels.emplace_back(channel);
  std::string kept;
  door::centrifuge::append_protobuf(kept, door::centrifuge::Command{1, request});
  const auto tag = ask({.peer = peer.id(), .command = session.connect_command, .kept = std::move(kept)});
  desk_.hooks.ask({peer.id(), tag}, desk_.options().connect_hook, question, session.headers);
}

void CentrifugeFront::hook_answered(const HookAsker& asker, HookAnswer<hook::ConnectResult> answer) {
  Peer* peer = nullptr;
  const auto asked = take_asked(asker.tag, peer);
  if (!asked || peer == nullptr) return;
  Session& session = *peer->centrifuge();
  session.joining = 0;
  session.stage = Session::Stage::opened;
  if (!answer) return end(*peer, DisconnectCode::internal);
  if (const auto* error = std::get_if<hook::Error>(&*answer)) {
    if (session.carrier.unidirectional) {
      return end(*peer, door::centrifuge::disconnect_instead_of(static_cast<ErrorCode>(error->code)));
    }
    session.stage = Session::Stage::refused;
    return refuse(*peer, asked->command, *error);
  }
  if (const auto* told = std::get_if<hook::Disconnect>(&*answer)) return end(*peer, *told);
  auto& result = std::get<hook::ConnectResult>(*answer);
  door::centrifuge::ProtobufReader reader(asked->kept);
  door::centrifuge::Command command;
  if (reader.next(command) != door::centrifuge::Next::command) return end(*peer, DisconnectCode::internal);
  const auto& request = std::get<door::centrifuge::ConnectRequest>(command.request);
  if (!result.authenticated) return admit_unnamed(*peer, request);
  if (!result.user.empty()) {
    peer->rare().principal = std::make_shared<const auth::Principal>(auth::Principal{
        .kind = auth::Principal::Kind::token, .subject = result.user, .expires = end_of(result.expire_at)});
  }
  session.by_hook = true;
  session.data = std::move(result.data);
  auth::ConnectionClaims claims;
  claims.info = std::move(result.info);
  claims.meta = std::move(result.meta);
  claims.channels = std::move(result.channels);
  claims.subs = std::move(result.subs);
  admit(*peer, &claims, request);
}

void CentrifugeFront::ask_refresh(Peer& peer) {
  Session& session = *peer.centrifuge();
  session.expires = desk_.now + kAskAgain;  // unless the answer says something else
  const auto tag = ask({.peer = peer.id()});
  desk_.hooks.ask({peer.id(), tag}, desk_.options().refresh_hook, hook::RefreshRequest{caller_of(session)},
                  session.headers);
}

void CentrifugeFront::hook_answered(const HookAsker& asker, HookAnswer<hook::RefreshResult> answer) {
  Peer* peer = nullptr;
  const auto asked = take_asked(asker.tag, peer);
  if (!asked || peer == nullptr || !answer) return;  // it is asked again
  if (const auto* told = std::get_if<hook::Disconnect>(&*answer)) return end(*peer, *told);
  const auto* result = std::get_if<hook::RefreshResult>(&*answer);
  if (result == nullptr) return;
  if (result->expired) return end(*peer, DisconnectCode::connection_expired);
  Session& session = *peer->centrifuge();
  const auto lifetime = lifetime_of(end_of(result->expire_at), desk_.clock.wall(), desk_.now);
  if (!lifetime) return end(*peer, DisconnectCode::connection_expired);
  session.expires = lifetime->ends;
  if (result->info.kind != hook::Payload::Kind::none) {
    session.identity.conn_info = base::SharedBytes::copy(json_of(result->info));
  }
  if (!result->meta.empty()) session.meta = result->meta;
  auth::Principal principal = desk_.principal_of(*peer);
  principal.expires = end_of(result->expire_at);
  peer->rare().principal = std::make_shared<const auth::Principal>(std::move(principal));
  arm(*peer);
}

// ---- subscribe ----

CentrifugeFront::Session::Undecided* CentrifugeFront::undecided(const Peer& peer, std::string_view channel) const {
  auto& all = peer.centrifuge()->undecided;
  const auto found = std::ranges::find(all, channel, &Session::Undecided::channel);
  return found == all.end() ? nullptr : &*found;
}

std::uint32_t CentrifugeFront::decided(Peer& peer, std::string_view channel) {
  auto& all = peer.centrifuge()->undecided;
  const auto found = std::ranges::find(all, channel, &Session::Undecided::channel);
  ASSERT(found != all.end());
  const std::uint32_t unsubscribe = found->unsubscribe;
  all.erase(found);
  return unsubscribe;
}

void CentrifugeFront::given_up(Peer& peer, std::string_view channel) {
  const std::uint32_t unsubscribe = decided(peer, channel);
  if (unsubscribe == 0) return;
  --peer.centrifuge()->leaving;
  reply(peer, {.id = unsubscribe, .body = door::centrifuge::UnsubscribeResult{}});
  unsettled_.push_back(peer.id());  // for what waits behind it
}

void CentrifugeFront::ask_subscribe(Peer& peer, std::uint32_t command, std::string_view hook_name,
                                    const door::centrifuge::SubscribeRequest& request, Permitted permitted) {
  Session& session = *peer.centrifuge();
  session.undecided.push_back({std::string(request.channel)});
  Asked asked{.peer = peer.id(), .command = command, .channel = std::string(request.channel)};
  door::centrifuge::append_protobuf(asked.kept, door::centrifuge::Command{1, request});
  asked.permitted = std::make_unique<Permitted>(std::move(permitted));
  const auto tag = ask(std::move(asked));
  desk_.hooks.ask({peer.id(), tag}, hook_name,
                  hook::SubscribeRequest{.caller = caller_of(session),
                                         .channel = std::string(request.channel),
                                         .token = std::string(request.token),
                                         .data = payload_of_request(request.data)},
                  session.headers);
}

void CentrifugeFront::hook_answered(const HookAsker& asker, HookAnswer<hook::SubscribeResult> answer) {
  Peer* peer = nullptr;
  auto asked = take_asked(asker.tag, peer);
  if (!asked || peer == nullptr) return;
  auto* result = result_of(*peer, asked->command, answer);
  if (result == nullptr) return given_up(*peer, asked->channel);
  const auto lifetime = lifetime_of(end_of(result->expire_at), desk_.clock.wall(), desk_.now);
  if (!lifetime) {
    refuse(*peer, asked->command, ErrorCode::expired);
    return given_up(*peer, asked->channel);
  }
  asked->permitted->grant = Subscription::Grant::hook;
  asked->permitted->lifetime = *lifetime;
  asked->permitted->changes = result->changes;
  asked->permitted->info = json_of(result->info);
  asked->permitted->data = std::move(result->data);
  subscribe_kept(*peer, *std::move(asked));
}

void CentrifugeFront::ask_sub_refresh(Peer& peer, std::size_t place) {
  Session& session = *peer.centrifuge();
  Subscription& subscription = session.subscriptions[place];
  subscription.expires = desk_.now + kAskAgain;
  const std::string channel(channel_of(subscription));
  const auto tag = ask({.peer = peer.id(), .channel = channel});
  desk_.hooks.ask({peer.id(), tag}, desk_.snapshot->options_of(channel)->sub_refresh_hook,
                  hook::SubRefreshRequest{.caller = caller_of(session), .channel = channel}, session.headers);
}

void CentrifugeFront::hook_answered(const HookAsker& asker, HookAnswer<hook::SubRefreshResult> answer) {
  Peer* peer = nullptr;
  const auto asked = take_asked(asker.tag, peer);
  if (!asked || peer == nullptr || !answer) return;
  if (const auto* told = std::get_if<hook::Disconnect>(&*answer)) return end(*peer, *told);
  const auto* result = std::get_if<hook::SubRefreshResult>(&*answer);
  const auto place = place_of(*peer, asked->channel);
  if (result == nullptr || !place) return;
  Subscription& subscription = peer->centrifuge()->subscriptions[*place];
  const auto lifetime = lifetime_of(end_of(result->expire_at), desk_.clock.wall(), desk_.now);
  if (result->expired || !lifetime) return expire(*peer, *place);
  subscription.expires = lifetime->ends;
  arm(*peer);
}

// ---- publish and calls ----

void CentrifugeFront::ask_publish(Peer& peer, std::uint32_t command, std::string_view hook_name,
                                  const door::centrifuge::PublishRequest& request) {
  const Session& session = *peer.centrifuge();
  std::string kept(request.data.bytes);
  const auto tag = ask({.peer = peer.id(),
                        .command = command,
                        .channel = std::string(request.channel),
                        .kept = std::move(kept),
                        .kind = request.data.kind});
  desk_.hooks.ask({peer.id(), tag}, hook_name,
                  hook::PublishRequest{.caller = caller_of(session),
                                       .channel = std::string(request.channel),
                                       .data = payload_of_request(request.data)},
                  session.headers);
}

void CentrifugeFront::hook_answered(const HookAsker& asker, HookAnswer<hook::PublishResult> answer) {
  Peer* peer = nullptr;
  auto asked = take_asked(asker.tag, peer);
  if (!asked || peer == nullptr) return;
  auto* result = result_of(*peer, asked->command, answer);
  if (result == nullptr) return;
  door::centrifuge::Payload data{asked->kept, asked->kind};
  if (result->data.kind != hook::Payload::Kind::none) data = payload_of(result->data);
  publish(*peer, asked->command, asked->channel, data, result, {});
}

void CentrifugeFront::handle(Peer& peer, std::uint32_t command, const door::centrifuge::RpcRequest& request) {
  if (desk_.options().rpc_hook.empty()) return refuse(peer, command, ErrorCode::not_available);
  const Session& session = *peer.centrifuge();
  const auto tag = ask({.peer = peer.id(), .command = command});
  desk_.hooks.ask({peer.id(), tag}, desk_.options().rpc_hook,
                  hook::RpcRequest{.caller = caller_of(session),
                                   .method = std::string(request.method),
                                   .data = payload_of_request(request.data)},
                  session.headers);
}

void CentrifugeFront::hook_answered(const HookAsker& asker, HookAnswer<hook::RpcResult> answer) {
  Peer* peer = nullptr;
  const auto asked = take_asked(asker.tag, peer);
  if (!asked || peer == nullptr) return;
  const auto* result = result_of(*peer, asked->command, answer);
  if (result == nullptr) return;
  reply(*peer, {.id = asked->command, .body = door::centrifuge::RpcResult{payload_of(result->data)}});
}

// ---- a last value that is wanted and not there ----

void CentrifugeFront::look_for_last_value(Peer& peer, const door::centrifuge::SubscribeRequest& request,
                                          Permitted permitted) {
  peer.centrifuge()->undecided.push_back({std::string(request.channel)});
  Asked asked{.peer = peer.id(), .command = permitted.command, .channel = std::string(request.channel)};
  door::centrifuge::append_protobuf(asked.kept, door::centrifuge::Command{1, request});
  asked.permitted = std::make_unique<Permitted>(std::move(permitted));
  hub::Read read{.channel = asked.channel, .since = {.kind = hub::Since::Kind::last, .count = 1}, .messages_max = 1};
  read.request = ask(std::move(asked));
  const base::WorkerId home = desk_.home_of(read.channel);
  desk_.post.send(home, std::move(read));
}

void CentrifugeFront::last_value_found(Peer& peer, Asked asked, bool found) {
  const NamespaceOptions* options = desk_.snapshot->options_of(asked.channel);
  if (found || options == nullptr || options->cache_empty_hook.empty()) return subscribe_kept(peer, std::move(asked));
  const std::string channel = asked.channel;
  const std::string hook_name = options->cache_empty_hook;
  const auto tag = ask(std::move(asked));
  desk_.hooks.ask({peer.id(), tag}, hook_name, hook::CacheEmptyRequest{.channel = channel}, peer.centrifuge()->headers);
}

// Whatever the hook says, the client goes on: with a value now, or without.
void CentrifugeFront::hook_answered(const HookAsker& asker, HookAnswer<hook::CacheEmptyResult>) {
  Peer* peer = nullptr;
  auto asked = take_asked(asker.tag, peer);
  if (asked && peer != nullptr) subscribe_kept(*peer, *std::move(asked));
}

void CentrifugeFront::subscribe_kept(Peer& peer, Asked asked) {
  const auto refused = [&](ErrorCode code) {
    refuse(peer, asked.command, code);
    given_up(peer, asked.channel);
  };
  door::centrifuge::ProtobufReader reader(asked.kept);
  door::centrifuge::Command command;
  if (reader.next(command) != door::centrifuge::Next::command) return refused(ErrorCode::internal);
  const auto& request = std::get<door::centrifuge::SubscribeRequest>(command.request);
  // Time has passed: what was looked at before is looked at again. The server may have subscribed it meanwhile.
  if (place_of(peer, request.channel)) return refused(ErrorCode::already_subscribed);
  const NamespaceOptions* options = desk_.snapshot->options_of(request.channel);
  if (options == nullptr) return refused(ErrorCode::unknown_channel);
  if (static_cast<std::int32_t>(options->subscription_type) != request.type) return refused(ErrorCode::bad_request);
  const Subscription::Grant grant = asked.permitted->grant;
  if (grant == Subscription::Grant::policy || grant == Subscription::Grant::token) {
    const auto allowed =
        desk_.snapshot->policy().authorize(desk_.principal_of(peer), auth::Verb::subscribe, request.channel,
                                           desk_.clock.wall(), {.channel_token = grant == Subscription::Grant::token});
    if (!allowed) return refused(reply_error_of(allowed.error()));
  }
  const bool recovers = request.type == 0 && request.recover;  // the pages of a map are bounded by themselves
  if (recovers && !may_recover(peer)) return recover_later(peer, request, std::move(asked));
  const std::uint32_t unsubscribe = decided(peer, asked.channel);
  if (request.type != 0) {
    begin_loading(peer, request, std::move(*asked.permitted));
  } else {
    subscribe(peer, request.channel, request, std::move(*asked.permitted));
  }
  if (unsubscribe != 0) unsubscribe_late(peer, request.channel, unsubscribe);
}

}  // namespace server
