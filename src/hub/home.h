// The home of channels: log, positions, last value, interested workers. It is the sequencer `memory`: it numbers what
// is published here. One per worker; a channel's home is worker home_of(channel). What it is not: it knows no
// subscriber and no wire format; those live in FanOut on each worker.
//
// What is published is numbered, logged and answered at once. On a channel with max_delay its delivery is held back
// until the deadline of the first held message, or until limits.h says that it is enough; then all of them leave in one
// Delivery per interested worker. Held messages do not depend on the log. Who attaches meanwhile has them in its page
// already, which does not matter: FanOut passes over what is below `next`.
//
// Who is present in a channel is known at its home, which tells those who watch the channel's companion
// (events_channel.h). A companion is a channel as others are, but for this: it holds messages only for workers that are
// behind, it leaves no tombstone, and only channels_max counts it.
//
// Those who watch a wildcard watch its feed at each home (wildcard.h), a channel that is as a companion is. What is
// published on a channel that it matches, unless that is a map, goes to the feed too, in the same step, and is not held
// back.
//
// A channel with ChannelRules::map has its state beside its log, whose messages are the changes (home_maps.cc). A
// change is numbered, logged and delivered as any message is, so who pages through the state and then catches up from
// the position of the first page has everything: what a later page showed already comes again, with the same offset.
//
// A channel with ChannelRules::durable is numbered by the ledger; what is here of it is a suffix of the stream, or
// nothing yet (home_durable.cc). The ledger is the station behind the last worker, its reader the one behind that.
//
// Calling order: receive() for each request or Detach that arrived; release_due() and pump() once per turn, and
// release_due() at next_deadline(); sweep() once per turn. Everything it has to say leaves through the Post it is lent.
// Threads: owned by one worker.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "base/hash.h"
#include "base/hash_index.h"
#include "base/ids.h"
#include "base/one_or_many.h"
#include "base/shared_bytes.h"
#include "base/slab.h"
#include "base/time.h"
#include "hub/channel_log.h"
#include "hub/limits.h"
#include "hub/log_order.h"
#include "hub/mail.h"
#include "hub/map_state.h"
#include "hub/occupancy.h"
#include "hub/presence.h"
#include "hub/rules.h"
#include "hub/tombstones.h"
#include "hub/wildcard_index.h"

namespace hub {

struct HomeOptions {
  std::uint64_t log_bytes_max = 64ULL << 20;  // of all channels of this home
  std::uint64_t map_bytes_max = 64ULL << 20;  // of the state of all maps of this home
  std::uint32_t channels_max = 1'000'000;
  base::Duration channel_idle = std::chrono::seconds(60);
  base::Duration tombstone_ttl = std::chrono::hours(24);
  std::uint32_t tombstones_max = 1'000'000;
  std::uint32_t idempotency_keys_max = kIdempotencyKeysMax;
};

// Ages and durations count by `instant`; `wall` is only what messages are stamped with, and may step (robustness.md
// F16).
struct Now {
  base::Instant instant;
  base::WallTime wall;
};

class Home {
 public:
  // rules, entropy must outlive the home. `workers` is the number of workers.
  Home(std::uint16_t workers, HomeOptions options, const Rules& rules, base::Entropy& entropy, std::uint64_t hash_seed);

  // Handles Publish, Attach, Read, Remove, Detach, Enter, Leave, Who, ReadState, Clear of worker `from`, Sequenced and
  // Loaded of those whom it asked; any other kind is our bug.
  void receive(base::WorkerId from, Mail mail, Now now, Post& post);
  // Answers a List, but for `watched`.
  Listed list(const List& list) const;
  // Delivers what was held back until now.
  void release_due(base::Instant now, Post& post);
  base::Instant next_deadline() const { return due_.empty() ? base::kNever : due_.begin()->at; }
  // Delivers what is held back, and holds nothing back from now on: connections are about to be closed.
  void stop_holding(Post& post);
  // Brings workers that had no room up to date, as far as there is room now.
  void pump(Post& post);
  // Expires old messages and keys of maps and buries idle channels: a bounded amount of work per call. True if it
  // should be called again soon, because there was more to do than that.
  bool sweep(Now now, Post& post);
  // After a configuration change: options and rules count from now on. What is held back leaves now.
  void rules_changed(HomeOptions options, Post& post);

