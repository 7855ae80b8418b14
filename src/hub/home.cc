#include "hub/home.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "hub/events_channel.h"
#include "hub/limits.h"

namespace hub {
namespace {

// What a companion or a feed holds for workers that are behind, of which each catches up within turns of its loop. Who
// is further behind gets a gap.
constexpr ChannelRules kCompanionRules{
    .log = {.messages_max = 4096, .bytes_max = 1 << 20, .age_max = std::chrono::minutes(1)}};

constexpr std::size_t kSweepChannels = 1024;  // per turn: some 50 microseconds
constexpr std::size_t kLoggedSlack = 1024;
constexpr std::uint32_t kKeyNumbers = UINT32_MAX / 2;  // they go round
// Per turn too: messages, channels, tombstones or keys that go, each of which costs as much as ten that stay.
constexpr std::size_t kSweepChanges = 256;

Epoch epoch_of(std::uint64_t number) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  Epoch epoch;
  for (char& each : epoch.text) {
    each = kAlphabet[number % kAlphabet.size()];
    number /= kAlphabet.size();
  }
  return epoch;
}

}  // namespace

base::WorkerId home_of(std::string_view channel, std::uint16_t workers, std::uint64_t seed) {
  if (is_wildcard_feed(channel)) return home_of_feed(channel);
  return static_cast<base::WorkerId>(base::hash64(events_of(channel), seed) % workers);
}

