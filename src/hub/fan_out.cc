#include "hub/fan_out.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "hub/home.h"
#include "hub/limits.h"

namespace hub {
namespace {

RequestId request_of(std::uint32_t slot, std::uint32_t generation) { return (std::uint64_t{generation} << 32) | slot; }

SubscriptionId subscription_of(RequestId request) {
  return {static_cast<std::uint32_t>(request), static_cast<std::uint32_t>(request >> 32)};
}

}  // namespace

FanOut::FanOut(std::uint16_t workers, std::uint64_t hash_seed)
    : workers_(workers), hash_seed_(hash_seed), by_name_(0, base::StringHash{hash_seed}), detaches_(workers) {}

SubscriptionId FanOut::subscribe(PeerSlot peer, std::string_view name, const Since& since, std::uint8_t format,
                                 std::uint16_t index, Post& post) {
  ASSERT(format < kFormatsMax && peer <= kPeerSlotMax);
  const std::uint32_t slot = subscriptions_.take();
  Subscription& subscription = subscriptions_[slot];
  if (++subscription.generation == 0) subscription.generation = 1;
  subscription.channel = find_or_create(name);
  subscription.place = catching_up_.take();
  subscription.index = index;
  CatchUp& start = catching_up_[subscription.place];
  start.peer = peer & kPeerSlotMax;
  start.format = format & 0xfU;
  ++channels_[subscription.channel].members;
  request(slot, subscription, since, Attach::Mode::normal, post);
  return {slot, subscription.generation};
}

void FanOut::unsubscribe(SubscriptionId id) {
  const Subscription* subscription = living(id);
  if (subscription == nullptr) return;
  const std::uint32_t channel = subscription->channel;
  --channels_[channel].members;
  if (subscription->live) {
    remove_edge(channels_[channel], subscription->place);
  } else {
    catching_up_.give_back(subscription->place);
  }
  subscriptions_.give_back(id.slot);
  release_if_unused(channel);
}

void FanOut::resume(SubscriptionId id, Post& post) {
  const Subscription* subscription = living(id);
  if (subscription == nullptr || subscription->live || !catching_up_[subscription->place].waiting) return;
  catching_up_[subscription->place].waiting = 0;
  request_next(id.slot, *subscription, post);
}

void FanOut::request(std::uint32_t slot, const Subscription& subscription, const Since& since, Attach::Mode mode,
                     Post& post) {
  Channel& channel = channels_[subscription.channel];
  ++channel.requests;
  post.send(channel.home, Attach{.request = request_of(slot, subscription.generation),
                                 .channel = channel.name,
                                 .local = {subscription.channel, channel.generation},
                                 .since = since,
                                 .mode = mode,
                                 .bytes_max = page_bytes_max_});
}

void FanOut::request_next(std::uint32_t slot, const Subscription& subscription, Post& post) {
  Since since{.kind = Since::Kind::position};
  // Of an epoch that has ended since, which none of the home's is: the home answers with a gap.
  const Channel& channel = channels_[subscription.channel];
  const CatchUp& reached = catching_up_[subscription.place];
  since.position = {reached.births == channel.births ? channel.epoch : Epoch{}, reached.next - 1};
  const bool too_many = reached.rounds >= kCatchUpRoundsMax;
  request(slot, subscription, since, too_many ? Attach::Mode::give_up : Attach::Mode::normal, post);
}

void FanOut::receive(Page page, Sink& sink, Post& post) {
  Channel& channel = channels_[page.local.slot];
  ASSERT(channel.generation == page.local.generation && channel.requests > 0);
  --channel.requests;
  if (page.error == base::Error::none) {
    if (std::exchange(channel.epoch, page.head.epoch) != page.head.epoch) ++channel.births;
    if (page.state == Page::State::attached) channel.interested = true;
  }
  const SubscriptionId id = subscription_of(page.request);
  Subscription* subscription = living(id);
  if (subscription == nullptr) return release_if_unused(page.local.slot);
  ASSERT(!subscription->live);
  CatchUp& reached = catching_up_[subscription->place];
  const PeerSlot peer = reached.peer;
  if (page.error != base::Error::none) return sink.on_refused(peer, id, page.error);

  if (reached.rounds == 0) {
    sink.on_start(peer, id, page.start, page.gap);
  } else if (page.gap) {
    sink.on_gap(peer, id, *page.gap, page.start);
  } else {
    ASSERT(page.start.offset + 1 == reached.next);
  }
  if (reached.rounds <= kCatchUpRoundsMax) ++reached.rounds;
  if (!page.messages.empty()) {
    ASSERT(page.messages.front()->offset() == page.start.offset + 1);
    Batch batch{channel.name, channel.epoch, Batch::Source::replay, page.messages, {}};
    const Target target{id.slot, reached.peer, reached.format};
    sink.on_messages({&target, 1}, batch);
  }
  reached.births = channel.births;
  reached.next = page.start.offset + page.messages.size() + 1;
  if (page.state == Page::State::attached) {
    enter(id.slot, *subscription);
    sink.on_live(peer, id);
  } else if (sink.can_take_page(peer)) {
    request_next(id.slot, *subscription, post);
  } else {
    reached.waiting = 1;
  }
}

void FanOut::enter(std::uint32_t slot, Subscription& subscription) {
  Channel& channel = channels_[subscription.channel];
  const CatchUp& reached = catching_up_[subscription.place];
  channel.edges.push_back({reached.next, {slot, reached.peer, reached.format}});
  catching_up_.give_back(subscription.place);
  subscription.place = static_cast<std::uint32_t>(channel.edges.size() - 1);
  subscription.live = true;
}

void FanOut::receive(Delivery delivery) {
  if (delivery.local.slot >= channels_.size()) return;
  Channel& channel = channels_[delivery.local.slot];
  if (channel.generation != delivery.local.generation || !channel.interested) return;  // on its way while we left
  if (channel.edges.empty()) return;  // who attaches later gets it with its page
  std::size_t bytes = 0;
  for (const MessageRef& each : delivery.messages) bytes += each->charged_bytes();
  channel.waiting_bytes += bytes;
  if (!channel.jobs.empty() && !(channel.running && channel.jobs.size() == 1)) {
    Delivery& last = channel.jobs.back();
    const bool small = channel.last_job_bytes + bytes <= kJobBytesMax;
    if (small && delivery.first == last.first + last.messages.size()) {
      channel.last_job_bytes += bytes;
      std::move(delivery.messages.begin(), delivery.messages.end(), std::back_inserter(last.messages));
      return shed(channel);
    }
  }
  if (channel.jobs.empty()) active_.push_back(delivery.local.slot);
  channel.jobs.push_back(std::move(delivery));
  channel.last_job_bytes = bytes;
  shed(channel);
}

// Drops the older half of what waits once it is too much; every edge sees the gap when the rest comes.
void FanOut::shed(Channel& channel) {
  if (channel.waiting_bytes <= kWaitingBytesMax) return;
  for (std::size_t job = channel.running ? 1 : 0; job < channel.jobs.size(); ++job) {
    Delivery& oldest = channel.jobs[job];
    std::size_t count = 0;
    while (count < oldest.messages.size() && channel.waiting_bytes > kWaitingBytesMax / 2) {
      channel.waiting_bytes -= oldest.messages[count++]->charged_bytes();
    }
    oldest.first += count;
    oldest.messages.erase(oldest.messages.begin(), oldest.messages.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

bool FanOut::run(Sink& sink) {
  // Each channel that has a job now gets one slice; what they queue anew waits for the next turn.
  for (std::size_t left = active_.size(); left > 0; --left) {
    const std::uint32_t slot = active_.front();
    active_.pop_front();
    Channel& channel = channels_[slot];
    run_slice(channel, sink);
    if (channel.jobs.empty()) {
      release_if_unused(slot);
    } else {
      active_.push_back(slot);
    }
  }
  return !active_.empty();
}

void FanOut::run_slice(Channel& channel, Sink& sink) {
  const Delivery& job = channel.jobs.front();
  const Offset end = job.first + job.messages.size();
  if (!std::exchange(channel.running, true)) {
    for (const MessageRef& each : job.messages) channel.waiting_bytes -= each->charged_bytes();
  }
  if (!channel.batches) channel.batches = std::make_unique<JobBatches>(channel.name, channel.epoch, job.messages);
  Batch* batch = nullptr;  // what targets_ get
  const std::size_t begin = channel.cursor;
  channel.cursor = std::min(channel.edges.size(), begin + kSliceSubscribers);
  for (Edge& edge : std::span(channel.edges).subspan(begin, channel.cursor - begin)) {
    if (edge.next >= end) continue;
    const Offset next = std::exchange(edge.next, end);
    if (next < job.first) {
      hand_over(batch, sink);
      sink.on_gap(edge.target.peer, id_of(edge.target.subscription), Gap{next, job.first - 1, GapReason::overload},
                  Position{channel.epoch, job.first - 1});
    }
    const Offset from = std::max(next, job.first);
    if (from >= end) continue;
    if (batch == nullptr || batch->first() != from) {
      hand_over(batch, sink);
      batch = &channel.batches->from(from);
    }
    targets_[gathered_++] = edge.target;
  }
  hand_over(batch, sink);
  if (channel.cursor >= channel.edges.size()) finish_job(channel);
}

void FanOut::hand_over(Batch* batch, Sink& sink) {
  if (gathered_ == 0) return;
  sink.on_messages(std::span(targets_).first(gathered_), *batch);
  gathered_ = 0;
}

void FanOut::finish_job(Channel& channel) {
  channel.batches.reset();
  channel.jobs.pop_front();
  channel.running = false;
  channel.cursor = 0;
}

// The last edge takes the place. If a job runs, what has been served stays before the cursor and what has not behind
// it.
void FanOut::remove_edge(Channel& channel, std::uint32_t place) {
  auto& edges = channel.edges;
  const auto move = [&](std::size_t from, std::size_t to) {
    if (from == to) return;
    edges[to] = edges[from];
    subscriptions_[edges[to].target.subscription].place = static_cast<std::uint32_t>(to);
  };
  std::size_t hole = place;
  if (place < channel.cursor) {
    hole = --channel.cursor;
    move(hole, place);
  }
  move(edges.size() - 1, hole);
  edges.pop_back();
}

void FanOut::release_if_unused(std::uint32_t slot) {
  Channel& channel = channels_[slot];
  if (channel.used() || channel.detach_queued) return;
  if (!channel.interested) return free_channel(slot);
  channel.detach_queued = true;
  detaches_[channel.home].push_back(slot);
}

void FanOut::pump(Post& post) {
  for (base::WorkerId home = 0; home < workers_; ++home) {
    auto& queue = detaches_[home];
    while (!queue.empty()) {
      const std::uint32_t slot = queue.front();
      Channel& channel = channels_[slot];
      if (!channel.used() && !post.has_room(home)) break;
      queue.pop_front();
      channel.detach_queued = false;
      if (channel.used()) continue;  // somebody came back before the home was told
      post.send(home, Detach{channel.name, {slot, channel.generation}});
      free_channel(slot);
    }
  }
}

bool FanOut::has_backlog() const {
  return !active_.empty() ||
         std::any_of(detaches_.begin(), detaches_.end(), [](const auto& each) { return !each.empty(); });
}

std::uint32_t FanOut::find_or_create(std::string_view name) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
  std::uint32_t slot;
  if (free_channels_.empty()) {
    slot = static_cast<std::uint32_t>(channels_.size());
    channels_.emplace_back();
  } else {
    slot = free_channels_.back();
    free_channels_.pop_back();
  }
  Channel& channel = channels_[slot];
  channel.name = name;
  ++channel.generation;
  channel.home = home_of(name, workers_, hash_seed_);
  by_name_.emplace(channel.name, slot);
  return slot;
}

void FanOut::free_channel(std::uint32_t slot) {
  Channel& channel = channels_[slot];
  by_name_.erase(by_name_.find(channel.name));
  ASSERT(channel.jobs.empty() && channel.edges.empty());
  const std::uint32_t generation = channel.generation;
  channel = Channel{};
  channel.generation = generation;
  free_channels_.push_back(slot);
}

FanOut::Subscription* FanOut::living(SubscriptionId id) {
  return const_cast<Subscription*>(std::as_const(*this).living(id));
}

const FanOut::Subscription* FanOut::living(SubscriptionId id) const {
  if (id.generation == 0 || !subscriptions_.holds(id.slot)) return nullptr;
  const Subscription& subscription = subscriptions_[id.slot];
  return subscription.generation == id.generation && subscription.channel != kNone ? &subscription : nullptr;
}

std::vector<std::pair<std::string, std::uint32_t>> FanOut::watched(std::string_view prefix) const {
  std::vector<std::pair<std::string, std::uint32_t>> result;
  for (const auto& [name, slot] : by_name_) {
    if (channels_[slot].members > 0 && name.starts_with(prefix)) result.emplace_back(name, channels_[slot].members);
  }
  return result;
}

std::string_view FanOut::channel_of(SubscriptionId id) const {
  const Subscription* subscription = living(id);
  ASSERT(subscription != nullptr);
  return channels_[subscription->channel].name;
}

std::uint16_t FanOut::index_of(SubscriptionId id) const {
  const Subscription* subscription = living(id);
  ASSERT(subscription != nullptr);
  return subscription->index;
}

}  // namespace hub