  // Of channels whose rules ask for it, since the last call. Vacated ones are found by sweep().
  std::vector<OccupancyEvent> take_occupancy() { return occupancy_.take_events(); }

  std::size_t channels() const { return channels_.size() - companions_; }
  std::size_t members() const { return presence_.members(); }  // of all channels
  std::size_t tombstones() const { return tombstones_.size(); }
  std::uint64_t log_bytes() const { return log_bytes_; }
  std::uint64_t map_keys() const { return map_keys_; }  // of all maps
  std::uint64_t map_bytes() const { return map_bytes_; }
  bool has_backlog() const;  // some worker is behind: pump() has work once there is room

 private:
  struct Interest {  // of one worker; none: it is not kept
    enum class State : std::uint8_t { none, attached, behind };
    base::WorkerId worker = 0;
    State state = State::none;
    bool queued = false;  // named in behind_, whether or not it is behind still
    LocalChannelId local;
    Offset sent = 0;  // behind: the last offset that was sent to that worker
  };
  struct Held {                        // back, of a channel that somebody watches
    std::vector<MessageRef> messages;  // the newest of the channel
    std::size_t bytes = 0;             // charged
    base::Instant deadline;
  };
  struct Due {  // when the held messages of a channel leave
    base::Instant at;
    std::uint32_t slot;
    friend auto operator<=>(const Due&, const Due&) = default;
  };
  struct Version {  // the newest of a channel
    std::uint64_t number = 0;
    std::string epoch;
  };
  struct Channel {
    base::SharedBytes name;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    bool tells_occupancy = false;  // as its rules say
    bool is_map = false;           // the same
    const ChannelRules* rules = nullptr;
    Epoch epoch;
    ChannelLog log;
    MessageRef last;
    base::OneOrMany<Interest> interests;
    base::Instant idle_since;
    std::unique_ptr<Roster> roster;       // null: nobody is present
    std::unique_ptr<Outcomes> outcomes;   // of workers that have left; null: none
    std::unique_ptr<Version> version;     // null: none was ever told
    std::unique_ptr<MapState> map;        // null: no key
    std::unique_ptr<MatchedFeeds> feeds;  // null: it was held against no wildcard
  };
  struct Remembered {  // an idempotency key with its answer
    base::Hash128 key;
    base::Hash128 content;
    Position position;
    base::WallTime time;
    base::Instant at;
    Level level;
    std::uint16_t workers;
  };

  void handle(base::WorkerId from, Publish& publish, Now now, Post& post);
  void handle(base::WorkerId from, Attach& attach, Now now, Post& post);
  void handle(base::WorkerId from, Read& read, Now now, Post& post);
  void handle(base::WorkerId from, Remove& remove, Now now, Post& post);
  void handle(base::WorkerId from, Detach& detach, Now now, Post& post);
  void handle(base::WorkerId from, Enter& enter, Now now, Post& post);
  void handle(base::WorkerId from, Leave& leave, Now now, Post& post);
  void handle(base::WorkerId from, Who& who, Now now, Post& post);
  void handle(base::WorkerId from, ReadState& read, Now now, Post& post);
  void handle(base::WorkerId from, Clear& clear, Now now, Post& post);
  void handle(base::WorkerId from, Sequenced& sequenced, Now now, Post& post);
  void handle(base::WorkerId from, Loaded& loaded, Now now, Post& post);

