// The Centrifuge door (client protocol v2): commands of a connection become requests to the hub, and what the hub says
// becomes replies and pushes, over whichever transport carries them (door/centrifuge/carrier.h). Rules of the protocol
// by section are those of docs/centrifuge.md.
//
// Calling order: open() once the transport stands; receive() for each frame; the on_...() of a subscription come from
// FeedFront, inside callbacks of FanOut, so they change nothing there; settle() once per turn, outside of them.
// Threads: owned by one worker.
#pragma once

#include <deque>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/auth.h"
#include "base/refusal.h"
#include "door/centrifuge/blocks.h"
#include "door/centrifuge/errors.h"
#include "door/centrifuge/protocol.h"
#include "door/centrifuge/publication.h"
#include "server/centrifuge_session.h"
#include "server/credentials.h"
#include "server/desk.h"
#include "server/hooks.h"

namespace server {

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
  // The last call: its requests find nobody, and its keys go.
  void gone(Peer& peer);
  // The permissions may have changed.
  void reauthorise(Peer& peer);
  // What a back end asks of this connection; false: there was nothing to do.
  bool act(Peer& peer, const hub::UserAction& action);

  // Of a subscription of this door, see hub::Sink.
  void on_start(Peer& peer, hub::SubscriptionId id, const hub::Position& start, const std::optional<hub::Gap>& gap);
  // Pages of what was missed, and what comes live before the connection is answered: they go into the answer.
  void on_replay(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch);
  bool on_gap(Peer& peer, hub::SubscriptionId id, const hub::Position& after);
  void on_live(Peer& peer, hub::SubscriptionId id);
  void on_refused(Peer& peer, hub::SubscriptionId id, base::Error error);
  // Live messages as this subscription gets them; null: it gets none of them, and they count as delivered.
  base::SharedBytes block_for(const Peer& peer, hub::SubscriptionId id, hub::Batch& batch);
  // As every connection gets them by this way that has no wishes of its own.
  base::SharedBytes shared_block(door::centrifuge::Way way, hub::Batch& batch);
  // What block_for() has made is on its way.
  void delivered(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch);

  // Ends subscriptions that have missed something, and lets connections go on that were waited for.
  void settle();

  // What a client of a one-way transport said by another request. False: there is no such session here.
  bool receive(const hub::Forward& forward);
  // Answers of the hub. False: not a request of this front.
  bool published(const hub::Published& answer);
  bool history(const hub::Page& page);
  bool present(hub::Present& answer);
  bool state_read(const hub::StatePage& page);

 private:
  using Session = CentrifugeSession;
  using Subscription = CentrifugeSession::Subscription;
  using Permitted = CentrifugeSession::Permitted;
  struct MapKey {  // what of a map is published; empty: of a stream
    std::string key;
    bool removed = false;
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
    bool map_changes = false;  // a page of them was asked for
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
  // What any subscription begins with, whatever it is to: a place for one that is joining.
  std::size_t take_place(Peer& peer, std::string_view channel, bool wants_events, Permitted permitted);
  void join(Peer& peer, std::size_t place, std::string_view channel, const hub::Since& since);
  void subscribe_by_server(Peer& peer, const std::vector<auth::ServerSubscription>& wanted,
                           const door::centrifuge::Map<door::centrifuge::SubscribeRequest>& requests);
  void settle(Peer& peer);
  void settle(Peer& peer, std::size_t place);
  void unsubscribe(Peer& peer, std::size_t place);
  std::optional<std::size_t> place_of(const Peer& peer, std::string_view channel) const;
  std::uint8_t format_of(const Session& session, const Subscription& subscription) const;
  std::string_view channel_of(const Subscription& subscription) const {
    return desk_.fan_out.channel_of(subscription.id);
  }

  // centrifuge_recovery.cc
  // One recovery after the other: an answer may be long, and its reader slow. False: drained() or settle() will tell
  // when the next one may begin.
  bool may_recover(Peer& peer);
  // Of a subscription that is undecided until then.
  void recover_later(Peer& peer, const door::centrifuge::SubscribeRequest& request, Asked asked);
  void recover_next(Peer& peer);
  // Decides what became of what was missed. The views live until made_ is cleared and as long as the pending state.
  door::centrifuge::SubscribeResult answer_of(const Session& session, Subscription& subscription);
  void answer_subscribe(Peer& peer, Subscription& subscription);

