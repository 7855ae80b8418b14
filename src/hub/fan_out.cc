#include "hub/fan_out.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "hub/events_channel.h"
#include "hub/home.h"
#include "hub/limits.h"

namespace hub {
namespace {

constexpr std::size_t kSpareWork = 64;  // kept for the channels of the next turn

RequestId request_of(std::uint32_t slot, std::uint32_t generation) { return (std::uint64_t{generation} << 32) | slot; }

SubscriptionId subscription_of(RequestId request) {
  return {static_cast<std::uint32_t>(request), static_cast<std::uint32_t>(request >> 32)};
}

}  // namespace

FanOut::FanOut(std::uint16_t workers, const Rules& rules, std::uint64_t hash_seed)
    : workers_(workers), rules_(rules), hash_seed_(hash_seed), detaches_(workers) {}

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
  Subscription* subscription = living(id);
  if (subscription == nullptr) return;
  const std::uint32_t channel = subscription->channel;
  if (subscription->lagging) stop_lagging(channels_[channel], *subscription);
  --channels_[channel].members;
  if (subscription->live) {
    remove_edge(channels_[channel], subscription->place);
  } else {
    catching_up_.give_back(subscription->place);
  }
  subscriptions_.give_back(id.slot);
  release_if_unused(channel);
}

void FanOut::resume(SubscriptionId id, Sink& sink, Post& post) {
  Subscription* subscription = living(id);
  if (subscription == nullptr) return;
  if (subscription->lagging) return go_on(id, *subscription, sink);
  if (subscription->live || !catching_up_[subscription->place].waiting) return;
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
    announce(channel, peer, id, *page.gap, sink);
  } else {
    ASSERT(page.start.offset + 1 == reached.next);
  }
  if (reached.rounds <= kCatchUpRoundsMax) ++reached.rounds;
  if (!page.messages.empty()) {
    ASSERT(page.messages.front()->offset() > page.start.offset);
    Batch batch{channel.name.view(), channel.epoch, Batch::Source::replay, channel.slow_reader, page.messages, {}};
    const Target target{id.slot, reached.peer, reached.format};
    channel.queued += sink.on_messages({&target, 1}, batch).messages;
  }
  reached.births = channel.births;
  reached.next = page.end + 1;
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
  if (!channels_.holds(delivery.local.slot)) return;
  Channel& channel = channels_[delivery.local.slot];
  if (channel.generation != delivery.local.generation || !channel.interested) return;  // on its way while we left
  if (channel.edges.empty()) return;  // who attaches later gets it with its page
  std::size_t bytes = 0;
  for (const MessageRef& each : delivery.messages) bytes += each->charged_bytes();
  if (!channel.work) {
    channel.work = spare_work_.empty() ? std::make_unique<Work>() : std::move(spare_work_.back());
    if (!spare_work_.empty()) spare_work_.pop_back();
    active_.push_back(delivery.local.slot);
  }
  Work& work = *channel.work;
  work.waiting_bytes += bytes;
  if (work.jobs.size() > (work.running ? 1U : 0U)) {
    Delivery& last = work.jobs.back();
    const bool small = work.last_job_bytes + bytes <= kJobBytesMax;
    if (small && delivery.first == last.first + last.messages.size()) {
      work.last_job_bytes += bytes;
      std::move(delivery.messages.begin(), delivery.messages.end(), std::back_inserter(last.messages));
      return shed(work);
    }
  }
  work.jobs.push_back(std::move(delivery));
  work.last_job_bytes = bytes;
  shed(work);
}