  // Of durable channels (home_durable.cc).
  struct Asked {  // of the ledger or the reader
    base::WorkerId from = 0;
    // What waits for the answer. Of a Publish the request number is left; nothing: the log of `slot` is loaded.
    std::optional<Mail> mail;
    std::uint32_t slot = 0;
  };
  struct Waiting {  // for the log
    base::WorkerId from = 0;
    Mail mail;
  };
  void sequence(base::WorkerId from, Publish& publish, Post& post);
  void sequence(base::WorkerId from, Remove& remove, Post& post);
  // True: it waits for the disk, and is answered later.
  bool load_for(Channel& channel, base::WorkerId from, Attach& attach, Now now, Post& post);
  bool load_for(base::WorkerId from, Read& read, Now now, Post& post);
  void load(Asked asked, std::string_view channel, const Since& since, std::uint32_t messages_max,
            std::uint32_t bytes_max, const std::optional<Window>& window, Post& post);
  void publish_sequenced(const Asked& asked, const Sequenced& sequenced, Now now, Post& post);
  void take_tail(Channel& channel, Loaded& loaded, Post& post);
  void serve_waiting(Channel& channel, base::Error error, Now now, Post& post);
  void forget_log(Channel& channel);
  static bool is_loaded(const Channel& channel) { return channel.epoch != Epoch{}; }

  // Numbers and logs a change that the state takes; null: the answer says why it does not.
  MessageRef change_key(Channel& channel, Publish& publish, Published& answer, Now now, Post& post);
  base::Error room_for(const Channel& channel, const Message& state) const;
  // The key goes without anybody having asked for it.
  void remove_key(Channel& channel, std::string key, Now now, Post& post);
  // Removes keys whose time is over, at most that many; how many.
  std::size_t expire_keys(Channel& channel, std::size_t keys_max, Now now, Post& post);
  void switch_map(Channel& channel, Post& post);
  // State and log; who watches is told that it has missed something.
  void lose_everything(Channel& channel, Post& post);
  static bool is_outdated(Channel& channel, Publish& publish);

  std::uint32_t find_slot(std::string_view name) const;
  Channel* find(std::string_view name);
  Channel* find_or_create(std::string_view name, Now now);
  Channel* find_or_create(const base::SharedBytes& name, Now now);
  Channel* create(base::SharedBytes name, Now now);
  const ChannelRules* rules_for(std::string_view name) const;
  // With which a channel begins of which nothing is known.
  Epoch first_epoch(std::string_view name) const;
  // The epoch and the empty log of a channel that does not live.
  std::pair<Epoch, ChannelLog> remains_of(std::string_view name, const Tombstone* stone) const;
  static Page page_of(const Epoch& epoch, const ChannelLog& log, const Since& since, std::uint32_t messages_max,
                      std::uint32_t bytes_max);
  Page page_of(Channel& channel, const Since& since, std::uint32_t messages_max, std::uint32_t bytes_max, Now now);
  // Numbers, logs for those who are behind, and delivers what a companion or feed says.
  void publish_on(Channel& internal, std::unique_ptr<Message> made, Now now, Post& post);
  // Tells those who watch wildcards that match the channel.
  void tell_wildcards(Channel& of, const Message& message, Now now, Post& post);
  // Tells those who watch the companion of a channel, if anybody does.
  void announce(const Channel& of, std::string_view event, const ClientIdentity& who, Now now, Post& post);
  // The newest of the channel, from that offset on.
  void deliver(Channel& channel, Offset first, std::span<const MessageRef> messages, Post& post);
  void hold(Channel& channel, const MessageRef& message, base::Instant now, Post& post);
  void release(Channel& channel, Post& post);
  void release_all(Post& post);
  Held* held_of(const Channel& channel);  // null: nothing is
  std::vector<MessageRef> take_held(const Channel& channel);
  // Numbers it as the next of the channel, and logs it.
  MessageRef append(Channel& channel, std::unique_ptr<Message> message, Now now);
  // As the next of the channel, numbered already.
  void enter_log(Channel& channel, const MessageRef& message);
  // The newest message goes to those who watch, now or later.
  void send_out(Channel& channel, const MessageRef& message, Now now, Post& post);
  // Runs `change` on the channel's log and keeps the totals over all channels right.
  template <class Change>
  void change_log(Channel& channel, Change change) {
    log_bytes_ -= channel.log.bytes();
    logged_messages_ -= channel.log.size();
    change(channel.log);
    log_bytes_ += channel.log.bytes();
    logged_messages_ += channel.log.size();
  }
  // The same for its state, which it has.
  template <class Change>
  void change_map(Channel& channel, Change change) {
    map_keys_ -= channel.map->keys();
    map_bytes_ -= channel.map->bytes();
    change(*channel.map);
    map_keys_ += channel.map->keys();
    map_bytes_ += channel.map->bytes();
    if (channel.map->keys() == 0) channel.map.reset();
  }
  void enforce_total();
  Channel* channel_of(const LogOrder::Entry& entry);  // null: it does not live any more
  bool tidy_log_order();                              // true: it names too much that is gone still
  static Interest* interest_of(Channel& channel, base::WorkerId worker);
  void switch_occupancy(Channel& channel);
  static std::uint16_t interested_in(const Channel& channel);  // workers, behind or not
  void stop_interest(Channel& channel, Interest& interest);
  static void remove_interest(Channel& channel, Interest& interest);
  void expire(Channel& channel, base::Instant now);
  bool bury_if_idle(Channel& channel, base::Instant now);
  const Remembered* known_answer(const base::Hash128& key, base::Instant now) const;
  void remember(const Remembered& answer);
  void forget_oldest_key();
  bool forget_old_keys(base::Instant now);
  // True if some are left for the next call.
  bool drop_old_tombstones(base::Instant now);

