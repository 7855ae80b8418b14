// Homes and fan-outs of several workers together, with mailboxes that hold as little as one delivery and turns in
// random order: the model is what each subscription must see.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "hub/fan_out.h"
#include "hub/home.h"
#include "hub/tombstones.h"

namespace hub {
namespace {

using namespace std::chrono_literals;

struct Seen {
  bool started = false;
  std::optional<Gap> start_gap;
  Epoch epoch;
  Offset next = 0;
  std::vector<std::string> payloads;
  std::vector<Gap> gaps;
  base::Error refused = base::Error::none;
};

class FixedRules final : public Rules {
 public:
  const ChannelRules* rules_of(std::string_view) const override { return &rules; }
  ChannelRules rules;
};

// One worker's hub: home, fan-out, mail in and out, and what its subscribers saw.
class Node final : public Post, public Sink {
 public:
  Node(base::WorkerId worker, std::uint16_t workers, const Rules& rules, HomeOptions options, std::uint64_t seed)
      : self(worker),
        entropy_(seed + worker),
        home(workers, options, rules, entropy_, 99),
        fan_out(workers, rules, 99),
        inbox(workers) {}

  bool has_room(base::WorkerId to) override {
    std::size_t consequences = 0;
    for (const Mail& mail : (*nodes)[to]->inbox[self]) {
      consequences += std::holds_alternative<Delivery>(mail) || std::holds_alternative<Detach>(mail) ? 1U : 0U;
    }
    return consequences < room;
  }
  void send(base::WorkerId to, Mail mail) override { (*nodes)[to]->inbox[self].push_back(std::move(mail)); }

  void on_start(PeerSlot, SubscriptionId id, const Position& start, const std::optional<Gap>& gap) override {
    Seen& each = seen[{id.slot, id.generation}];
    EXPECT_FALSE(each.started);
    each.started = true;
    each.start_gap = gap;
    each.epoch = start.epoch;
    each.next = start.offset + 1;
  }
  Taken on_messages(std::span<const Target> targets, Batch& batch) override {
    lagging.clear();
    for (const Target& target : targets) {
      const SubscriptionId id = fan_out.id_of(target.subscription);
      if (full.contains(target.peer) && batch.source == Batch::Source::live) {
        lagging.push_back(id.slot);
        continue;
      }
      Seen& each = seen[{id.slot, id.generation}];
      EXPECT_TRUE(each.started);
      EXPECT_EQ(each.epoch, batch.epoch);
      for (const MessageRef& message : batch.messages) {
        if (transients) {
          EXPECT_GE(message->offset(), each.next) << "they are left out of what is replayed";
        } else {
          EXPECT_EQ(message->offset(), each.next);
        }
        each.next = message->offset() + 1;
        each.payloads.emplace_back(message->payload());
      }
    }
    return {batch.messages.size() * (targets.size() - lagging.size()), lagging};
  }
  bool on_gap(PeerSlot, SubscriptionId id, const Gap& gap, const Position& after) override {
    Seen& each = seen[{id.slot, id.generation}];
    EXPECT_EQ(gap.from, after.epoch == each.epoch ? each.next : 1);
    EXPECT_EQ(after.offset, gap.to);
    each.epoch = after.epoch;
    each.next = gap.to + 1;
    each.gaps.push_back(gap);
    return true;
  }
  void on_live(PeerSlot, SubscriptionId id) override { EXPECT_TRUE(seen.at({id.slot, id.generation}).started); }
  void on_refused(PeerSlot, SubscriptionId id, base::Error error) override {
    seen[{id.slot, id.generation}].refused = error;
  }
  bool can_take_page(PeerSlot) override { return takes_pages && entropy_.below(2) == 0; }
  bool can_go_on(PeerSlot peer, SlowReader) override {
    ++asked;
    return !full.contains(peer);
  }

  bool turn(Now now) {
    bool worked = false;
    for (base::WorkerId from = 0; from < inbox.size(); ++from) {
      for (std::size_t count = inbox[from].size(); count > 0; --count) {
        worked = true;
        Mail mail = std::move(inbox[from].front());
        inbox[from].pop_front();
        if (auto* page = std::get_if<Page>(&mail); page != nullptr && page->state != Page::State::read_only) {
          fan_out.receive(std::move(*page), *this, *this);
        } else if (auto* delivery = std::get_if<Delivery>(&mail)) {
          ++deliveries;
          fan_out.receive(std::move(*delivery));
        } else if (auto* published = std::get_if<Published>(&mail)) {
          answers.push_back(*published);
        } else if (std::holds_alternative<Page>(mail) || std::holds_alternative<Listed>(mail)) {
          others.push_back(std::move(mail));
        } else {
          home.receive(from, std::move(mail), now, *this);
        }
      }
    }
    home.release_due(now.instant, *this);
    home.pump(*this);
    for (const SubscriptionId id : living) {
      if (takes_pages) fan_out.resume(id, *this, *this);
    }
    worked = fan_out.run(*this) || worked;
    fan_out.pump(*this);
    return worked || home.has_backlog() || fan_out.has_backlog();
  }

  base::WorkerId self;
  std::size_t room = 64;
  bool takes_pages = true;  // false: subscribers that have more to catch up with than one page wait
  std::set<PeerSlot> full;  // peers that take nothing live
  bool transients = false;  // are published too
  std::size_t asked = 0;    // how often whether one can go on
  std::vector<std::uint32_t> lagging;
  std::vector<std::unique_ptr<Node>>* nodes = nullptr;
  base::SeededEntropy entropy_;
  Home home;
  FanOut fan_out;
  std::vector<std::deque<Mail>> inbox;  // by sender
  std::map<std::pair<std::uint32_t, std::uint32_t>, Seen> seen;
  std::vector<SubscriptionId> living;
  std::vector<Published> answers;
  std::vector<Mail> others;
  std::size_t deliveries = 0;  // that arrived
};

class Cluster {
 public:
  Cluster(std::uint16_t workers, std::size_t room, ChannelRules rules, std::uint64_t seed, HomeOptions options = {})
      : entropy(seed) {
    fixed.rules = rules;
    for (base::WorkerId worker = 0; worker < workers; ++worker) {
      nodes.push_back(std::make_unique<Node>(worker, workers, fixed, options, seed));
      nodes.back()->room = room;
      nodes.back()->nodes = &nodes;
    }
  }
  void publish(base::WorkerId at, const std::string& channel, const std::string& payload,
               std::optional<base::Hash128> key = {}, bool transient = false) {
    Publish publish;
    publish.channel = channel;
    publish.message = std::make_unique<Message>(Kind::text, payload, now.instant);
    if (transient) {
      publish.message->set(Mark::transient);
      for (auto& node : nodes) node->transients = true;
    }
    publish.idempotency_key = key;
    publish.content = base::hash128(payload, 0);
    nodes[at]->send(home_of(channel, static_cast<std::uint16_t>(nodes.size()), 99), std::move(publish));
  }
  SubscriptionId subscribe(base::WorkerId at, const std::string& channel, const Since& since, PeerSlot peer = 7) {
    const SubscriptionId id = nodes[at]->fan_out.subscribe(peer, channel, since, 0, 0, *nodes[at]);
    nodes[at]->living.push_back(id);
    return id;
  }
  void unsubscribe(base::WorkerId at, SubscriptionId id) {
    nodes[at]->fan_out.unsubscribe(id);
    std::erase(nodes[at]->living, id);
  }
  Page read(const std::string& channel, const Since& since) {
    nodes[0]->others.clear();
    nodes[0]->send(home_of(channel, static_cast<std::uint16_t>(nodes.size()), 99),
                   Read{.request = 1, .channel = channel, .since = since, .messages_max = 100});
    settle();
    return std::get<Page>(nodes[0]->others.at(0));
  }
  const Seen& seen(base::WorkerId at, SubscriptionId id) { return nodes[at]->seen[{id.slot, id.generation}]; }
  void turn() { nodes[entropy.below(static_cast<std::uint32_t>(nodes.size()))]->turn(now); }
  void settle() {
    int idle = 0;  // two idle rounds: a Detach sent in the first is read in the second
    for (int rounds = 0; rounds < 100000; ++rounds) {
      bool worked = false;
      for (auto& node : nodes) worked = node->turn(now) || worked;
      idle = worked ? 0 : idle + 1;
      if (idle == 2) return;
    }
    FAIL() << "the hub does not come to rest";
  }
  void sweep() {
    for (auto& node : nodes) node->home.sweep(now, *node);
  }
  void step_wall(std::chrono::milliseconds by) { now.wall.ms += by.count(); }
  void advance(std::chrono::milliseconds by) {
    now.instant += by;
    now.wall.ms += by.count();
  }

