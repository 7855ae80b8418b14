#include "client/publisher.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace client {
namespace {

constexpr std::uint64_t kLinkToken = 0;
constexpr std::uint64_t kStopToken = 1;

PublishOptions session_options(const Destination& destination, const PublisherOptions& options) {
  PublishOptions session;
  session.authority = destination.url().authority;
  session.path = destination.url().path;
  session.token = destination.token();
  session.message_time_max = options.message_time_max;
  return session;
}

bool key_is_valid(std::string_view key) {
  return key.size() <= 255 && std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::expected<std::unique_ptr<Publisher>, std::string> Publisher::open(PublisherOptions options) {
  if (options.message_time_max <= base::Duration{0} || options.message_time_max > kRetryMax) {
    return std::unexpected("A message gets more than nothing and at most 4 minutes (the server knows a key for 5).");
  }
  auto destination = Destination::from(options.endpoint);
  if (!destination) return std::unexpected(destination.error());
  auto system = System::open();
  if (!system) return std::unexpected(system.error());
  return std::unique_ptr<Publisher>(new Publisher(std::move(*system), std::move(*destination), options));
}

Publisher::Publisher(std::unique_ptr<System> system, Destination destination, const PublisherOptions& options)
    : system_(std::move(system)),
      destination_(std::move(destination)),
      stop_(options.stop),
      session_(session_options(destination_, options), system_->entropy),
      link_(*system_, kLinkToken) {
  if (stop_ != loop::kNoSocket) system_->poller->add(stop_, kStopToken, loop::Interest::read);
}

Publisher::~Publisher() {
  if (stop_ != loop::kNoSocket) system_->poller->remove(stop_);
}

Outcome Publisher::publish(const Publication& publication) {
  if (!key_is_valid(publication.key)) {
    Outcome outcome;
    outcome.result = Outcome::Result::refused;
    outcome.code = base::to_string(base::Error::bad_parameter);
    outcome.message = "An idempotency key is 1 to 255 visible ASCII characters.";
    return outcome;
  }
  session_.publish(output_, publication, system_->clock.now());
  take();
  while (!session_.outcome() && !stopped_) turn(session_.next_timeout());
  if (session_.outcome()) return *session_.outcome();
  session_.give_up();
  return *session_.outcome();
}

void Publisher::idle(base::Duration time) {
  const base::Instant end = system_->clock.now() + time;
  while (!stopped_ && system_->clock.now() < end) turn(end);
}

void Publisher::turn(base::Instant until) {
  settle();
  base::Instant now = system_->clock.now();
  if (session_.next_timeout() <= now) session_.handle_timeout(now);
  if (session_.next_timeout() <= now) return;
  base::Instant next = std::min(until, session_.next_timeout());
  for (const loop::Ready& one : system_->poller->wait(std::max(base::Duration{0}, next - now))) {
    if (one.token == kStopToken) stopped_ = true;
    if (one.token == kLinkToken) handle_link();
  }
}

// Makes the transport be what the session wants.
void Publisher::settle() {
  if (session_.transport() == PublishSession::Transport::closed) return link_.close(loop::CloseMode::graceful);
  if (link_.state() != Link::State::down) return;
  if (auto resolved = destination_.resolve(); !resolved) {
    return session_.receive_eof(system_->clock.now(), resolved.error());
  }
  link_.open(destination_);
  if (link_.state() == Link::State::down) session_.receive_eof(system_->clock.now(), link_.why());
}

void Publisher::handle_link() {
  bool was_up = link_.up();
  link_.handle_ready();
  if (!was_up && link_.up()) {
    session_.connected(output_, system_->clock.now());
    take();
  }
  std::array<char, 16 * 1024> bytes;
  while (link_.up() && session_.transport() == PublishSession::Transport::open) {
    loop::IoResult result = link_.read(bytes);
    if (result.status != loop::IoStatus::ok) break;
    session_.receive({bytes.data(), result.bytes}, system_->clock.now());
  }
  if (link_.state() == Link::State::down) session_.receive_eof(system_->clock.now(), link_.why());
}

void Publisher::take() {
  link_.send(output_);
  output_.clear();
}

}  // namespace client