  std::uint16_t workers_;
  HomeOptions options_;
  const Rules& rules_;
  base::Entropy& entropy_;
  std::uint64_t hash_seed_;

  base::Slab<Channel> channels_;
  std::size_t companions_ = 0;  // of the channels; feeds too
  WildcardIndex wildcards_;     // that have a feed here
  base::HashIndex by_name_;
  Presence presence_;
  Occupancy occupancy_;
  std::uint32_t sweep_cursor_ = 0;
  LogOrder logged_;  // at most about half of it is gone already
  std::uint64_t logged_messages_ = 0;
  std::uint64_t log_bytes_ = 0;
  std::uint64_t map_keys_ = 0;
  std::uint64_t map_bytes_ = 0;
  Tombstones tombstones_;
  std::uint64_t first_epochs_;           // what they are made of; another number with each tombstone that is dropped
  base::WallTime forgotten_{INT64_MIN};  // of the newest message of all channels whose tombstone was dropped
  std::deque<Remembered> keys_;          // in the order of their coming
  std::uint32_t first_key_ = 0;          // the number of the first of keys_
  base::HashIndex by_key_;               // to numbers
  std::vector<std::deque<Channel*>> behind_;  // by worker; a channel that is named lives on, and its interest
  // What is held back, by the slot of its channel, and the same in the order in which it is due.
  std::unordered_map<std::uint32_t, Held> held_;
  std::set<Due> due_;
  std::size_t held_bytes_ = 0;
  bool holding_ = true;
  // Durable channels: what was asked, by request number, and what waits for the logs of channels, by slot. Each of them
  // holds the credit that it came with, so they are bounded.
  RequestId last_asked_ = 0;
  std::unordered_map<RequestId, Asked> asked_;
  std::unordered_map<std::uint32_t, std::vector<Waiting>> loading_;
};

// The worker that is home to a channel and to its companion. `seed` is the same on all workers of a process.
base::WorkerId home_of(std::string_view channel, std::uint16_t workers, std::uint64_t seed);

}  // namespace hub
