// Calls: publish, history and so on, from the command to the answer.
#include <utility>

#include "base/assert.h"
#include "client/core/centrifuge/session.h"

namespace client::centrifuge {
namespace {

namespace wire = door::centrifuge;
using wirebird::ErrorCode;

}  // namespace

void Session::call(CallId id, Call call, base::Instant now) {
  switch (state_) {
    case ClientState::disconnected:
      return answer_error(id, {ErrorCode::client_disconnected, "client disconnected", false});
    case ClientState::connecting:
      waiting_.push_back({id, std::nullopt, std::move(call), now + options_.timeout});
      return;
    case ClientState::connected:
      return send_call(id, call, now);
  }
}

void Session::call(CallId id, SubscriptionId subscription, Call call, base::Instant now) {
  const Subscription* found = find(subscription);
  if (found == nullptr || found->state == SubscriptionState::unsubscribed) {
    return answer_error(id, {ErrorCode::subscription_unsubscribed, "subscription unsubscribed", false});
  }
  if (found->state == SubscriptionState::subscribed) return send_call(id, call, now);
  waiting_.push_back({id, subscription, std::move(call), now + options_.timeout});
}

void Session::send_call(CallId id, const Call& call, base::Instant now) {
  if (const auto* send_only = std::get_if<SendCall>(&call)) {
    append({.request = wire::SendRequest{payload(send_only->data)}});
    events_.emplace_back(Answered{id, wirebird::SendResult{}});
    return;
  }
  wire::Request request;
  if (const auto* publish = std::get_if<PublishCall>(&call)) {
    request = wire::PublishRequest{.channel = publish->channel, .data = payload(publish->data)};
  } else if (const auto* rpc = std::get_if<RpcCall>(&call)) {
    request = wire::RpcRequest{.data = payload(rpc->data), .method = rpc->method};
  } else if (const auto* history = std::get_if<HistoryCall>(&call)) {
    wire::HistoryRequest made{.channel = history->channel,
                              .limit = history->options.limit,
                              .reverse = history->options.order == wirebird::HistoryOptions::Order::newest_first};
    if (history->options.since) made.since = {history->options.since->offset, history->options.since->epoch};
    request = made;
  } else if (const auto* presence = std::get_if<PresenceCall>(&call)) {
    request = wire::PresenceRequest{presence->channel};
  } else if (const auto* stats = std::get_if<PresenceStatsCall>(&call)) {
    request = wire::PresenceStatsRequest{stats->channel};
  }
  const std::uint32_t command = send(Pending::Kind::call, id, std::move(request), now);
  pending_.at(command).call = call.index();
}

void Session::take_answer(const Pending& pending, const wire::Reply& reply) {
  const CallId id = pending.target;
  if (reply.error) {
    return answer_error(id, {reply.error->code, std::string(reply.error->message), reply.error->temporary});
  }
  const auto answered = [&](auto result) { events_.emplace_back(Answered{id, std::move(result)}); };
  const auto is = [&]<typename Made>(std::in_place_type_t<Made>) { return Call(Made{}).index() == pending.call; };
  if (is(std::in_place_type<PublishCall>) && std::holds_alternative<wire::PublishResult>(reply.body)) {
    return answered(wirebird::PublishResult{});
  }
  if (const auto* rpc = std::get_if<wire::RpcResult>(&reply.body); rpc && is(std::in_place_type<RpcCall>)) {
    return answered(wirebird::RpcResult{std::string(rpc->data.bytes)});
  }
  if (const auto* history = std::get_if<wire::HistoryResult>(&reply.body);
      history && is(std::in_place_type<HistoryCall>)) {
    wirebird::HistoryResult result;
    result.position = {history->offset, std::string(history->epoch)};
    for (const wire::Publication& each : history->publications) {
      result.publications.push_back(to_public(each));
      result.publications.back().data = each.data.bytes;
    }
    return answered(std::move(result));
  }
  if (const auto* presence = std::get_if<wire::PresenceResult>(&reply.body);
      presence && is(std::in_place_type<PresenceCall>)) {
    wirebird::PresenceResult result;
    for (const auto& [client, info] : presence->presence) result.clients.emplace(client, to_public(info));
    return answered(std::move(result));
  }
  if (const auto* stats = std::get_if<wire::PresenceStatsResult>(&reply.body);
      stats && is(std::in_place_type<PresenceStatsCall>)) {
    return answered(wirebird::PresenceStatsResult{stats->num_clients, stats->num_users});
  }
  answer_error(id, {ErrorCode::connection_closed, "the answer is of another kind", false});
  finish(wirebird::DisconnectedCode::bad_protocol, "bad protocol");
}

void Session::answer_error(CallId id, wirebird::Error error) { events_.emplace_back(Answered{id, std::move(error)}); }

// --- waiting ---

void Session::send_waiting(std::optional<SubscriptionId> subscription, base::Instant now) {
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.subscription != subscription) return false;
    send_call(waiting.id, waiting.call, now);
    return true;
  });
}

void Session::fail_waiting(std::uint32_t code, std::string_view message) {
  for (const Waiting& waiting : std::exchange(waiting_, {})) {
    answer_error(waiting.id, {code, std::string(message), false});
  }
}

void Session::fail_waiting(SubscriptionId subscription, std::uint32_t code, std::string_view message) {
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.subscription != subscription) return false;
    answer_error(waiting.id, {code, std::string(message), false});
    return true;
  });
}

void Session::expire_waiting(base::Instant now) {
  std::size_t due = 0;
  while (due < waiting_.size() && waiting_[due].deadline <= now) {
    answer_error(waiting_[due++].id, {ErrorCode::timeout, "timeout", true});
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(due));
}

}  // namespace client::centrifuge