Home::Home(std::uint16_t workers, HomeOptions options, const Rules& rules, base::Entropy& entropy,
           std::uint64_t hash_seed)
    : workers_(workers),
      options_(options),
      rules_(rules),
      entropy_(entropy),
      hash_seed_(hash_seed),
      presence_(hash_seed),
      occupancy_(hash_seed),
      first_epochs_(entropy.next()),
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
    if (const Remembered* known = known_answer(*publish.idempotency_key, now.instant); known != nullptr) {
      if (known->content == publish.content) {
        answer.level = known->level;
        answer.workers = known->workers;
        answer.position = known->position;
        answer.time = known->time;
        if (publish.change) answer.suppressed = Suppression::idempotency;
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
  if (channel->rules->durable) return sequence(from, publish, post);
  MessageRef message;
  if (channel->is_map || publish.change) {
    message = change_key(*channel, publish, answer, now, post);
  } else if (publish.version > 0 && is_outdated(*channel, publish)) {
    answer.suppressed = Suppression::version;
  } else {
    message = append(*channel, std::move(publish.message), now);
  }
  answer.position = {channel->epoch, channel->log.head()};
  answer.time = channel->log.newest_time();
  if (message == nullptr) return post.send(from, answer);
  answer.workers = interested_in(*channel);
  if (publish.idempotency_key) {
    remember({*publish.idempotency_key, publish.content, answer.position, answer.time, now.instant, answer.level,
              answer.workers});
  }
  post.send(from, answer);
  if (!wildcards_.empty() && !channel->is_map) tell_wildcards(*channel, *message, now, post);
  if (answer.workers > 0) send_out(*channel, message, now, post);
}

void Home::send_out(Channel& channel, const MessageRef& message, Now now, Post& post) {
  if (channel.rules->max_delay > base::Duration::zero() && holding_) {
    hold(channel, message, now.instant, post);
  } else {
    deliver(channel, message->offset(), {&message, 1}, post);
  }
}

void Home::handle(base::WorkerId from, Attach& attach, Now now, Post& post) {
  Channel* channel = find_or_create(attach.channel, now);
  if (channel == nullptr) {
    return post.send(from, Page{.request = attach.request, .local = attach.local, .error = base::Error::memory});
  }
  if (channel->rules->durable && load_for(*channel, from, attach, now, post)) return;

  Page page = page_of(*channel, attach.since, kPageMessagesMax, std::min(attach.bytes_max, kPageBytesMax), now);
  if (attach.mode == Attach::Mode::give_up && page.start.offset < page.head.offset) {
    page.gap = Gap{page.start.offset + 1, page.head.offset, GapReason::overload};
    page.start = page.head;
    page.end = page.head.offset;
    page.messages.clear();
  }
  if (page.end == page.head.offset) {
    page.state = Page::State::attached;
    if (channel->tells_occupancy && interested_in(*channel) == 0) occupancy_.came(channel->name);
    Interest* interest = interest_of(*channel, from);
    if (interest == nullptr) {
      channel->interests.push_back({.worker = from});
      interest = &channel->interests.back();
    }
    // Of an earlier life of the channel there: its Detach is still on the way.
    if (interest->state == Interest::State::none || interest->local != attach.local) {
      *interest = {from, Interest::State::attached, interest->queued, attach.local};
    }
  } else {
    page.state = Page::State::more;
  }
  page.request = attach.request;
  page.local = attach.local;
  channel->idle_since = now.instant;
  post.send(from, std::move(page));
}

void Home::handle(base::WorkerId from, Detach& detach, Now now, Post&) {
  Channel* channel = find(detach.channel.view());
  if (channel == nullptr) return;
  if (detach.outcomes != Outcomes{}) {
    if (!channel->outcomes) channel->outcomes = std::make_unique<Outcomes>();
    channel->outcomes->add(detach.outcomes);
  }
  Interest* interest = interest_of(*channel, from);
  if (interest == nullptr || interest->local != detach.local) return;
  stop_interest(*channel, *interest);
  if (channel->tells_occupancy && interested_in(*channel) == 0) occupancy_.left(channel->name, now.instant);
  channel->idle_since = now.instant;
}

Home::Interest* Home::interest_of(Channel& channel, base::WorkerId worker) {
  for (Interest& each : channel.interests) {
    if (each.worker == worker) return &each;
  }
  return nullptr;
}

std::uint16_t Home::interested_in(const Channel& channel) {
  return static_cast<std::uint16_t>(std::ranges::count_if(
      channel.interests, [](const Interest& each) { return each.state != Interest::State::none; }));
}

void Home::stop_interest(Channel& channel, Interest& interest) {
  if (interest.queued) {
    interest = {.worker = interest.worker, .queued = true};  // pump() passes over it
  } else {
    remove_interest(channel, interest);
  }
  if (held_of(channel) != nullptr && interested_in(channel) == 0) take_held(channel);  // nobody waits for it
}

void Home::remove_interest(Channel& channel, Interest& interest) {
  interest = channel.interests.back();
  channel.interests.pop_back();
}

MessageRef Home::append(Channel& channel, std::unique_ptr<Message> made, Now now) {
  // Time never runs backwards inside a channel, so that Since::time can search by it.
  made->number(channel.log.head() + 1, std::max(now.wall, channel.log.newest_time()), now.instant);
  MessageRef message = std::move(made);
  expire(channel, now.instant);
  if (!message->has(Mark::transient) && !channel.is_map) channel.last = message;
  channel.idle_since = now.instant;
  enter_log(channel, message);
  return message;
}

void Home::enter_log(Channel& channel, const MessageRef& message) {
  change_log(channel, [&](ChannelLog& log) { log.append(message, channel.rules->log); });
  logged_.push_back({channel.slot, channel.generation, channel.log.head()});
  enforce_total();
}

// The oldest message of all channels goes first, so that one loud channel cannot push out a quiet one's newest.
void Home::enforce_total() {
  while (log_bytes_ > options_.log_bytes_max && !logged_.empty()) {
    const LogOrder::Entry oldest = logged_.pop_front();
    if (Channel* channel = channel_of(oldest); channel != nullptr) {
      change_log(*channel, [&](ChannelLog& log) { log.drop_through(oldest.offset); });
    }
  }
  tidy_log_order();
}

bool Home::tidy_log_order() {
  const auto too_many = [&] { return logged_.size() > 2 * logged_messages_ + kLoggedSlack; };
  if (!too_many()) return false;
  logged_.tidy([&](const LogOrder::Entry& each) {
    const Channel* channel = channel_of(each);
    return channel != nullptr && each.offset >= channel->log.first_held();
  });
  return too_many();
}

Home::Channel* Home::channel_of(const LogOrder::Entry& entry) {
  if (!channels_.taken(entry.slot)) return nullptr;
  Channel& channel = channels_[entry.slot];
  return channel.generation == entry.generation ? &channel : nullptr;
}

void Home::deliver(Channel& channel, Offset first, std::span<const MessageRef> messages, Post& post) {
  for (Interest& interest : channel.interests) {
    if (interest.state != Interest::State::attached) continue;  // behind: pump() sends it from the log
    if (post.has_room(interest.worker)) {
      post.send(interest.worker, Delivery{interest.local, first, {messages.begin(), messages.end()}});
    } else {
      interest.state = Interest::State::behind;
      interest.sent = first - 1;
      if (!std::exchange(interest.queued, true)) behind_[interest.worker].push_back(&channel);
    }
  }
}

void Home::announce(const Channel& of, std::string_view event, const ClientIdentity& who, Now now, Post& post) {
  if (companions_ == 0) return;
  Channel* companion = find(events_channel(of.name.view()));
  if (companion == nullptr || interested_in(*companion) == 0) return;
  Extras extras;
  extras.publisher = who;
  extras.event = event;
  publish_on(*companion, Message::make(Kind::json, {}, now.instant, std::move(extras)), now, post);
}

void Home::publish_on(Channel& internal, std::unique_ptr<Message> made, Now now, Post& post) {
  const MessageRef message = append(internal, std::move(made), now);
  internal.last.reset();
  deliver(internal, message->offset(), {&message, 1}, post);
  const bool wanted = std::ranges::any_of(internal.interests,
                                          [](const Interest& each) { return each.state == Interest::State::behind; });
  if (!wanted) change_log(internal, [](ChannelLog& log) { log.drop_through(log.head()); });
}

void Home::tell_wildcards(Channel& of, const Message& message, Now now, Post& post) {
  if (!of.feeds) of.feeds = std::make_unique<MatchedFeeds>();
  wildcards_.match(of.name.view(), *of.feeds);
  std::erase_if(of.feeds->feeds, [&](const FeedId& id) {
    Channel* feed = channel_of({id.slot, id.generation, 0});
    if (feed == nullptr) return true;
    if (interested_in(*feed) == 0) return false;
    Extras extras = message.extras() != nullptr ? *message.extras() : Extras{};
    extras.channel = of.name;
    auto made = Message::sharing(message.kind(), message.shared_payload(), message.ingested(), std::move(extras));
    if (message.has(Mark::not_to_sender)) made->set(Mark::not_to_sender);
    publish_on(*feed, std::move(made), now, post);
    return false;
  });
}

Home::Held* Home::held_of(const Channel& channel) {
  if (held_.empty()) return nullptr;
  const auto found = held_.find(channel.slot);
  return found == held_.end() ? nullptr : &found->second;
}

void Home::hold(Channel& channel, const MessageRef& message, base::Instant now, Post& post) {
  const auto [found, is_first] = held_.try_emplace(channel.slot);
  Held& held = found->second;
  if (is_first) {
    held.deadline = now + channel.rules->max_delay;
    due_.insert({held.deadline, channel.slot});
  }
  held.messages.push_back(message);
  held.bytes += message->charged_bytes();
  held_bytes_ += message->charged_bytes();
  if (held.messages.size() >= kHeldMessagesMax || held.bytes >= kHeldBytesMax) release(channel, post);
  while (held_bytes_ > kHeldBytesTotalMax) release(channels_[due_.begin()->slot], post);
}

std::vector<MessageRef> Home::take_held(const Channel& channel) {
  auto taken = held_.extract(channel.slot);
  due_.erase({taken.mapped().deadline, channel.slot});
  held_bytes_ -= taken.mapped().bytes;
  return std::move(taken.mapped().messages);
}

void Home::release(Channel& channel, Post& post) {
  const std::vector<MessageRef> messages = take_held(channel);
  deliver(channel, messages.front()->offset(), messages, post);
}

void Home::release_due(base::Instant now, Post& post) {
  while (!due_.empty() && due_.begin()->at <= now) release(channels_[due_.begin()->slot], post);
}

void Home::release_all(Post& post) {
  while (!due_.empty()) release(channels_[due_.begin()->slot], post);
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
      Interest& interest = *interest_of(channel, worker);
      const bool behind = interest.state == Interest::State::behind;  // or it has left since
      if (behind && !post.has_room(worker)) break;
      queue.pop_front();
      interest.queued = false;
      if (!behind) {
        if (interest.state == Interest::State::none) remove_interest(channel, interest);
        continue;
      }
      // What is held back comes by itself, and whole, whatever the log still has of it.
      const Held* held = held_of(channel);
      const Offset end = held != nullptr ? held->messages.front()->offset() : channel.log.head() + 1;
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
        interest.queued = true;
      }
      post.send(worker, std::move(delivery));
    }
  }
}

