#include "client/core/centrifuge/session.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "door/centrifuge/errors.h"

namespace client::centrifuge {
namespace {

namespace wire = door::centrifuge;
using wirebird::ConnectingCode;
using wirebird::DisconnectedCode;
using wirebird::ErrorCode;

// A failed refresh is tried again after 5 to 10 s: servers wait 25 s for it.
constexpr base::Duration kRefreshRetryMin = std::chrono::seconds(5);
constexpr base::Duration kRefreshRetrySpread = std::chrono::seconds(5);

constexpr std::uint16_t kMessageTooBig = 1009;
constexpr std::uint32_t kFirstServerCode = 3000;  // below are the codes of WebSocket itself

TransportOptions transport_options(const SessionOptions& options) {
  TransportOptions transport;
  transport.authority = options.authority;
  transport.target = options.target;
  transport.headers = options.http_headers;
  transport.deflate = options.deflate;
  transport.message_bytes_max = options.message_bytes_max;
  if (options.format == wirebird::Format::protobuf) {
    transport.frames = TransportOptions::Frames::binary;
    transport.subprotocol = "centrifuge-protobuf";
  }
  return transport;
}

}  // namespace

Session::Session(SessionOptions options, base::Entropy& entropy)
    : options_(std::move(options)),
      entropy_(entropy),
      transport_(transport_options(options_), entropy),
      retry_(options_.reconnect_min, options_.reconnect_max) {}

Session::Wanted Session::transport() const {
  return {transport_.wanted() ? TransportState::open : TransportState::closed, attempt_};
}

void Session::connect(base::Instant now) {
  if (state_ != ClientState::disconnected) return;
  state_ = ClientState::connecting;
  retry_.forget();
  events_.emplace_back(wirebird::ConnectingEvent{ConnectingCode::connect_called, "connect called"});
  begin_attempt(now);
}

void Session::set_token(std::string token) {
  options_.token = std::move(token);
  token_expired_ = false;
}

void Session::disconnect() { finish(DisconnectedCode::disconnect_called, "disconnect called"); }

void Session::close() {
  for (const auto& [command, pending] : std::exchange(pending_, {})) {
    if (pending.kind == Pending::Kind::call) {
      answer_error(pending.target, {ErrorCode::client_closed, "client closed", false});
    }
  }
  fail_waiting(ErrorCode::client_closed, "client closed");
  flush_batch();
  transport_.drop();
  output_ += transport_.take_output();
}

// --- one attempt ---

void Session::begin_attempt(base::Instant now) {
  retry_at_ = base::kNever;
  const bool asks = options_.tokens == SubscriptionSettings::Tokens::asked_for;
  if (token_expired_ && !asks) return finish(DisconnectedCode::unauthorized, "unauthorized");
  if (!asks || (!options_.token.empty() && !token_expired_)) return open_transport(now);
  ticket_ = ++tickets_;
  events_.emplace_back(TokenWanted{ticket_, std::nullopt});
}

void Session::open_transport(base::Instant now) {
  ++attempt_;
  transport_.begin();
  attempt_deadline_ = now + options_.connect_timeout;
}

void Session::connected() {
  transport_.connected();
  output_ += transport_.take_output();
}

void Session::send_connect(base::Instant now) {
  attempt_deadline_ = base::kNever;
  commands_ = 0;
  wire::ConnectRequest request{
      .token = options_.token, .data = payload(options_.data), .name = options_.name, .version = options_.version};
  for (const auto& [channel, subscription] : server_subscriptions_) {
    if (!subscription.recoverable) continue;
    request.subs.emplace_back(
        channel, wire::SubscribeRequest{
                     .recover = true, .epoch = subscription.position.epoch, .offset = subscription.position.offset});
  }
  request.headers.assign(options_.headers.begin(), options_.headers.end());
  send(Pending::Kind::connect, 0, std::move(request), now);
  connect_sent_ = true;
  // In the same frame: they are answered after the connect, or not at all.
  for (auto& [id, subscription] : subscriptions_) try_subscribe(subscription, now);
}

void Session::take_connect(const wire::ConnectResult& result, base::Instant now) {
  state_ = ClientState::connected;
  retry_.forget();
  token_expired_ = false;
  answers_pings_ = result.pong;
  silence_max_ = result.ping == 0 ? base::Duration{0} : std::chrono::seconds(result.ping) + options_.ping_delay_max;
  silence_deadline_ = result.ping == 0 ? base::kNever : now + silence_max_;
  arm_refresh(result.expires, result.ttl, now);
  events_.emplace_back(wirebird::ConnectedEvent{std::string(result.client), std::string(result.version),
                                                std::string(result.data.bytes)});
  take_server_subscriptions(result);
  send_waiting(std::nullopt, now);
}

void Session::take_server_subscriptions(const wire::ConnectResult& result) {
  std::map<std::string, ServerSubscription, std::less<>> before = std::exchange(server_subscriptions_, {});
  for (const auto& [channel, sub] : result.subs) {
    const std::string name(channel);
    before.erase(name);
    ServerSubscription& subscription = server_subscriptions_[name];
    subscription = {sub.recoverable, {sub.offset, std::string(sub.epoch)}};
    wirebird::SubscribedEvent event;
    event.recoverable = sub.recoverable;
    event.positioned = sub.positioned;
    event.was_recovering = sub.was_recovering;
    event.recovered = sub.recovered;
    event.has_recovered_publications = sub.recovered && !sub.publications.empty();
    if (sub.recoverable || sub.positioned) event.position = subscription.position;
    event.data = sub.data.bytes;
    events_.emplace_back(wirebird::ServerSubscribedEvent{name, std::move(event)});
    for (const wire::Publication& each : sub.publications) {
      wirebird::Publication publication = to_public(each);
      publication.data = each.data.bytes;
      if (each.offset > 0) subscription.position.offset = each.offset;
      events_.emplace_back(wirebird::ServerPublicationEvent{name, std::move(publication)});
    }
  }
  for (const auto& [channel, gone] : before) events_.emplace_back(wirebird::ServerUnsubscribedEvent{channel});
}

void Session::refuse_connect(const wire::ReplyError& error, base::Instant now) {
  const bool expired = error.code == static_cast<std::uint32_t>(wire::ErrorCode::token_expired);
  if (!expired && !error.temporary) return finish(error.code, std::string(error.message));
  token_expired_ = token_expired_ || expired;
  tell_error(error.code, std::string(error.message));
  if (expired && options_.tokens != SubscriptionSettings::Tokens::asked_for) {
    return finish(DisconnectedCode::unauthorized, "unauthorized");
  }
  reconnect(ConnectingCode::transport_closed, "connect error", now);
}

// --- tokens ---

void Session::take_token(std::uint64_t ticket, TokenOutcome outcome, base::Instant now) {
  if (outcome.kind == TokenOutcome::Kind::token && outcome.text.empty()) {
    outcome.kind = TokenOutcome::Kind::unauthorized;
  }
  if (ticket == ticket_ && ticket != 0) return take_connection_token(std::move(outcome), now);
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.ticket == ticket) return take_subscription_token(subscription, std::move(outcome), now);
  }
}

