// Subscriptions: subscribing, recovery, tokens, and what the server pushes on a channel.
#include <utility>

#include "base/assert.h"
#include "client/core/centrifuge/session.h"
#include "door/centrifuge/errors.h"

namespace client::centrifuge {
namespace {

namespace wire = door::centrifuge;
using wirebird::ErrorCode;
using wirebird::SubscribingCode;
using wirebird::UnsubscribedCode;

constexpr auto kTokenExpired = static_cast<std::uint32_t>(wire::ErrorCode::token_expired);
constexpr auto kStateInvalidated = static_cast<std::uint32_t>(wire::UnsubscribeCode::state_invalidated);

// A subscription that ended sooner waits before it is made again, or a server that ends it at once would be asked
// without a pause.
constexpr base::Duration kStable = std::chrono::seconds(1);

constexpr base::Duration kRefreshRetryMin = std::chrono::seconds(5);
constexpr base::Duration kRefreshRetrySpread = std::chrono::seconds(5);

bool passing(const wire::ReplyError& error) { return error.code < 100 || error.temporary; }

}  // namespace

void Session::add(SubscriptionId id, SubscriptionSettings settings) {
  ASSERT(!channels_.contains(settings.channel));
  channels_.emplace(settings.channel, id);
  subscriptions_.emplace(id, Subscription(id, std::move(settings)));
}

Subscription* Session::find(SubscriptionId id) {
  const auto found = subscriptions_.find(id);
  return found == subscriptions_.end() ? nullptr : &found->second;
}

SubscriptionSettings* Session::settings(SubscriptionId id) {
  Subscription* subscription = find(id);
  return subscription == nullptr ? nullptr : &subscription->settings;
}

void Session::subscribe(SubscriptionId id, base::Instant now) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->state != SubscriptionState::unsubscribed) return;
  subscription->retry.forget();
  set_subscribing(*subscription, SubscribingCode::subscribe_called, "subscribe called");
  try_subscribe(*subscription, now);
}

void Session::unsubscribe(SubscriptionId id, base::Instant now) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->state == SubscriptionState::unsubscribed) return;
  send_unsubscribe(*subscription, now);
  set_unsubscribed(*subscription, UnsubscribedCode::unsubscribe_called, "unsubscribe called");
}

void Session::remove(SubscriptionId id, base::Instant now) {
  Subscription* subscription = find(id);
  if (subscription == nullptr) return;
  unsubscribe(id, now);
  channels_.erase(subscription->settings.channel);
  subscriptions_.erase(id);
}

// --- subscribing ---

// Subscribes unless something has to come first; what it waits for calls again.
void Session::try_subscribe(Subscription& subscription, base::Instant now) {
  if (subscription.state != SubscriptionState::subscribing || !connect_sent_) return;
  if (subscription.command != 0 || subscription.ticket != 0) return;
  subscription.retry_at = base::kNever;
  const bool asks = subscription.settings.tokens == SubscriptionSettings::Tokens::asked_for;
  if (asks && subscription.settings.token.empty()) return ask_for_token(subscription);
  send_subscribe(subscription, now);
}

void Session::send_subscribe(Subscription& subscription, base::Instant now) {
  std::optional<wire::FilterNode> filter;
  subscription.command = send(Pending::Kind::subscribe, subscription.id,
                              subscription.request(payload(subscription.settings.data), filter), now);
}

void Session::take_subscribe(Subscription& subscription, const wire::Reply& reply, base::Instant now) {
  subscription.command = 0;
  if (reply.error) {
    const wire::ReplyError& error = *reply.error;
    if (!passing(error) && error.code != kTokenExpired) {
      return set_unsubscribed(subscription, error.code, std::string(error.message));
    }
    tell(subscription, wirebird::Error{error.code, std::string(error.message), true});
    if (error.code == kTokenExpired) {
      if (subscription.settings.tokens != SubscriptionSettings::Tokens::asked_for) {
        return set_unsubscribed(subscription, UnsubscribedCode::unauthorized, "unauthorized");
      }
      subscription.settings.token.clear();
    }
    return retry_later(subscription, now);
  }
  const auto* result = std::get_if<wire::SubscribeResult>(&reply.body);
  if (result == nullptr) return finish(wirebird::DisconnectedCode::bad_protocol, "bad protocol");
  subscription.state = SubscriptionState::subscribed;
  subscription.subscribed_at = now;
  tell(subscription, subscription.take(*result));
  if (result->expires) subscription.refresh_at = now + std::chrono::seconds(result->ttl) * 9 / 10;
  for (const wire::Publication& publication : result->publications) {
    take_publication(subscription, publication, now);
    if (subscription.state != SubscriptionState::subscribed) return;
  }
  send_waiting(subscription.id, now);
}

void Session::retry_later(Subscription& subscription, base::Instant now) {
  subscription.retry_at = now + subscription.retry.next(entropy_);
}

// --- tokens ---

void Session::ask_for_token(Subscription& subscription) {
  if (subscription.settings.tokens != SubscriptionSettings::Tokens::asked_for || subscription.ticket != 0) return;
  subscription.ticket = ++tickets_;
  events_.emplace_back(TokenWanted{subscription.ticket, subscription.id});
}

