// The home of channels: log, positions, last value, interested workers. It is the sequencer `memory`: it numbers what
// is published here. One per worker; a channel's home is worker home_of(channel). What it is not: it knows no
// subscriber and no wire format; those live in FanOut on each worker.
//
// Calling order: receive() for each request or Detach that arrived; pump() once per turn; sweep() once per turn.
// Everything it has to say leaves through the Post it is lent. Threads: owned by one worker.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
#include "hub/tombstones.h"

namespace hub {

// What a namespace says about a channel, resolved by the owner of the configuration.
struct ChannelRules {
  LogLimits log;
  bool last_value = false;  // the newest message is kept apart from the log and outlives it
};

class Rules {
 public:
  virtual ~Rules() = default;
  // The pointer must stay valid until the next call of Home::rules_changed().
  virtual const ChannelRules* rules_of(std::string_view channel) const = 0;
};

struct HomeOptions {
  std::uint64_t log_bytes_max = 64ULL << 20;  // of all channels of this home
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

  // Handles Publish, Attach, Read, Detach of worker `from`; any other kind is our bug.
  void receive(base::WorkerId from, Mail mail, Now now, Post& post);
  // Answers a List, but for `watched`.
  Listed list(const List& list) const;
  // Brings workers that had no room up to date, as far as there is room now.
  void pump(Post& post);
  // Expires old messages and buries idle channels: a bounded amount of work per call. True if it should be called again
  // soon, because there was more to do than that.
  bool sweep(Now now);
  // After a configuration change: options and rules count from now on.
  void rules_changed(HomeOptions options);

  std::size_t channels() const { return channels_.size(); }
  std::size_t tombstones() const { return tombstones_.size(); }
  std::uint64_t log_bytes() const { return log_bytes_; }
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
  struct Channel {
    base::SharedBytes name;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    const ChannelRules* rules = nullptr;
    Epoch epoch;
    ChannelLog log;
    MessageRef last;
    base::OneOrMany<Interest> interests;
    base::Instant idle_since;
  };
  struct Remembered {  // an idempotency key with its answer
    base::Hash128 key;
    base::Hash128 content;
    Position position;
    base::WallTime time;
    base::Instant at;
  };

  void handle(base::WorkerId from, Publish& publish, Now now, Post& post);
  void handle(base::WorkerId from, Attach& attach, Now now, Post& post);
  void handle(base::WorkerId from, Read& read, Now now, Post& post);
  void handle(base::WorkerId from, Detach& detach, Now now, Post& post);

  std::uint32_t find_slot(std::string_view name) const;
  Channel* find(std::string_view name);
  Channel* find_or_create(std::string_view name, Now now);
  Channel* find_or_create(const base::SharedBytes& name, Now now);
  Channel* create(base::SharedBytes name, Now now);
  Epoch make_epoch();
  // The position and the empty log of a channel that does not live; no epoch if nothing is known of it.
  std::pair<Epoch, ChannelLog> remains_of(const std::optional<Tombstone>& stone) const;
  Page page_of(Channel& channel, const Since& since, std::uint32_t messages_max, std::uint32_t bytes_max, Now now);
  void deliver(Channel& channel, const MessageRef& message, Post& post);
  void append(Channel& channel, MessageRef message, Now now);
  // Runs `change` on the channel's log and keeps the totals over all channels right.
  template <class Change>
  void change_log(Channel& channel, Change change);
  void enforce_total();
  Channel* channel_of(const LogOrder::Entry& entry);  // null: it does not live any more
  bool tidy_log_order();                              // true: it names too much that is gone still
  static Interest* interest_of(Channel& channel, base::WorkerId worker);
  static void stop_interest(Channel& channel, Interest& interest);
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
  base::HashIndex by_name_;
  std::uint32_t sweep_cursor_ = 0;
  LogOrder logged_;  // at most about half of it is gone already
  std::uint64_t logged_messages_ = 0;
  std::uint64_t log_bytes_ = 0;
  Tombstones tombstones_;
  base::WallTime forgotten_{INT64_MIN};       // of the newest message of all channels whose tombstone was dropped
  std::deque<Remembered> keys_;               // in the order of their coming
  std::uint32_t first_key_ = 0;               // the number of the first of keys_
  base::HashIndex by_key_;                    // to numbers
  std::vector<std::deque<Channel*>> behind_;  // by worker; a channel that is named lives on, and its interest
};

// The worker that is home to a channel. `seed` is the same on all workers of a process.
base::WorkerId home_of(std::string_view channel, std::uint16_t workers, std::uint64_t seed);

}  // namespace hub