// Drops the older half of what waits once it is too much; every edge sees the gap when the rest comes.
void FanOut::shed(Work& work) {
  if (work.waiting_bytes <= kWaitingBytesMax) return;
  for (std::size_t job = work.running ? 1 : 0; job < work.jobs.size(); ++job) {
    Delivery& oldest = work.jobs[job];
    std::size_t count = 0;
    while (count < oldest.messages.size() && work.waiting_bytes > kWaitingBytesMax / 2) {
      work.waiting_bytes -= oldest.messages[count++]->charged_bytes();
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
    if (!channel.work) {
      release_if_unused(slot);
    } else {
      active_.push_back(slot);
    }
  }
  return !active_.empty();
}

void FanOut::run_slice(Channel& channel, Sink& sink) {
  Work& work = *channel.work;
  const Delivery& job = work.jobs.front();
  if (!std::exchange(work.running, true)) {
    for (const MessageRef& each : job.messages) work.waiting_bytes -= each->charged_bytes();
    work.batches.emplace(channel.name.view(), channel.epoch, channel.slow_reader, job.messages);
    if (channel.slow) channel.slow->head = job.first + job.messages.size() - 1;
  }
  Batch* batch = nullptr;  // what targets_ get
  for (std::size_t left = kSliceSubscribers; left > 0;) {
    const std::span<Edge> edges = channel.edges.from(work.cursor, left);
    if (edges.empty()) break;
    serve(channel, edges, batch, sink);
    work.cursor += edges.size();
    left -= edges.size();
  }
  hand_over(channel, batch, sink);
  if (work.cursor >= channel.edges.size()) finish_job(channel);
}

void FanOut::serve(Channel& channel, std::span<Edge> edges, Batch*& batch, Sink& sink) {
  const Delivery& job = channel.work->jobs.front();
  const Offset first = job.first, end = first + job.messages.size();
  for (Edge& edge : edges) {
    if (edge.next >= end) continue;
    const Offset next = std::exchange(edge.next, end);
    if (next < first && !reaches(channel, edge, next, batch, sink)) continue;
    const Offset from = std::max(next, first);
    if (from >= end) continue;
    if (batch == nullptr || batch->first() != from) {
      hand_over(channel, batch, sink);
      batch = &channel.work->batches->from(from);
    }
    targets_[gathered_++] = edge.target;
  }
}

// An edge that must get something older than the running job: it lags, or what it must get was dropped. True if it gets
// the job now, behind the gap; not if it is ending with the gap.
bool FanOut::reaches(Channel& channel, Edge& edge, Offset next, Batch* batch, Sink& sink) {
  const Delivery& job = channel.work->jobs.front();
  Subscription& subscription = subscriptions_[edge.target.subscription];
  Gap gap{next, job.first - 1, GapReason::overload};
  if (subscription.lagging) {
    if (!sink.can_go_on(edge.target.peer, channel.slow_reader)) {
      edge.next = next;
      if (job.messages.empty()) {
        channel.slow->newest.reset();  // newer ones have come, and are held no more
      } else {
        keep_newest(channel, job.messages.back());
      }
      return false;
    }
    stop_lagging(channel, subscription);
    gap.reason = channel.slow_reader == SlowReader::conflate ? GapReason::conflated : GapReason::slow_reader;
  }
  hand_over(channel, batch, sink);
  return announce(channel, edge.target.peer, id_of(edge.target.subscription), gap, sink);
}

bool FanOut::announce(Channel& channel, PeerSlot peer, SubscriptionId id, const Gap& gap, Sink& sink) {
  if (!sink.on_gap(peer, id, gap, Position{channel.epoch, gap.to})) return false;
  switch (gap.reason) {
    case GapReason::slow_reader:
      channel.trouble().outcomes.dropped += gap.messages();
      break;
    case GapReason::conflated:
      channel.trouble().outcomes.conflated += gap.messages();
      break;
    case GapReason::overload:
      channel.trouble().outcomes.overload += gap.messages();
      break;
    default:  // the history no longer held them
      break;
  }
  return true;
}

void FanOut::hand_over(Channel& channel, Batch* batch, Sink& sink) {
  if (gathered_ == 0) return;
  const Sink::Taken taken = sink.on_messages(std::span(targets_).first(gathered_), *batch);
  channel.queued += taken.messages;
  gathered_ = 0;
  if (!taken.lagging.empty()) lag(channel, taken.lagging, *batch);
}

void FanOut::lag(Channel& channel, std::span<const std::uint32_t> subscriptions, const Batch& batch) {
  for (const std::uint32_t slot : subscriptions) {
    Subscription& subscription = subscriptions_[slot];
    ASSERT(subscription.live && !subscription.lagging);
    subscription.lagging = true;
    channel.edges[subscription.place].next = batch.first();
  }
  Slow& slow = channel.trouble();
  slow.lagging += static_cast<std::uint32_t>(subscriptions.size());
  slow.head = batch.last();  // every batch of a job ends with it
  lagging_ += subscriptions.size();
  keep_newest(channel, batch.messages.back());
}

void FanOut::keep_newest(Channel& channel, const MessageRef& message) {
  if (channel.slow_reader != SlowReader::conflate) return;
  auto& newest = channel.slow->newest;
  if (newest && newest->message->offset() == message->offset()) return;
  newest.emplace(message, Batch{channel.name.view(), channel.epoch, Batch::Source::live, channel.slow_reader, {}, {}});
  newest->batch.messages = std::span(&newest->message, 1);
}

void FanOut::stop_lagging(Channel& channel, Subscription& subscription) {
  subscription.lagging = false;
  --lagging_;
  if (--channel.slow->lagging == 0) channel.slow->newest.reset();
}

// What has passed by the edge is announced now. A job that is on its way to it finds it where the job begins, or, if
// the newest message is of that job, behind it.
void FanOut::go_on(SubscriptionId id, Subscription& subscription, Sink& sink) {
  Channel& channel = channels_[subscription.channel];
  Edge& edge = channel.edges[subscription.place];
  const PeerSlot peer = edge.target.peer;
  if (!sink.can_go_on(peer, channel.slow_reader)) return;
  const bool conflate = channel.slow_reader == SlowReader::conflate;
  if (auto& newest = channel.slow->newest; newest) {
    const Offset offset = newest->message->offset();
    ASSERT(offset >= edge.next);
    if (offset > edge.next && !announce(channel, peer, id, {edge.next, offset - 1, GapReason::conflated}, sink)) return;
    edge.next = offset;
    const std::uint64_t messages = sink.on_messages({&edge.target, 1}, newest->batch).messages;
    if (messages == 0) return;  // too large for what the gap has left of the queue: once that is written
    channel.queued += messages;
    edge.next = offset + 1;
  } else {
    const bool passed = !channel.work || !channel.work->running || subscription.place < channel.work->cursor;
    const Offset last = passed ? channel.slow->head : channel.work->jobs.front().first - 1;
    const GapReason reason = conflate ? GapReason::conflated : GapReason::slow_reader;
    if (!announce(channel, peer, id, {edge.next, last, reason}, sink)) return;
    edge.next = last + 1;
  }
  stop_lagging(channel, subscription);
}

void FanOut::count_closed(SubscriptionId id) {
  const Subscription* subscription = living(id);
  if (subscription != nullptr) ++channels_[subscription->channel].trouble().outcomes.closed;
}

void FanOut::rules_changed() {
  channels_.for_each([&](std::uint32_t, Channel& channel) {
    channel.slow_reader = slow_reader_of(channel.name.view());
    // Who lags goes on as the new rule says; to conflate, from the next message on.
    if (channel.slow && channel.slow_reader != SlowReader::conflate) channel.slow->newest.reset();
  });
}

void FanOut::finish_job(Channel& channel) {
  Work& work = *channel.work;
  work.batches.reset();
  work.jobs.pop_front();
  work.running = false;
  work.cursor = 0;
  if (!work.jobs.empty()) return;
  if (spare_work_.size() < kSpareWork) spare_work_.push_back(std::move(channel.work));
  channel.work.reset();
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
  if (channel.work && place < channel.work->cursor) {
    hole = --channel.work->cursor;
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
      post.send(home, Detach{channel.name, {slot, channel.generation}, channel.outcomes()});
      free_channel(slot);
    }
  }
}

