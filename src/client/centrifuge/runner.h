// What stands behind wirebird::Client: a thread with a Session, its sockets and the user's callbacks. Everybody else
// talks to it by jobs, which it runs in the order in which they came.
//
// Threads: what is marked "any thread"; everything else belongs to the runner's own thread. The thread keeps the runner
// alive until it ends; stop() is called exactly once, by whoever gives the client up.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <wirebird/client.h>

#include "client/core/centrifuge/events.h"
#include "client/core/centrifuge/session.h"
#include "client/destination.h"
#include "client/link.h"
#include "client/system.h"

namespace wirebird::inside {

// What a Subscription is, for all threads.
struct SubscriptionShare {
  std::weak_ptr<Runner> runner;
  client::centrifuge::SubscriptionId id;
  std::string channel;
  std::atomic<SubscriptionState> state{SubscriptionState::unsubscribed};
};

// A callback that may be replaced while it runs.
template <typename Event>
using Handler = std::shared_ptr<const std::function<void(const Event&)>>;

class Runner : public std::enable_shared_from_this<Runner> {
 public:
  using SubscriptionId = client::centrifuge::SubscriptionId;
  using Call = client::centrifuge::Call;
  using Answer = decltype(client::centrifuge::Answered::result);
  using Job = std::move_only_function<void(Runner&)>;
  using Done = std::move_only_function<void(Answer)>;

  template <typename... Events>
  struct Handlers : std::tuple<Handler<Events>...> {
    template <typename Event>
    Handler<Event>& of() {
      return std::get<Handler<Event>>(*this);
    }
  };

  // Any thread. The error is a sentence for a person. Starts no thread yet.
  static std::expected<std::shared_ptr<Runner>, std::string> open(const std::string& url, ClientOptions options);
  Runner(std::unique_ptr<client::System> system, client::Destination destination, ClientOptions options);

  void start();
  // Any thread: see ~Client().
  void stop();

  // Any thread. False: the client is closed, and the job is gone.
  bool post(Job job);
  const ClientOptions& options() const { return options_; }  // any thread
  ClientState state() const { return state_.load(std::memory_order_acquire); }

  // Any thread. `done` gets its answer exactly once, on the runner's thread; if the call cannot even begin, at once
  // on this one.
  void call(std::optional<SubscriptionId> subscription, Call call, Done done);
  // Any thread: runs it where callbacks run.
  void deliver(std::function<void()> callback) const;

  // Any thread: the subscriptions there are.
  Result<std::shared_ptr<Subscription>> add(std::string channel, SubscriptionOptions options);
  std::shared_ptr<Subscription> find(const std::string& channel) const;
  void remove(const std::shared_ptr<Subscription>& subscription);

  // --- for jobs ---
  using ClientHandlers = Handlers<ConnectingEvent, ConnectedEvent, DisconnectedEvent, MessageEvent, Error,
                                  ServerSubscribingEvent, ServerSubscribedEvent, ServerUnsubscribedEvent,
                                  ServerPublicationEvent, ServerJoinEvent, ServerLeaveEvent>;
  using SubscriptionHandlers =
      Handlers<SubscribingEvent, SubscribedEvent, UnsubscribedEvent, Publication, JoinEvent, LeaveEvent, Error>;
  ClientHandlers& handlers() { return handlers_; }
  SubscriptionHandlers* handlers(SubscriptionId id);  // null: it was removed
  client::centrifuge::Session& session() { return session_; }
  base::Instant now() { return system_->clock.now(); }

 private:
  struct Record {
    std::shared_ptr<SubscriptionShare> share;
    SubscriptionHandlers handlers;
    GetToken get_token;
  };
  struct Pending {
    Done done;
    std::size_t bytes;
  };

  void run();
  void run_jobs(std::vector<Job> jobs);
  std::vector<Job> take_jobs();
  void settle();
  void settle_link();
  void handle_link();
  void close();

  void take_events();
  void take(client::centrifuge::Answered& answered);
  void take(client::centrifuge::OfSubscription& event);
  void take(client::centrifuge::TokenWanted& wanted);
  template <typename Event>
  void take(Event& event);
  template <typename Event>
  void tell(Handler<Event> handler, Event event) const;

  const std::unique_ptr<client::System> system_;
  client::Destination destination_;
  const ClientOptions options_;
  client::centrifuge::Session session_;
  client::Link link_;
  std::uint64_t link_number_ = 0;  // Session::Wanted::number that the link is for
  bool more_to_read_ = false;

  ClientHandlers handlers_;
  std::map<SubscriptionId, Record> records_;
  std::map<client::centrifuge::CallId, Pending> pending_;
  client::centrifuge::CallId calls_ = 0;

  std::atomic<ClientState> state_{ClientState::disconnected};
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> pending_calls_{0};
  std::atomic<std::size_t> pending_bytes_{0};

  mutable std::mutex mutex_;  // of what follows
  std::vector<Job> jobs_;
  bool closed_ = false;
  std::map<std::string, std::shared_ptr<Subscription>> subscriptions_;
  SubscriptionId subscription_ids_ = 0;

  std::thread thread_;
};

}  // namespace wirebird::inside