  base::SeededEntropy entropy;
  FixedRules fixed;
  std::vector<std::unique_ptr<Node>> nodes;
  Now now{base::Instant{} + std::chrono::hours(1), {1'000'000}};
};

Since after(const Epoch& epoch, Offset offset) { return {.kind = Since::Kind::position, .position = {epoch, offset}}; }
Since after(const Seen& seen, Offset offset) { return after(seen.epoch, offset); }
Since from_time(base::WallTime time) { return {.kind = Since::Kind::time, .time = time}; }

TEST(Hub, ASubscriberSeesWhatIsPublishedAfterIt) {
  Cluster hub(2, 64, {}, 1);
  hub.publish(0, "news", "before");
  hub.settle();
  const auto id = hub.subscribe(1, "news", {});
  hub.settle();
  hub.publish(0, "news", "after");
  hub.settle();
  EXPECT_EQ(hub.seen(1, id).payloads, std::vector<std::string>{"after"});
  EXPECT_EQ(hub.nodes[0]->answers.size(), 2U);
  EXPECT_EQ(hub.nodes[0]->answers[1].position.offset, 2U);
}

TEST(Hub, LastNReplaysThenGoesLive) {
  Cluster hub(2, 64, {}, 1);
  for (int i = 1; i <= 5; ++i) hub.publish(0, "news", std::to_string(i));
  hub.settle();
  const auto id = hub.subscribe(1, "news", {.kind = Since::Kind::last, .count = 2});
  hub.settle();
  hub.publish(1, "news", "6");
  hub.settle();
  EXPECT_EQ(hub.seen(1, id).payloads, (std::vector<std::string>{"4", "5", "6"}));
}

TEST(Hub, ALongCatchUpComesInPagesAndAttaches) {
  Cluster hub(3, 64, {.log = {.messages_max = 100000, .bytes_max = 100 << 20}}, 1);
  hub.publish(0, "news", "0");
  const auto first = hub.subscribe(0, "news", {});
  hub.settle();
  for (int i = 1; i <= 5000; ++i) hub.publish(0, "news", std::to_string(i));
  hub.settle();
  const auto id = hub.subscribe(2, "news", after(hub.seen(0, first), 1));
  for (int i = 5001; i <= 5100; ++i) {
    hub.publish(0, "news", std::to_string(i));
    hub.turn();
  }
  hub.settle();
  const Seen& seen = hub.seen(2, id);
  ASSERT_EQ(seen.payloads.size(), 5100U);
  EXPECT_FALSE(seen.start_gap);
  EXPECT_TRUE(seen.gaps.empty());
  for (int i = 1; i <= 5100; ++i) EXPECT_EQ(seen.payloads[static_cast<std::size_t>(i - 1)], std::to_string(i));
}

TEST(Hub, AnExpiredPositionIsAnAnnouncedGapAndNothingIsReplayed) {
  Cluster hub(2, 64, {.log = {.messages_max = 3}}, 1);
  const auto first = hub.subscribe(0, "news", {});
  for (int i = 1; i <= 10; ++i) hub.publish(0, "news", std::to_string(i));
  hub.settle();
  const auto id = hub.subscribe(1, "news", after(hub.seen(0, first), 2));
  hub.settle();
  EXPECT_EQ(hub.seen(1, id).start_gap, (Gap{3, 10, GapReason::expired}));
  EXPECT_TRUE(hub.seen(1, id).payloads.empty());
}

TEST(Hub, AnotherEpochIsAnAnnouncedGap) {
  Cluster hub(2, 64, {}, 1);
  hub.publish(0, "news", "1");
  hub.settle();
  Since since{.kind = Since::Kind::position};
  since.position = *parse_position("zzzzzzzz:1");
  const auto id = hub.subscribe(1, "news", since);
  hub.settle();
  EXPECT_EQ(hub.seen(1, id).start_gap, (Gap{1, 1, GapReason::epoch_changed}));
}

TEST(Hub, TheSameIdempotencyKeyPublishesOnce) {
  Cluster hub(2, 64, {}, 1);
  const auto id = hub.subscribe(0, "news", {});
  hub.settle();
  const base::Hash128 key{1, 2};
  hub.publish(1, "news", "one", key);
  hub.publish(1, "news", "one", key);
  hub.publish(1, "news", "two", key);
  hub.settle();
  EXPECT_EQ(hub.seen(0, id).payloads, std::vector<std::string>{"one"});
  const auto& answers = hub.nodes[1]->answers;
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].position, answers[1].position);
  EXPECT_EQ(answers[1].error, base::Error::none);
  EXPECT_EQ(answers[2].error, base::Error::conflict);
  hub.advance(std::chrono::minutes(6));
  hub.publish(1, "news", "two", key);
  hub.settle();
  EXPECT_EQ(answers[3].error, base::Error::none);
  EXPECT_EQ(answers[3].position.offset, 2U);
}

TEST(Hub, APublishSaysHowManyWorkersHaveSubscribers) {
  Cluster hub(3, 64, {}, 1);
  const base::Hash128 key{1, 2};
  hub.publish(0, "news", "1", key);
  hub.settle();
  const auto first = hub.subscribe(1, "news", {});
  hub.subscribe(1, "news", {});
  hub.subscribe(2, "news", {});
  hub.settle();
  hub.publish(0, "news", "2");
  hub.publish(0, "news", "1", key);
  hub.settle();
  const base::WorkerId home = home_of("news", 3, 99);
  for (auto& node : hub.nodes) {
    if (node->self == home) node->room = 0;
  }
  hub.publish(0, "news", "3");
  for (int i = 0; i < 3; ++i) {
    for (auto& node : hub.nodes) node->turn(hub.now);
  }
  for (auto& node : hub.nodes) node->room = 64;
  hub.unsubscribe(1, first);
  for (const SubscriptionId id : std::vector(hub.nodes[1]->living)) hub.unsubscribe(1, id);
  hub.settle();
  hub.publish(0, "news", "4");
  hub.settle();
  const auto& answers = hub.nodes[0]->answers;
  ASSERT_EQ(answers.size(), 5U);
  EXPECT_EQ(answers[0].workers, 0U);
  EXPECT_EQ(answers[1].workers, 2U);
  EXPECT_EQ(answers[2].workers, 0U) << "as the first time";
  EXPECT_EQ(answers[3].workers, 2U) << "who is behind gets it later";
  EXPECT_EQ(answers[4].workers, 1U);
  EXPECT_EQ(answers[4].level, Level::accepted);
}

TEST(Hub, AnIdleChannelBecomesATombstoneAndKeepsItsEpoch) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1);
  hub.publish(0, "news", "1");
  hub.settle();
  const Position before = hub.nodes[0]->answers[0].position;
  hub.advance(std::chrono::seconds(59));
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels(), 1U);
  hub.advance(std::chrono::seconds(2));
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels(), 0U);
  EXPECT_EQ(hub.nodes[0]->home.tombstones(), 1U);
  hub.publish(0, "news", "2");
  hub.settle();
  EXPECT_EQ(hub.nodes[0]->answers[1].position.epoch, before.epoch);
  EXPECT_EQ(hub.nodes[0]->answers[1].position.offset, 2U);
}

