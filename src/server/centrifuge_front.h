// The Centrifuge door (client protocol v2): commands of a connection become requests to the hub, and what the hub says
// becomes replies and pushes, over whichever transport carries them (door/centrifuge/carrier.h). Rules of the protocol
// by section are those of docs/centrifuge.md.
//
// Calling order: open() once the transport stands; receive() for each frame; the on_...() of a subscription come from
// FeedFront, inside callbacks of FanOut, so they change nothing there; settle() once per turn, outside of them.
// Threads: owned by one worker.
#pragma once

#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/auth.h"
#include "base/refusal.h"
#include "door/centrifuge/errors.h"
#include "door/centrifuge/protocol.h"
#include "door/centrifuge/publication.h"
#include "server/centrifuge_session.h"
#include "server/credentials.h"
#include "server/desk.h"
#include "server/hooks.h"

namespace server {

// How long something lives that a token allows until `expires`.
struct Lifetime {
  std::uint32_t ttl = 0;  // s, as clients are told; 0: for ever
  base::Instant ends = base::kNever;
  base::Instant until = base::kNever;  // with the time that they have to send a new token
};
// Nothing: it is over.
std::optional<Lifetime> lifetime_of(base::WallTime expires, base::WallTime wall, base::Instant now);

// Of a token, as JSON; empty: none.
std::string json_of(const auth::Payload& payload);
door::centrifuge::Payload payload_of(const auth::Payload& payload);
// Of an epoch as clients give it back; the empty one for an empty text, which means any. Nothing: no channel has it.
std::optional<hub::Epoch> epoch_of(std::string_view text);

class CentrifugeFront final : public HookSink {
 public:
  explicit CentrifugeFront(Desk& desk) : desk_(desk) {}

  // The transport of the peer stands; nothing has been read. `principal`: of the handshake's credentials, or null.
  void open(Peer& peer, door::centrifuge::Carrier carrier, PrincipalRef principal, bool frame_pings = false,
            std::vector<egress::Header> headers = {});
  // One frame of commands, or the one message of a unidirectional client.
  void receive(Peer& peer, std::string_view frame);
  void handle_timeout(Peer& peer);
  void drained(Peer& peer);  // there is room in its queue
  // The last call: its requests find nobody.
  void gone(Peer& peer);
  // The permissions may have changed.
  void reauthorise(Peer& peer);
  // What a back end asks of this connection; false: there was nothing to do.
  bool act(Peer& peer, const hub::UserAction& action);

  // Of a subscription of this door, see hub::Sink.
  void on_start(Peer& peer, hub::SubscriptionId id, const hub::Position& start, const std::optional<hub::Gap>& gap);
  // Pages of what was missed: they go into the answer.
  void on_replay(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch);
  bool on_gap(Peer& peer, hub::SubscriptionId id, const hub::Position& after);
  void on_live(Peer& peer, hub::SubscriptionId id);
  void on_refused(Peer& peer, hub::SubscriptionId id, base::Error error);
  // Live messages as this one connection gets them; empty: it gets none of them. They count as delivered.
  std::string encode_for(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch);
  // To whom live messages go as encode_shared() makes them.
  struct Reach {
    bool feed = false;     // of a wildcard:
    bool covered = false;  // and each of its subscribers gets all of them
    bool senders = false;  // but for who published one of them
    bool everybody() const { return !feed && !senders; }
  };
  Reach reach_of(const hub::Batch& batch) const;
  // False: encode_for() says what this one gets.
  bool takes_shared(const Peer& peer, hub::SubscriptionId id, const hub::Batch& batch, const Reach& reach) const;
  // As every WebSocket of this format gets them that has no wishes of its own.
  std::string encode_shared(door::centrifuge::Carrier::Format format, const hub::Batch& batch);

  // Ends subscriptions that have missed something, and lets connections go on that were waited for.
  void settle();

  // What a client of a one-way transport said by another request. False: there is no such session here.
  bool receive(const hub::Forward& forward);
  // Answers of the hub. False: not a request of this front.
  bool published(const hub::Published& answer);
  bool history(const hub::Page& page);
  bool present(hub::Present& answer);