bool Home::has_backlog() const {
  return std::any_of(behind_.begin(), behind_.end(), [](const auto& queue) { return !queue.empty(); });
}

std::uint32_t Home::find_slot(std::string_view name) const {
  return by_name_.find(base::hash64(name, hash_seed_),
                       [&](std::uint32_t slot) { return channels_[slot].name.view() == name; });
}

Home::Channel* Home::find(std::string_view name) {
  const std::uint32_t slot = find_slot(name);
  return slot == by_name_.kNone ? nullptr : &channels_[slot];
}

Home::Channel* Home::find_or_create(std::string_view name, Now now) {
  Channel* known = find(name);
  return known != nullptr ? known : create(base::SharedBytes::copy(name), now);
}

Home::Channel* Home::find_or_create(const base::SharedBytes& name, Now now) {
  Channel* known = find(name.view());
  return known != nullptr ? known : create(name, now);
}

Home::Channel* Home::create(base::SharedBytes name, Now now) {
  if (channels_.size() >= options_.channels_max) return nullptr;
  const bool is_feed = is_wildcard_feed(name.view());
  if (is_feed && wildcards_.size() >= kWildcardsMax) return nullptr;
  const std::uint32_t slot = channels_.take();
  Channel& channel = channels_[slot];
  channel.name = std::move(name);
  channel.slot = slot;
  ++channel.generation;
  channel.rules = rules_for(channel.name.view());
  channel.idle_since = now.instant;
  channel.tells_occupancy = channel.rules->occupancy;
  channel.is_map = channel.rules->map.has_value();
  if (channel.rules == &kCompanionRules) ++companions_;
  if (is_feed) wildcards_.add(wildcard_of(channel.name.view()), {slot, channel.generation});
  const std::optional<Tombstone> stone = tombstones_.take(base::hash128(channel.name.view(), hash_seed_));
  std::tie(channel.epoch, channel.log) = remains_of(channel.name.view(), stone ? &*stone : nullptr);
  if (channel.rules == &kCompanionRules) channel.epoch = epoch_of(entropy_.next());  // it leaves no tombstone
  if (channel.rules->durable) forget_log(channel);
  by_name_.insert(base::hash64(channel.name.view(), hash_seed_), slot);
  return &channel;
}

