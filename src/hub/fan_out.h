// The subscribers of one worker: which local subscription watches which channel, what it must get next, and the fan-out
// of deliveries over dense arrays. It asks homes (by Attach) to bring a subscription up to date and enters it into the
// channel's array in the same step as its last page. What it is not: it knows no peer but its slot number, and no wire
// format but its number.
//
// The rule, at one place (serve): offset == next deliver; offset < next skip; offset > next is a gap, announced first.
//
// Slow readers are the same rule: a subscription whose messages the sink does not take keeps its `next` and *lags*: it
// gets nothing until the sink says that it can go on, then the gap, at once and not with the next message, and of a
// channel whose policy is `conflate` the newest message.
//
// Calling order: receive() for each Page and Delivery that arrived; run() once per turn; pump() once per turn. Sink
// methods are called from receive(), run() and resume() only, and call nothing of this class that is not const but
// count_closed(). Threads: owned by one worker.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_index.h"
#include "base/ids.h"
#include "base/ring.h"
#include "base/shared_bytes.h"
#include "base/slab.h"
#include "hub/batch.h"
#include "hub/edges.h"
#include "hub/limits.h"
#include "hub/mail.h"
#include "hub/rules.h"

namespace hub {

// Where deliveries go. Implemented by the worker that owns the peers.
class Sink {
 public:
  virtual ~Sink() = default;
  // Once per subscription, before anything else: the next message is start.offset + 1.
  virtual void on_start(PeerSlot peer, SubscriptionId subscription, const Position& start,
                        const std::optional<Gap>& gap) = 0;
  // The same messages for many subscriptions.
  struct Taken {
    std::uint64_t messages = 0;  // over all targets
    // Subscriptions that got nothing and lag from here on; live batches only. Valid until the next call.
    std::span<const std::uint32_t> lagging;
  };
  virtual Taken on_messages(std::span<const Target> targets, Batch& batch) = 0;
  // False: it is ending anyway and is told nothing more.
  virtual bool on_gap(PeerSlot peer, SubscriptionId subscription, const Gap& gap, const Position& next_after) = 0;
  // It has caught up: what comes from now on is live. Once per subscription.
  virtual void on_live(PeerSlot peer, SubscriptionId subscription) = 0;
  virtual void on_refused(PeerSlot peer, SubscriptionId subscription, base::Error error) = 0;
  // True if the peer's queue can take another page of catch-up now; otherwise the owner calls resume() once it can.
  virtual bool can_take_page(PeerSlot peer) = 0;
  // True if a subscription of the peer that lags in a channel of that policy can go on now; otherwise the owner calls
  // resume() once it can.
  virtual bool can_go_on(PeerSlot peer, SlowReader policy) = 0;
};

class FanOut {
 public:
  // rules must outlive this.
  FanOut(std::uint16_t workers, const Rules& rules, std::uint64_t hash_seed);

  // Payload bytes of one page of catch-up; a fraction of what a peer's queue takes.
  void set_page_bytes_max(std::uint32_t bytes) { page_bytes_max_ = bytes; }

  // `format` < kFormatsMax chooses the slot of Batch::encoded; `index` is the caller's own (place in the request).
  SubscriptionId subscribe(PeerSlot peer, std::string_view channel, const Since& since, std::uint8_t format,
                           std::uint16_t index, Post& post);
  void unsubscribe(SubscriptionId id);
  // The peer can take more: asks for the next page of a subscription that was waiting for room, ends the gap of one
  // that lags. Harmless otherwise.
  void resume(SubscriptionId id, Sink& sink, Post& post);
  // The subscription ends because its peer reads too slowly.
  void count_closed(SubscriptionId id);
  // After a configuration change.
  void rules_changed();

  void receive(Page page, Sink& sink, Post& post);
  void receive(Delivery delivery);
  // Serves every channel that has a job one slice. True if jobs are left for the next turn.
  bool run(Sink& sink);
  // Tells homes which channels nobody here watches any more, as far as there is room.
  void pump(Post& post);

  bool has_backlog() const;  // run() or pump() has work left

