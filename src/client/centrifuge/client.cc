// The public classes: what they are asked becomes a job or a call of the runner.
#include <wirebird/client.h>

#include <utility>

#include "client/centrifuge/runner.h"
#include "client/core/centrifuge/arguments.h"

namespace wirebird {
namespace {

using namespace client::centrifuge;
using inside::Runner;

template <typename T>
Result<T> result_of(Runner::Answer answer) {
  if (auto* value = std::get_if<T>(&answer)) return std::move(*value);
  return std::get<Error>(std::move(answer));
}

// An empty callback: nobody wants to know.
template <typename T>
void start(const std::shared_ptr<Runner>& runner, std::optional<SubscriptionId> subscription, Call call,
           Callback<T> done) {
  runner->call(subscription, std::move(call), [runner, done = std::move(done)](Runner::Answer answer) mutable {
    if (!done) return;
    runner->deliver([done = std::move(done), result = result_of<T>(std::move(answer))] { done(result); });
  });
}

template <typename T>
std::future<Result<T>> start(const std::shared_ptr<Runner>& runner, std::optional<SubscriptionId> subscription,
                             Call call) {
  std::promise<Result<T>> promise;
  std::future<Result<T>> future = promise.get_future();
  runner->call(subscription, std::move(call), [promise = std::move(promise)](Runner::Answer answer) mutable {
    promise.set_value(result_of<T>(std::move(answer)));
  });
  return future;
}

Error closed() { return {ErrorCode::client_closed, "client closed", false}; }

template <typename T>
void start(const inside::SubscriptionShare& share, Call call, Callback<T> done) {
  if (const auto runner = share.runner.lock()) return start<T>(runner, share.id, std::move(call), std::move(done));
  if (done) done(closed());
}

template <typename T>
std::future<Result<T>> start(const inside::SubscriptionShare& share, Call call) {
  if (const auto runner = share.runner.lock()) return start<T>(runner, share.id, std::move(call));
  std::promise<Result<T>> promise;
  promise.set_value(closed());
  return promise.get_future();
}

template <typename Event>
inside::Handler<Event> handler(std::function<void(const Event&)> callback) {
  if (!callback) return nullptr;
  return std::make_shared<const std::function<void(const Event&)>>(std::move(callback));
}

template <typename Event>
void set(const std::shared_ptr<Runner>& runner, std::function<void(const Event&)> callback) {
  runner->post(
      [made = handler(std::move(callback))](Runner& self) mutable { self.handlers().of<Event>() = std::move(made); });
}

template <typename Event>
void set(const inside::SubscriptionShare& share, std::function<void(const Event&)> callback) {
  const auto runner = share.runner.lock();
  if (runner == nullptr) return;
  runner->post([id = share.id, made = handler(std::move(callback))](Runner& self) mutable {
    if (auto* handlers = self.handlers(id)) handlers->of<Event>() = std::move(made);
  });
}

template <typename Change>
bool change(const inside::SubscriptionShare& share, Change change) {
  const auto runner = share.runner.lock();
  return runner != nullptr && runner->post(std::move(change));
}

}  // namespace

// --- Client ---

Result<std::unique_ptr<Client>> Client::create(std::string url, ClientOptions options) {
  auto runner = Runner::open(url, std::move(options));
  if (!runner) return Error{ErrorCode::bad_configuration, runner.error(), false};
  (*runner)->start();
  return std::unique_ptr<Client>(new Client(std::move(*runner)));
}

Client::Client(std::shared_ptr<Runner> runner) : runner_(std::move(runner)) {}
Client::~Client() { runner_->stop(); }

ClientState Client::state() const { return runner_->state(); }

void Client::connect() {
  runner_->post([](Runner& self) { self.session().connect(self.now()); });
}
void Client::disconnect() {
  runner_->post([](Runner& self) { self.session().disconnect(); });
}
bool Client::set_token(std::string token) {
  if (check_text("", token)) return false;
  return runner_->post(
      [token = std::move(token)](Runner& self) mutable { self.session().set_token(std::move(token)); });
}
bool Client::set_data(std::string data) {
  auto checked = checked_data(runner_->options().format, std::move(data));
  if (!checked) return false;
  return runner_->post(
      [data = std::move(*checked)](Runner& self) mutable { self.session().set_data(std::move(data)); });
}

void Client::on_connecting(std::function<void(const ConnectingEvent&)> callback) { set(runner_, std::move(callback)); }
void Client::on_connected(std::function<void(const ConnectedEvent&)> callback) { set(runner_, std::move(callback)); }
void Client::on_disconnected(std::function<void(const DisconnectedEvent&)> callback) {
  set(runner_, std::move(callback));
}
void Client::on_message(std::function<void(const MessageEvent&)> callback) { set(runner_, std::move(callback)); }
void Client::on_error(std::function<void(const Error&)> callback) { set(runner_, std::move(callback)); }
void Client::on_server_subscribing(std::function<void(const ServerSubscribingEvent&)> callback) {
  set(runner_, std::move(callback));
}
void Client::on_server_subscribed(std::function<void(const ServerSubscribedEvent&)> callback) {
  set(runner_, std::move(callback));
}
void Client::on_server_unsubscribed(std::function<void(const ServerUnsubscribedEvent&)> callback) {
  set(runner_, std::move(callback));
}
void Client::on_server_publication(std::function<void(const ServerPublicationEvent&)> callback) {
  set(runner_, std::move(callback));
}
void Client::on_server_join(std::function<void(const ServerJoinEvent&)> callback) { set(runner_, std::move(callback)); }
void Client::on_server_leave(std::function<void(const ServerLeaveEvent&)> callback) {
  set(runner_, std::move(callback));
}

Result<std::shared_ptr<Subscription>> Client::new_subscription(std::string channel, SubscriptionOptions options) {
  return runner_->add(std::move(channel), std::move(options));
}
std::shared_ptr<Subscription> Client::subscription(const std::string& channel) const { return runner_->find(channel); }
void Client::remove_subscription(const std::shared_ptr<Subscription>& subscription) { runner_->remove(subscription); }

void Client::publish(std::string channel, std::string data, Callback<PublishResult> done) {
  start(runner_, std::nullopt, PublishCall{std::move(channel), std::move(data)}, std::move(done));
}
std::future<Result<PublishResult>> Client::publish(std::string channel, std::string data) {
  return start<PublishResult>(runner_, std::nullopt, PublishCall{std::move(channel), std::move(data)});
}
void Client::rpc(std::string method, std::string data, Callback<RpcResult> done) {
  start(runner_, std::nullopt, RpcCall{std::move(method), std::move(data)}, std::move(done));
}
std::future<Result<RpcResult>> Client::rpc(std::string method, std::string data) {
  return start<RpcResult>(runner_, std::nullopt, RpcCall{std::move(method), std::move(data)});
}
void Client::history(std::string channel, HistoryOptions options, Callback<HistoryResult> done) {
  start(runner_, std::nullopt, HistoryCall{std::move(channel), std::move(options)}, std::move(done));
}
std::future<Result<HistoryResult>> Client::history(std::string channel, HistoryOptions options) {
  return start<HistoryResult>(runner_, std::nullopt, HistoryCall{std::move(channel), std::move(options)});
}
void Client::presence(std::string channel, Callback<PresenceResult> done) {
  start(runner_, std::nullopt, PresenceCall{std::move(channel)}, std::move(done));
}
std::future<Result<PresenceResult>> Client::presence(std::string channel) {
  return start<PresenceResult>(runner_, std::nullopt, PresenceCall{std::move(channel)});
}
void Client::presence_stats(std::string channel, Callback<PresenceStatsResult> done) {
  start(runner_, std::nullopt, PresenceStatsCall{std::move(channel)}, std::move(done));
}
std::future<Result<PresenceStatsResult>> Client::presence_stats(std::string channel) {
  return start<PresenceStatsResult>(runner_, std::nullopt, PresenceStatsCall{std::move(channel)});
}
void Client::send(std::string data, Callback<SendResult> done) {
  start(runner_, std::nullopt, SendCall{std::move(data)}, std::move(done));
}
std::future<Result<SendResult>> Client::send(std::string data) {
  return start<SendResult>(runner_, std::nullopt, SendCall{std::move(data)});
}

// --- Subscription ---

Subscription::Subscription(std::shared_ptr<inside::SubscriptionShare> share) : share_(std::move(share)) {}
Subscription::~Subscription() = default;

const std::string& Subscription::channel() const { return share_->channel; }
SubscriptionState Subscription::state() const { return share_->state.load(std::memory_order_acquire); }

void Subscription::subscribe() {
  change(*share_, [id = share_->id](Runner& self) { self.session().subscribe(id, self.now()); });
}
void Subscription::unsubscribe() {
  change(*share_, [id = share_->id](Runner& self) { self.session().unsubscribe(id, self.now()); });
}

void Subscription::on_subscribing(std::function<void(const SubscribingEvent&)> callback) {
  set(*share_, std::move(callback));
}
void Subscription::on_subscribed(std::function<void(const SubscribedEvent&)> callback) {
  set(*share_, std::move(callback));
}
void Subscription::on_unsubscribed(std::function<void(const UnsubscribedEvent&)> callback) {
  set(*share_, std::move(callback));
}
void Subscription::on_publication(std::function<void(const Publication&)> callback) {
  set(*share_, std::move(callback));
}
void Subscription::on_join(std::function<void(const JoinEvent&)> callback) { set(*share_, std::move(callback)); }
void Subscription::on_leave(std::function<void(const LeaveEvent&)> callback) { set(*share_, std::move(callback)); }
void Subscription::on_error(std::function<void(const Error&)> callback) { set(*share_, std::move(callback)); }

void Subscription::publish(std::string data, Callback<PublishResult> done) {
  start(*share_, PublishCall{share_->channel, std::move(data)}, std::move(done));
}
std::future<Result<PublishResult>> Subscription::publish(std::string data) {
  return start<PublishResult>(*share_, PublishCall{share_->channel, std::move(data)});
}
void Subscription::history(HistoryOptions options, Callback<HistoryResult> done) {
  start(*share_, HistoryCall{share_->channel, std::move(options)}, std::move(done));
}
std::future<Result<HistoryResult>> Subscription::history(HistoryOptions options) {
  return start<HistoryResult>(*share_, HistoryCall{share_->channel, std::move(options)});
}
void Subscription::presence(Callback<PresenceResult> done) {
  start(*share_, PresenceCall{share_->channel}, std::move(done));
}
std::future<Result<PresenceResult>> Subscription::presence() {
  return start<PresenceResult>(*share_, PresenceCall{share_->channel});
}
void Subscription::presence_stats(Callback<PresenceStatsResult> done) {
  start(*share_, PresenceStatsCall{share_->channel}, std::move(done));
}
std::future<Result<PresenceStatsResult>> Subscription::presence_stats() {
  return start<PresenceStatsResult>(*share_, PresenceStatsCall{share_->channel});
}

bool Subscription::set_data(std::string data) {
  const auto runner = share_->runner.lock();
  if (runner == nullptr) return false;
  auto checked = checked_data(runner->options().format, std::move(data));
  if (!checked) return false;
  return runner->post([id = share_->id, data = std::move(*checked)](Runner& self) mutable {
    if (auto* settings = self.session().settings(id)) settings->data = std::move(data);
  });
}
bool Subscription::set_tags_filter(std::optional<TagsFilter> filter) {
  if (filter && check_filter(*filter)) return false;
  return change(*share_, [id = share_->id, filter = std::move(filter)](Runner& self) mutable {
    if (auto* settings = self.session().settings(id)) settings->tags_filter = std::move(filter);
  });
}

}  // namespace wirebird