const ChannelRules* Home::rules_for(std::string_view name) const {
  return is_events_channel(name) || is_wildcard_feed(name) ? &kCompanionRules : rules_.rules_of(name);
}

// What was lost of a channel whose tombstone was dropped nobody knows, nor which channels those were: for a time that
// lies before it there is a gap in every channel that begins anew.
std::pair<Epoch, ChannelLog> Home::remains_of(std::string_view name, const Tombstone* stone) const {
  std::pair<Epoch, ChannelLog> remains;
  if (stone != nullptr) {
    remains.first = stone->head.epoch;
    remains.second.start_after(stone->head.offset, stone->newest);
  } else {
    remains.first = first_epoch(name);
    remains.second.start_after(0, forgotten_);
  }
  return remains;
}

// Whoever reads a channel before anybody has used it is told where it will begin, and nothing needs to be kept for
// that. A channel that has had messages leaves a tombstone with its epoch; once that is dropped, no channel begins with
// an epoch of before.
Epoch Home::first_epoch(std::string_view name) const { return epoch_of(base::hash64(name, first_epochs_)); }

void Home::expire(Channel& channel, base::Instant now) {
  change_log(channel, [&](ChannelLog& log) { log.expire(now, channel.rules->log); });
}

bool Home::sweep(Now now, Post& post) {
  bool more = forget_old_keys(now.instant);
  if (occupancy_.expire(now.instant)) more = true;
  if (drop_old_tombstones(now.instant)) more = true;
  if (tidy_log_order()) more = true;
  std::size_t changes = 0;
  const std::size_t visits = std::min(kSweepChannels, channels_.size());
  for (std::size_t visited = 0; visited < visits; ++visited) {
    if (changes >= kSweepChanges) return true;
    std::uint32_t slot = channels_.next(sweep_cursor_);
    if (slot == channels_.kNone) slot = channels_.next(0);
    sweep_cursor_ = slot + 1;
    Channel& channel = channels_[slot];
    const std::size_t before = channel.log.size();
    expire(channel, now.instant);
    changes += before - channel.log.size();
    changes += expire_keys(channel, kSweepChanges, now, post);
    if (!channel.rules->last_value && channel.log.size() == 0) channel.last.reset();
    if (bury_if_idle(channel, now.instant)) ++changes;
  }
  return more || changes >= kSweepChanges;
}