void Session::take_connection_token(TokenOutcome outcome, base::Instant now) {
  ticket_ = 0;
  const bool refreshing = state_ == ClientState::connected;
  switch (outcome.kind) {
    case TokenOutcome::Kind::unauthorized:
      return finish(DisconnectedCode::unauthorized, "unauthorized");
    case TokenOutcome::Kind::failed:
      tell_error(refreshing ? ErrorCode::client_refresh_token : ErrorCode::client_connect_token,
                 std::move(outcome.text));
      if (refreshing) {
        refresh_at_ = now + kRefreshRetryMin + Backoff::uniform(entropy_, kRefreshRetrySpread);
      } else {
        retry_at_ = now + retry_.next(entropy_);
      }
      return;
    case TokenOutcome::Kind::token:
      options_.token = std::move(outcome.text);
      token_expired_ = false;
      if (!refreshing) return open_transport(now);
      send(Pending::Kind::refresh, 0, wire::RefreshRequest{options_.token}, now);
  }
}

// A little before the end, so that a slow token service does not make us late.
void Session::arm_refresh(bool expires, std::uint32_t ttl_s, base::Instant now) {
  const base::Duration ttl = std::chrono::seconds(ttl_s);
  refresh_at_ = expires ? now + ttl - std::min<base::Duration>(ttl / 10, std::chrono::seconds(5)) : base::kNever;
}

void Session::ask_for_refresh() {
  refresh_at_ = base::kNever;
  if (ticket_ != 0) return;
  // Without a new token the server will end the connection with code 3005, and the reconnect with error 109.
  if (options_.tokens != SubscriptionSettings::Tokens::asked_for) return;
  ticket_ = ++tickets_;
  events_.emplace_back(TokenWanted{ticket_, std::nullopt});
}

void Session::take_refresh(const wire::Reply& reply, base::Instant now) {
  if (!reply.error) {
    const auto* result = std::get_if<wire::RefreshResult>(&reply.body);
    if (result == nullptr) return finish(DisconnectedCode::bad_protocol, "bad protocol");
    return arm_refresh(result->expires, result->ttl, now);
  }
  if (reply.error->code >= 100 && !reply.error->temporary) {
    return finish(reply.error->code, std::string(reply.error->message));
  }
  tell_error(reply.error->code, std::string(reply.error->message));
  refresh_at_ = now + kRefreshRetryMin + Backoff::uniform(entropy_, kRefreshRetrySpread);
}

