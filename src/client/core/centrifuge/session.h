// A client of the Centrifuge protocol v2 without I/O: the state machine of the connection and of its subscriptions,
// tokens, pings, timeouts, reconnects and recovery, with the codes and rules of that protocol's client libraries. What
// it is not: it opens no socket, resolves no name, reads no clock and calls nobody back; the owner does
// (client/centrifuge/runner.h, or a test).
//
// Calling order. After every verb the owner, in this order,
//   1. takes events() and output() (the output also settles a batch: commands of one or more verbs go in one frame);
//      queues the output on the byte transport it has;
//   2. looks at transport(): `open` with a new number: closes the transport it had, opens one, then calls connected()
//      or receive_eof(); `closed`: writes what is queued, as far as that goes at once, and closes it;
//   3. calls handle_timeout() not later than next_timeout().
// What arrives goes into receive(), the end of the transport (or failure) into receive_eof().
//
// Every call ends with exactly one Answered event. Every TokenWanted may be answered once; an answer to one that is no
// longer of interest is ignored.
//
// Strings given to it must be valid UTF-8; data must be JSON without raw line ends if the format is JSON (runner.cc
// checks). Threads: one Session belongs to one thread. Entropy must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <wirebird/codes.h>
#include <wirebird/options.h>
#include <wirebird/values.h>

#include "base/entropy.h"
#include "base/time.h"
#include "client/core/centrifuge/events.h"
#include "client/core/centrifuge/retry.h"
#include "client/core/centrifuge/subscription.h"
#include "client/core/centrifuge/transport.h"
#include "door/centrifuge/protocol.h"

namespace client::centrifuge {

struct SessionOptions {
  wirebird::Format format = wirebird::Format::json;
  std::string authority;
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> http_headers;
  TransportOptions::Deflate deflate = TransportOptions::Deflate::no;
  std::uint32_t message_bytes_max = 64 << 20;

  std::string token;
  SubscriptionSettings::Tokens tokens = SubscriptionSettings::Tokens::given;
  std::string data;
  std::string name = "cpp";
  std::string version;
  std::map<std::string, std::string> headers;

  base::Duration timeout = std::chrono::seconds(5);
  base::Duration connect_timeout = std::chrono::seconds(10);
  base::Duration reconnect_min = std::chrono::milliseconds(500);
  base::Duration reconnect_max = std::chrono::seconds(20);
  base::Duration ping_delay_max = std::chrono::seconds(10);
};

class Session {
 public:
  Session(SessionOptions options, base::Entropy& entropy);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // --- commands ---
  void connect(base::Instant now);
  void disconnect();
  void set_token(std::string token);
  void set_data(std::string data) { options_.data = std::move(data); }

  // The channel has no other subscription.
  void add(SubscriptionId id, SubscriptionSettings settings);
  void subscribe(SubscriptionId id, base::Instant now);
  void unsubscribe(SubscriptionId id, base::Instant now);
  void remove(SubscriptionId id, base::Instant now);
  // To be changed between subscribes; null: it was removed.
  SubscriptionSettings* settings(SubscriptionId id);

  void call(CallId id, Call call, base::Instant now);
  // The same for the channel of a subscription: waits until it is subscribed.
  void call(CallId id, SubscriptionId subscription, Call call, base::Instant now);

  void take_token(std::uint64_t ticket, TokenOutcome outcome, base::Instant now);

  // The end: says good-bye, answers every call with client_closed. Nothing but events() and output() after it.
  void close();

  // --- the transport ---
  enum class TransportState : std::uint8_t { closed, open };
  struct Wanted {
    TransportState state;
    std::uint64_t number;  // of the attempt
  };
  Wanted transport() const;
  void connected();
  void receive(std::span<char> bytes, base::Instant now);
  void receive_eof(std::string_view why, base::Instant now);  // `why`: a remark for people

  // --- time ---
  void handle_timeout(base::Instant now);
  base::Instant next_timeout() const;

  // --- what came of it ---
  std::vector<Event> events() { return std::exchange(events_, {}); }
  std::string output();

  wirebird::ClientState state() const { return state_; }

 private:
  using ClientState = wirebird::ClientState;
  using SubscriptionState = wirebird::SubscriptionState;

  // A command whose reply is awaited.
  struct Pending {
    enum class Kind : std::uint8_t { connect, refresh, subscribe, unsubscribe, sub_refresh, call } kind;
    base::Instant deadline;
    std::uint64_t target = 0;  // SubscriptionId or CallId
    std::size_t call = 0;      // index of the alternative
  };
  // A call that waits for the connection or its subscription.
  struct Waiting {
    CallId id;
    std::optional<SubscriptionId> subscription;
    Call call;
    base::Instant deadline;
  };
  struct ServerSubscription {
    bool recoverable = false;
    wirebird::StreamPosition position;
  };