TEST(Hub, WithoutItsTombstoneAChannelStartsANewEpoch) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1);
  hub.publish(0, "news", "1");
  hub.settle();
  hub.advance(std::chrono::seconds(62));
  hub.sweep();
  hub.advance(std::chrono::hours(25));
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.tombstones(), 0U);
  hub.publish(0, "news", "2");
  hub.settle();
  EXPECT_NE(hub.nodes[0]->answers[1].position.epoch, hub.nodes[0]->answers[0].position.epoch);
  EXPECT_EQ(hub.nodes[0]->answers[1].position.offset, 1U);
}

TEST(Hub, ABuriedChannelStillSaysWhatItNoLongerHolds) {
  Cluster hub(2, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1);
  for (int i = 1; i <= 5; ++i) {
    hub.publish(0, "news", std::to_string(i));
    hub.settle();
    hub.advance(std::chrono::milliseconds(10));
  }
  const Position head = hub.nodes[0]->answers[4].position;
  const base::WallTime second = hub.nodes[0]->answers[1].time;
  const base::WallTime later = hub.now.wall;
  const Epoch other = parse_position("zzzzzzzz:1")->epoch;
  const auto check = [&](const char* when) {
    const Page by_time = hub.read("news", from_time(second));
    EXPECT_EQ(by_time.gap, (Gap{1, 5, GapReason::expired})) << when;
    EXPECT_EQ(by_time.head, head) << when;
    EXPECT_EQ(by_time.first_held, 6U) << when;
    EXPECT_EQ(hub.read("news", after(head.epoch, 2)).gap, (Gap{3, 5, GapReason::expired})) << when;
    EXPECT_EQ(hub.read("news", after(head.epoch, 6)).gap, (Gap{6, 5, GapReason::too_far})) << when;
    EXPECT_EQ(hub.read("news", after(other, 2)).gap, (Gap{1, 5, GapReason::epoch_changed})) << when;
    EXPECT_FALSE(hub.read("news", from_time(later)).gap) << when;
    EXPECT_FALSE(hub.read("news", after(head.epoch, 5)).gap) << when;
    EXPECT_FALSE(hub.read("news", {.kind = Since::Kind::last, .count = 3}).gap) << when;
  };
  hub.advance(std::chrono::seconds(2));
  check("expired");
  hub.advance(std::chrono::seconds(70));
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels() + hub.nodes[1]->home.channels(), 0U);
  check("buried");
  EXPECT_EQ(hub.nodes[0]->home.channels() + hub.nodes[1]->home.channels(), 0U) << "reading makes no channel";
  EXPECT_EQ(hub.nodes[0]->home.tombstones() + hub.nodes[1]->home.tombstones(), 1U);
  const auto id = hub.subscribe(1, "news", from_time(second));
  hub.settle();
  EXPECT_EQ(hub.seen(1, id).start_gap, (Gap{1, 5, GapReason::expired}));
  EXPECT_EQ(hub.seen(1, id).next, 6U);
  check("born again");
}

// Its place is no gap: who watches gets it, who comes later goes on behind it.
TEST(Hub, ATransientMessageIsForThoseWhoWatch) {
  Cluster hub(2, 64, {.log = {.messages_max = 2}, .last_value = true}, 1);
  const auto watching = hub.subscribe(0, "news", {});
  hub.settle();
  const auto publish = [&](const std::string& payload, bool transient) {
    hub.publish(0, "news", payload, {}, transient);
    hub.settle();
  };
  publish("1", false);
  publish("t2", true);
  publish("3", false);
  for (int i = 4; i <= 20; ++i) publish("t" + std::to_string(i), true);
  EXPECT_EQ(hub.seen(0, watching).payloads.size(), 20U);
  EXPECT_TRUE(hub.seen(0, watching).gaps.empty());
  const Seen& seen = hub.seen(0, watching);
  const auto behind = hub.subscribe(1, "news", after(seen, 1));
  const auto at_head = hub.subscribe(1, "news", after(seen, 19));
  const auto last = hub.subscribe(1, "news", {.kind = Since::Kind::last, .count = 1});
  hub.settle();
  publish("21", false);
  for (const auto id : {behind, last}) {
    EXPECT_FALSE(hub.seen(1, id).start_gap);
    EXPECT_EQ(hub.seen(1, id).payloads, (std::vector<std::string>{"3", "21"}));
  }
  EXPECT_EQ(hub.seen(1, at_head).payloads, (std::vector<std::string>{"21"}));
  EXPECT_FALSE(hub.seen(1, at_head).start_gap);
  const Page page = hub.read("news", {.kind = Since::Kind::last, .count = 100});
  ASSERT_EQ(page.messages.size(), 2U);
  EXPECT_EQ(page.messages[0]->payload(), "3");
  EXPECT_EQ(page.messages[1]->payload(), "21");
  publish("t22", true);
  hub.advance(std::chrono::hours(2));
  publish("t23", true);
  const auto by_last_value = hub.subscribe(1, "news", {.kind = Since::Kind::last, .count = 1});
  hub.settle();
  publish("24", false);
  EXPECT_EQ(hub.seen(1, by_last_value).payloads, (std::vector<std::string>{"21", "24"}))
      << "the last value is no transient";
  EXPECT_TRUE(hub.seen(1, by_last_value).gaps.empty());
}

// Nobody knows which channel a forgotten tombstone belonged to: whoever asks for a time before it is told.
TEST(Hub, AForgottenTombstoneIsAGapForTimesBeforeIt) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1);
  hub.publish(0, "news", "1");
  hub.settle();
  const Published first = hub.nodes[0]->answers[0];
  EXPECT_FALSE(hub.read("other", from_time({0})).gap) << "nothing was lost yet";
  hub.advance(std::chrono::seconds(62));
  hub.sweep();
  hub.advance(std::chrono::hours(25));
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.tombstones(), 0U);
  const Gap unknown{1, 0, GapReason::expired};
  EXPECT_EQ(hub.read("news", from_time(first.time)).gap, unknown);
  EXPECT_EQ(hub.read("news", after(first.position.epoch, 1)).gap, (Gap{1, 0, GapReason::epoch_changed}));
  EXPECT_FALSE(hub.read("news", from_time({first.time.ms + 1})).gap);
  hub.publish(0, "news", "2");
  const auto before = hub.subscribe(0, "news", from_time(first.time));
  const auto behind = hub.subscribe(0, "news", from_time({first.time.ms + 1}));
  hub.settle();
  EXPECT_EQ(hub.seen(0, before).start_gap, unknown);
  EXPECT_FALSE(hub.seen(0, behind).start_gap);
  EXPECT_EQ(hub.seen(0, before).payloads, std::vector<std::string>{"2"});
  EXPECT_EQ(hub.seen(0, behind).payloads, std::vector<std::string>{"2"});
}

TEST(Hub, AStepOfTheWallClockNeitherExpiresNorKeepsAnything) {
  for (const std::chrono::hours step : {std::chrono::hours(2), std::chrono::hours(-2)}) {
    Cluster hub(1, 64, {}, 1);
    const auto first = hub.subscribe(0, "news", {});
    const base::Hash128 key{1, 2};
    hub.publish(0, "news", "1", key);
    hub.settle();
    hub.step_wall(step);
    hub.sweep();
    hub.publish(0, "news", "1", key);
    hub.publish(0, "news", "2");
    hub.settle();
    const auto& answers = hub.nodes[0]->answers;
    EXPECT_EQ(answers[1].position, answers[0].position) << "the same key after " << step.count() << " h";
    EXPECT_GE(answers[2].time, answers[0].time);
    const auto id = hub.subscribe(0, "news", after(hub.seen(0, first), 0));
    hub.settle();
    EXPECT_FALSE(hub.seen(0, id).start_gap);
    EXPECT_EQ(hub.seen(0, id).payloads, (std::vector<std::string>{"1", "2"}));
    hub.advance(std::chrono::minutes(6));
    hub.publish(0, "news", "3", key);
    hub.settle();
    EXPECT_EQ(answers[3].error, base::Error::none) << "a key is kept for 5 minutes after " << step.count() << " h";
    hub.advance(std::chrono::minutes(55));
    EXPECT_EQ(hub.read("news", after(hub.seen(0, first), 0)).gap, (Gap{1, 3, GapReason::expired}));
    EXPECT_EQ(hub.read("news", after(hub.seen(0, first), 2)).messages.size(), 1U);
  }
}