void Session::take_subscription_token(Subscription& subscription, TokenOutcome outcome, base::Instant now) {
  subscription.ticket = 0;
  const bool refreshing = subscription.state == SubscriptionState::subscribed;
  switch (outcome.kind) {
    case TokenOutcome::Kind::unauthorized:
      if (refreshing) send_unsubscribe(subscription, now);
      return set_unsubscribed(subscription, UnsubscribedCode::unauthorized, "unauthorized");
    case TokenOutcome::Kind::failed:
      tell(subscription, wirebird::Error{refreshing ? std::uint32_t{ErrorCode::subscription_refresh_token}
                                                    : std::uint32_t{ErrorCode::subscription_subscribe_token},
                                         std::move(outcome.text), true});
      if (!refreshing) return retry_later(subscription, now);
      subscription.refresh_at = now + kRefreshRetryMin + Backoff::uniform(entropy_, kRefreshRetrySpread);
      return;
    case TokenOutcome::Kind::token:
      subscription.settings.token = std::move(outcome.text);
      if (!refreshing) return try_subscribe(subscription, now);
      send(Pending::Kind::sub_refresh, subscription.id,
           wire::SubRefreshRequest{.channel = subscription.settings.channel, .token = subscription.settings.token},
           now);
  }
}

void Session::take_sub_refresh(Subscription& subscription, const wire::Reply& reply, base::Instant now) {
  if (subscription.state != SubscriptionState::subscribed) return;
  if (!reply.error) {
    const auto* result = std::get_if<wire::SubRefreshResult>(&reply.body);
    if (result == nullptr) return finish(wirebird::DisconnectedCode::bad_protocol, "bad protocol");
    if (result->expires) subscription.refresh_at = now + std::chrono::seconds(result->ttl) * 9 / 10;
    return;
  }
  if (!passing(*reply.error)) {
    send_unsubscribe(subscription, now);
    return set_unsubscribed(subscription, reply.error->code, std::string(reply.error->message));
  }
  tell(subscription, wirebird::Error{reply.error->code, std::string(reply.error->message), true});
  subscription.refresh_at = now + kRefreshRetryMin + Backoff::uniform(entropy_, kRefreshRetrySpread);
}

// --- pushes ---

void Session::take_subscription_push(Subscription& subscription, const wire::Push& push, base::Instant now) {
  if (const auto* end = std::get_if<wire::UnsubscribePush>(&push.body)) {
    // The subscribe under way, if any, came later than what this is about.
    if (subscription.state != SubscriptionState::subscribed) return;
    if (!wire::resubscribes(end->code)) return set_unsubscribed(subscription, end->code, std::string(end->reason));
    if (end->code == kStateInvalidated) subscription.forget_state();
    set_subscribing(subscription, end->code, std::string(end->reason));
    if (now - subscription.subscribed_at < kStable) return retry_later(subscription, now);
    subscription.retry.forget();
    return try_subscribe(subscription, now);
  }
  // Before the reply to a subscribe there is nothing of its own: it is left over from the subscription before.
  if (subscription.state != SubscriptionState::subscribed) return;
  if (const auto* publication = std::get_if<wire::Publication>(&push.body)) {
    take_publication(subscription, *publication, now);
  } else if (const auto* join = std::get_if<wire::JoinPush>(&push.body)) {
    if (join->info) tell(subscription, wirebird::JoinEvent{to_public(*join->info)});
  } else if (const auto* leave = std::get_if<wire::LeavePush>(&push.body)) {
    if (leave->info) tell(subscription, wirebird::LeaveEvent{to_public(*leave->info)});
  }
}

void Session::take_publication(Subscription& subscription, const wire::Publication& publication, base::Instant now) {
  const auto encoding =
      options_.format == wirebird::Format::json ? DeltaChain::Encoding::json_string : DeltaChain::Encoding::bytes;
  std::optional<std::string> data = subscription.delta.whole(publication, encoding);
  if (!data) {
    // Begun anew the first publication is whole, and the position has not moved, so nothing is lost where there is
    // recovery.
    tell(subscription, wirebird::Error{ErrorCode::bad_delta, "a delta does not fit", true});
    send_unsubscribe(subscription, now);
    set_subscribing(subscription, SubscribingCode::bad_delta, "bad delta");
    return retry_later(subscription, now);
  }
  if (publication.offset > 0) subscription.position.offset = publication.offset;
  // The first of a stream that was empty says in which epoch it is.
  if (!publication.epoch.empty()) subscription.position.epoch = publication.epoch;
  wirebird::Publication event = to_public(publication);
  event.data = std::move(*data);
  tell(subscription, std::move(event));
}

// --- states ---

void Session::set_subscribing(Subscription& subscription, std::uint32_t code, std::string reason) {
  subscription.state = SubscriptionState::subscribing;
  subscription.command = 0;
  subscription.ticket = 0;
  subscription.retry_at = subscription.refresh_at = base::kNever;
  tell(subscription, wirebird::SubscribingEvent{code, std::move(reason)});
}

void Session::set_unsubscribed(Subscription& subscription, std::uint32_t code, std::string reason) {
  subscription.state = SubscriptionState::unsubscribed;
  subscription.command = 0;
  subscription.ticket = 0;
  subscription.retry_at = subscription.refresh_at = base::kNever;
  tell(subscription, wirebird::UnsubscribedEvent{code, std::move(reason)});
  fail_waiting(subscription.id, ErrorCode::subscription_unsubscribed, "subscription unsubscribed");
}

// Also when the subscribe is still under way: the server does the one after the other.
void Session::send_unsubscribe(const Subscription& subscription, base::Instant now) {
  if (!connect_sent_) return;
  if (subscription.state != SubscriptionState::subscribed && subscription.command == 0) return;
  send(Pending::Kind::unsubscribe, subscription.id, wire::UnsubscribeRequest{subscription.settings.channel}, now);
}

void Session::tell(const Subscription& subscription, decltype(OfSubscription::event) event) {
  events_.emplace_back(OfSubscription{subscription.id, std::move(event)});
}

}  // namespace client::centrifuge