  // session.cc: the connection.
  void begin_attempt(base::Instant now);
  void open_transport(base::Instant now);
  void send_connect(base::Instant now);
  void take_connect(const door::centrifuge::ConnectResult& result, base::Instant now);
  void take_server_subscriptions(const door::centrifuge::ConnectResult& result);
  void refuse_connect(const door::centrifuge::ReplyError& error, base::Instant now);
  void arm_refresh(bool expires, std::uint32_t ttl_s, base::Instant now);
  void ask_for_refresh();
  void take_refresh(const door::centrifuge::Reply& reply, base::Instant now);
  void take_connection_token(TokenOutcome outcome, base::Instant now);
  void take_close(std::uint32_t code, std::string reason, base::Instant now);
  void reconnect(std::uint32_t code, std::string reason, base::Instant now);
  void finish(std::uint32_t code, std::string reason);
  void leave_connection(ClientState before);
  void forget_state();

  // session_replies.cc: what comes in, what goes out.
  void take_transport_event(const Transport::Event& event, base::Instant now);
  template <typename Reader>
  bool read_frame(std::string_view frame, base::Instant now);
  void take_reply(const door::centrifuge::Reply& reply, base::Instant now);
  void take_push(const door::centrifuge::Push& push, base::Instant now);
  void take_server_push(const door::centrifuge::Push& push);
  void expire(std::uint32_t command, base::Instant now);
  std::uint32_t send(Pending::Kind kind, std::uint64_t target, door::centrifuge::Request request, base::Instant now);
  void append(const door::centrifuge::Command& command);
  void flush_batch();
  door::centrifuge::Payload payload(std::string_view data) const;
  void tell_error(std::uint32_t code, std::string message);

  // session_subscriptions.cc
  Subscription* find(SubscriptionId id);
  void try_subscribe(Subscription& subscription, base::Instant now);
  void send_subscribe(Subscription& subscription, base::Instant now);
  void take_subscribe(Subscription& subscription, const door::centrifuge::Reply& reply, base::Instant now);
  void take_sub_refresh(Subscription& subscription, const door::centrifuge::Reply& reply, base::Instant now);
  void take_subscription_token(Subscription& subscription, TokenOutcome outcome, base::Instant now);
  void take_subscription_push(Subscription& subscription, const door::centrifuge::Push& push, base::Instant now);
  void take_publication(Subscription& subscription, const door::centrifuge::Publication& publication,
                        base::Instant now);
  void set_subscribing(Subscription& subscription, std::uint32_t code, std::string reason);
  void set_unsubscribed(Subscription& subscription, std::uint32_t code, std::string reason);
  void send_unsubscribe(const Subscription& subscription, base::Instant now);
  void retry_later(Subscription& subscription, base::Instant now);
  void ask_for_token(Subscription& subscription);
  void tell(const Subscription& subscription, decltype(OfSubscription::event) event);

  // session_calls.cc
  void send_call(CallId id, const Call& call, base::Instant now);
  void take_answer(const Pending& pending, const door::centrifuge::Reply& reply);
  void answer_error(CallId id, wirebird::Error error);
  void send_waiting(std::optional<SubscriptionId> subscription, base::Instant now);
  void fail_waiting(std::uint32_t code, std::string_view message);
  void fail_waiting(SubscriptionId subscription, std::uint32_t code, std::string_view message);
  void expire_waiting(base::Instant now);

  SessionOptions options_;
  base::Entropy& entropy_;
  Transport transport_;
  std::uint64_t attempt_ = 0;
  ClientState state_ = ClientState::disconnected;
  Retry retry_;
  bool token_expired_ = false;
  bool connect_sent_ = false;  // on this transport: commands may follow
  std::uint64_t ticket_ = 0;   // of the connection's token; 0: none asked for
  std::uint64_t tickets_ = 0;

  base::Instant attempt_deadline_ = base::kNever;  // of the transport's opening
  base::Instant retry_at_ = base::kNever;
  base::Instant silence_deadline_ = base::kNever;
  base::Instant refresh_at_ = base::kNever;
  base::Duration silence_max_{0};  // 0: the server sends no pings
  bool answers_pings_ = false;

  std::uint32_t commands_ = 0;  // ids given out on this connection
  std::map<std::uint32_t, Pending> pending_;
  std::vector<Waiting> waiting_;  // in the order of their deadlines
  std::map<SubscriptionId, Subscription> subscriptions_;
  std::map<std::string, SubscriptionId, std::less<>> channels_;
  std::map<std::string, ServerSubscription, std::less<>> server_subscriptions_;

  std::string batch_;
  std::string output_;
  std::vector<Event> events_;
};

}  // namespace client::centrifuge