// Since::time searches by it, whatever became of the messages that had a later one.
TEST(Hub, TimeNeverRunsBackwardsInAChannel) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1);
  hub.publish(0, "news", "1");
  hub.settle();
  hub.step_wall(std::chrono::hours(-1));
  hub.advance(std::chrono::seconds(2));
  hub.sweep();
  hub.publish(0, "news", "2");
  hub.settle();
  hub.advance(std::chrono::seconds(70));
  hub.sweep();
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels(), 0U);
  hub.publish(0, "news", "3");
  hub.settle();
  const auto& answers = hub.nodes[0]->answers;
  EXPECT_EQ(answers[1].time, answers[0].time);
  EXPECT_EQ(answers[2].time, answers[0].time);
  EXPECT_EQ(answers[2].position.offset, 3U);
}

TEST(Hub, TheTombstoneThatWasPutUpFirstGoesFirst) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1, {.tombstones_max = 3});
  const auto bury = [&](const std::string& channel) {
    hub.publish(0, channel, "x");
    hub.settle();
    hub.advance(std::chrono::seconds(70));
    hub.sweep();
    hub.sweep();
    EXPECT_EQ(hub.nodes[0]->home.channels(), 0U);
    EXPECT_LE(hub.nodes[0]->home.tombstones(), 3U);
    return hub.nodes[0]->answers.back().position.offset;
  };
  bury("dead");
  bury("busy");
  bury("third");
  EXPECT_EQ(bury("busy"), 2U);
  bury("fourth");  // "dead" makes room
  bury("fifth");   // "third" does: "busy" was put away later
  EXPECT_EQ(bury("busy"), 3U);
  EXPECT_EQ(bury("third"), 1U);
}

TEST(Tombstones, KeepTheOrderOfBurialWhateverIsTaken) {
  Tombstones stones;
  const auto add = [&](std::uint64_t name) { stones.add({name, 0}, {{{}, name}, {}, {}}); };
  for (std::uint64_t name = 1; name <= 6; ++name) add(name);
  EXPECT_EQ(stones.take({1, 0})->head.offset, 1U);
  EXPECT_EQ(stones.take({6, 0})->head.offset, 6U);
  EXPECT_EQ(stones.take({3, 0})->head.offset, 3U);
  EXPECT_FALSE(stones.take({3, 0}));
  EXPECT_EQ(stones.find({1, 0}), nullptr);
  add(3);
  for (const Offset expected : {2U, 4U, 5U, 3U}) {
    EXPECT_EQ(stones.find({expected, 0}), stones.oldest());
    EXPECT_EQ(stones.oldest()->head.offset, expected);
    stones.drop_oldest();
  }
  EXPECT_EQ(stones.size(), 0U);
  EXPECT_EQ(stones.oldest(), nullptr);
  add(7);
  EXPECT_EQ(stones.oldest()->head.offset, 7U);
}

TEST(Hub, TheOldestIdempotencyKeysMakeRoom) {
  Cluster hub(1, 64, {}, 1, {.channels_max = 1, .idempotency_keys_max = 3});
  const auto publish = [&](const std::string& channel, std::uint64_t key) {
    hub.publish(0, channel, "x", base::Hash128{key, 0});
    hub.settle();
    return hub.nodes[0]->answers.back();
  };
  for (Offset key = 1; key <= 5; ++key) {
    EXPECT_EQ(publish("news", key).error, base::Error::none);
    EXPECT_EQ(hub.nodes[0]->answers.back().position.offset, key);
  }
  for (Offset key = 3; key <= 5; ++key) EXPECT_EQ(publish("news", key).position.offset, key) << "still known";
  EXPECT_EQ(publish("other", 6).error, base::Error::memory);
  EXPECT_EQ(publish("news", 3).position.offset, 3U) << "a refused publish takes nobody's room";
  EXPECT_EQ(publish("news", 1).position.offset, 6U) << "forgotten";
}

// They go a few at a time, so that a turn stays short; who still lies there is not known any more.
TEST(Hub, AKeyThatIsTooOldIsUnknownBeforeItIsForgotten) {
  Cluster hub(1, 64, {}, 1);
  constexpr std::uint64_t kKeys = 2000;
  for (std::uint64_t key = 1; key <= kKeys; ++key) hub.publish(0, "news", "x", base::Hash128{key, key << 40});
  hub.settle();
  hub.advance(kIdempotencyAge + std::chrono::seconds(1));
  hub.publish(0, "news", "y", base::Hash128{kKeys, kKeys << 40});
  hub.settle();
  EXPECT_EQ(hub.nodes[0]->answers.back().error, base::Error::none) << "no conflict with what it was before";
  EXPECT_EQ(hub.nodes[0]->answers.back().position.offset, kKeys + 1);
  for (int i = 0; i < 100; ++i) hub.sweep();
  hub.publish(0, "news", "y", base::Hash128{kKeys, kKeys << 40});
  hub.settle();
  EXPECT_EQ(hub.nodes[0]->answers.back().position.offset, kKeys + 1) << "the newer answer outlives the older";
}

// However much has to go at once, a sweep does little of it, and says that it should be called again.
TEST(Hub, ASweepDoesABoundedAmountOfWork) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1, {.tombstone_ttl = std::chrono::hours(1)});
  Home& home = hub.nodes[0]->home;
  for (int i = 0; i < 3000; ++i) hub.publish(0, "channel" + std::to_string(i), "x");
  hub.settle();
  const auto sweeps_until = [&](auto done) {
    int sweeps = 0;
    for (bool more = true; !done(); more = home.sweep(hub.now, *hub.nodes[0]), ++sweeps) EXPECT_TRUE(more) << sweeps;
    return sweeps;
  };
  hub.advance(std::chrono::minutes(5));
  EXPECT_GT(sweeps_until([&] { return home.log_bytes() == 0; }), 10);
  for (int i = 0; i < 100 && home.channels() > 0; ++i) home.sweep(hub.now, *hub.nodes[0]);
  EXPECT_EQ(home.channels(), 0U);
  EXPECT_EQ(home.tombstones(), 3000U);
  hub.advance(std::chrono::hours(2));
  EXPECT_GT(sweeps_until([&] { return home.tombstones() == 0; }), 10);
  EXPECT_FALSE(home.sweep(hub.now, *hub.nodes[0]));
}

// Somebody who waits in the middle of its catch-up while the channel is forgotten and begins again.
TEST(Hub, ACatchUpDoesNotGoOnInAnotherEpoch) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1, {.tombstones_max = 0});
  hub.publish(0, "news", "old");
  hub.settle();
  const Epoch old = hub.nodes[0]->answers[0].position.epoch;
  for (int i = 2; i <= 600; ++i) hub.publish(0, "news", "old");
  hub.settle();
  hub.nodes[0]->takes_pages = false;
  const auto waiting = hub.subscribe(0, "news", after(old, 0));
  hub.settle();
  EXPECT_EQ(hub.seen(0, waiting).payloads.size(), 512U);
  hub.advance(std::chrono::seconds(70));
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels(), 0U);
  const auto other = hub.subscribe(0, "news", {});
  for (int i = 1; i <= 700; ++i) hub.publish(0, "news", "new");
  hub.settle();
  EXPECT_NE(hub.seen(0, other).epoch, old);
  hub.nodes[0]->takes_pages = true;
  hub.settle();
  EXPECT_EQ(hub.seen(0, waiting).gaps, std::vector{(Gap{1, 700, GapReason::epoch_changed})});
  EXPECT_EQ(hub.seen(0, waiting).next, 701U);
  EXPECT_EQ(hub.seen(0, waiting).payloads.size(), 512U);
}

