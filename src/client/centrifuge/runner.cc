#include "client/centrifuge/runner.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <span>
#include <type_traits>

#include "client/core/centrifuge/arguments.h"

namespace wirebird::inside {
namespace {

using namespace client::centrifuge;

constexpr std::uint64_t kLinkToken = 0;

SessionOptions session_options(const client::Destination& destination, const ClientOptions& options) {
  SessionOptions session;
  session.format = options.format;
  session.authority = destination.url().authority;
  session.target = destination.url().path.empty() ? "/" : destination.url().path;
  if (!destination.url().query.empty()) session.target += "?" + destination.url().query;
  session.http_headers = options.http_headers;
  if (options.compression == ClientOptions::Compression::offered) session.deflate = TransportOptions::Deflate::offer;
  session.message_bytes_max = static_cast<std::uint32_t>(options.message_bytes_max);
  session.token = options.token;
  if (options.get_token) session.tokens = SubscriptionSettings::Tokens::asked_for;
  session.data = options.data;
  session.name = options.name;
  session.version = options.version;
  session.headers = options.headers;
  session.timeout = options.timeout;
  session.connect_timeout = options.connect_timeout;
  session.reconnect_min = options.reconnect_delay_min;
  session.reconnect_max = options.reconnect_delay_max;
  session.ping_delay_max = options.max_server_ping_delay;
  return session;
}

SubscriptionSettings settings_of(std::string channel, const SubscriptionOptions& options) {
  SubscriptionSettings settings;
  settings.channel = std::move(channel);
  settings.token = options.token;
  if (options.get_token) settings.tokens = SubscriptionSettings::Tokens::asked_for;
  settings.data = options.data;
  settings.recoverable = options.recoverable;
  settings.positioned = options.positioned;
  settings.join_leave = options.join_leave;
  settings.delta = options.delta;
  settings.tags_filter = options.tags_filter;
  settings.since = options.since;
  settings.retry_min = options.resubscribe_delay_min;
  settings.retry_max = options.resubscribe_delay_max;
  return settings;
}

TokenOutcome checked(TokenAnswer::Outcome outcome) {
  switch (outcome.kind) {
    case TokenAnswer::Outcome::Kind::unauthorized:
      return {TokenOutcome::Kind::unauthorized, {}};
    case TokenAnswer::Outcome::Kind::failed:
      return {TokenOutcome::Kind::failed, std::move(outcome.text)};
    case TokenAnswer::Outcome::Kind::token:
      break;
  }
  if (auto wrong = check_text("The token", outcome.text)) return {TokenOutcome::Kind::failed, wrong->message};
  return {TokenOutcome::Kind::token, std::move(outcome.text)};
}

std::optional<ClientState> state_after(const auto& event) {
  using Event = std::remove_cvref_t<decltype(event)>;
  if constexpr (std::is_same_v<Event, ConnectingEvent>) return ClientState::connecting;
  if constexpr (std::is_same_v<Event, ConnectedEvent>) return ClientState::connected;
  if constexpr (std::is_same_v<Event, DisconnectedEvent>) return ClientState::disconnected;
  return std::nullopt;
}

std::optional<SubscriptionState> subscription_state_after(const auto& event) {
  using Event = std::remove_cvref_t<decltype(event)>;
  if constexpr (std::is_same_v<Event, SubscribingEvent>) return SubscriptionState::subscribing;
  if constexpr (std::is_same_v<Event, SubscribedEvent>) return SubscriptionState::subscribed;
  if constexpr (std::is_same_v<Event, UnsubscribedEvent>) return SubscriptionState::unsubscribed;
  return std::nullopt;
}

}  // namespace

std::expected<std::shared_ptr<Runner>, std::string> Runner::open(const std::string& url, ClientOptions options) {
  if (auto wrong = check_options(options)) return std::unexpected(wrong->message);
  client::Endpoint endpoint;
  endpoint.url = url;
  endpoint.tls_ca_file = options.tls_ca_file;
  if (options.tls_verify == ClientOptions::TlsVerify::no) endpoint.tls_verify = client::Endpoint::Verify::no;
  auto destination = client::Destination::from(endpoint);
  if (!destination) return std::unexpected(destination.error());
  auto system = client::System::open();
  if (!system) return std::unexpected(system.error());
  return std::make_shared<Runner>(std::move(*system), std::move(*destination), std::move(options));
}

Runner::Runner(std::unique_ptr<client::System> system, client::Destination destination, ClientOptions options)
    : system_(std::move(system)),
      destination_(std::move(destination)),
      options_(std::move(options)),
      session_(session_options(destination_, options_), system_->entropy),
      link_(*system_, kLinkToken) {}

// Signals are for the threads of the program.
void Runner::start() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([self = shared_from_this()] { self->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Runner::stop() {
  stopping_.store(true, std::memory_order_release);
  system_->poller->wake();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

bool Runner::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    jobs_.push_back(std::move(job));
  }
  system_->poller->wake();
  return true;
}

std::vector<Runner::Job> Runner::take_jobs() {
  const std::lock_guard lock(mutex_);
  return std::exchange(jobs_, {});
}

void Runner::run_jobs(std::vector<Job> jobs) {
  for (Job& job : jobs) job(*this);
}

// --- calls ---

void Runner::call(std::optional<SubscriptionId> subscription, Call call, Done done) {
  if (auto wrong = check_call(options_.format, call)) return done(std::move(*wrong));
  const std::size_t bytes = size_of(call);
  const bool full = pending_calls_.fetch_add(1) >= options_.pending_calls_max ||
                    pending_bytes_.load() + bytes > options_.pending_bytes_max;
  if (full) {
    pending_calls_.fetch_sub(1);
    return done(Error{ErrorCode::queue_full, "too many calls without an answer", true});
  }
  pending_bytes_.fetch_add(bytes);
  const auto shared = std::make_shared<Done>(std::move(done));
  const bool posted = post([subscription, bytes, shared, call = std::move(call)](Runner& runner) mutable {
    const CallId id = ++runner.calls_;
    runner.pending_.emplace(id, Pending{std::move(*shared), bytes});
    if (subscription) {
      runner.session_.call(id, *subscription, std::move(call), runner.now());
    } else {
      runner.session_.call(id, std::move(call), runner.now());
    }
  });
  if (posted) return;
  pending_calls_.fetch_sub(1);
  pending_bytes_.fetch_sub(bytes);
  (*shared)(Error{ErrorCode::client_closed, "client closed", false});
}

void Runner::deliver(std::function<void()> callback) const {
  if (options_.executor) return options_.executor(std::move(callback));
  callback();
}

// --- subscriptions ---

Result<std::shared_ptr<Subscription>> Runner::add(std::string channel, SubscriptionOptions options) {
  if (auto wrong = check_options(options_.format, channel, options)) return *wrong;
  const std::lock_guard lock(mutex_);
  if (subscriptions_.contains(channel)) {
    return Error{ErrorCode::bad_configuration, "There is a subscription to this channel already.", false};
  }
  auto share = std::make_shared<SubscriptionShare>();
  share->runner = weak_from_this();
  share->id = ++subscription_ids_;
  share->channel = channel;
  const std::shared_ptr<Subscription> made(new Subscription(share));
  subscriptions_.emplace(channel, made);
  // Not post(), which takes the lock; the thread is woken by the call that subscribes.
  jobs_.push_back([share, channel, options = std::move(options)](Runner& runner) mutable {
    runner.session_.add(share->id, settings_of(std::move(channel), options));
    Record record{share, {}, std::move(options.get_token)};
    runner.records_.emplace(share->id, std::move(record));
  });
  return made;
}

std::shared_ptr<Subscription> Runner::find(const std::string& channel) const {
  const std::lock_guard lock(mutex_);
  const auto found = subscriptions_.find(channel);
  return found == subscriptions_.end() ? nullptr : found->second;
}

void Runner::remove(const std::shared_ptr<Subscription>& subscription) {
  if (subscription == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(subscription->channel());
    if (found == subscriptions_.end() || found->second != subscription) return;
    subscriptions_.erase(found);
    jobs_.push_back([id = subscription->share_->id](Runner& runner) {
      runner.session_.remove(id, runner.now());
      runner.take_events();
      runner.records_.erase(id);
    });
  }
  system_->poller->wake();
}

Runner::SubscriptionHandlers* Runner::handlers(SubscriptionId id) {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second.handlers;
}

// --- the loop ---

void Runner::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    run_jobs(take_jobs());
    settle();
    if (stopping_.load(std::memory_order_acquire)) break;
    const base::Instant next = session_.next_timeout();
    base::Duration timeout = next == base::kNever ? base::Duration::max() : std::max(base::Duration{0}, next - now());
    if (more_to_read_) timeout = base::Duration{0};
    const bool ready = !system_->poller->wait(timeout).empty();
    if (ready || more_to_read_) handle_link();
  }
  close();
}

