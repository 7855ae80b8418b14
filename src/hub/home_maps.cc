// What a home does about channels that are maps: changes with their conditions, keys whose time is over, pages of
// state.
#include <utility>

#include "base/assert.h"
#include "hub/home.h"
#include "hub/limits.h"

namespace hub {
namespace {

// Removed in passing, when somebody asks for something of the channel; sweep() does the rest.
constexpr std::size_t kExpireInPassing = 256;

MapState::Sorted sorted_of(const MapRules& rules) {
  return rules.ordered ? MapState::Sorted::by_score : MapState::Sorted::by_key;
}

bool expires(const MapRules& rules) { return rules.type == SubscriptionType::map && rules.key_ttl > base::Duration{0}; }

// What tells of a removal passes the same filters as what told of the key.
std::unique_ptr<Message> make_removal(const Message& of, base::Instant ingested) {
  Extras extras;
  extras.tags = of.extras()->tags;
  extras.key = of.extras()->key;
  extras.removed = true;
  return Message::make(Kind::json, {}, ingested, std::move(extras));
}

}  // namespace

MessageRef Home::change_key(Channel& channel, Publish& publish, Published& answer, Now now, Post& post) {
  if (!publish.change || !channel.is_map || channel.rules->map->type != SubscriptionType::map) {
    answer.error = base::Error::channel_type;
    return nullptr;
  }
  const MapRules& rules = *channel.rules->map;
  MapChange& change = *publish.change;
  const Extras& extras = *publish.message->extras();
  ASSERT(!extras.key.empty());
  expire_keys(channel, kExpireInPassing, now, post);
  if (channel.map && expires(rules)) {
    const MapState::Entry* entry = channel.map->find(extras.key);
    if (entry != nullptr && now.instant - entry->changed >= rules.key_ttl) remove_key(channel, extras.key, now, post);
  }
  if (!channel.map) channel.map = std::make_unique<MapState>(sorted_of(rules));

  MapState::Conditions conditions{.version = publish.version,
                                  .version_epoch = publish.version_epoch,
                                  .when = change.when,
                                  .expected = std::nullopt,
                                  .removal = extras.removed};
  if (change.expected) conditions.expected = change.expected->epoch == channel.epoch ? change.expected->offset : 0;
  const MapState::Entry* entry = channel.map->find(extras.key);
  answer.suppressed = channel.map->check(extras.key, conditions);
  if (answer.suppressed == Suppression::position_mismatch && entry != nullptr) answer.current = entry->message;
  if (answer.suppressed == Suppression::none && !extras.removed) {
    answer.error = room_for(channel, change.state ? *change.state : *publish.message);
  }
  if (answer.suppressed != Suppression::none || answer.error != base::Error::none) {
    if (channel.map->keys() == 0) channel.map.reset();
    return nullptr;
  }

  if (extras.removed && extras.tags.empty()) {
    publish.message = make_removal(*entry->message, publish.message->ingested());
  }
  const MessageRef message = append(channel, std::move(publish.message), now);
  change_map(channel, [&](MapState& state) {
    if (message->extras()->removed) return state.remove(message->extras()->key);
    MessageRef kept = message;
    if (change.state) {
      change.state->number(message->offset(), message->time(), now.instant);
      kept = std::move(change.state);
    }
    state.put(std::move(kept), publish.version, publish.version_epoch);
  });
  return message;
}

base::Error Home::room_for(const Channel& channel, const Message& state) const {
  const MapRules& rules = *channel.rules->map;
  const MapState& map = *channel.map;
  const std::int64_t growth = map.growth(state);
  if (growth <= 0) return base::Error::none;
  const bool is_new = map.find(state.extras()->key) == nullptr;
  const auto more = static_cast<std::uint64_t>(growth);
  if ((is_new && map.keys() >= rules.keys_max) || map.bytes() + more > rules.bytes_max) return base::Error::map_full;
  return map_bytes_ + more > options_.map_bytes_max ? base::Error::memory : base::Error::none;
}

void Home::remove_key(Channel& channel, std::string key, Now now, Post& post) {
  const MessageRef message = append(channel, make_removal(*channel.map->find(key)->message, now.instant), now);
  change_map(channel, [&](MapState& state) { state.remove(key); });
  if (interested_in(channel) > 0) send_out(channel, message, now, post);
}

std::size_t Home::expire_keys(Channel& channel, std::size_t keys_max, Now now, Post& post) {
  if (!channel.map || !expires(*channel.rules->map)) return 0;
  std::size_t removed = 0;
  for (; channel.map && removed < keys_max; ++removed) {
    const MapState::Entry& oldest = *channel.map->oldest();
    if (now.instant - oldest.changed < channel.rules->map->key_ttl) break;
    remove_key(channel, oldest.message->extras()->key, now, post);
  }
  return removed;
}

void Home::handle(base::WorkerId from, ReadState& read, Now now, Post& post) {
  StatePage answer{.request = read.request};
  const auto refuse = [&](base::Error error) {
    answer.error = error;
    post.send(from, std::move(answer));
  };
  if (!rules_for(read.channel)->map) return refuse(base::Error::channel_type);
  // Born here, so that the position of a first page counts for what follows it.
  Channel* channel = find_or_create(read.channel, now);
  if (channel == nullptr) return refuse(base::Error::memory);
  channel->idle_since = now.instant;
  expire_keys(*channel, kExpireInPassing, now, post);
  answer.head = {channel->epoch, channel->log.head()};
  if (read.epoch && *read.epoch != channel->epoch) return refuse(base::Error::unrecoverable_position);
  if (channel->map) {
    const MapState& map = *channel->map;
    answer.keys = map.keys();
    if (!read.key.empty()) {
      if (const MapState::Entry* entry = map.find(read.key)) answer.entries.push_back(entry->message);
    } else {
      auto page = map.page(read.cursor, read.order, std::min(read.entries_max, kStateEntriesMax), kPageBytesMax);
      if (!page) return refuse(base::Error::bad_cursor);
      answer.entries = std::move(page->entries);
      answer.next = std::move(page->next);
    }
  }
  post.send(from, std::move(answer));
}

void Home::handle(base::WorkerId from, Clear& clear, Now, Post& post) {
  StatePage answer{.request = clear.request};
  Channel* channel = find(clear.channel);
  if (!rules_for(clear.channel)->map) {
    answer.error = base::Error::channel_type;
  } else if (channel != nullptr) {
    lose_everything(*channel, post);
    answer.head = {channel->epoch, channel->log.head()};
  }
  post.send(from, std::move(answer));
}

void Home::switch_map(Channel& channel, Post& post) {
  const bool is_map = channel.rules->map.has_value();
  // Messages of the one kind mean nothing to subscribers of the other.
  if (channel.is_map != is_map) lose_everything(channel, post);
  channel.is_map = is_map;
  if (channel.map) channel.map->sort(sorted_of(*channel.rules->map));
}

// One offset is used for it, that nobody ever gets: so every position before it has a gap.
void Home::lose_everything(Channel& channel, Post& post) {
  if (held_of(channel) != nullptr) release(channel, post);
  channel.last.reset();
  channel.version.reset();
  if (channel.map) change_map(channel, [](MapState& state) { state.clear(); });
  if (channel.log.head() == 0) return;
  change_log(channel, [](ChannelLog& log) {
    log.drop_through(log.head());
    log.start_after(log.head() + 1, log.newest_time());
  });
  deliver(channel, channel.log.head() + 1, {}, post);
}

}  // namespace hub
