#include "client/subscriber.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace client {
namespace {

constexpr std::uint64_t kLinkToken = 0;
constexpr std::uint64_t kStopToken = 1;
constexpr std::size_t kChannelsMax = 128;

StreamOptions stream_options(const Destination& destination, SubscriberOptions& options) {
  StreamOptions stream;
  stream.authority = destination.url().authority;
  stream.path = destination.url().path;
  stream.channels = std::move(options.channels);
  stream.since = std::move(options.since);
  stream.token = destination.token();
  stream.deflate = options.deflate;
  stream.retry = options.retry;
  return stream;
}

base::Duration until(base::Instant when, base::Instant now) {
  return when == base::kNever ? base::Duration::max() : std::max(base::Duration{0}, when - now);
}

base::Instant after(base::Instant now, base::Duration timeout) {
  return timeout >= base::kNever - now ? base::kNever : now + timeout;
}

}  // namespace

std::expected<std::unique_ptr<Subscriber>, std::string> Subscriber::open(SubscriberOptions options) {
  if (options.channels.empty()) return std::unexpected("A subscription needs a channel.");
  if (options.channels.size() > kChannelsMax) {
    return std::unexpected("A connection takes at most " + std::to_string(kChannelsMax) + " channels.");
  }
  std::set<std::string_view> names;
  for (const std::string& channel : options.channels) {
    if (channel.empty() || channel.size() > 255) {
      return std::unexpected("A channel name has 1 to 255 bytes: \"" + channel + "\".");
    }
    if (!names.insert(channel).second) return std::unexpected("The channel \"" + channel + "\" is given twice.");
  }
  auto destination = Destination::from(options.endpoint);
  if (!destination) return std::unexpected(destination.error());
  auto system = System::open();
  if (!system) return std::unexpected(system.error());
  return std::unique_ptr<Subscriber>(new Subscriber(std::move(*system), std::move(*destination), std::move(options)));
}

Subscriber::Subscriber(std::unique_ptr<System> system, Destination destination, SubscriberOptions options)
    : system_(std::move(system)),
      destination_(std::move(destination)),
      stop_(options.stop),
      stream_(stream_options(destination_, options), system_->entropy),
      scratch_(system_->entropy),
      link_(*system_, kLinkToken),
      positions_(parse_cursor(stream_.options().since, channels().size()).value_or(Cursor(channels().size()))),
      cursor_(stream_.options().since) {
  if (stop_ != loop::kNoSocket) system_->poller->add(stop_, kStopToken, loop::Interest::read);
}

Subscriber::~Subscriber() {
  if (stop_ != loop::kNoSocket) system_->poller->remove(stop_);
}

// The descriptor is not watched any longer, so that the calls that say good-bye can wait.
void Subscriber::stop() {
  stopped_ = true;
  system_->poller->remove(stop_);
  stop_ = loop::kNoSocket;
}

std::optional<StreamEvent> Subscriber::next(base::Duration timeout) {
  if (!started_) {
    started_ = true;
    stream_.start(system_->clock.now());
  }
  const base::Instant deadline = after(system_->clock.now(), timeout);
  while (events_.empty()) {
    settle();
    base::Instant now = system_->clock.now();
    if (stream_.next_timeout() <= now) {
      stream_.handle_timeout(scratch_, now);
      take();
      continue;
    }
    if (!events_.empty()) break;
    if (stream_.finished()) return std::nullopt;
    auto ready = system_->poller->wait(until(std::min(stream_.next_timeout(), deadline), now));
    const bool stopped_before = stopped_;
    bool link_ready = false;
    for (const loop::Ready& one : ready) {
      if (one.token == kStopToken) stop();
      if (one.token == kLinkToken) link_ready = true;
    }
    const bool stopped_now = stopped_ && !stopped_before;
    if (link_ready) handle_link();
    if (events_.empty() && (stopped_now || system_->clock.now() >= deadline)) return std::nullopt;
  }
  StreamEvent event = std::move(events_.front());
  events_.pop_front();
  remember(event);
  return event;
}

// Makes the transport be what the stream wants.
void Subscriber::settle() {
  if (stream_.transport() == Stream::Transport::closed) return link_.close(loop::CloseMode::graceful);
  if (link_.state() != Link::State::down) return;
  if (auto resolved = destination_.resolve(); !resolved) {
    stream_.receive_eof(scratch_, system_->clock.now(), resolved.error());
    return take();
  }
  link_.open(destination_);
  if (link_.state() == Link::State::down) {
    stream_.receive_eof(scratch_, system_->clock.now(), link_.why());
    take();
  }
}

void Subscriber::handle_link() {
  bool was_up = link_.up();
  link_.handle_ready();
  if (!was_up && link_.up()) {
    stream_.connected(scratch_, system_->clock.now());
    take();
  }
  std::array<char, 64 * 1024> bytes;
  // 16 reads of 64 KiB, so that a flood still lets events out.
  for (int i = 0; i < 16 && link_.up() && stream_.transport() == Stream::Transport::open; ++i) {
    loop::IoResult result = link_.read(bytes);
    if (result.status != loop::IoStatus::ok) break;
    stream_.receive(scratch_, std::span(bytes.data(), result.bytes), system_->clock.now());
    take();
  }
  if (link_.state() == Link::State::down && stream_.transport() == Stream::Transport::open) {
    stream_.receive_eof(scratch_, system_->clock.now(), link_.why());
    take();
  }
}

void Subscriber::take() {
  for (StreamEvent& event : scratch_.events()) events_.push_back(std::move(event));
  link_.send(scratch_.output());
  scratch_.clear();
}

void Subscriber::remember(const StreamEvent& event) {
  const Position* position = nullptr;
  std::size_t channel = 0;
  if (auto* message = std::get_if<MessageEvent>(&event)) {
    channel = message->channel;
    position = &message->message.position;
  } else if (auto* gap = std::get_if<GapEvent>(&event)) {
    channel = gap->channel;
    position = &gap->position;
  } else if (auto* started = std::get_if<PositionEvent>(&event); started && !positions_[started->channel]) {
    channel = started->channel;
    position = &started->position;
  }
  if (position == nullptr) return;
  positions_[channel] = *position;
  bool complete = std::ranges::all_of(positions_, [](const auto& one) { return one.has_value(); });
  bool from_now = stream_.options().since.empty();
  if (complete || from_now) cursor_ = to_string(positions_);
}

void Subscriber::close() {
  stream_.close(scratch_, system_->clock.now());
  take();
}

}  // namespace client
