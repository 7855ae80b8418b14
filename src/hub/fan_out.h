// The subscribers of one worker: which local subscription watches which channel, what it must get next, and the fan-out
// of deliveries over dense arrays. It asks homes (by Attach) to bring a subscription up to date and enters it into the
// channel's array in the same step as its last page. What it is not: it knows no peer but its slot number, and no wire
// format but its number.
//
// The rule, at one place (run_slice): offset == next deliver; offset < next skip; offset > next is a gap, announced
// first.
//
// Slow readers are the same rule: a subscription whose messages the sink refused keeps its `next` and *lags*: it gets
// nothing until the sink says that it can go on, then the gap, at once and not with the next message, and of a channel
// whose policy is `conflate` the newest message.
//
// Calling order: receive() for each Page and Delivery that arrived; run() once per turn; pump() once per turn. Sink
// methods are called from receive(), run() and resume() only, and call nothing of this class that is not const but
// count_closed(). Threads: owned by one worker.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "hub/batch.h"
#include "hub/limits.h"
#include "hub/mail.h"
#include "hub/rules.h"

namespace hub {

using PeerSlot = std::uint32_t;
inline constexpr PeerSlot kPeerSlotMax = (PeerSlot{1} << 28) - 1;

struct SubscriptionId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 0: none
  friend bool operator==(const SubscriptionId&, const SubscriptionId&) = default;
};

// One subscription that gets the messages of a batch; `format` is the one that was given to subscribe().
struct Target {
  std::uint32_t subscription;  // slot: FanOut::id_of() makes it an id
  PeerSlot peer : 28;
  std::uint32_t format : 4;
};

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
  bool watches(std::string_view channel) const { return by_name_.contains(channel); }
  // Of channels whose name begins with `prefix`.
  std::vector<std::pair<std::string, Watched>> watched(std::string_view prefix) const;
  std::size_t subscriptions() const { return living_; }
  std::size_t lagging() const { return lagging_; }
  std::size_t channels() const { return by_name_.size(); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Subscription {
    std::uint32_t generation = 0;
    PeerSlot peer = 0;
    std::uint32_t channel = kNone;  // kNone: free slot
    std::uint32_t edge = kNone;     // place in the channel's array; kNone while catching up
    Offset next = 0;                // while catching up; the edge carries it afterwards
    enum class State : std::uint8_t { requested, waiting, live, lagging } state = State::requested;
    std::uint8_t format = 0;
    std::uint16_t index = 0;
    std::uint16_t rounds = 0;  // 0: no page has come yet
    std::uint16_t births = 0;  // of the channel when its last page came: `next` belongs to that epoch
  };
  // What a fan-out touches of a subscriber: a cache line holds four.
  struct Edge {
    Offset next;
    Target target;  // subscription kNone: a hole left while a job runs
  };
  static_assert(sizeof(Edge) == 16 && kFormatsMax <= 16);
  // The newest message of a channel, for subscriptions that lag: encoded once, whenever they can go on.
  struct Newest {
    MessageRef message;
    Batch batch;  // of `message`
  };
  struct Channel {
    std::string name;
    std::uint32_t generation = 0;
    base::WorkerId home = 0;
    Epoch epoch;
    std::uint16_t births = 0;  // counts the epochs that were seen here
    bool interested = false;   // the home sends deliveries to this worker
    bool detach_queued = false;
    SlowReader slow_reader = SlowReader::close;
    std::uint32_t members = 0;   // living subscriptions, live or catching up
    std::uint32_t requests = 0;  // Attach without an answer yet
    std::uint32_t holes = 0;
    std::uint32_t lagging = 0;  // edges
    std::vector<Edge> edges;
    std::deque<Delivery> jobs;  // the front one is running if `running`
    bool running = false;
    std::size_t waiting_bytes = 0;        // of the jobs that do not run yet
    std::size_t last_job_bytes = 0;       // of the newest job, at most
    std::unique_ptr<JobBatches> batches;  // of the running job: what one slice encoded serves the next
    std::size_t cursor = 0;
    Offset head = 0;  // the last message of the newest job that has begun
    std::unique_ptr<Newest>
        newest;  // what has passed by edges that lag; only while there are any, and only to conflate
    Outcomes outcomes;
    bool used() const { return members > 0 || requests > 0 || running; }
  };

  std::uint32_t find_or_create(std::string_view name);
  void request(std::uint32_t slot, Subscription& subscription, const Since& since, Attach::Mode mode, Post& post);
  void request_next(std::uint32_t slot, Subscription& subscription, Post& post);
  void enter(std::uint32_t slot, Subscription& subscription, Offset next);
  void remove_edge(Channel& channel, std::uint32_t edge);
  void finish_job(Channel& channel);
  void run_slice(Channel& channel, Sink& sink);
  void shed(Channel& channel);
  void hand_over(Channel& channel, Batch* batch, Sink& sink);
  bool reaches(Channel& channel, Edge& edge, Offset next, Sink& sink);
  void lag(Channel& channel, std::span<const std::uint32_t> subscriptions, const Batch& batch);
  void keep_newest(Channel& channel, const MessageRef& message);
  void stop_lagging(Channel& channel, Subscription& subscription);
  void go_on(SubscriptionId id, Subscription& subscription, Sink& sink);
  bool announce(Channel& channel, PeerSlot peer, SubscriptionId id, const Gap& gap, Sink& sink);
  void release_if_unused(std::uint32_t channel);
  void free_channel(std::uint32_t channel);
  Subscription* living(SubscriptionId id);
  const Subscription* living(SubscriptionId id) const;

  std::uint16_t workers_;
  const Rules& rules_;
  std::uint64_t hash_seed_;
  std::uint32_t page_bytes_max_ = UINT32_MAX;
  std::vector<Subscription> subscriptions_;
  std::vector<std::uint32_t> free_subscriptions_;
  std::size_t living_ = 0;
  std::size_t lagging_ = 0;
  std::array<Target, kSliceSubscribers> targets_;  // of the batch that a slice is at
  std::size_t gathered_ = 0;
  std::deque<Channel> channels_;  // references stay valid when it grows
  std::vector<std::uint32_t> free_channels_;
  std::unordered_map<std::string, std::uint32_t, base::StringHash, std::equal_to<>> by_name_;
  std::deque<std::uint32_t> active_;                 // channels with jobs
  std::vector<std::deque<std::uint32_t>> detaches_;  // by home
};

}  // namespace hub