 private:
  using Session = CentrifugeSession;
  using Subscription = CentrifugeSession::Subscription;
  struct Permitted {  // what is known of a subscription that may be
    std::uint32_t command = 0;
    Subscription::Grant grant = Subscription::Grant::policy;
    Lifetime lifetime;
    auth::ChannelOverride changes;
    std::string info;  // JSON
    auth::Payload data;
    std::unique_ptr<hub::TagFilter> filter;
  };
  struct Asked {
    base::PeerId peer;
    std::uint32_t command = 0;
    // Presence, page by page.
    std::string channel;
    std::uint32_t members_max = 0;  // of one page; 0: only the counts
    std::vector<hub::ClientIdentity> members;
    std::size_t bytes = 0;  // of them
    // What waits for an answer: a command as Protobuf with what is known of it, or data.
    std::string kept;
    hub::Kind kind = hub::Kind::json;  // of the data
    std::unique_ptr<Permitted> permitted;
  };

  // centrifuge_front.cc
  template <class Reader>
  void receive_commands(Peer& peer, std::string_view frame);
  void receive_connect(Peer& peer, std::string_view message);
  void hold(Peer& peer, std::string_view commands);
  void go_on(Peer& peer);
  void handle(Peer& peer, const door::centrifuge::Command& command);
  void pong(Peer& peer);
  void ping(Peer& peer);
  void arm(Peer& peer);
  void reply(Peer& peer, door::centrifuge::Reply reply);
  void refuse(Peer& peer, std::uint32_t command, door::centrifuge::ErrorCode code);
  void push(Peer& peer, std::string_view channel, door::centrifuge::PushBody body);
  void end(Peer& peer, door::centrifuge::DisconnectCode code);
  void flush(Peer& peer);
  std::optional<Asked> take_asked(hub::RequestId request, Peer*& peer);
  hub::RequestId ask(Asked asked);

  // centrifuge_connect.cc
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::ConnectRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::RefreshRequest& request);
  void admit(Peer& peer, const auth::ConnectionClaims* claims, const door::centrifuge::ConnectRequest& request);
  void admit_unnamed(Peer& peer, const door::centrifuge::ConnectRequest& request);
  void refuse_connect(Peer& peer, door::centrifuge::ErrorCode code);
  void finish_connect(Peer& peer);