  // centrifuge_maps.cc
  void subscribe_to_map(Peer& peer, std::uint32_t command, const door::centrifuge::SubscribeRequest& request);
  void begin_loading(Peer& peer, const door::centrifuge::SubscribeRequest& request, Permitted permitted);
  void load(Peer& peer, std::uint32_t command, const door::centrifuge::SubscribeRequest& request);
  std::optional<door::centrifuge::ErrorCode> refusal_of(const Peer& peer, const Session::Loading& loading);
  static Session::Loading* loading_of(const Peer& peer, std::string_view channel);
  bool is_revoked(const auth::CommonClaims& claims) const;
  // Takes it out; it must be there.
  static Session::Loading stop_loading(Peer& peer, std::string_view channel);
  void fail_loading(Peer& peer, std::string_view channel, door::centrifuge::ErrorCode code);
  void page_answered(Peer& peer, std::string_view channel);
  void changes_read(Peer& peer, const Asked& asked, const hub::Page& page);
  void join_map(Peer& peer, std::string_view channel, const door::centrifuge::MapPaging::Join& join,
                std::vector<hub::MessageRef> state);
  // The views live until made_ is cleared.
  void add_page(const Session& session, Session::Loading& loading, const std::vector<hub::MessageRef>& messages,
                const door::centrifuge::PublicationScope& scope, std::vector<door::centrifuge::Publication>& out);
  door::centrifuge::SubscribeResult answer_of_map(const Session& session, Subscription& subscription);
  void reply_in_pages(Peer& peer, std::uint32_t command, const door::centrifuge::SubscribeResult& result);
  void unsubscribe_late(Peer& peer, std::string_view channel, std::uint32_t command);
  // The key of its own that goes with a subscription.
  void remove_own_key(const Session& session, const Subscription& subscription);
  void leave_maps(const Peer& peer);
  void change_map(Peer& peer, std::uint32_t command, const door::centrifuge::PublishRequest& request);

  // centrifuge_actions.cc
  bool subscribe_by_back_end(Peer& peer, const hub::UserAction& action);
  bool unsubscribe_by_back_end(Peer& peer, std::string_view channel);
  void refresh_by_back_end(Peer& peer, const hub::UserAction& action);

  // centrifuge_delivery.cc
  static bool matches(const hub::TagFilter* filter, const hub::Message& message);
  // The views live until made_ is cleared. `base`: what a delta may be made against; null: it comes whole.
  door::centrifuge::Publication difference_for(const Session& session, const hub::Message* base,
                                               const hub::Message& message,
                                               const door::centrifuge::PublicationScope& scope);
  door::centrifuge::Publication publication_for(const Session& session, Subscription& subscription,
                                                const hub::MessageRef& message,
                                                const door::centrifuge::PublicationScope& scope);
  door::centrifuge::Blocks& blocks_of(hub::Batch& batch) const;
  bool keeps_history(std::string_view channel) const;

  // centrifuge_requests.cc
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PublishRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::HistoryRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PresenceRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PresenceStatsRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::PingRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::RpcRequest& request);
  void handle(Peer& peer, std::uint32_t command, const door::centrifuge::SendRequest& request);
  void publish(Peer& peer, std::uint32_t command, std::string_view channel, const door::centrifuge::Payload& data,
               const door::hook::PublishResult* changes, MapKey map);
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

  // None, or why not.
  std::optional<door::centrifuge::ErrorCode> refusal_of(const Peer& peer, auth::Verb verb, std::string_view channel);

  Desk& desk_;
  std::unordered_map<hub::RequestId, Asked> asked_;
  std::uint64_t requests_ = 0;
  std::unordered_map<hub::PeerSlot, std::deque<Asked>> recoveries_;  // that wait for their turn, by connection
  std::vector<base::PeerId> unsettled_;
  Peer* speaking_ = nullptr;  // its replies go into packer_ until the frame has been handled
  std::optional<door::centrifuge::Packer> packer_;
  std::forward_list<std::string> made_;  // what views of publications point to
  std::vector<std::uint32_t> chosen_;    // by a filter; reused from call to call
};

}  // namespace server
