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

FanOut::FanOut(std::uint16_t workers, const Rules& rules, std::uint64_t hash_seed)
    : workers_(workers),
      rules_(rules),
      hash_seed_(hash_seed),
      by_name_(0, base::StringHash{hash_seed}),
      detaches_(workers) {}

SubscriptionId FanOut::subscribe(PeerSlot peer, std::string_view name, const Since& since, std::uint8_t format,
                                 std::uint16_t index, Post& post) {
  ASSERT(format < kFormatsMax && peer <= kPeerSlotMax);
  std::uint32_t slot;
  if (free_subscriptions_.empty()) {
    slot = static_cast<std::uint32_t>(subscriptions_.size());
    subscriptions_.emplace_back();
  } else {
    slot = free_subscriptions_.back();
    free_subscriptions_.pop_back();
  }
  Subscription& subscription = subscriptions_[slot];
  const std::uint32_t generation = subscription.generation + 1;
  subscription = Subscription{};
  subscription.generation = generation == 0 ? 1 : generation;
  subscription.peer = peer;
  subscription.channel = find_or_create(name);
  ++channels_[subscription.channel].members;
  subscription.format = format;
  subscription.index = index;
  ++living_;
  request(slot, subscription, since, Attach::Mode::normal, post);
  return {slot, subscription.generation};
}

void FanOut::unsubscribe(SubscriptionId id) {
  Subscription* subscription = living(id);
  if (subscription == nullptr) return;
  if (subscription->state == Subscription::State::lagging)
    stop_lagging(channels_[subscription->channel], *subscription);
  const std::uint32_t channel = std::exchange(subscription->channel, kNone);
  --channels_[channel].members;
  if (subscription->edge != kNone) remove_edge(channels_[channel], subscription->edge);
  free_subscriptions_.push_back(id.slot);
  --living_;
  release_if_unused(channel);
}

void FanOut::resume(SubscriptionId id, Sink& sink, Post& post) {
  Subscription* subscription = living(id);
  if (subscription == nullptr) return;
  if (subscription->state == Subscription::State::waiting) request_next(id.slot, *subscription, post);
  if (subscription->state == Subscription::State::lagging) go_on(id, *subscription, sink);
}

void FanOut::request(std::uint32_t slot, Subscription& subscription, const Since& since, Attach::Mode mode,
                     Post& post) {
  Channel& channel = channels_[subscription.channel];
  subscription.state = Subscription::State::requested;
  ++channel.requests;
  post.send(channel.home, Attach{.request = request_of(slot, subscription.generation),
                                 .channel = channel.name,
                                 .local = {subscription.channel, channel.generation},
                                 .since = since,
                                 .mode = mode,
                                 .bytes_max = page_bytes_max_});
}

void FanOut::request_next(std::uint32_t slot, Subscription& subscription, Post& post) {
  Since since{.kind = Since::Kind::position};
  // Of an epoch that has ended since, which none of the home's is: the home answers with a gap.
  const Channel& channel = channels_[subscription.channel];
  since.position = {subscription.births == channel.births ? channel.epoch : Epoch{}, subscription.next - 1};
  const bool too_many = subscription.rounds >= kCatchUpRoundsMax;
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
  const PeerSlot peer = subscription->peer;
  if (page.error != base::Error::none) return sink.on_refused(peer, id, page.error);

  if (subscription->rounds++ == 0) {
    sink.on_start(peer, id, page.start, page.gap);
  } else if (page.gap) {
    announce(channel, peer, id, *page.gap, sink);
  } else {
    ASSERT(page.start.offset + 1 == subscription->next);
  }
  if (!page.messages.empty()) {
    ASSERT(page.messages.front()->offset() == page.start.offset + 1);
    Batch batch{channel.name, channel.epoch, Batch::Source::replay, channel.slow_reader, page.messages, {}};
    const Target target{id.slot, peer & kPeerSlotMax, subscription->format & 0xfU};
    channel.outcomes.queued += sink.on_messages({&target, 1}, batch).messages;
  }
  subscription->births = channel.births;
  subscription->next = page.start.offset + page.messages.size() + 1;
  if (page.state == Page::State::attached) {
    enter(id.slot, *subscription, subscription->next);
    sink.on_live(peer, id);
  } else if (sink.can_take_page(peer)) {
    request_next(id.slot, *subscription, post);
  } else {
    subscription->state = Subscription::State::waiting;
  }
}

void FanOut::enter(std::uint32_t slot, Subscription& subscription, Offset next) {
  Channel& channel = channels_[subscription.channel];
  subscription.state = Subscription::State::live;
  subscription.edge = static_cast<std::uint32_t>(channel.edges.size());
  channel.edges.push_back({next, {slot, subscription.peer & kPeerSlotMax, subscription.format & 0xfU}});
}

