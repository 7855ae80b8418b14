// What a client remembers of one subscription. The moves between the states are Session's; here is what a request says
// and what a result or publication changes. No I/O; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <wirebird/options.h>
#include <wirebird/values.h>

#include "base/time.h"
#include "client/core/centrifuge/events.h"
#include "client/core/centrifuge/retry.h"
#include "door/centrifuge/protocol.h"

namespace client::centrifuge {

// What the user wants; of wirebird::SubscriptionOptions all but the callback.
struct SubscriptionSettings {
  std::string channel;
  std::string token;
  enum class Tokens : std::uint8_t { given, asked_for } tokens = Tokens::given;  // asked_for: there is a get_token
  std::string data;  // JSON or bytes, as the connection's format wants
  bool recoverable = false;
  bool positioned = false;
  bool join_leave = false;
  wirebird::SubscriptionOptions::Delta delta = wirebird::SubscriptionOptions::Delta::none;
  std::optional<wirebird::TagsFilter> tags_filter;
  std::optional<wirebird::StreamPosition> since;
  base::Duration retry_min = std::chrono::milliseconds(500);
  base::Duration retry_max = std::chrono::seconds(20);
};

// The publications of a channel, put together from deltas.
class DeltaChain {
 public:
  void restart(bool granted) {
    granted_ = granted;
    before_.reset();
  }
  // The whole data of a publication; nullopt: the delta does not fit. `encoding` says how bytes stand in the frame.
  enum class Encoding : std::uint8_t { json_string, bytes };
  std::optional<std::string> whole(const door::centrifuge::Publication& publication, Encoding encoding);

 private:
  bool granted_ = false;
  std::optional<std::string> before_;
};

struct Subscription {
  explicit Subscription(SubscriptionId number, SubscriptionSettings with)
      : id(number),
        settings(std::move(with)),
        recover(settings.since.has_value()),
        position(settings.since.value_or(wirebird::StreamPosition{})),
        retry(settings.retry_min, settings.retry_max) {}

  // Views live as long as this is not changed. `filter` keeps what the request points to.
  door::centrifuge::SubscribeRequest request(door::centrifuge::Payload data,
                                             std::optional<door::centrifuge::FilterNode>& filter) const;
  // Takes position and delta; publications are the caller's.
  wirebird::SubscribedEvent take(const door::centrifuge::SubscribeResult& result);
  // The server has lost what it knew: neither token nor position can be right (facts: code 3014, 2502). A recovery must
  // not succeed by chance, so it asks for an epoch that no stream has.
  void forget_state();

  const SubscriptionId id;
  SubscriptionSettings settings;
  wirebird::SubscriptionState state = wirebird::SubscriptionState::unsubscribed;
  bool recover;
  wirebird::StreamPosition position;
  DeltaChain delta;
  Retry retry;
  std::uint32_t command = 0;  // the subscribe under way; 0: none
  std::uint64_t ticket = 0;   // the token asked for; 0: none
  base::Instant subscribed_at{};
  base::Instant retry_at = base::kNever;    // when to subscribe again
  base::Instant refresh_at = base::kNever;  // when the token needs a new one
};

wirebird::ClientInfo to_public(const door::centrifuge::ClientInfo& info);
// `data` is not taken: it may be a delta.
wirebird::Publication to_public(const door::centrifuge::Publication& publication);

}  // namespace client::centrifuge
