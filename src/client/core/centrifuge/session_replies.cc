// What comes in from the transport and what goes out to it.
#include <utility>

#include "base/assert.h"
#include "client/core/centrifuge/session.h"
#include "door/centrifuge/errors.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"

namespace client::centrifuge {
namespace {

namespace wire = door::centrifuge;
using wirebird::ConnectingCode;
using wirebird::DisconnectedCode;
using wirebird::ErrorCode;

// Commands go out in frames of about this size: servers take 64 KiB by default, and one command more fits on top.
constexpr std::size_t kBatchBytesMax = 16 * 1024;

}  // namespace

void Session::receive(std::span<char> bytes, base::Instant now) {
  const std::uint64_t attempt = attempt_;
  // The connection may end while it is read; what follows is for nobody.
  while (!bytes.empty() && transport_.wanted() && attempt == attempt_) {
    bytes = bytes.subspan(transport_.receive(bytes, now));
    output_ += transport_.take_output();
    for (const Transport::Event& event : transport_.events()) {
      take_transport_event(event, now);
      if (state_ == ClientState::disconnected || attempt != attempt_) return;
    }
  }
}

void Session::receive_eof(std::string_view why, base::Instant now) {
  transport_.receive_eof(why);
  for (const Transport::Event& event : transport_.events()) take_transport_event(event, now);
}

void Session::take_transport_event(const Transport::Event& event, base::Instant now) {
  switch (event.type) {
    case Transport::Event::Type::opened:
      return send_connect(now);
    case Transport::Event::Type::closed:
      return take_close(event.code, event.reason, now);
    case Transport::Event::Type::message:
      break;
  }
  // A reply before may have ended the connection.
  if (!transport_.open()) return;
  if (state_ == ClientState::connected && silence_max_ > base::Duration{0}) silence_deadline_ = now + silence_max_;
  const bool valid = options_.format == wirebird::Format::json ? read_frame<wire::JsonReader>(event.message, now)
                                                               : read_frame<wire::ProtobufReader>(event.message, now);
  if (!valid) finish(DisconnectedCode::bad_protocol, "bad protocol");
}

// False: what came is not of this protocol.
template <typename Reader>
bool Session::read_frame(std::string_view frame, base::Instant now) {
  Reader reader(frame);
  wire::Reply reply;
  while (true) {
    const wire::Next next = reader.next(reply);
    if (next != wire::Next::reply) return next == wire::Next::end;
    take_reply(reply, now);
    if (!transport_.open()) return true;
  }
}

void Session::take_reply(const wire::Reply& reply, base::Instant now) {
  if (reply.id == 0) {
    if (const auto* push = std::get_if<wire::Push>(&reply.body)) return take_push(*push, now);
    const bool ping = std::holds_alternative<std::monostate>(reply.body) && !reply.error;
    if (ping && answers_pings_ && state_ == ClientState::connected) append({});
    return;
  }
  const auto found = pending_.find(reply.id);
  if (found == pending_.end()) return;  // it took longer than we waited
  const Pending pending = found->second;
  pending_.erase(found);
  switch (pending.kind) {
    case Pending::Kind::connect:
      if (reply.error) return refuse_connect(*reply.error, now);
      if (const auto* result = std::get_if<wire::ConnectResult>(&reply.body)) return take_connect(*result, now);
      return finish(DisconnectedCode::bad_protocol, "bad protocol");
    case Pending::Kind::refresh:
      return take_refresh(reply, now);
    case Pending::Kind::subscribe:
      if (Subscription* subscription = find(pending.target); subscription && subscription->command == reply.id) {
        take_subscribe(*subscription, reply, now);
      }
      return;
    case Pending::Kind::unsubscribe:
      if (reply.error) reconnect(ConnectingCode::unsubscribe_error, "unsubscribe error", now);
      return;
    case Pending::Kind::sub_refresh:
      if (Subscription* subscription = find(pending.target)) take_sub_refresh(*subscription, reply, now);
      return;
    case Pending::Kind::call:
      return take_answer(pending, reply);
  }
}

// No answer came in time. A subscription without an answer cannot be told apart from one that exists, so the connection
// starts again, as the other client libraries do.
void Session::expire(std::uint32_t command, base::Instant now) {
  const auto found = pending_.find(command);
  const Pending pending = found->second;
  pending_.erase(found);
  switch (pending.kind) {
    case Pending::Kind::connect:
      tell_error(ErrorCode::timeout, "timeout");
      return reconnect(ConnectingCode::transport_closed, "connect timeout", now);
    case Pending::Kind::refresh:
      return take_refresh({.error = wire::ReplyError{ErrorCode::timeout, "timeout", true}}, now);
    case Pending::Kind::subscribe:
      if (Subscription* subscription = find(pending.target); subscription && subscription->command == command) {
        reconnect(ConnectingCode::subscribe_timeout, "subscribe timeout", now);
      }
      return;
    case Pending::Kind::unsubscribe:
      return reconnect(ConnectingCode::unsubscribe_error, "unsubscribe error", now);
    case Pending::Kind::sub_refresh:
      if (Subscription* subscription = find(pending.target)) {
        take_sub_refresh(*subscription, {.error = wire::ReplyError{ErrorCode::timeout, "timeout", true}}, now);
      }
      return;
    case Pending::Kind::call:
      return answer_error(pending.target, {ErrorCode::timeout, "timeout", true});
  }
}

// --- pushes ---

void Session::take_push(const wire::Push& push, base::Instant now) {
  if (const auto* disconnect = std::get_if<wire::DisconnectPush>(&push.body)) {
    return take_close(disconnect->code, std::string(disconnect->reason), now);
  }
  if (const auto* message = std::get_if<wire::MessagePush>(&push.body)) {
    events_.emplace_back(wirebird::MessageEvent{std::string(message->data.bytes)});
    return;
  }
  if (const auto* refresh = std::get_if<wire::RefreshPush>(&push.body)) {
    return arm_refresh(refresh->expires, refresh->ttl, now);
  }
  if (const auto channel = channels_.find(push.channel); channel != channels_.end()) {
    Subscription& subscription = subscriptions_.at(channel->second);
    if (subscription.state != SubscriptionState::unsubscribed) return take_subscription_push(subscription, push, now);
  }
  take_server_push(push);
}

void Session::take_server_push(const wire::Push& push) {
  std::string channel(push.channel);
  if (const auto* made = std::get_if<wire::SubscribePush>(&push.body)) {
    server_subscriptions_[channel] = {made->recoverable, {made->offset, std::string(made->epoch)}};
    wirebird::SubscribedEvent event;
    event.recoverable = made->recoverable;
    event.positioned = made->positioned;
    if (made->recoverable || made->positioned) {
      event.position = wirebird::StreamPosition{made->offset, std::string(made->epoch)};
    }
    event.data = made->data.bytes;
    events_.emplace_back(wirebird::ServerSubscribedEvent{std::move(channel), std::move(event)});
    return;
  }
  const auto found = server_subscriptions_.find(channel);
  if (found == server_subscriptions_.end()) return;  // of a subscription that has just ended
  if (const auto* publication = std::get_if<wire::Publication>(&push.body)) {
    wirebird::Publication event = to_public(*publication);
    event.data = publication->data.bytes;
    if (publication->offset > 0) found->second.position.offset = publication->offset;
    if (!publication->epoch.empty()) found->second.position.epoch = publication->epoch;
    events_.emplace_back(wirebird::ServerPublicationEvent{std::move(channel), std::move(event)});
  } else if (const auto* join = std::get_if<wire::JoinPush>(&push.body)) {
    if (join->info) events_.emplace_back(wirebird::ServerJoinEvent{std::move(channel), to_public(*join->info)});
  } else if (const auto* leave = std::get_if<wire::LeavePush>(&push.body)) {
    if (leave->info) events_.emplace_back(wirebird::ServerLeaveEvent{std::move(channel), to_public(*leave->info)});
  } else if (std::holds_alternative<wire::UnsubscribePush>(push.body)) {
    server_subscriptions_.erase(found);
    events_.emplace_back(wirebird::ServerUnsubscribedEvent{std::move(channel)});
  }
}

// --- out ---

std::uint32_t Session::send(Pending::Kind kind, std::uint64_t target, wire::Request request, base::Instant now) {
  ASSERT(transport_.open());
  wire::Command command{.id = ++commands_, .request = std::move(request)};
  pending_.emplace(command.id, Pending{kind, now + options_.timeout, target});
  append(command);
  return command.id;
}

void Session::append(const wire::Command& command) {
  std::string bytes;
  if (options_.format == wirebird::Format::json) {
    wire::append_json(bytes, command);
  } else {
    wire::append_protobuf(bytes, command);
  }
  if (batch_.size() + bytes.size() > kBatchBytesMax) flush_batch();
  if (!batch_.empty() && options_.format == wirebird::Format::json) batch_ += '\n';
  batch_ += bytes;
}

void Session::flush_batch() {
  if (!batch_.empty() && transport_.open()) {
    transport_.send(batch_);
    output_ += transport_.take_output();
  }
  batch_.clear();
}

std::string Session::output() {
  flush_batch();
  return std::exchange(output_, {});
}

// JSON goes into JSON as it is, and Protobuf carries the bytes alone, whatever their kind.
wire::Payload Session::payload(std::string_view data) const {
  return {data, options_.format == wirebird::Format::json ? hub::Kind::json : hub::Kind::binary};
}

void Session::tell_error(std::uint32_t code, std::string message) {
  events_.emplace_back(wirebird::Error{code, std::move(message), true});
}

}  // namespace client::centrifuge
