// One channel of a Client. Made by Client::new_subscription(); subscribed again by itself after every reconnect, with
// recovery where the channel has it.
//
// States: unsubscribed -> subscribing -> subscribed; a cut leads back to subscribing; a final refusal, unsubscribe()
// and the server's word lead to unsubscribed.
//
// Every function may be called from any thread, also inside callbacks, and returns at once; after the Client is gone
// calls fail with ErrorCode::client_closed and everything else does nothing. Callbacks: see client.h. Set them before
// subscribe().
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>

#include "wirebird/api.h"
#include "wirebird/codes.h"
#include "wirebird/options.h"
#include "wirebird/result.h"
#include "wirebird/values.h"

namespace wirebird {

namespace inside {
class Runner;
struct SubscriptionShare;
}  // namespace inside

template <typename T>
using Callback = std::function<void(Result<T>)>;

class WIREBIRD_API Subscription {
 public:
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  const std::string& channel() const;
  SubscriptionState state() const;  // as of the newest event

  void subscribe();
  void unsubscribe();

  void on_subscribing(std::function<void(const SubscribingEvent&)> callback);
  void on_subscribed(std::function<void(const SubscribedEvent&)> callback);
  void on_unsubscribed(std::function<void(const UnsubscribedEvent&)> callback);
  void on_publication(std::function<void(const Publication&)> callback);
  void on_join(std::function<void(const JoinEvent&)> callback);
  void on_leave(std::function<void(const LeaveEvent&)> callback);
  // What went wrong and will be tried again.
  void on_error(std::function<void(const Error&)> callback);

  // Calls wait for the subscription if it is subscribing, at most ClientOptions::timeout; more in client.h.
  void publish(std::string data, Callback<PublishResult> done);
  std::future<Result<PublishResult>> publish(std::string data);
  void history(HistoryOptions options, Callback<HistoryResult> done);
  std::future<Result<HistoryResult>> history(HistoryOptions options = {});
  void presence(Callback<PresenceResult> done);
  std::future<Result<PresenceResult>> presence();
  void presence_stats(Callback<PresenceStatsResult> done);
  std::future<Result<PresenceStatsResult>> presence_stats();

  // From the next subscribe on. False: it is not UTF-8, or not JSON where it has to be, or the client is gone; nothing
  // has changed.
  bool set_data(std::string data);
  bool set_tags_filter(std::optional<TagsFilter> filter);

 private:
  friend class Client;
  friend class inside::Runner;
  explicit Subscription(std::shared_ptr<inside::SubscriptionShare> share);

  std::shared_ptr<inside::SubscriptionShare> share_;
};

}  // namespace wirebird