bool FanOut::has_backlog() const {
  return !active_.empty() ||
         std::any_of(detaches_.begin(), detaches_.end(), [](const auto& each) { return !each.empty(); });
}

SlowReader FanOut::slow_reader_of(std::string_view name) const {
  const SlowReader policy = rules_.rules_of(wildcard_of(events_of(name)))->slow_reader;
  // The newest of those who came and went does not stand for the others, nor do messages of one channel for another's.
  return (is_events_channel(name) || is_wildcard_feed(name)) && policy == SlowReader::conflate ? SlowReader::drop
                                                                                               : policy;
}

std::uint32_t FanOut::find(std::string_view name) const {
  return by_name_.find(base::hash64(name, hash_seed_),
                       [&](std::uint32_t slot) { return channels_[slot].name.view() == name; });
}

std::uint32_t FanOut::find_or_create(std::string_view name) {
  if (const std::uint32_t known = find(name); known != kNone) return known;
  const std::uint32_t slot = channels_.take();
  Channel& channel = channels_[slot];
  channel.name = base::SharedBytes::copy(name);
  ++channel.generation;
  channel.home = home_of(name, workers_, hash_seed_);
  channel.slow_reader = slow_reader_of(name);
  by_name_.insert(base::hash64(name, hash_seed_), slot);
  return slot;
}

void FanOut::free_channel(std::uint32_t slot) {
  const Channel& channel = channels_[slot];
  ASSERT(!channel.work && channel.edges.empty());
  by_name_.erase(base::hash64(channel.name.view(), hash_seed_), slot);
  channels_.give_back(slot);
}

FanOut::Subscription* FanOut::living(SubscriptionId id) {
  return const_cast<Subscription*>(std::as_const(*this).living(id));
}

const FanOut::Subscription* FanOut::living(SubscriptionId id) const {
  if (id.generation == 0 || !subscriptions_.holds(id.slot)) return nullptr;
  const Subscription& subscription = subscriptions_[id.slot];
  return subscription.generation == id.generation && subscription.channel != kNone ? &subscription : nullptr;
}

std::vector<std::pair<std::string, Watched>> FanOut::watched(const List& list) const {
  std::vector<std::pair<std::string, Watched>> result;
  channels_.for_each([&](std::uint32_t, const Channel& channel) {
    const std::string_view name = channel.name.view();
    if (!list.asks_for(name)) return;
    const Watched watched{channel.members, channel.slow ? channel.slow->lagging : 0, channel.outcomes()};
    if (watched != Watched{}) result.emplace_back(name, watched);
  });
  return result;
}

std::string_view FanOut::channel_of(SubscriptionId id) const {
  const Subscription* subscription = living(id);
  ASSERT(subscription != nullptr);
  return channels_[subscription->channel].name.view();
}

std::uint16_t FanOut::index_of(SubscriptionId id) const {
  const Subscription* subscription = living(id);
  ASSERT(subscription != nullptr);
  return subscription->index;
}

}  // namespace hub
