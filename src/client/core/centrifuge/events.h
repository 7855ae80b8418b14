// What a Session tells its owner, and what it is asked. Values that own what they hold; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <wirebird/result.h>
#include <wirebird/values.h>

namespace client::centrifuge {

using SubscriptionId = std::uint64_t;
using CallId = std::uint64_t;

// --- calls ---

struct PublishCall {
  std::string channel;
  std::string data;
};
struct SendCall {
  std::string data;
};
struct RpcCall {
  std::string method;
  std::string data;
};
struct HistoryCall {
  std::string channel;
  wirebird::HistoryOptions options;
};
struct PresenceCall {
  std::string channel;
};
struct PresenceStatsCall {
  std::string channel;
};
using Call = std::variant<PublishCall, SendCall, RpcCall, HistoryCall, PresenceCall, PresenceStatsCall>;

// --- events ---

// The end of a call; the alternative is that of the call, or an error.
struct Answered {
  CallId id = 0;
  std::variant<wirebird::Error, wirebird::PublishResult, wirebird::SendResult, wirebird::RpcResult,
               wirebird::HistoryResult, wirebird::PresenceResult, wirebird::PresenceStatsResult>
      result;
};

// A token is needed; the owner gives it with Session::take_token() and this ticket.
struct TokenWanted {
  std::uint64_t ticket = 0;
  std::optional<SubscriptionId> subscription;  // none: for the connection
};

struct OfSubscription {
  SubscriptionId subscription = 0;
  std::variant<wirebird::SubscribingEvent, wirebird::SubscribedEvent, wirebird::UnsubscribedEvent,
               wirebird::Publication, wirebird::JoinEvent, wirebird::LeaveEvent, wirebird::Error>
      event;
};

using Event =
    std::variant<wirebird::ConnectingEvent, wirebird::ConnectedEvent, wirebird::DisconnectedEvent,
                 wirebird::MessageEvent, wirebird::Error, wirebird::ServerSubscribingEvent,
                 wirebird::ServerSubscribedEvent, wirebird::ServerUnsubscribedEvent, wirebird::ServerPublicationEvent,
                 wirebird::ServerJoinEvent, wirebird::ServerLeaveEvent, OfSubscription, TokenWanted, Answered>;

// What came of a request for a token. An empty token is `unauthorized`.
struct TokenOutcome {
  enum class Kind : std::uint8_t { token, unauthorized, failed } kind;
  std::string text;  // the token, or why it failed
};

}  // namespace client::centrifuge