// Makes the world be what the session wants, until it wants nothing more.
void Runner::settle() {
  while (true) {
    link_.send(session_.output());
    settle_link();
    take_events();
    if (session_.next_timeout() > now()) break;
    session_.handle_timeout(now());
  }
  link_.send(session_.output());
}

void Runner::settle_link() {
  const Session::Wanted wanted = session_.transport();
  if (wanted.state == Session::TransportState::closed) return link_.close(loop::CloseMode::graceful);
  if (wanted.number == link_number_) {
    if (link_.queued_bytes() <= options_.pending_bytes_max) return;
    link_.close(loop::CloseMode::reset);
    return session_.receive_eof("The connection takes no more.", now());
  }
  link_number_ = wanted.number;
  link_.close(loop::CloseMode::graceful);
  more_to_read_ = false;
  if (auto resolved = destination_.resolve(); !resolved) return session_.receive_eof(resolved.error(), now());
  link_.open(destination_);
  if (link_.state() == client::Link::State::down) session_.receive_eof(link_.why(), now());
}

void Runner::handle_link() {
  more_to_read_ = false;
  const bool was_up = link_.up();
  link_.handle_ready();
  if (!was_up && link_.up()) {
    session_.connected();
    link_.send(session_.output());
  }
  // 16 reads of 64 KiB, so that a flood still lets callbacks and calls through.
  std::array<char, 64 * 1024> bytes;
  for (int i = 0; i < 16 && link_.up() && session_.transport().state == Session::TransportState::open; ++i) {
    const loop::IoResult result = link_.read(bytes);
    more_to_read_ = result.status == loop::IoStatus::ok;
    if (!more_to_read_) break;
    session_.receive(std::span(bytes.data(), result.bytes), now());
    link_.send(session_.output());
  }
  if (link_.state() == client::Link::State::down) {
    more_to_read_ = false;
    if (session_.transport().number == link_number_) session_.receive_eof(link_.why(), now());
  }
}