  // The id of the living subscription in that slot.
  SubscriptionId id_of(std::uint32_t slot) const { return {slot, subscriptions_[slot].generation}; }
  std::string_view channel_of(SubscriptionId id) const;
  std::uint16_t index_of(SubscriptionId id) const;
  bool watches(std::string_view channel) const { return find(channel) != kNone; }
  // A number for a channel that is watched here, from 1 on; the same for all its subscriptions. Another channel may get
  // it once nobody here watches this one.
  std::int64_t number_of(std::string_view channel) const {
    return watches(channel) ? std::int64_t{find(channel)} + 1 : 0;
  }
  // Of channels that `list` asks for, whatever their number.
  std::vector<std::pair<std::string, Watched>> watched(const List& list) const;
  std::size_t subscriptions() const { return subscriptions_.size(); }
  std::size_t channels() const { return channels_.size(); }
  std::size_t lagging() const { return lagging_; }  // of the subscriptions

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // What is needed of each subscriber, and nothing that only some need: there are millions.
  struct Subscription {
    std::uint32_t generation = 0;
    std::uint32_t channel = kNone;  // kNone: free slot
    std::uint32_t place = 0;        // live: in the channel's array; before: in catching_up_
    std::uint16_t index = 0;
    bool live = false;
    bool lagging = false;  // and live
  };
  static_assert(sizeof(Subscription) == 16);
  // What a subscription needs until it is live; then its edge carries it.
  struct CatchUp {
    Offset next = 0;
    PeerSlot peer : 28 = 0;
    std::uint32_t format : 4 = 0;
    std::uint16_t births = 0;       // of the channel when its last page came: `next` belongs to that epoch
    std::uint16_t rounds : 15 = 0;  // 0: no page has come yet
    std::uint16_t waiting : 1 = 0;  // for room in the peer's queue, not for a page
  };
  static_assert(sizeof(CatchUp) == 16 && kCatchUpRoundsMax < 1 << 15);
  static_assert(kFormatsMax <= 16);  // Target::format
  // What a channel needs while messages wait or a fan-out runs.
  struct Work {
    base::Ring<Delivery> jobs;  // the front one is running if `running`
    bool running = false;
    std::size_t waiting_bytes = 0;      // of the jobs that do not run yet
    std::size_t last_job_bytes = 0;     // of the newest job, at most
    std::optional<JobBatches> batches;  // of the running job: what one slice encoded serves the next
    std::size_t cursor = 0;             // of the running job: edges before it have been served
  };
  // The newest message of a channel, for subscriptions that lag: encoded once, whenever they can go on.
  struct Newest {
    MessageRef message;
    Batch batch;  // of `message`
  };
  // What a channel needs from when the first of its subscriptions did not get something.
  struct Slow {
    std::uint32_t lagging = 0;
    Offset head = 0;               // the last message of the newest job that has begun; only while somebody lags
    std::optional<Newest> newest;  // what has passed by those who lag; only while somebody does, and only to conflate
    Outcomes outcomes;             // without what was queued
  };
  struct Channel {
    base::SharedBytes name;
    std::uint32_t generation = 0;
    base::WorkerId home = 0;
    std::uint16_t births = 0;  // counts the epochs that were seen here
    Epoch epoch;
    std::uint32_t members = 0;   // living subscriptions, live or catching up
    std::uint32_t requests = 0;  // Attach without an answer yet
    bool interested = false;     // the home sends deliveries to this worker
    bool detach_queued = false;
    SlowReader slow_reader = SlowReader::close;
    Edges edges;
    std::unique_ptr<Work> work;  // null: no job
    std::uint64_t queued = 0;    // messages given to subscribers
    std::unique_ptr<Slow> slow;  // null: everybody has got everything
    Slow& trouble() {
      if (!slow) slow = std::make_unique<Slow>();
      return *slow;
    }
    Outcomes outcomes() const {
      Outcomes all = slow ? slow->outcomes : Outcomes{};
      all.queued = queued;
      return all;
    }
    bool used() const { return members > 0 || requests > 0 || work; }
  };

  SlowReader slow_reader_of(std::string_view name) const;
  std::uint32_t find(std::string_view name) const;
  std::uint32_t find_or_create(std::string_view name);
  void request(std::uint32_t slot, const Subscription& subscription, const Since& since, Attach::Mode mode, Post& post);
  void request_next(std::uint32_t slot, const Subscription& subscription, Post& post);
  void enter(std::uint32_t slot, Subscription& subscription);
  void remove_edge(Channel& channel, std::uint32_t place);
  void run_slice(Channel& channel, Sink& sink);
  void serve(Channel& channel, std::span<Edge> edges, Batch*& batch, Sink& sink);
  void finish_job(Channel& channel);
  static void shed(Work& work);
  void hand_over(Channel& channel, Batch* batch, Sink& sink);
  bool reaches(Channel& channel, Edge& edge, Offset next, Batch* batch, Sink& sink);
  void lag(Channel& channel, std::span<const std::uint32_t> subscriptions, const Batch& batch);
  static void keep_newest(Channel& channel, const MessageRef& message);
  void stop_lagging(Channel& channel, Subscription& subscription);
  void go_on(SubscriptionId id, Subscription& subscription, Sink& sink);
  static bool announce(Channel& channel, PeerSlot peer, SubscriptionId id, const Gap& gap, Sink& sink);
  void release_if_unused(std::uint32_t channel);
  void free_channel(std::uint32_t channel);
  Subscription* living(SubscriptionId id);
  const Subscription* living(SubscriptionId id) const;

  std::uint16_t workers_;
  const Rules& rules_;
  std::uint64_t hash_seed_;
  std::uint32_t page_bytes_max_ = UINT32_MAX;
  base::Slab<Subscription> subscriptions_;
  base::Slab<CatchUp> catching_up_;
  std::array<Target, kSliceSubscribers> targets_;  // of the batch that a slice is at
  std::size_t gathered_ = 0;
  std::size_t lagging_ = 0;
  base::Slab<Channel> channels_;
  base::HashIndex by_name_;
  std::vector<std::unique_ptr<Work>> spare_work_;
  std::deque<std::uint32_t> active_;                 // channels with jobs
  std::vector<std::deque<std::uint32_t>> detaches_;  // by home
};

}  // namespace hub
