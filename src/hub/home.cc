#include "hub/home.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "hub/limits.h"

namespace hub {
namespace {

constexpr std::size_t kSweepChannels = 1024;  // per turn: some 50 microseconds
constexpr std::size_t kSweepOrderSlack = 1024;

Page page_of(const Epoch& epoch, const ChannelLog& log, const Since& since, std::uint32_t messages_max,
             std::uint32_t bytes_max) {
  Page page;
  const Offset head = log.head();
  page.head = {epoch, head};
  page.first_held = log.first_held();
  if (since.kind == Since::Kind::position && since.position.epoch != epoch) {
    page.gap = Gap{1, head, GapReason::epoch_changed};
    page.start = page.head;
    return page;
  }
  const ChannelLog::Start start = log.find(since);
  page.gap = start.gap;
  page.start = {epoch, start.from - 1};
  page.messages = log.page(start.from, messages_max, bytes_max);
  return page;
}

}  // namespace

base::WorkerId home_of(std::string_view channel, std::uint16_t workers, std::uint64_t seed) {
  return static_cast<base::WorkerId>(base::hash64(channel, seed) % workers);
}

Home::Home(std::uint16_t workers, HomeOptions options, const Rules& rules, base::Entropy& entropy,
           std::uint64_t hash_seed)
    : workers_(workers),
      options_(options),
      rules_(rules),
      entropy_(entropy),
      hash_seed_(hash_seed),
      channels_(0, base::StringHash{hash_seed}),
      behind_(workers) {}

void Home::receive(base::WorkerId from, Mail mail, Now now, Post& post) {
  std::visit(
      [&](auto& each) {
        if constexpr (requires { handle(from, each, now, post); }) {
          handle(from, each, now, post);
        } else {
          ASSERT(false && "an answer or delivery was sent to a home");
        }
      },
      mail);
}

void Home::handle(base::WorkerId from, Publish& publish, Now now, Post& post) {
  Published answer{.request = publish.request};
  if (publish.idempotency_key) {
    forget_old_keys(now.instant);
    if (const auto known = keys_.find(*publish.idempotency_key); known != keys_.end()) {
      if (known->second.content == publish.content) {
        answer.level = known->second.level;
        answer.workers = known->second.workers;
        answer.position = known->second.position;
        answer.time = known->second.time;
      } else {
        answer.error = base::Error::conflict;
      }
      return post.send(from, answer);
    }
  }
  Channel* channel = find_or_create(publish.channel, now);
  if (channel == nullptr) {
    answer.error = base::Error::memory;
    return post.send(from, answer);
  }
  // Time never runs backwards inside a channel, so that Since::time can search by it.
  const base::WallTime time = std::max(now.wall, channel->log.newest_time());
  publish.message->number(channel->log.head() + 1, time, now.instant);
  const MessageRef message = std::move(publish.message);
  append(*channel, message, now);

  answer.position = {channel->epoch, message->offset()};
  answer.time = time;
  answer.workers = channel->interested;
  if (publish.idempotency_key) {
    remember(*publish.idempotency_key, {publish.content, answer.position, answer.time, answer.level, answer.workers},
             now.instant);
  }
  post.send(from, answer);
  if (channel->interested == 0) return;
  if (channel->rules->max_delay > base::Duration::zero() && holding_) {
    hold(*channel, message, now.instant, post);
  } else {
    deliver(*channel, {&message, 1}, post);
  }
}

void Home::handle(base::WorkerId from, Attach& attach, Now now, Post& post) {
  Channel* channel = find_or_create(attach.channel, now);
  if (channel == nullptr) {
    return post.send(from, Page{.request = attach.request, .local = attach.local, .error = base::Error::memory});
  }

  Page page = page_of(*channel, attach.since, kPageMessagesMax, std::min(attach.bytes_max, kPageBytesMax), now);
  if (attach.mode == Attach::Mode::give_up && page.start.offset < page.head.offset) {
    page.gap = Gap{page.start.offset + 1, page.head.offset, GapReason::overload};
    page.start = page.head;
    page.messages.clear();
  }
  const Offset reached = page.start.offset + page.messages.size();
  if (reached == page.head.offset) {
    page.state = Page::State::attached;
    if (channel->workers.empty()) channel->workers.resize(workers_);
    Interest& interest = channel->workers[from];
    if (interest.state != Interest::State::none && interest.local != attach.local) stop_interest(*channel, from);
    if (interest.state == Interest::State::none) {
      interest = {.state = Interest::State::attached, .queued = interest.queued, .local = attach.local};
      ++channel->interested;
    }
  } else {
    page.state = Page::State::more;
  }
  page.request = attach.request;
  page.local = attach.local;
  channel->idle_since = now.instant;
  post.send(from, std::move(page));
}

void Home::handle(base::WorkerId from, Read& read, Now now, Post& post) {
  Page page;
  if (Channel* channel = find(read.channel); channel != nullptr) {
    page = page_of(*channel, read.since, std::min(read.messages_max, 2 * kPageMessagesMax), 4 * kPageBytesMax, now);
  } else {
    const Tombstone* stone = tombstones_.find(base::hash128(read.channel, hash_seed_));
    const auto [epoch, log] = remains_of(stone == nullptr ? std::nullopt : std::optional(*stone));
    page = hub::page_of(epoch, log, read.since, 0, 0);
  }
  page.request = read.request;
  page.state = Page::State::read_only;
  post.send(from, std::move(page));
}

Listed Home::list(const List& list) const {
  Listed answer{.request = list.request, .channels = {}, .channels_total = channels_.size(), .log_bytes = log_bytes_};
  for (const Channel* channel : sweep_order_) {
    if (answer.channels.size() >= list.channels_max) break;
    if (!channel->name.starts_with(list.prefix)) continue;
    answer.channels.push_back(
        {channel->name, Position{channel->epoch, channel->log.head()}, channel->log.size(), channel->log.bytes(), 0});
  }
  return answer;
}

void Home::handle(base::WorkerId from, Detach& detach, Now now, Post&) {
  Channel* channel = find(detach.channel);
  if (channel == nullptr || channel->workers.empty() || channel->workers[from].local != detach.local) return;
  stop_interest(*channel, from);
  channel->idle_since = now.instant;
}

void Home::stop_interest(Channel& channel, base::WorkerId worker) {
  Interest& interest = channel.workers[worker];
  if (interest.state == Interest::State::none) return;
  interest = {.queued = interest.queued};                             // pump() passes over it
  if (--channel.interested == 0 && channel.held) take_held(channel);  // nobody waits for it
}

Page Home::page_of(Channel& channel, const Since& since, std::uint32_t messages_max, std::uint32_t bytes_max, Now now) {
  expire(channel, now.instant);
  Page page = hub::page_of(channel.epoch, channel.log, since, messages_max, bytes_max);
  // The last value outlives the log: "the last one" is still known when history has expired.
  if (since.kind == Since::Kind::last && since.count > 0 && channel.log.size() == 0 && channel.rules->last_value &&
      channel.last) {
    page.start.offset = page.head.offset - 1;
    page.messages = {channel.last};
  }
  return page;
}

template <class Change>
void Home::change_log(Channel& channel, Change change) {
  log_bytes_ -= channel.log.bytes();
  logged_messages_ -= channel.log.size();
  change(channel.log);
  log_bytes_ += channel.log.bytes();
  logged_messages_ += channel.log.size();
}

void Home::append(Channel& channel, MessageRef message, Now now) {
  expire(channel, now.instant);
  channel.last = message;
  channel.idle_since = now.instant;
  change_log(channel, [&](ChannelLog& log) { log.append(std::move(message), channel.rules->log); });
  logged_.push_back({channel.serial, channel.log.head()});
  enforce_total();
}

// The oldest message of all channels goes first, so that one loud channel cannot push out a quiet one's newest.
void Home::enforce_total() {
  while (log_bytes_ > options_.log_bytes_max && !logged_.empty()) {
    const Logged oldest = logged_.front();
    logged_.pop_front();
    const auto found = by_serial_.find(oldest.serial);
    if (found == by_serial_.end()) continue;
    change_log(*found->second, [&](ChannelLog& log) { log.drop_through(oldest.offset); });
  }
  if (logged_.size() > 2 * logged_messages_ + kSweepOrderSlack) forget_dropped_entries();
}

void Home::forget_dropped_entries() {
  std::erase_if(logged_, [&](const Logged& each) {
    const auto found = by_serial_.find(each.serial);
    return found == by_serial_.end() || each.offset < found->second->log.first_held();
  });
}

// The messages are the newest of the channel.
void Home::deliver(Channel& channel, std::span<const MessageRef> messages, Post& post) {
  const Offset first = messages.front()->offset();
  for (base::WorkerId worker = 0; worker < workers_; ++worker) {
    Interest& interest = channel.workers[worker];
    if (interest.state != Interest::State::attached) continue;  // behind: pump() sends it from the log
    if (post.has_room(worker)) {
      post.send(worker, Delivery{interest.local, first, {messages.begin(), messages.end()}});
    } else {
      interest.state = Interest::State::behind;
      interest.sent = first - 1;
      if (std::exchange(interest.queued, true)) continue;
      behind_[worker].push_back(&channel);
      ++channel.queued;
    }
  }
}

void Home::hold(Channel& channel, const MessageRef& message, base::Instant now, Post& post) {
  if (!channel.held) {
    channel.held = std::make_unique<Held>();
    channel.held->deadline = now + channel.rules->max_delay;
    due_.emplace(Due{channel.held->deadline, channel.serial}, &channel);
  }
  Held& held = *channel.held;
  held.messages.push_back(message);
  held.bytes += message->charged_bytes();
  held_bytes_ += message->charged_bytes();
  if (held.messages.size() >= kHeldMessagesMax || held.bytes >= kHeldBytesMax) release(channel, post);
  while (held_bytes_ > kHeldBytesTotalMax) release(*due_.begin()->second, post);
}

std::unique_ptr<Home::Held> Home::take_held(Channel& channel) {
  due_.erase(Due{channel.held->deadline, channel.serial});
  held_bytes_ -= channel.held->bytes;
  return std::exchange(channel.held, nullptr);
}

void Home::release(Channel& channel, Post& post) {
  const std::unique_ptr<Held> held = take_held(channel);
  deliver(channel, held->messages, post);
}

void Home::release_due(base::Instant now, Post& post) {
  while (!due_.empty() && due_.begin()->first.at <= now) release(*due_.begin()->second, post);
}

void Home::release_all(Post& post) {
  while (!due_.empty()) release(*due_.begin()->second, post);
}

void Home::stop_holding(Post& post) {
  holding_ = false;
  release_all(post);
}

void Home::pump(Post& post) {
  for (base::WorkerId worker = 0; worker < workers_; ++worker) {
    auto& queue = behind_[worker];
    while (!queue.empty()) {
      Channel& channel = *queue.front();
      Interest& interest = channel.workers[worker];
      const bool behind = interest.state == Interest::State::behind;  // or it has left since
      if (behind && !post.has_room(worker)) break;
      queue.pop_front();
      --channel.queued;
      interest.queued = false;
      if (!behind) continue;
      // What is held back comes by itself, and whole, whatever the log still has of it.
      const Offset end = channel.held ? channel.held->messages.front()->offset() : channel.log.head() + 1;
      Delivery delivery{interest.local, std::min(std::max(interest.sent + 1, channel.log.first_held()), end), {}};
      if (delivery.first < end) {
        delivery.messages = channel.log.page(delivery.first, kPageMessagesMax, kPageBytesMax);
        delivery.messages.resize(std::min<std::size_t>(delivery.messages.size(), end - delivery.first));
      }
      interest.sent = delivery.first + delivery.messages.size() - 1;
      if (interest.sent + 1 == end) {
        interest.state = Interest::State::attached;
      } else {
        queue.push_back(&channel);
        ++channel.queued;
        interest.queued = true;
      }
      post.send(worker, std::move(delivery));
    }
  }
}

bool Home::has_backlog() const {
  return std::any_of(behind_.begin(), behind_.end(), [](const auto& queue) { return !queue.empty(); });
}

Home::Channel* Home::find(std::string_view name) {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : found->second.get();
}

Home::Channel* Home::find_or_create(std::string_view name, Now now) {
  if (Channel* known = find(name); known != nullptr) return known;
  if (channels_.size() >= options_.channels_max) return nullptr;
  auto owned = std::make_unique<Channel>();
  Channel& channel = *owned;
  channel.name = name;
  channel.serial = next_serial_++;
  channel.rules = rules_.rules_of(name);
  channel.idle_since = now.instant;
  channel.sweep_index = sweep_order_.size();
  const std::optional<Tombstone> stone = tombstones_.take(base::hash128(name, hash_seed_));
  std::tie(channel.epoch, channel.log) = remains_of(stone);
  if (!stone) channel.epoch = make_epoch();
  sweep_order_.push_back(&channel);
  by_serial_.emplace(channel.serial, &channel);
  channels_.emplace(channel.name, std::move(owned));
  return &channel;
}

// What was lost of a channel whose tombstone was dropped nobody knows, nor which channels those were: for a time that
// lies before it there is a gap in every channel that begins anew.
std::pair<Epoch, ChannelLog> Home::remains_of(const std::optional<Tombstone>& stone) const {
  std::pair<Epoch, ChannelLog> remains;
  if (stone) {
    remains.first = stone->head.epoch;
    remains.second.start_after(stone->head.offset, stone->newest);
  } else {
    remains.second.start_after(0, forgotten_);
  }
  return remains;
}

Epoch Home::make_epoch() {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  Epoch epoch;
  for (char& each : epoch.text) each = kAlphabet[entropy_.below(static_cast<std::uint32_t>(kAlphabet.size()))];
  return epoch;
}

void Home::expire(Channel& channel, base::Instant now) {
  change_log(channel, [&](ChannelLog& log) { log.expire(now, channel.rules->log); });
}

void Home::sweep(Now now) {
  forget_old_keys(now.instant);
  drop_old_tombstones(now.instant);
  for (std::size_t visited = 0; visited < kSweepChannels && visited < sweep_order_.size(); ++visited) {
    if (sweep_cursor_ >= sweep_order_.size()) sweep_cursor_ = 0;
    Channel& channel = *sweep_order_[sweep_cursor_];
    expire(channel, now.instant);
    if (!channel.rules->last_value && channel.log.size() == 0) channel.last.reset();
    if (!bury_if_idle(channel, now.instant)) ++sweep_cursor_;
    if (sweep_order_.empty()) return;
  }
}

bool Home::bury_if_idle(Channel& channel, base::Instant now) {
  const bool alive = channel.interested > 0 || channel.queued > 0 || channel.log.size() > 0 || channel.last;
  if (alive || now - channel.idle_since < options_.channel_idle) return false;
  if (channel.log.head() > 0) {
    tombstones_.add(base::hash128(channel.name, hash_seed_),
                    {{channel.epoch, channel.log.head()}, channel.log.newest_time(), now});
    drop_old_tombstones(now);
  }
  Channel* moved = sweep_order_.back();
  moved->sweep_index = channel.sweep_index;
  sweep_order_[channel.sweep_index] = moved;
  sweep_order_.pop_back();
  by_serial_.erase(channel.serial);
  channels_.erase(channels_.find(channel.name));
  return true;
}

void Home::drop_old_tombstones(base::Instant now) {
  for (const Tombstone* oldest = tombstones_.oldest(); oldest != nullptr; oldest = tombstones_.oldest()) {
    const bool too_old = now - oldest->buried >= options_.tombstone_ttl;
    if (!too_old && tombstones_.size() <= options_.tombstones_max) return;
    forgotten_ = std::max(forgotten_, oldest->newest);
    tombstones_.drop_oldest();
  }
}

// The newest keys are worth more than the oldest, whose publishers have had the longest time to try again.
void Home::remember(const base::Hash128& key, const Remembered& answer, base::Instant now) {
  if (keys_.size() >= options_.idempotency_keys_max) {
    keys_.erase(key_order_.front().second);
    key_order_.pop_front();
  }
  keys_.emplace(key, answer);
  key_order_.emplace_back(now, key);
}

void Home::forget_old_keys(base::Instant now) {
  while (!key_order_.empty() && now - key_order_.front().first > kIdempotencyAge) {
    keys_.erase(key_order_.front().second);
    key_order_.pop_front();
  }
}

void Home::rules_changed(HomeOptions options, Post& post) {
  options_ = options;
  release_all(post);
  for (Channel* channel : sweep_order_) {
    channel->rules = rules_.rules_of(channel->name);
    change_log(*channel, [&](ChannelLog& log) { log.trim(channel->rules->log); });
  }
  enforce_total();
}

}  // namespace hub
