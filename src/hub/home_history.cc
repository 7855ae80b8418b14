// What a home answers about the past: pages of a log, windows of history, lists of channels.
#include <algorithm>
#include <utility>

#include "hub/home.h"
#include "hub/limits.h"

namespace hub {

Page Home::page_of(const Epoch& epoch, const ChannelLog& log, const Since& since, std::uint32_t messages_max,
                   std::uint32_t bytes_max) {
  Page page;
  const Offset head = log.head();
  page.head = {epoch, head};
  page.first_held = log.first_held();
  if (since.kind == Since::Kind::position && !since.any_epoch && since.position.epoch != epoch) {
    page.gap = Gap{1, head, GapReason::epoch_changed};
    page.start = page.head;
    page.end = head;
    return page;
  }
  const ChannelLog::Start start = log.find(since);
  page.gap = start.gap;
  page.start = {epoch, start.from - 1};
  page.messages = log.page(start.from, messages_max, bytes_max);
  page.end = page.start.offset + page.messages.size();
  std::erase_if(page.messages, [](const MessageRef& message) { return message->has(Mark::transient); });
  return page;
}

Page Home::page_of(Channel& channel, const Since& since, std::uint32_t messages_max, std::uint32_t bytes_max, Now now) {
  expire(channel, now.instant);
  Page page = page_of(channel.epoch, channel.log, since, messages_max, bytes_max);
  // The last value outlives the log: "the last one" is still known when history has expired.
  if (since.kind == Since::Kind::last && since.count > 0 && channel.log.history() == 0 && channel.rules->last_value &&
      channel.last) {
    page.start.offset = channel.last->offset() - 1;
    page.end = page.head.offset;
    page.messages = {channel.last};
  }
  return page;
}

void Home::handle(base::WorkerId from, Read& read, Now now, Post& post) {
  if (load_for(from, read, now, post)) return;
  const auto answer = [&](Page page, const ChannelLog& log) {
    if (read.window) page.window = view(*read.window, page.head.epoch, log, kWindowBytesMax);
    page.request = read.request;
    page.state = Page::State::read_only;
    post.send(from, std::move(page));
  };
  if (Channel* channel = find(read.channel); channel != nullptr) {
    return answer(
        page_of(*channel, read.since, std::min(read.messages_max, 2 * kPageMessagesMax), 4 * kPageBytesMax, now),
        channel->log);
  }
  const Tombstone* stone = tombstones_.find(base::hash128(read.channel, hash_seed_));
  const auto [epoch, log] = remains_of(read.channel, stone);
  answer(page_of(epoch, log, read.since, 0, 0), log);
}

void Home::handle(base::WorkerId from, Remove& remove, Now now, Post& post) {
  if (rules_for(remove.channel)->durable) return sequence(from, remove, post);
  if (Channel* channel = find(remove.channel); channel != nullptr) {
    channel->last.reset();
    change_log(*channel, [](ChannelLog& log) { log.drop_through(log.head()); });
  }
  Read read{.request = remove.request, .channel = std::move(remove.channel), .since = {}, .window = {}};
  handle(from, read, now, post);
}

Listed Home::list(const List& list) const {
  Listed answer{.request = list.request, .channels = {}, .channels_total = channels(), .log_bytes = log_bytes_};
  if (list.channels_max == 0) return answer;
  // The first of them by name, as a heap whose root is the last.
  std::vector<const Channel*> first;
  const auto by_name = [](const Channel* a, const Channel* b) { return a->name.view() < b->name.view(); };
  for (std::uint32_t slot = channels_.next(0); slot != channels_.kNone; slot = channels_.next(slot + 1)) {
    const Channel& channel = channels_[slot];
    if (!list.asks_for(channel.name.view())) continue;
    if (first.size() == list.channels_max) {
      if (!by_name(&channel, first.front())) continue;
      std::ranges::pop_heap(first, by_name);
      first.pop_back();
    }
    first.push_back(&channel);
    std::ranges::push_heap(first, by_name);
  }
  std::ranges::sort_heap(first, by_name);
  for (const Channel* channel : first) {
    answer.channels.push_back({std::string(channel->name.view()), Position{channel->epoch, channel->log.head()},
                               channel->log.history(), channel->log.bytes(),
                               Watched{.outcomes = channel->outcomes ? *channel->outcomes : Outcomes{}}});
  }
  return answer;
}

bool Home::is_outdated(Channel& channel, Publish& publish) {
  if (!channel.version) channel.version = std::make_unique<Version>();
  Version& newest = *channel.version;
  if (newest.number > 0 && newest.epoch == publish.version_epoch && publish.version <= newest.number) return true;
  newest.number = publish.version;
  newest.epoch = std::move(publish.version_epoch);
  return false;
}

}  // namespace hub