void FanOut::receive(Delivery delivery) {
  if (delivery.local.slot >= channels_.size()) return;
  Channel& channel = channels_[delivery.local.slot];
  if (channel.generation != delivery.local.generation || !channel.interested) return;  // on its way while we left
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
    channel.head = end - 1;
  }
  if (!channel.batches) {
    channel.batches = std::make_unique<JobBatches>(channel.name, channel.epoch, channel.slow_reader, job.messages);
  }
  Batch* batch = nullptr;  // what targets_ get
  const std::size_t begin = channel.cursor;
  channel.cursor = std::min(channel.edges.size(), begin + kSliceSubscribers);
  for (Edge& edge : std::span(channel.edges).subspan(begin, channel.cursor - begin)) {
    if (edge.next >= end || edge.target.subscription == kNone) continue;
    const Offset next = std::exchange(edge.next, end);
    if (next < job.first) {
      hand_over(channel, batch, sink);
      if (!reaches(channel, edge, next, sink)) continue;
    }
    const Offset from = std::max(next, job.first);
    if (from >= end) continue;
    if (batch == nullptr || batch->first() != from) {
      hand_over(channel, batch, sink);
      batch = &channel.batches->from(from);
    }
    targets_[gathered_++] = edge.target;
  }
  hand_over(channel, batch, sink);
  if (channel.cursor >= channel.edges.size()) finish_job(channel);
}

// An edge that must get something older than the running job, or would have had to: it lags, or others were dropped
// before it. True if it gets the job now, after the gap.
bool FanOut::reaches(Channel& channel, Edge& edge, Offset next, Sink& sink) {
  const Delivery& job = channel.jobs.front();
  Subscription& subscription = subscriptions_[edge.target.subscription];
  Gap gap{next, job.first - 1, GapReason::overload};
  if (subscription.state == Subscription::State::lagging) {
    if (!sink.can_go_on(edge.target.peer, channel.slow_reader)) {
      edge.next = next;
      if (job.messages.empty()) {
        channel.newest.reset();  // newer ones have come, and are held no more
      } else {
        keep_newest(channel, job.messages.back());
      }
      return false;
    }
    stop_lagging(channel, subscription);
    gap.reason = channel.slow_reader == SlowReader::conflate ? GapReason::conflated : GapReason::slow_reader;
  }
  announce(channel, edge.target.peer, id_of(edge.target.subscription), gap, sink);
  return true;
}

bool FanOut::announce(Channel& channel, PeerSlot peer, SubscriptionId id, const Gap& gap, Sink& sink) {
  if (!sink.on_gap(peer, id, gap, Position{channel.epoch, gap.to})) return false;
  switch (gap.reason) {
    case GapReason::slow_reader:
      channel.outcomes.dropped += gap.messages();
      break;
    case GapReason::conflated:
      channel.outcomes.conflated += gap.messages();
      break;
    case GapReason::overload:
      channel.outcomes.overload += gap.messages();
      break;
    default:  // the history no longer held them
      break;
  }
  return true;
}

void FanOut::hand_over(Channel& channel, Batch* batch, Sink& sink) {
  if (gathered_ == 0) return;
  const Sink::Taken taken = sink.on_messages(std::span(targets_).first(gathered_), *batch);
  channel.outcomes.queued += taken.messages;
  gathered_ = 0;
  if (!taken.lagging.empty()) lag(channel, taken.lagging, *batch);
}

void FanOut::lag(Channel& channel, std::span<const std::uint32_t> subscriptions, const Batch& batch) {
  for (const std::uint32_t slot : subscriptions) {
    Subscription& subscription = subscriptions_[slot];
    ASSERT(subscription.state == Subscription::State::live);
    subscription.state = Subscription::State::lagging;
    channel.edges[subscription.edge].next = batch.first();
  }
  channel.lagging += static_cast<std::uint32_t>(subscriptions.size());
  lagging_ += subscriptions.size();
  keep_newest(channel, batch.messages.back());
}

void FanOut::keep_newest(Channel& channel, const MessageRef& message) {
  if (channel.slow_reader != SlowReader::conflate) return;
  if (channel.newest && channel.newest->message->offset() == message->offset()) return;
  channel.newest = std::make_unique<Newest>(
      Newest{message, {channel.name, channel.epoch, Batch::Source::live, channel.slow_reader, {}, {}}});
  channel.newest->batch.messages = std::span(&channel.newest->message, 1);
}