void Runner::close() {
  std::vector<Job> jobs;
  std::map<std::string, std::shared_ptr<Subscription>> subscriptions;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    jobs = std::exchange(jobs_, {});
    subscriptions = std::exchange(subscriptions_, {});
  }
  run_jobs(std::move(jobs));
  session_.close();
  link_.send(session_.output());
  link_.close(loop::CloseMode::graceful);
  take_events();
  state_.store(ClientState::disconnected, std::memory_order_release);
  for (auto& [id, record] : records_) record.share->state.store(SubscriptionState::unsubscribed);
}

// --- events ---

void Runner::take_events() {
  for (Event& event : session_.events()) {
    // Whoever gave the client up is told nothing but how its calls ended.
    if (stopping_.load(std::memory_order_acquire) && !std::holds_alternative<Answered>(event)) continue;
    std::visit([this](auto& one) { take(one); }, event);
  }
}

template <typename Event>
void Runner::take(Event& event) {
  if (const auto state = state_after(event)) state_.store(*state, std::memory_order_release);
  tell(handlers_.of<Event>(), std::move(event));
}

void Runner::take(Answered& answered) {
  const auto found = pending_.find(answered.id);
  Pending pending = std::move(found->second);
  pending_.erase(found);
  pending_calls_.fetch_sub(1);
  pending_bytes_.fetch_sub(pending.bytes);
  pending.done(std::move(answered.result));
}

void Runner::take(OfSubscription& of) {
  const auto found = records_.find(of.subscription);
  if (found == records_.end()) return;
  std::visit(
      [&]<typename Event>(Event& event) {
        if (const auto state = subscription_state_after(event)) {
          found->second.share->state.store(*state, std::memory_order_release);
        }
        tell(found->second.handlers.of<Event>(), std::move(event));
      },
      of.event);
}

void Runner::take(TokenWanted& wanted) {
  GetToken source = options_.get_token;
  if (wanted.subscription) {
    const auto found = records_.find(*wanted.subscription);
    if (found == records_.end()) return;
    source = found->second.get_token;
  }
  TokenAnswer answer([weak = weak_from_this(), ticket = wanted.ticket](TokenAnswer::Outcome outcome) {
    const std::shared_ptr<Runner> runner = weak.lock();
    if (runner == nullptr) return;
    runner->post([ticket, outcome = checked(std::move(outcome))](Runner& self) mutable {
      self.session_.take_token(ticket, std::move(outcome), self.now());
    });
  });
  deliver([source = std::move(source), answer = std::move(answer)] { source(answer); });
}

template <typename Event>
void Runner::tell(Handler<Event> handler, Event event) const {
  if (handler == nullptr) return;
  if (!options_.executor) return (*handler)(event);
  options_.executor([handler = std::move(handler), event = std::move(event)] { (*handler)(event); });
}

}  // namespace wirebird::inside