  // centrifuge_permission.cc
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::SubscribeRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::SubRefreshRequest& request);
  static std::optional<door::centrifuge::ErrorCode> add_filter(const NamespaceOptions& options,
                                                               const door::centrifuge::SubscribeRequest& request,
                                                               Permitted& permitted);
  // Asks the policy and the token; none: it was refused.
  std::optional<Permitted> permit(Peer& peer, std::uint32_t command, const door::centrifuge::SubscribeRequest& request);
  void expire_subscriptions(Peer& peer);
  void expire(Peer& peer, std::size_t place);

  // centrifuge_subscriptions.cc
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::UnsubscribeRequest& request);
  void subscribe(Peer& peer, std::string_view channel, const door::centrifuge::SubscribeRequest& request,
                 Permitted permitted);
  void subscribe_by_server(Peer& peer, const std::vector<auth::ServerSubscription>& wanted,
                           const door::centrifuge::Map<door::centrifuge::SubscribeRequest>& requests);
  void settle(Peer& peer);
  void settle(Peer& peer, std::size_t place);
  void unsubscribe(Peer& peer, std::size_t place);
  std::optional<std::size_t> place_of(const Peer& peer, std::string_view channel) const;
  std::uint8_t format_of(const Session& session, const Subscription& subscription) const;
  std::string_view channel_of(const Subscription& subscription) const {
    return hub::wildcard_of(desk_.fan_out.channel_of(subscription.id));
  }

  // centrifuge_recovery.cc
  // Decides what became of what was missed. The views live until made_ is cleared and as long as the pending state.
  door::centrifuge::SubscribeResult answer_of(const Session& session, Subscription& subscription);
  void answer_subscribe(Peer& peer, Subscription& subscription);

  // centrifuge_actions.cc
  bool subscribe_by_back_end(Peer& peer, const hub::UserAction& action);
  bool unsubscribe_by_back_end(Peer& peer, std::string_view channel);
  void refresh_by_back_end(Peer& peer, const hub::UserAction& action);

  // centrifuge_delivery.cc
  static bool matches(const Subscription& subscription, const hub::Message& message);
  // What was published on a channel reaches this subscription to a wildcard.
  bool may_have(const Peer& peer, const Subscription& subscription, std::string_view wildcard,
                const hub::Message& message) const;
  // The views live until made_ is cleared.
  door::centrifuge::Publication publication_for(const Session& session, Subscription& subscription,
                                                const hub::MessageRef& message,
                                                const door::centrifuge::PublicationScope& scope);
  bool keeps_history(std::string_view channel) const;
  static bool is_wildcard(const NamespaceOptions& options, std::string_view channel) {
    return options.allow_wildcards && hub::is_wildcard(channel);
  }

  // centrifuge_requests.cc
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PublishRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::HistoryRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PresenceRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PresenceStatsRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PingRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::RpcRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::SendRequest& request);
  void publish(Peer& peer, std::uint32_t command, std::string_view channel, const door::centrifuge::Payload& data,
               const door::hook::PublishResult* changes);
  void ask_presence(Peer& peer, std::uint32_t command, std::string_view channel, std::uint32_t members_max);
  // centrifuge_hooks.cc
  static door::hook::Caller caller_of(const Session& session);
  void refuse(Peer& peer, std::uint32_t command, const door::hook::Error& error);
  void end(Peer& peer, const door::hook::Disconnect& told);
  template <class Result>
  Result* result_of(Peer& peer, std::uint32_t command, HookAnswer<Result>& answer);
  void ask_connect(Peer& peer, const door::centrifuge::ConnectRequest& request);
  void ask_refresh(Peer& peer);
  void ask_subscribe(Peer& peer, std::uint32_t command, std::string_view hook_name,
                     const door::centrifuge::SubscribeRequest& request, Permitted permitted);
  void ask_sub_refresh(Peer& peer, std::size_t place);
  void ask_publish(Peer& peer, std::uint32_t command, std::string_view hook_name,
                   const door::centrifuge::PublishRequest& request);
  void look_for_last_value(Peer& peer, const door::centrifuge::SubscribeRequest& request, Permitted permitted);
  void last_value_found(Peer& peer, Asked asked, bool found);
  void subscribe_kept(Peer& peer, Asked asked);
  // Of a subscription that waits for a hook: nullptr if there is none. decided() forgets it and says who asked for its
  // end meanwhile; given_up() answers that.
  Session::Undecided* undecided(const Peer& peer, std::string_view channel) const;
  std::uint32_t decided(Peer& peer, std::string_view channel);
  void given_up(Peer& peer, std::string_view channel);
  void hook_answered(const HookAsker& asker, HookAnswer<door::hook::ConnectResult> answer) override;
  void hook_answered(const HookAsker& asker, HookAnswer<door::hook::RefreshResult> answer) override;
  void hook_answered(const HookAsker& asker, HookAnswer<door::hook::SubscribeResult> answer) override;
  void hook_answered(const HookAsker& asker, HookAnswer<door::hook::SubRefreshResult> answer) override;
  void hook_answered(const HookAsker& asker, HookAnswer<door::hook::PublishResult> answer) override;
  void hook_answered(const HookAsker& asker, HookAnswer<door::hook::RpcResult> answer) override;
  void hook_answered(const HookAsker& asker, HookAnswer<door::hook::CacheEmptyResult> answer) override;

  // None, or why not. A wildcard is no channel that somebody is in.
  std::optional<door::centrifuge::ErrorCode> refusal_of(const Peer& peer, auth::Verb verb, std::string_view channel);

  Desk& desk_;
  std::unordered_map<hub::RequestId, Asked> asked_;
  std::uint64_t requests_ = 0;
  std::vector<base::PeerId> unsettled_;
  Peer* speaking_ = nullptr;  // its replies go into packer_ until the frame has been handled
  std::optional<door::centrifuge::Packer> packer_;
  std::forward_list<std::string> made_;  // what views of publications point to
};

}  // namespace server