// Channels of which a worker is behind may be left, watched again and forgotten while it has no room.
TEST(Hub, WhoIsBehindMayLeaveAndComeBack) {
  Cluster hub(2, 64, {.log = {.age_max = std::chrono::seconds(1)}}, 1);
  std::vector<std::string> names;
  for (int i = 0; names.size() < 30; ++i) {
    if (home_of("channel" + std::to_string(i), 2, 99) == 0) names.push_back("channel" + std::to_string(i));
  }
  std::vector<SubscriptionId> ids;
  const auto run = [&] {
    for (int i = 0; i < 20; ++i) {
      for (auto& node : hub.nodes) node->turn(hub.now);
    }
  };
  const auto publish = [&](const std::string& payload) {
    for (const std::string& name : names) hub.publish(0, name, payload);
    run();
  };
  for (const std::string& name : names) ids.push_back(hub.subscribe(1, name, {}));
  run();
  hub.nodes[0]->room = 0;  // no delivery leaves the home
  publish("1");
  EXPECT_TRUE(hub.nodes[0]->home.has_backlog());
  for (std::size_t i = 0; i < names.size(); i += 3) hub.unsubscribe(1, ids[i]);
  run();
  for (std::size_t i = 0; i < names.size(); i += 6) ids[i] = hub.subscribe(1, names[i], {});
  run();
  publish("2");
  hub.advance(std::chrono::seconds(70));
  hub.sweep();
  hub.sweep();
  hub.nodes[0]->room = 1;
  hub.settle();
  EXPECT_FALSE(hub.nodes[0]->home.has_backlog());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Seen& seen = hub.seen(1, ids[i]);
    const Offset first = i % 6 == 0 ? 2 : 1;  // both have expired by now
    const std::vector<Gap> lost{Gap{first, 2, GapReason::overload}};
    EXPECT_EQ(seen.gaps, i % 6 == 3 ? std::vector<Gap>{} : lost) << i;
  }
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels(), names.size() - 5);
}

TEST(Hub, AChannelWithSubscribersIsNeverBuried) {
  Cluster hub(2, 64, {.log = {.messages_max = 0}}, 1);
  const auto id = hub.subscribe(1, "news", {});
  hub.settle();
  hub.advance(std::chrono::hours(2));
  hub.sweep();
  hub.publish(0, "news", "1");
  hub.settle();
  EXPECT_EQ(hub.seen(1, id).payloads, std::vector<std::string>{"1"});
  hub.unsubscribe(1, id);
  hub.settle();
  hub.advance(std::chrono::hours(2));
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels() + hub.nodes[1]->home.channels(), 0U);
}