bool Home::bury_if_idle(Channel& channel, base::Instant now) {
  const bool alive =
      !channel.interests.empty() || channel.log.size() > 0 || channel.last || channel.roster || channel.map;
  if (alive || now - channel.idle_since < options_.channel_idle) return false;
  if (loading_.contains(channel.slot)) return false;
  if (channel.rules == &kCompanionRules) {
    --companions_;
    if (is_wildcard_feed(channel.name.view())) wildcards_.remove(channel.slot);
  } else if (channel.log.head() > 0 && !channel.rules->durable) {  // of that the ledger knows where it stands
    tombstones_.add(base::hash128(channel.name.view(), hash_seed_),
                    {{channel.epoch, channel.log.head()}, channel.log.newest_time(), now});
    drop_old_tombstones(now);
  }
  by_name_.erase(base::hash64(channel.name.view(), hash_seed_), channel.slot);
  channels_.give_back(channel.slot);
  return true;
}

bool Home::drop_old_tombstones(base::Instant now) {
  for (std::size_t dropped = 0; dropped < kSweepChanges; ++dropped) {
    const Tombstone* oldest = tombstones_.oldest();
    if (oldest == nullptr) return false;
    const bool too_old = now - oldest->buried >= options_.tombstone_ttl;
    if (!too_old && tombstones_.size() <= options_.tombstones_max) return false;
    forgotten_ = std::max(forgotten_, oldest->newest);
    first_epochs_ = entropy_.next();
    tombstones_.drop_oldest();
  }
  return true;
}

const Home::Remembered* Home::known_answer(const base::Hash128& key, base::Instant now) const {
  const auto at = [&](std::uint32_t number) -> const Remembered& { return keys_[(number - first_key_) & kKeyNumbers]; };
  const std::uint32_t number = by_key_.find(key.high, [&](std::uint32_t each) {
    return at(each).key == key && now - at(each).at <= kIdempotencyAge;  // an older one waits to be forgotten
  });
  return number == by_key_.kNone ? nullptr : &at(number);
}

// The newest keys are worth more than the oldest, whose publishers have had the longest time to try again.
void Home::remember(const Remembered& answer) {
  if (keys_.size() >= options_.idempotency_keys_max) forget_oldest_key();
  by_key_.insert(answer.key.high, (first_key_ + static_cast<std::uint32_t>(keys_.size())) & kKeyNumbers);
  keys_.push_back(answer);
}

void Home::forget_oldest_key() {
  by_key_.erase(keys_.front().key.high, first_key_);
  keys_.pop_front();
  first_key_ = (first_key_ + 1) & kKeyNumbers;
}

bool Home::forget_old_keys(base::Instant now) {
  for (std::size_t forgotten = 0; forgotten < kSweepChanges; ++forgotten) {
    if (keys_.empty() || now - keys_.front().at <= kIdempotencyAge) return false;
    forget_oldest_key();
  }
  return true;
}

// What is said of a channel begins with its being occupied and may end with nothing.
void Home::switch_occupancy(Channel& channel) {
  channel.tells_occupancy = !channel.tells_occupancy;
  if (!channel.tells_occupancy) {
    occupancy_.forget(channel.name);
  } else if (interested_in(channel) > 0) {
    occupancy_.came(channel.name);
  }
}

void Home::rules_changed(HomeOptions options, Post& post) {
  options_ = options;
  release_all(post);
  channels_.for_each([&](std::uint32_t, Channel& channel) {
    channel.rules = rules_for(channel.name.view());
    if (channel.tells_occupancy != channel.rules->occupancy) switch_occupancy(channel);
    switch_map(channel, post);
    change_log(channel, [&](ChannelLog& log) { log.trim(channel.rules->log); });
  });
  enforce_total();
}

}  // namespace hub