// --- the end of a connection ---

void Session::take_close(std::uint32_t code, std::string reason, base::Instant now) {
  if (code == kMessageTooBig) return finish(DisconnectedCode::message_size_limit, "message size limit");
  if (code == static_cast<std::uint32_t>(wire::DisconnectCode::state_invalidated)) forget_state();
  if (code < kFirstServerCode) {
    // What went wrong before there was anything to lose has no event of its own.
    if (state_ == ClientState::connecting) tell_error(ErrorCode::transport_closed, std::move(reason));
    return reconnect(ConnectingCode::transport_closed, "transport closed", now);
  }
  if (wire::reconnects(code)) {
    if (state_ == ClientState::connecting) tell_error(code, reason);
    return reconnect(code, std::move(reason), now);
  }
  finish(code, std::move(reason));
}

void Session::forget_state() {
  if (options_.tokens == SubscriptionSettings::Tokens::asked_for) options_.token.clear();
  for (auto& [id, subscription] : subscriptions_) subscription.forget_state();
  for (auto& [channel, subscription] : server_subscriptions_) {
    if (subscription.recoverable) subscription.position = {0, "_"};
  }
}

void Session::reconnect(std::uint32_t code, std::string reason, base::Instant now) {
  if (state_ == ClientState::disconnected) return;
  const ClientState before = std::exchange(state_, ClientState::connecting);
  if (before == ClientState::connected) events_.emplace_back(wirebird::ConnectingEvent{code, std::move(reason)});
  leave_connection(before);
  retry_at_ = now + retry_.next(entropy_);
}

void Session::finish(std::uint32_t code, std::string reason) {
  if (state_ == ClientState::disconnected) return;
  const ClientState before = std::exchange(state_, ClientState::disconnected);
  events_.emplace_back(wirebird::DisconnectedEvent{code, std::move(reason)});
  leave_connection(before);
  fail_waiting(ErrorCode::client_disconnected, "client disconnected");
}

// Whatever was under way on the connection is over.
void Session::leave_connection(ClientState before) {
  flush_batch();
  transport_.drop();
  output_ += transport_.take_output();
  connect_sent_ = false;
  ticket_ = 0;
  attempt_deadline_ = retry_at_ = silence_deadline_ = refresh_at_ = base::kNever;
  for (const auto& [command, pending] : std::exchange(pending_, {})) {
    if (pending.kind == Pending::Kind::call) {
      answer_error(pending.target, {ErrorCode::connection_closed, "connection closed", true});
    }
  }
  if (before == ClientState::connected) {
    for (const auto& [channel, subscription] : server_subscriptions_) {
      events_.emplace_back(wirebird::ServerSubscribingEvent{channel});
    }
  }
  for (auto& [id, subscription] : subscriptions_) {
    subscription.command = 0;
    subscription.ticket = 0;
    subscription.retry_at = subscription.refresh_at = base::kNever;
    if (subscription.state == SubscriptionState::subscribed) {
      subscription.retry.forget();
      set_subscribing(subscription, wirebird::SubscribingCode::transport_closed, "transport closed");
    }
  }
}

// --- time ---

base::Instant Session::next_timeout() const {
  base::Instant next =
      std::min({attempt_deadline_, retry_at_, silence_deadline_, refresh_at_, transport_.next_timeout()});
  // Commands and waiting calls all have the same time, so the first ones are due first.
  if (!pending_.empty()) next = std::min(next, pending_.begin()->second.deadline);
  if (!waiting_.empty()) next = std::min(next, waiting_.front().deadline);
  for (const auto& [id, subscription] : subscriptions_) {
    next = std::min({next, subscription.retry_at, subscription.refresh_at});
  }
  return next;
}

void Session::handle_timeout(base::Instant now) {
  if (attempt_deadline_ <= now) {
    tell_error(ErrorCode::transport_closed, "The server did not answer in time.");
    reconnect(ConnectingCode::transport_closed, "transport closed", now);
  }
  if (retry_at_ <= now) begin_attempt(now);
  if (silence_deadline_ <= now) reconnect(ConnectingCode::no_ping, "no ping", now);
  if (refresh_at_ <= now) ask_for_refresh();
  if (transport_.next_timeout() <= now) {
    transport_.handle_timeout(now);
    output_ += transport_.take_output();
    for (const Transport::Event& event : transport_.events()) take_transport_event(event, now);
  }
  while (!pending_.empty() && pending_.begin()->second.deadline <= now) expire(pending_.begin()->first, now);
  expire_waiting(now);
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.retry_at <= now) {
      subscription.retry_at = base::kNever;
      try_subscribe(subscription, now);
    }
    if (subscription.refresh_at <= now) {
      subscription.refresh_at = base::kNever;
      ask_for_token(subscription);
    }
  }
}

}  // namespace client::centrifuge