TEST(Hub, AllLogsTogetherStayBelowTheCap) {
  Cluster hub(1, 64, {}, 1, {.log_bytes_max = 50'000});
  for (int i = 0; i < 2000; ++i) {
    hub.publish(0, "channel" + std::to_string(i % 50), std::string(200, 'x'));
    hub.settle();
    ASSERT_LE(hub.nodes[0]->home.log_bytes(), 50'000U);
  }
  EXPECT_GT(hub.nodes[0]->home.log_bytes(), 40'000U);
}

TEST(Hub, TooManyChannelsAreRefused) {
  Cluster hub(1, 64, {}, 1, {.channels_max = 1});
  hub.publish(0, "a", "1");
  hub.publish(0, "b", "1");
  const auto id = hub.subscribe(0, "c", {});
  hub.settle();
  EXPECT_EQ(hub.nodes[0]->answers[1].error, base::Error::memory);
  EXPECT_EQ(hub.seen(0, id).refused, base::Error::memory);
}

TEST(Hub, TheLastValueOutlivesTheLog) {
  Cluster hub(1, 64, {.log = {.age_max = std::chrono::seconds(1)}, .last_value = true}, 1);
  hub.publish(0, "news", "1");
  hub.publish(0, "news", "2");
  hub.settle();
  hub.advance(std::chrono::hours(2));
  hub.sweep();
  const auto id = hub.subscribe(0, "news", {.kind = Since::Kind::last, .count = 1});
  hub.settle();
  EXPECT_EQ(hub.seen(0, id).payloads, std::vector<std::string>{"2"});
  hub.publish(0, "news", "3");
  hub.settle();
  EXPECT_EQ(hub.seen(0, id).payloads, (std::vector<std::string>{"2", "3"}));
}

// Channels with max_delay: what is held back, until when, and what becomes of it.
struct HubDelay : testing::Test {
  static constexpr auto kDelay = 10ms;
  static ChannelRules rules(std::uint32_t history = 1000) {
    return {.log = {.messages_max = history}, .max_delay = kDelay};
  }
  static std::vector<std::string> numbers(int from, int to) {
    std::vector<std::string> result;
    for (int i = from; i <= to; ++i) result.push_back(std::to_string(i));
    return result;
  }
  static void publish(Cluster& hub, int from, int to) {
    for (int i = from; i <= to; ++i) hub.publish(0, "news", std::to_string(i));
    hub.settle();
  }
  static Home& home(Cluster& hub) {
    return hub.nodes[home_of("news", static_cast<std::uint16_t>(hub.nodes.size()), 99)]->home;
  }
};

TEST_F(HubDelay, MessagesLeaveTogetherAtTheDeadlineOfTheFirst) {
  Cluster hub(2, 64, rules(0), 1);
  const auto id = hub.subscribe(1, "news", {});
  hub.settle();
  EXPECT_EQ(home(hub).next_deadline(), base::kNever);
  const base::Instant first = hub.now.instant;
  publish(hub, 1, 3);
  EXPECT_EQ(hub.nodes[0]->answers.size(), 3U) << "answered at once";
  EXPECT_EQ(hub.nodes[0]->answers[2].workers, 1U);
  hub.advance(9ms);
  publish(hub, 4, 5);
  EXPECT_EQ(home(hub).next_deadline(), first + kDelay) << "later ones do not put it off";
  EXPECT_TRUE(hub.seen(1, id).payloads.empty());
  hub.advance(1ms);
  hub.settle();
  EXPECT_EQ(hub.seen(1, id).payloads, numbers(1, 5)) << "nothing is kept, and nothing is lost";
  EXPECT_EQ(hub.nodes[1]->deliveries, 1U);
  EXPECT_EQ(home(hub).next_deadline(), base::kNever);
  publish(hub, 6, 6);
  EXPECT_EQ(home(hub).next_deadline(), hub.now.instant + kDelay);
}

TEST_F(HubDelay, EachInterestedWorkerGetsOneDelivery) {
  Cluster hub(3, 64, rules(), 1);
  for (base::WorkerId worker = 0; worker < 3; ++worker) {
    for (int i = 0; i < 5; ++i) hub.subscribe(worker, "news", {});
  }
  hub.settle();
  publish(hub, 1, 20);
  hub.advance(kDelay);
  hub.settle();
  for (const auto& node : hub.nodes) {
    EXPECT_EQ(node->deliveries, 1U);
    for (const auto& [id, seen] : node->seen) EXPECT_EQ(seen.payloads, numbers(1, 20));
  }
}

TEST_F(HubDelay, EnoughMessagesOrBytesDoNotWait) {
  Cluster hub(1, 64, rules(), 1);
  const auto id = hub.subscribe(0, "news", {});
  hub.settle();
  publish(hub, 1, static_cast<int>(kHeldMessagesMax) + 1);
  EXPECT_EQ(hub.seen(0, id).payloads.size(), kHeldMessagesMax);
  hub.publish(0, "news", std::string(kHeldBytesMax, 'x'));
  hub.settle();
  EXPECT_EQ(hub.seen(0, id).payloads.size(), kHeldMessagesMax + 2);
  EXPECT_EQ(hub.nodes[0]->deliveries, 2U);
  EXPECT_EQ(home(hub).next_deadline(), base::kNever);
}

TEST_F(HubDelay, AllChannelsTogetherHoldNoMoreThanTheCap) {
  Cluster hub(1, 100'000, rules(0), 1);
  const std::string payload(kHeldBytesMax - 200, 'x');
  const std::size_t fit = kHeldBytesTotalMax / (kHeldBytesMax - 200);
  std::vector<SubscriptionId> ids;
  for (std::size_t i = 0; i < fit + 20; ++i) {
    ids.push_back(hub.subscribe(0, "channel" + std::to_string(i), {}));
    hub.publish(0, "channel" + std::to_string(i), payload);
  }
  hub.settle();
  std::size_t delivered = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool got = !hub.seen(0, ids[i]).payloads.empty();
    delivered += got ? 1U : 0U;
    EXPECT_EQ(got, i < delivered) << "those that are due first leave early";
  }
  EXPECT_GT(delivered, 0U);
  EXPECT_LT(delivered, 40U);
}

TEST_F(HubDelay, WhoAttachesMeanwhileGetsNothingTwice) {
  Cluster hub(2, 64, rules(), 1);
  const auto early = hub.subscribe(0, "news", {});
  publish(hub, 1, 5);
  const auto late = hub.subscribe(1, "news", {.kind = Since::Kind::last, .count = 2});
  const auto beside = hub.subscribe(0, "news", after(hub.seen(0, early), 0));
  const auto now = hub.subscribe(0, "news", {});
  hub.settle();
  EXPECT_EQ(hub.seen(1, late).payloads, numbers(4, 5)) << "from the log, at once";
  EXPECT_EQ(hub.seen(0, beside).payloads, numbers(1, 5));
  EXPECT_TRUE(hub.seen(0, early).payloads.empty());
  publish(hub, 6, 7);
  hub.advance(kDelay);
  hub.settle();
  EXPECT_EQ(hub.seen(0, early).payloads, numbers(1, 7));
  EXPECT_EQ(hub.seen(1, late).payloads, numbers(4, 7));
  EXPECT_EQ(hub.seen(0, beside).payloads, numbers(1, 7));
  EXPECT_EQ(hub.seen(0, now).payloads, numbers(6, 7));
}

TEST_F(HubDelay, WhatNobodyWaitsForIsForgotten) {
  Cluster hub(2, 64, rules(), 1);
  const auto id = hub.subscribe(1, "news", {});
  hub.settle();
  const Epoch epoch = hub.seen(1, id).epoch;
  publish(hub, 1, 3);
  hub.unsubscribe(1, id);
  hub.settle();
  EXPECT_EQ(home(hub).next_deadline(), base::kNever);
  hub.advance(kDelay);
  hub.settle();
  EXPECT_EQ(hub.nodes[1]->deliveries, 0U);
  const auto back = hub.subscribe(1, "news", after(epoch, 0));
  hub.settle();
  EXPECT_EQ(hub.seen(1, back).payloads, numbers(1, 3)) << "the log has them";
  publish(hub, 4, 4);
  hub.advance(kDelay);
  hub.settle();
  EXPECT_EQ(hub.seen(1, back).payloads, numbers(1, 4));
}

TEST_F(HubDelay, AChannelIsBuriedWithNothingHeld) {
  Cluster hub(1, 64, {.log = {.messages_max = 0}, .max_delay = std::chrono::seconds(1)}, 1);
  const auto id = hub.subscribe(0, "news", {});
  hub.settle();
  publish(hub, 1, 1);
  hub.unsubscribe(0, id);
  hub.settle();
  hub.advance(std::chrono::seconds(100));
  hub.sweep();
  hub.sweep();
  EXPECT_EQ(hub.nodes[0]->home.channels(), 0U);
  EXPECT_EQ(hub.nodes[0]->home.tombstones(), 1U);
  hub.settle();  // no deadline of a channel that is gone
  EXPECT_EQ(home(hub).next_deadline(), base::kNever);
}

TEST_F(HubDelay, AReloadDeliversWhatIsHeld) {
  Cluster hub(2, 64, rules(0), 1);
  const auto id = hub.subscribe(1, "news", {});
  hub.settle();
  publish(hub, 1, 3);
  hub.fixed.rules.max_delay = 0ms;
  for (auto& node : hub.nodes) node->home.rules_changed({}, *node);
  publish(hub, 4, 4);
  EXPECT_EQ(hub.seen(1, id).payloads, numbers(1, 4));
  EXPECT_EQ(home(hub).next_deadline(), base::kNever);
}

TEST_F(HubDelay, NothingIsHeldWhileDraining) {
  Cluster hub(2, 64, rules(0), 1);
  const auto id = hub.subscribe(1, "news", {});
  hub.settle();
  publish(hub, 1, 3);
  home(hub).stop_holding(*hub.nodes[home_of("news", 2, 99)]);
  publish(hub, 4, 4);
  EXPECT_EQ(hub.seen(1, id).payloads, numbers(1, 4));
}

// A worker without room gets what it missed from the log; what is held comes to it whole, whatever the log still has.
TEST_F(HubDelay, WhoIsBehindCatchesUpBesideWhatIsHeld) {
  for (const std::uint32_t history : {1000U, 1U, 0U}) {
    Cluster hub(2, 64, rules(history), 1);
    const auto id = hub.subscribe(1, "news", {});
    hub.settle();
    Node& node = *hub.nodes[home_of("news", 2, 99)];
    const std::size_t room = std::exchange(node.room, 0);
    const auto run = [&] {
      for (int i = 0; i < 6; ++i) hub.nodes[static_cast<std::size_t>(i) % 2]->turn(hub.now);
    };
    for (int i = 1; i <= 3; ++i) hub.publish(0, "news", std::to_string(i));
    run();
    hub.advance(kDelay);
    run();
    EXPECT_TRUE(node.home.has_backlog()) << "1 to 3 found no room";
    for (int i = 4; i <= 6; ++i) hub.publish(0, "news", std::to_string(i));
    run();
    node.room = room;
    hub.settle();
    EXPECT_FALSE(node.home.has_backlog());
    const Seen& seen = hub.seen(1, id);
    EXPECT_EQ(seen.next, 4U) << "4 to 6 are held";
    hub.advance(kDelay);
    hub.settle();
    EXPECT_EQ(seen.payloads, history == 1000 ? numbers(1, 6) : numbers(4, 6));
    EXPECT_EQ(seen.gaps, history == 1000 ? std::vector<Gap>{} : std::vector{(Gap{1, 3, GapReason::overload})});
  }
}

// Several slices a message, and between them somebody leaves, from what has been served and what has not, and others
// come: whoever stays gets every message once (Node::on_messages looks at the order).
TEST(Hub, LeavingAmidAFanOutCostsNobodyElseAMessage) {
  Cluster hub(1, 64, {}, 1);
  Node& node = *hub.nodes[0];
  for (std::uint32_t i = 0; i < 4 * kSliceSubscribers; ++i) hub.subscribe(0, "news", {});
  hub.settle();
  int published = 0;
  for (int round = 0; round < 20; ++round) {
    hub.publish(0, "news", std::to_string(++published));
    for (int slice = 0; slice < 5; ++slice) {
      for (int changes = 0; changes < 20; ++changes) {
        if (hub.entropy.below(3) == 0) {
          hub.subscribe(0, "news", {});
        } else {
          hub.unsubscribe(0, node.living[hub.entropy.below(static_cast<std::uint32_t>(node.living.size()))]);
        }
      }
      node.turn(hub.now);
    }
  }
  hub.settle();
  ASSERT_GT(node.living.size(), std::size_t{kSliceSubscribers});
  for (const SubscriptionId id : node.living) {
    EXPECT_EQ(hub.seen(0, id).next, static_cast<Offset>(published) + 1);
    EXPECT_TRUE(hub.seen(0, id).gaps.empty());
  }
  while (!node.living.empty()) hub.unsubscribe(0, node.living.back());
  hub.settle();
  EXPECT_EQ(node.fan_out.channels(), 0U);
}

// ---- slow readers

struct Slow : Cluster {
  explicit Slow(SlowReader policy, std::uint16_t workers = 1, std::uint64_t seed = 1)
      : Cluster(workers, 64, {.slow_reader = policy}, seed) {}
  Node& node() { return *nodes[0]; }
  void set_policy(SlowReader policy) {
    fixed.rules.slow_reader = policy;
    for (auto& each : nodes) each->fan_out.rules_changed();
  }
  void publish_some(int from, int to, const std::string& channel = "news") {
    for (int i = from; i <= to; ++i) {
      publish(0, channel, std::to_string(i));
      settle();
    }
  }
  Watched watched(const std::string& channel) {
    Watched sum;
    for (auto& each : nodes) {
      for (const auto& [name, more] : each->fan_out.watched({.prefix = channel})) sum.add(more);
      for (const ChannelSummary& more : each->home.list({.prefix = channel, .channels_max = 10}).channels) {
        sum.add(more.watched);
      }
    }
    return sum;
  }
};

using Payloads = std::vector<std::string>;

TEST(SlowReaders, DropAnnouncesTheGapAsSoonAsThereIsRoom) {
  Slow hub(SlowReader::drop);
  const auto slow = hub.subscribe(0, "news", {}, 1), healthy = hub.subscribe(0, "news", {}, 2);
  hub.settle();
  hub.publish_some(1, 1);
  hub.node().full = {1};
  hub.publish_some(2, 5);
  EXPECT_EQ(hub.seen(0, slow).payloads, Payloads{"1"});
  EXPECT_TRUE(hub.seen(0, slow).gaps.empty());
  EXPECT_EQ(hub.watched("news"), (Watched{2, 1, {.queued = 6}}));
  hub.node().full.clear();
  hub.settle();
  EXPECT_EQ(hub.seen(0, slow).gaps, (std::vector<Gap>{{2, 5, GapReason::slow_reader}}));
  hub.publish_some(6, 6);
  EXPECT_EQ(hub.seen(0, slow).payloads, (Payloads{"1", "6"}));
  EXPECT_EQ(hub.seen(0, healthy).payloads, (Payloads{"1", "2", "3", "4", "5", "6"}));
  EXPECT_EQ(hub.watched("news"), (Watched{2, 0, {.queued = 8, .dropped = 4}}));
}

TEST(SlowReaders, ConflateBringsTheNewestWithoutAnotherPublish) {
  Slow hub(SlowReader::conflate);
  const auto slow = hub.subscribe(0, "news", {}, 1);
  hub.settle();
  hub.node().full = {1};
  hub.publish_some(1, 5);
  EXPECT_EQ(hub.watched("news"), (Watched{1, 1, {}}));
  hub.node().full.clear();
  hub.settle();
  EXPECT_EQ(hub.seen(0, slow).gaps, (std::vector<Gap>{{1, 4, GapReason::conflated}}));
  EXPECT_EQ(hub.seen(0, slow).payloads, Payloads{"5"});
  hub.publish_some(6, 6);
  EXPECT_EQ(hub.seen(0, slow).payloads, (Payloads{"5", "6"}));
  EXPECT_EQ(hub.watched("news"), (Watched{1, 0, {.queued = 2, .conflated = 4}}));
  // One message alone is only late.
  hub.node().full = {1};
  hub.publish_some(7, 7);
  hub.node().full.clear();
  hub.settle();
  EXPECT_EQ(hub.seen(0, slow).payloads, (Payloads{"5", "6", "7"}));
  EXPECT_EQ(hub.seen(0, slow).gaps.size(), 1U);
}

TEST(SlowReaders, OnlyThoseWhoLagAreAskedAndOnceAJob) {
  for (const SlowReader policy : {SlowReader::drop, SlowReader::conflate}) {
    Slow hub(policy);
    for (PeerSlot peer = 1; peer <= 10; ++peer) hub.subscribe(0, "news", {}, peer);
    hub.settle();
    hub.node().takes_pages = false;  // nobody says that there is room
    hub.publish_some(1, 3);
    EXPECT_EQ(hub.node().asked, 0U);
    hub.node().full = {1, 2};
    hub.publish_some(4, 4);
    EXPECT_EQ(hub.node().asked, 0U);
    hub.publish_some(5, 9);
    EXPECT_EQ(hub.node().asked, 10U);
  }
}

TEST(SlowReaders, TheNextJobEndsTheGapIfThereIsRoomByThen) {
  Slow hub(SlowReader::conflate);
  const auto slow = hub.subscribe(0, "news", {}, 1);
  hub.settle();
  hub.node().takes_pages = false;
  hub.node().full = {1};
  hub.publish_some(1, 3);
  hub.node().full.clear();
  hub.publish_some(4, 4);
  EXPECT_EQ(hub.seen(0, slow).gaps, (std::vector<Gap>{{1, 3, GapReason::conflated}}));
  EXPECT_EQ(hub.seen(0, slow).payloads, Payloads{"4"});
  EXPECT_EQ(hub.watched("news"), (Watched{1, 0, {.queued = 1, .conflated = 3}}));
}

TEST(SlowReaders, ANewPolicyCountsForThoseWhoLagAlready) {
  for (const SlowReader first : {SlowReader::drop, SlowReader::conflate}) {
    for (const SlowReader second : {SlowReader::close, SlowReader::drop, SlowReader::conflate}) {
      Slow hub(first);
      const auto slow = hub.subscribe(0, "news", {}, 1);
      hub.settle();
      hub.node().full = {1};
      hub.publish_some(1, 3);
      hub.set_policy(second);
      hub.node().full.clear();
      hub.settle();
      hub.publish_some(4, 4);
      const bool newest = first == SlowReader::conflate && second == SlowReader::conflate;
      const GapReason reason = second == SlowReader::conflate ? GapReason::conflated : GapReason::slow_reader;
      EXPECT_EQ(hub.seen(0, slow).gaps, (std::vector<Gap>{{1, newest ? 2U : 3U, reason}}));
      EXPECT_EQ(hub.seen(0, slow).payloads, newest ? (Payloads{"3", "4"}) : Payloads{"4"});
    }
  }
}

// A reader that can go on while a long fan-out is on its way, before and behind the place that it has come to.
TEST(SlowReaders, GoOnInTheMiddleOfAFanOut) {
  for (const SlowReader policy : {SlowReader::drop, SlowReader::conflate}) {
    Slow hub(policy);
    std::vector<SubscriptionId> all;
    for (PeerSlot peer = 0; peer < 2 * kSliceSubscribers; ++peer) all.push_back(hub.subscribe(0, "news", {}, peer));
    hub.settle();
    Node& node = hub.node();
    node.takes_pages = false;
    node.full = {0, 1, kSliceSubscribers, kSliceSubscribers + 1};
    hub.publish_some(1, 2);
    hub.publish(0, "news", "3");
    node.turn(hub.now);  // the home numbers it
    node.turn(hub.now);  // the first slice
    ASSERT_TRUE(node.fan_out.has_backlog());
    node.full = {1, kSliceSubscribers + 1};
    for (const SubscriptionId id : all) node.fan_out.resume(id, node, node);
    const Seen& before = hub.seen(0, all[0]);
    const Seen& behind = hub.seen(0, all[kSliceSubscribers]);
    if (policy == SlowReader::drop) {
      EXPECT_EQ(before.gaps, (std::vector<Gap>{{1, 3, GapReason::slow_reader}}));
      EXPECT_EQ(behind.gaps, (std::vector<Gap>{{1, 2, GapReason::slow_reader}}));
    } else {
      EXPECT_EQ(before.gaps, (std::vector<Gap>{{1, 2, GapReason::conflated}}));
      EXPECT_EQ(before.payloads, Payloads{"3"});
    }
    hub.settle();
    EXPECT_EQ(before.next, 4U);
    EXPECT_EQ(behind.next, 4U);
    EXPECT_EQ(behind.payloads, Payloads{"3"});
    node.full.clear();
    for (const SubscriptionId id : all) node.fan_out.resume(id, node, node);
    for (const SubscriptionId id : all) EXPECT_EQ(hub.seen(0, id).next, 4U);
  }
}

TEST(SlowReaders, WhatBecameOfMessagesOutlivesTheSubscribers) {
  Slow hub(SlowReader::drop, 2);
  const auto here = hub.subscribe(0, "news", {}, 1), there = hub.subscribe(1, "news", {}, 1);
  hub.settle();
  hub.nodes[1]->full = {1};
  hub.publish_some(1, 3);
  hub.nodes[1]->full.clear();
  hub.settle();
  hub.nodes[1]->full = {1};
  hub.publish_some(4, 4);
  hub.nodes[1]->fan_out.count_closed(there);
  hub.unsubscribe(1, there);  // while it lags: nobody was told that 4 does not come
  hub.settle();
  EXPECT_EQ(hub.watched("news"), (Watched{1, 0, {.queued = 4, .dropped = 3, .closed = 1}}));
  EXPECT_EQ(hub.nodes[1]->fan_out.channels(), 0U);
  hub.unsubscribe(0, here);
  hub.settle();
  EXPECT_EQ(hub.watched("news"), (Watched{0, 0, {.queued = 4, .dropped = 3, .closed = 1}}));
}

// Readers that stall and go on at random, rules that change: every message is delivered or inside an announced gap, in
// order (Node looks), and the counters are exactly what the readers saw.
TEST(SlowReaders, CountersAreWhatReadersSaw) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Slow hub(SlowReader::drop, static_cast<std::uint16_t>(1 + seed % 3), seed);
    const auto below = [&](std::uint32_t bound) { return hub.entropy.below(bound); };
    std::vector<std::pair<base::WorkerId, SubscriptionId>> watches;
    std::vector<PeerSlot> peers;
    int published = 0;
    for (int step = 0; step < 3000; ++step) {
      const auto worker = static_cast<base::WorkerId>(below(static_cast<std::uint32_t>(hub.nodes.size())));
      switch (below(8)) {
        case 0:
        case 1:
        case 2:
          hub.publish(worker, "news", std::to_string(++published));
          break;
        case 3:
          if (watches.size() < 20 && below(4) == 0) {
            peers.push_back(static_cast<PeerSlot>(peers.size()));
            watches.emplace_back(worker, hub.subscribe(worker, "news", {}, peers.back()));
          } else if (!watches.empty() && below(20) == 0) {
            const std::size_t which = below(static_cast<std::uint32_t>(watches.size()));
            hub.unsubscribe(watches[which].first, watches[which].second);
            watches.erase(watches.begin() + static_cast<std::ptrdiff_t>(which));
          }
          break;
        case 4:
          if (!peers.empty()) {
            const PeerSlot peer = peers[below(static_cast<std::uint32_t>(peers.size()))];
            for (auto& node : hub.nodes) {
              if (!node->full.insert(peer).second) node->full.erase(peer);
            }
          }
          break;
        case 5:
          if (below(50) == 0) {
            hub.set_policy(std::array{SlowReader::drop, SlowReader::conflate, SlowReader::close}[below(3)]);
          }
          break;
        default:
          hub.turn();
      }
    }
    for (auto& node : hub.nodes) node->full.clear();
    hub.settle();
    Outcomes seen_all;
    for (auto& node : hub.nodes) {
      EXPECT_EQ(node->fan_out.lagging(), 0U);
      for (const auto& [id, seen] : node->seen) {
        seen_all.queued += seen.payloads.size();
        for (const Gap& gap : seen.gaps) {
          (gap.reason == GapReason::conflated ? seen_all.conflated : seen_all.dropped) += gap.messages();
        }
      }
    }
    for (const auto& [at, id] : watches) {
      EXPECT_EQ(hub.seen(at, id).next, static_cast<Offset>(published) + 1) << "seed " << seed;
    }
    EXPECT_EQ(hub.watched("news").outcomes, seen_all) << "seed " << seed;
    EXPECT_GT(seen_all.dropped + seen_all.conflated, 0U);
  }
}

// With all history kept and mailboxes of one delivery, subscribers that come and go at random see every message of the
// time they were there, in order, each exactly once, and no gap: the checks stand in Node::on_messages and on_gap.
struct Storm {
  std::uint16_t workers;
  std::size_t room;
  std::uint32_t history;
  std::chrono::milliseconds max_delay{0};
};

class HubStorm : public testing::TestWithParam<Storm> {};

TEST_P(HubStorm, SubscribersComeAndGo) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Cluster hub(
        GetParam().workers, GetParam().room,
        {.log = {.messages_max = GetParam().history, .bytes_max = 100 << 20}, .max_delay = GetParam().max_delay}, seed);
    const std::vector<std::string> names = {"a", "b", "c"};
    std::map<std::string, int> published;
    struct Watch {
      base::WorkerId at;
      SubscriptionId id;
      std::string channel;
    };
    std::vector<Watch> watches;
    for (int step = 0; step < 3000; ++step) {
      const auto worker = static_cast<base::WorkerId>(hub.entropy.below(GetParam().workers));
      const std::string& name = names[hub.entropy.below(3)];
      switch (hub.entropy.below(6)) {
        case 0:
        case 1:
          hub.publish(worker, name, name + std::to_string(++published[name]));
          break;
        case 2:
          if (watches.size() < 30) {
            Since since;
            if (!watches.empty() && hub.entropy.below(2) == 0) {
              // Resume where another subscription of that channel stands.
              for (const Watch& other : watches) {
                const Seen& seen = hub.seen(other.at, other.id);
                if (other.channel == name && seen.started) since = after(seen, seen.next - 1);
              }
            }
            watches.push_back({worker, hub.subscribe(worker, name, since), name});
          }
          break;
        case 3:
          if (!watches.empty()) {
            const std::size_t which = hub.entropy.below(static_cast<std::uint32_t>(watches.size()));
            hub.unsubscribe(watches[which].at, watches[which].id);
            watches.erase(watches.begin() + static_cast<std::ptrdiff_t>(which));
          }
          break;
        default:
          if (GetParam().max_delay.count() > 0 && hub.entropy.below(20) == 0) hub.advance(1ms);
          hub.turn();
      }
    }
    hub.settle();
    hub.advance(GetParam().max_delay);
    hub.settle();
    // Everybody who is still there has reached the head of its channel.
    for (const Watch& watch : watches) {
      const Seen& seen = hub.seen(watch.at, watch.id);
      EXPECT_TRUE(seen.started);
      EXPECT_EQ(seen.next, static_cast<Offset>(published[watch.channel]) + 1) << "seed " << seed;
      if (GetParam().history > 10000) {
        EXPECT_TRUE(seen.gaps.empty());
        EXPECT_FALSE(seen.start_gap);
      }
    }
    for (const Watch& watch : watches) hub.unsubscribe(watch.at, watch.id);
    hub.settle();
    for (const auto& node : hub.nodes) {
      EXPECT_EQ(node->fan_out.subscriptions(), 0U);
      EXPECT_EQ(node->fan_out.channels(), 0U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rings, HubStorm,
                         testing::Values(Storm{1, 1, 100000}, Storm{2, 1, 100000}, Storm{3, 1, 100000},
                                         Storm{3, 256, 100000}, Storm{2, 1, 0}, Storm{3, 1, 2}, Storm{4, 4, 20}));

INSTANTIATE_TEST_SUITE_P(Delayed, HubStorm,
                         testing::Values(Storm{1, 1, 100000, 2ms}, Storm{2, 1, 100000, 1ms}, Storm{3, 256, 100000, 5ms},
                                         Storm{2, 1, 0, 2ms}, Storm{3, 1, 2, 10ms}, Storm{4, 4, 20, 1ms}));

}  // namespace
}  // namespace hub