void FanOut::stop_lagging(Channel& channel, Subscription& subscription) {
  subscription.state = Subscription::State::live;
  --lagging_;
  if (--channel.lagging == 0) channel.newest.reset();
}

// What has passed by the edge is announced now. A job that is on its way to it finds it where the job begins, or, if
// the newest message is of that job, behind it.
void FanOut::go_on(SubscriptionId id, Subscription& subscription, Sink& sink) {
  Channel& channel = channels_[subscription.channel];
  if (!sink.can_go_on(subscription.peer, channel.slow_reader)) return;
  Edge& edge = channel.edges[subscription.edge];
  if (channel.newest) {
    const Offset newest = channel.newest->message->offset();
    ASSERT(newest >= edge.next);
    if (newest > edge.next) {
      const Gap gap{edge.next, newest - 1, GapReason::conflated};
      if (!announce(channel, subscription.peer, id, gap, sink)) return;
    }
    edge.next = newest;
    const std::uint64_t messages = sink.on_messages({&edge.target, 1}, channel.newest->batch).messages;
    if (messages == 0) return;  // too large for what the gap has left of the queue: once that is written
    channel.outcomes.queued += messages;
    edge.next = newest + 1;
  } else {
    const bool passed = !channel.running || subscription.edge < channel.cursor;
    const Offset last = passed ? channel.head : channel.jobs.front().first - 1;
    const GapReason reason =
        channel.slow_reader == SlowReader::conflate ? GapReason::conflated : GapReason::slow_reader;
    if (!announce(channel, subscription.peer, id, Gap{edge.next, last, reason}, sink)) return;
    edge.next = last + 1;
  }
  stop_lagging(channel, subscription);
}

void FanOut::count_closed(SubscriptionId id) {
  const Subscription* subscription = living(id);
  if (subscription != nullptr) ++channels_[subscription->channel].outcomes.closed;
}

void FanOut::rules_changed() {
  for (const auto& [name, slot] : by_name_) {
    Channel& channel = channels_[slot];
    channel.slow_reader = rules_.rules_of(name)->slow_reader;
    // Who lags goes on as the new rule says; to conflate, from the next message on.
    if (channel.slow_reader != SlowReader::conflate) channel.newest.reset();
  }
}

void FanOut::finish_job(Channel& channel) {
  channel.batches.reset();
  channel.jobs.pop_front();
  channel.running = false;
  channel.cursor = 0;
  if (channel.holes == 0) return;
  std::erase_if(channel.edges, [](const Edge& edge) { return edge.target.subscription == kNone; });
  for (std::uint32_t place = 0; place < channel.edges.size(); ++place) {
    subscriptions_[channel.edges[place].target.subscription].edge = place;
  }
  channel.holes = 0;
}

void FanOut::remove_edge(Channel& channel, std::uint32_t edge) {
  if (channel.running) {
    channel.edges[edge].target.subscription = kNone;
    ++channel.holes;
    return;
  }
  channel.edges[edge] = channel.edges.back();
  channel.edges.pop_back();
  if (edge < channel.edges.size()) subscriptions_[channel.edges[edge].target.subscription].edge = edge;
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
      post.send(home, Detach{channel.name, {slot, channel.generation}, channel.outcomes});
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
  channel.slow_reader = rules_.rules_of(name)->slow_reader;
  by_name_.emplace(channel.name, slot);
  return slot;
}

void FanOut::free_channel(std::uint32_t slot) {
  Channel& channel = channels_[slot];
  by_name_.erase(by_name_.find(channel.name));
  if (!channel.jobs.empty()) std::erase(active_, slot);
  const std::uint32_t generation = channel.generation;
  channel = Channel{};
  channel.generation = generation;
  free_channels_.push_back(slot);
}

FanOut::Subscription* FanOut::living(SubscriptionId id) {
  return const_cast<Subscription*>(std::as_const(*this).living(id));
}

const FanOut::Subscription* FanOut::living(SubscriptionId id) const {
  if (id.generation == 0 || id.slot >= subscriptions_.size()) return nullptr;
  const Subscription& subscription = subscriptions_[id.slot];
  return subscription.generation == id.generation && subscription.channel != kNone ? &subscription : nullptr;
}

std::vector<std::pair<std::string, Watched>> FanOut::watched(std::string_view prefix) const {
  std::vector<std::pair<std::string, Watched>> result;
  for (const auto& [name, slot] : by_name_) {
    const Channel& channel = channels_[slot];
    if (!name.starts_with(prefix)) continue;
    if (channel.members == 0 && channel.outcomes == Outcomes{}) continue;
    result.emplace_back(name, Watched{channel.members, channel.lagging, channel.outcomes});
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
