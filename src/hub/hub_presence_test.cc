// Who is present, over homes, fan-outs and attendances of several workers, with one credit and room for one consequence
// between them, and turns in random order. The model is a plain set of who entered and has not left.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "hub/attendance.h"
#include "hub/events_channel.h"
#include "hub/fan_out.h"
#include "hub/home.h"

namespace hub {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 99;

class FixedRules final : public Rules {
 public:
  const ChannelRules* rules_of(std::string_view channel) const override {
    EXPECT_FALSE(is_events_channel(channel)) << "a companion has the rules of its channel";
    return &rules;
  }
  ChannelRules rules;
};

struct Event {
  std::string kind, client;
  friend bool operator==(const Event&, const Event&) = default;
};

// What one watcher was told.
struct Seen {
  bool started = false;
  std::vector<Event> events;
  std::size_t gaps = 0;
};

class Node final : public Post, public Sink {
 public:
  Node(base::WorkerId worker, std::uint16_t workers, const Rules& rules, std::uint64_t seed)
      : self(worker),
        entropy(seed + worker),
        home(workers, {}, rules, entropy, kSeed),
        fan_out(workers, rules, kSeed),
        attendance(workers, kSeed),
        inbox(workers),
        in_flight(workers),
        parked(workers) {}

  // As PostOffice.
  bool has_room(base::WorkerId to) override {
    std::size_t consequences = 0;
    for (const Mail& mail : (*nodes)[to]->inbox[self]) {
      consequences += class_of(mail) == MailClass::consequence ? 1U : 0U;
    }
    return consequences < room;
  }
  void send(base::WorkerId to, Mail mail) override {
    if (class_of(mail) == MailClass::request) {
      if (in_flight[to] == credits) return parked[to].push_back(std::move(mail));
      ++in_flight[to];
    } else if (class_of(mail) == MailClass::consequence) {
      EXPECT_TRUE(has_room(to));
    }
    (*nodes)[to]->inbox[self].push_back(std::move(mail));
  }
  void take_credit_back(base::WorkerId from) {
    --in_flight[from];
    if (parked[from].empty()) return;
    Mail mail = std::move(parked[from].front());
    parked[from].pop_front();
    send(from, std::move(mail));
  }

  void on_start(PeerSlot, SubscriptionId id, const Position&, const std::optional<Gap>&) override {
    seen_by(id).started = true;
  }
  Taken on_messages(std::span<const Target> targets, Batch& batch) override {
    EXPECT_TRUE(is_events_channel(batch.channel));
    EXPECT_EQ(batch.source, Batch::Source::live) << "what is past is not told";
    lagging.clear();
    for (const Target& target : targets) {
      const SubscriptionId id = fan_out.id_of(target.subscription);
      if (full) {
        lagging.push_back(id.slot);
        continue;
      }
      for (const MessageRef& message : batch.messages) {
        EXPECT_TRUE(message->payload().empty());
        seen_by(id).events.push_back(
            {message->extras()->event, std::string(message->extras()->publisher.client.view())});
      }
    }
    return {batch.messages.size() * (targets.size() - lagging.size()), lagging};
  }
  bool on_gap(PeerSlot, SubscriptionId id, const Gap&, const Position&) override {
    ++seen_by(id).gaps;
    return true;
  }
  void on_live(PeerSlot, SubscriptionId) override {}
  void on_refused(PeerSlot, SubscriptionId, base::Error) override { ADD_FAILURE(); }
  bool can_take_page(PeerSlot) override { return true; }
  bool can_go_on(PeerSlot, SlowReader policy) override {
    EXPECT_NE(policy, SlowReader::conflate);
    return !full;
  }

  bool turn(Now now) {
    bool worked = false;
    for (base::WorkerId from = 0; from < inbox.size(); ++from) {
      for (std::size_t count = inbox[from].size(); count > 0; --count) {
        worked = true;
        Mail mail = std::move(inbox[from].front());
        inbox[from].pop_front();
        if (class_of(mail) == MailClass::answer) take_credit_back(from);
        if (auto* page = std::get_if<Page>(&mail)) {
          fan_out.receive(std::move(*page), *this, *this);
        } else if (auto* delivery = std::get_if<Delivery>(&mail)) {
          fan_out.receive(std::move(*delivery));
        } else if (auto* entered = std::get_if<Entered>(&mail)) {
          attendance.receive(*entered);
        } else if (auto* present = std::get_if<Present>(&mail)) {
          answers.push_back(std::move(*present));
        } else if (class_of(mail) != MailClass::answer) {
          home.receive(from, std::move(mail), now, *this);
        }
      }
    }
    home.pump(*this);
    for (const SubscriptionId id : watchers) fan_out.resume(id, *this, *this);
    worked = fan_out.run(*this) || worked;
    fan_out.pump(*this);
    attendance.pump(*this);
    return worked || home.has_backlog() || fan_out.has_backlog() || attendance.has_backlog();
  }

  Seen& seen_by(SubscriptionId id) { return seen[{id.slot, id.generation}]; }

  base::WorkerId self;
  std::size_t room = 1;
  std::size_t credits = 1;
  bool full = false;  // no watcher takes anything
  std::vector<std::uint32_t> lagging;
  std::vector<std::unique_ptr<Node>>* nodes = nullptr;
  base::SeededEntropy entropy;
  Home home;
  FanOut fan_out;
  Attendance attendance;
  std::vector<std::deque<Mail>> inbox;  // by sender
  std::vector<std::size_t> in_flight;
  std::vector<std::deque<Mail>> parked;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Seen> seen;
  std::vector<SubscriptionId> watchers;
  std::vector<Present> answers;
};

ClientIdentity who(const std::string& client, const std::string& user) {
  return {.user = base::SharedBytes::copy(user),
          .client = base::SharedBytes::copy(client),
          .conn_info = base::SharedBytes::copy(R"({"name":")" + client + "\"}"),
          .chan_info = {}};
}

class Cluster {
 public:
  explicit Cluster(std::uint16_t workers, std::uint64_t seed = 1) : entropy(seed) {
    for (base::WorkerId worker = 0; worker < workers; ++worker) {
      nodes.push_back(std::make_unique<Node>(worker, workers, fixed, seed));
      nodes.back()->nodes = &nodes;
    }
  }
  struct Member {
    base::WorkerId at;
    SubscriptionId id;
    std::string channel, client, user;
  };
  // As a door does it: the subscription, and in the same breath its entering.
  Member enter(base::WorkerId at, const std::string& channel, const std::string& client, const std::string& user = "u",
               Announce announce = Announce::yes) {
    Node& node = *nodes[at];
    const SubscriptionId id = node.fan_out.subscribe(7, channel, {}, 0, 0, node);
    node.attendance.enter(id, base::SharedBytes::copy(channel), who(client, user), announce, node);
    return {at, id, channel, client, user};
  }
  void leave(const Member& member) {
    nodes[member.at]->attendance.leave(member.id);
    nodes[member.at]->fan_out.unsubscribe(member.id);
  }
  SubscriptionId watch(base::WorkerId at, const std::string& channel) {
    Node& node = *nodes[at];
    node.watchers.push_back(node.fan_out.subscribe(8, events_channel(channel), {}, 0, 0, node));
    return node.watchers.back();
  }
  void unwatch(base::WorkerId at, SubscriptionId id) {
    nodes[at]->fan_out.unsubscribe(id);
    std::erase(nodes[at]->watchers, id);
  }
  Present ask(const std::string& channel, std::uint32_t members_max, MemberNumber after = 0) {
    Node& node = *nodes[0];
    node.answers.clear();
    node.send(home_of(channel), Who{.request = 5, .channel = channel, .after = after, .members_max = members_max});
    settle();
    EXPECT_EQ(node.answers.size(), 1U);
    EXPECT_EQ(node.answers.at(0).request, 5U);
    return node.answers.at(0);
  }
  std::vector<std::string> clients_of(const std::string& channel, std::uint32_t page) {
    std::vector<std::string> clients;
    MemberNumber after = 0;
    do {
      const Present present = ask(channel, page, after);
      for (const ClientIdentity& each : present.members) clients.emplace_back(each.client.view());
      after = present.next;
    } while (after != 0);
    return clients;
  }
  base::WorkerId home_of(const std::string& channel) const {
    return hub::home_of(channel, static_cast<std::uint16_t>(nodes.size()), kSeed);
  }
  Home& home(const std::string& channel) { return nodes[home_of(channel)]->home; }
  const Seen& seen(base::WorkerId at, SubscriptionId id) { return nodes[at]->seen_by(id); }
  void turn() { nodes[entropy.below(static_cast<std::uint32_t>(nodes.size()))]->turn(now); }
  void settle() {
    int idle = 0;  // two idle rounds: what is sent in the first is read in the second
    for (int rounds = 0; rounds < 100000; ++rounds) {
      bool worked = false;
      for (auto& node : nodes) worked = node->turn(now) || worked;
      idle = worked ? 0 : idle + 1;
      if (idle == 2) return;
    }
    FAIL() << "the hub does not come to rest";
  }
  void sweep(std::chrono::milliseconds by) {
    now.instant += by;
    now.wall.ms += by.count();
    for (auto& node : nodes) node->home.sweep(now, *node);
  }

  base::SeededEntropy entropy;
  FixedRules fixed;
  std::vector<std::unique_ptr<Node>> nodes;
  Now now{base::Instant{} + 1h, {1'000'000}};
};

TEST(HubPresence, EventsOfAChannelHaveTheHomeOfTheChannel) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = "room" + std::to_string(i);
    EXPECT_EQ(home_of(name, 7, kSeed), home_of(events_channel(name), 7, kSeed));
    EXPECT_TRUE(is_events_channel(events_channel(name)));
    EXPECT_FALSE(is_events_channel(name));
    EXPECT_EQ(events_of(events_channel(name)), name);
    EXPECT_EQ(events_of(name), name);
  }
}

TEST(HubPresence, WatchersAreToldOnceWhoComesAndGoes) {
  Cluster hub(3);
  const auto watcher = hub.watch(2, "room");
  hub.settle();
  const auto ann = hub.enter(0, "room", "a", "ann");
  const auto bob = hub.enter(1, "room", "b", "bob");
  hub.settle();
  hub.leave(ann);
  hub.settle();
  hub.leave(bob);
  hub.leave(bob);
  hub.settle();
  const auto& events = hub.seen(2, watcher).events;
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ((std::set{events[0].client, events[1].client}), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(events[0].kind, "join");
  EXPECT_EQ(events[1].kind, "join");
  EXPECT_EQ(events[2], (Event{"leave", "a"}));
  EXPECT_EQ(events[3], (Event{"leave", "b"}));
}

// Its new subscription may enter before the old one has left (found by the simulator): who watches would take the leave
// that comes last for the truth.
TEST(HubPresence, AClientThatSubscribesAnewStays) {
  Cluster hub(2);
  hub.nodes[0]->credits = 1000;  // so that no entering waits while a leave goes by
  const auto watcher = hub.watch(1, "room");
  hub.settle();
  const auto before = hub.enter(0, "room", "a");
  hub.settle();
  const auto anew = hub.enter(0, "room", "a");
  hub.leave(before);
  hub.settle();
  EXPECT_EQ(hub.seen(1, watcher).events, (std::vector<Event>{{"join", "a"}}));
  hub.leave(anew);
  hub.settle();
  EXPECT_EQ(hub.seen(1, watcher).events, (std::vector<Event>{{"join", "a"}, {"leave", "a"}}));
}

TEST(HubPresence, WhoWatchesFirstSeesItsOwnJoinAfterItsStart) {
  Cluster hub(2);
  const auto watcher = hub.watch(1, "room");
  const auto self = hub.enter(1, "room", "me");
  hub.settle();
  EXPECT_EQ(hub.seen(1, watcher).events, (std::vector<Event>{{"join", "me"}}));
  hub.leave(self);
  hub.unwatch(1, watcher);
  hub.settle();
  EXPECT_EQ(hub.nodes[1]->fan_out.channels(), 0U);
}

TEST(HubPresence, QuietMembersArePresentButNotAnnounced) {
  Cluster hub(2);
  const auto watcher = hub.watch(0, "room");
  const auto quiet = hub.enter(1, "room", "q", "u", Announce::no);
  hub.settle();
  EXPECT_EQ(hub.ask("room", 0).clients, 1U);
  hub.leave(quiet);
  hub.settle();
  EXPECT_EQ(hub.ask("room", 0).clients, 0U);
  EXPECT_TRUE(hub.seen(0, watcher).events.empty());
}

TEST(HubPresence, AnAnswerHasCountsAndWhatIsKnownOfMembers) {
  Cluster hub(2);
  hub.enter(0, "room", "a", "ann");
  hub.enter(1, "room", "b", "ann");
  hub.settle();
  const Present counts = hub.ask("room", 0);
  EXPECT_EQ(counts.clients, 2U);
  EXPECT_EQ(counts.users, 1U);
  EXPECT_TRUE(counts.members.empty());
  const Present page = hub.ask("room", 10);
  EXPECT_EQ(page.clients, 2U);
  ASSERT_EQ(page.members.size(), 2U);
  EXPECT_EQ(page.members[0].user.view(), "ann");
  EXPECT_EQ(page.members[0].conn_info.view(), R"({"name":")" + std::string(page.members[0].client.view()) + "\"}");
  EXPECT_EQ(page.next, 0U);
  EXPECT_EQ(hub.ask("nobody there", 10).clients, 0U);
}

TEST(HubPresence, APageIsNeverLongerThanTheHomesLimit) {
  Cluster hub(2);
  for (std::uint32_t i = 0; i < kPresentMembersMax + 5; ++i) hub.enter(1, "room", std::to_string(i));
  hub.settle();
  const Present first = hub.ask("room", UINT32_MAX);
  EXPECT_EQ(first.members.size(), kPresentMembersMax);
  EXPECT_EQ(hub.ask("room", UINT32_MAX, first.next).members.size(), 5U);
}

TEST(HubPresence, ACompanionIsNotAChannelToAnybodyElse) {
  Cluster hub(1);
  const auto watcher = hub.watch(0, "room");
  hub.settle();
  EXPECT_EQ(hub.home("room").channels(), 0U);
  const auto ann = hub.enter(0, "room", "a");
  hub.settle();
  EXPECT_EQ(hub.home("room").channels(), 1U);
  const Listed listed = hub.home("room").list({.channels_max = 10});
  ASSERT_EQ(listed.channels.size(), 1U);
  EXPECT_EQ(listed.channels[0].channel, "room");
  EXPECT_EQ(listed.channels_total, 1U);
  ASSERT_EQ(hub.nodes[0]->fan_out.watched({}).size(), 1U);
  EXPECT_EQ(hub.nodes[0]->fan_out.watched({})[0].first, "room");
  EXPECT_EQ(hub.home("room").log_bytes(), 0U) << "events are not history";
  hub.leave(ann);
  hub.unwatch(0, watcher);
  hub.settle();
  hub.sweep(61s);
  EXPECT_EQ(hub.home("room").channels(), 0U);
  EXPECT_EQ(hub.home("room").tombstones(), 0U) << "nothing was published, and a companion needs none";
  EXPECT_EQ(hub.home("room").members(), 0U);
}

TEST(HubPresence, NobodyWatchingMakesNoCompanion) {
  Cluster hub(1);
  const auto ann = hub.enter(0, "room", "a");
  hub.settle();
  hub.leave(ann);
  hub.settle();
  hub.sweep(61s);
  hub.sweep(0s);
  EXPECT_EQ(hub.home("room").channels(), 0U);
  EXPECT_EQ(hub.home("room").tombstones(), 0U);
}

TEST(HubPresence, AChannelWithMembersIsNeverBuried) {
  Cluster hub(1);
  Node& node = *hub.nodes[0];
  // Without a subscription: the roster alone holds it.
  node.attendance.enter({1, 1}, base::SharedBytes::copy("room"), who("a", "ann"), Announce::no, node);
  hub.settle();
  hub.sweep(2h);
  EXPECT_EQ(hub.ask("room", 0).clients, 1U);
  node.attendance.leave({1, 1});
  hub.settle();
  hub.sweep(1s);
  EXPECT_EQ(hub.home("room").channels(), 1U) << "idle since the last one left";
  hub.sweep(61s);
  EXPECT_EQ(hub.home("room").channels(), 0U);
}

TEST(HubPresence, ARefusedEnterIsForgotten) {
  Cluster hub(1);
  Node& node = *hub.nodes[0];
  node.home.rules_changed({.channels_max = 0}, node);
  node.attendance.enter({1, 1}, base::SharedBytes::copy("room"), who("a", "ann"), Announce::yes, node);
  hub.settle();
  EXPECT_EQ(node.attendance.members(), 0U);
  EXPECT_EQ(node.home.members(), 0U);
}

// A watcher that reads too slowly misses events, as its channel's policy says, and goes on with what comes later: never
// with the newest alone, which says nothing of the others.
TEST(HubPresence, ASlowWatcherSkipsWhateverThePolicy) {
  for (const SlowReader policy : {SlowReader::drop, SlowReader::conflate}) {
    Cluster hub(2);
    hub.fixed.rules.slow_reader = policy;
    const auto watcher = hub.watch(0, "room");
    hub.settle();
    hub.nodes[0]->full = true;
    const auto ann = hub.enter(1, "room", "a");
    hub.settle();
    hub.leave(ann);
    hub.settle();
    hub.nodes[0]->full = false;
    hub.settle();
    EXPECT_TRUE(hub.seen(0, watcher).events.empty());
    EXPECT_EQ(hub.seen(0, watcher).gaps, 1U);
    hub.enter(1, "room", "b");
    hub.settle();
    EXPECT_EQ(hub.seen(0, watcher).events, (std::vector<Event>{{"join", "b"}}));
    hub.nodes[0]->fan_out.rules_changed();
  }
}

// A worker that is behind loses nothing: the companion holds events for as long as one is, and no longer.
TEST(HubPresence, AWorkerWithoutRoomGetsAllEventsLater) {
  Cluster hub(2);
  const std::string room = hub.home_of("room") == 0 ? "room" : "other room";
  ASSERT_EQ(hub.home_of(room), 0U);
  const auto watcher = hub.watch(1, room);
  hub.settle();
  hub.nodes[0]->room = 0;
  hub.nodes[0]->credits = 1000;
  for (int i = 0; i < 1000; ++i) hub.enter(0, room, std::to_string(i));
  for (int i = 0; i < 10; ++i) hub.nodes[0]->turn(hub.now);
  EXPECT_GT(hub.home(room).log_bytes(), 0U);
  hub.nodes[0]->room = 1;
  hub.settle();
  EXPECT_EQ(hub.seen(1, watcher).events.size(), 1000U);
  EXPECT_EQ(hub.seen(1, watcher).gaps, 0U);
  hub.sweep(61s);
  EXPECT_EQ(hub.home(room).log_bytes(), 0U);
}

// Of the workers that watch, the first to come and the last to go count; members do not.
TEST(HubOccupancy, IsOfAllWorkersTogether) {
  Cluster hub(3);
  hub.fixed.rules.occupancy = true;
  using Lines = std::vector<std::string>;
  const auto said = [&] {
    Lines lines;
    for (const auto& node : hub.nodes) {
      for (const OccupancyEvent& each : node->home.take_occupancy()) {
        lines.push_back((each.kind == OccupancyEvent::Kind::occupied ? "+" : "-") + std::string(each.channel.view()));
      }
    }
    return lines;
  };
  const auto first = hub.enter(0, "room", "a");
  const auto second = hub.enter(1, "room", "b");
  const auto events = hub.watch(2, "room");
  hub.settle();
  EXPECT_EQ(said(), Lines{"+room"});
  hub.leave(first);
  hub.settle();
  hub.sweep(kVacatedAfter);
  EXPECT_TRUE(said().empty());
  hub.leave(second);
  hub.settle();
  hub.sweep(kVacatedAfter / 2);
  const auto third = hub.enter(2, "room", "c");
  hub.settle();
  hub.sweep(kVacatedAfter);
  EXPECT_TRUE(said().empty());
  hub.leave(third);
  hub.settle();
  hub.sweep(kVacatedAfter);
  EXPECT_EQ(said(), Lines{"-room"}) << "who watches a companion does not occupy the channel";
  hub.unwatch(2, events);

  hub.enter(1, "room", "d");
  hub.settle();
  EXPECT_EQ(said(), Lines{"+room"});
  const auto reload = [&](bool occupancy) {
    hub.fixed.rules.occupancy = occupancy;
    for (auto& node : hub.nodes) node->home.rules_changed({}, *node);
  };
  reload(false);
  EXPECT_TRUE(said().empty());
  reload(true);
  EXPECT_EQ(said(), Lines{"+room"}) << "whoever asks from now on knows who is there";
}

struct Storm {
  std::uint16_t workers;
  std::size_t room;
  std::size_t credits;
};

class PresenceStorm : public testing::TestWithParam<Storm> {};

// Every join has exactly one leave, in this order, to everybody who watched all the time; what is asked at rest is what
// the model says; who vanishes while its Enter is parked leaves no ghost.
TEST_P(PresenceStorm, MembersComeAndGo) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const std::uint16_t workers = GetParam().workers;
    Cluster hub(workers, seed);
    for (auto& node : hub.nodes) {
      node->room = GetParam().room;
      node->credits = GetParam().credits;
    }
    const std::vector<std::string> names = {"a", "b", "ns:c"};
    std::vector<std::vector<SubscriptionId>> steady(workers);  // by worker and channel
    for (base::WorkerId worker = 0; worker < workers; ++worker) {
      for (const std::string& name : names) steady[worker].push_back(hub.watch(worker, name));
    }
    hub.settle();
    std::vector<Cluster::Member> members;
    std::vector<std::pair<base::WorkerId, SubscriptionId>> restless;
    std::map<std::string, std::set<std::string>> entered;  // by channel: clients, ever
    int clients = 0;
    for (int step = 0; step < 3000; ++step) {
      const auto worker = static_cast<base::WorkerId>(hub.entropy.below(workers));
      const std::string& name = names[hub.entropy.below(3)];
      switch (hub.entropy.below(8)) {
        case 0:
        case 1: {
          const std::string client = std::to_string(++clients);
          members.push_back(hub.enter(worker, name, client, "u" + std::to_string(hub.entropy.below(5))));
          entered[name].insert(client);
          break;
        }
        case 2:
        case 3:
          if (!members.empty()) {
            // Often the newest, whose Enter is still parked.
            const std::size_t newest = members.size() - 1;
            const std::size_t which =
                hub.entropy.below(2) == 0 ? newest : hub.entropy.below(static_cast<std::uint32_t>(members.size()));
            hub.leave(members[which]);
            members.erase(members.begin() + static_cast<std::ptrdiff_t>(which));
          }
          break;
        case 4:
          if (restless.size() < 5) {
            restless.emplace_back(worker, hub.watch(worker, name));
          } else {
            hub.unwatch(restless.front().first, restless.front().second);
            restless.erase(restless.begin());
          }
          break;
        default:
          hub.turn();
      }
    }
    hub.settle();
    for (std::size_t channel = 0; channel < names.size(); ++channel) {
      const std::string& name = names[channel];
      std::set<std::string> present, users;
      for (const Cluster::Member& each : members) {
        if (each.channel != name) continue;
        present.insert(each.client);
        users.insert(each.user);
      }
      const std::vector<std::string> listed = hub.clients_of(name, 1 + hub.entropy.below(20));
      EXPECT_EQ(listed.size(), present.size()) << "seed " << seed;
      EXPECT_EQ(std::set(listed.begin(), listed.end()), present) << "seed " << seed;
      EXPECT_EQ(hub.ask(name, 0).clients, present.size());
      EXPECT_EQ(hub.ask(name, 0).users, users.size());
      for (base::WorkerId worker = 0; worker < workers; ++worker) {
        const Seen& seen = hub.seen(worker, steady[worker][channel]);
        EXPECT_EQ(seen.gaps, 0U);
        std::map<std::string, std::vector<std::string>> told;  // by client
        for (const Event& each : seen.events) told[each.client].push_back(each.kind);
        EXPECT_EQ(told.size(), entered[name].size()) << "seed " << seed;
        for (const auto& [client, kinds] : told) {
          const bool there = present.contains(client);
          EXPECT_EQ(kinds, there ? std::vector<std::string>{"join"} : (std::vector<std::string>{"join", "leave"}))
              << "seed " << seed << " client " << client;
        }
      }
    }
    for (const Cluster::Member& each : members) hub.leave(each);
    for (auto& node : hub.nodes) {
      for (const SubscriptionId id : std::vector(node->watchers)) hub.unwatch(node->self, id);
    }
    hub.settle();
    hub.sweep(61s);
    for (const auto& node : hub.nodes) {
      EXPECT_EQ(node->attendance.members(), 0U);
      EXPECT_EQ(node->home.members(), 0U);
      EXPECT_EQ(node->home.channels(), 0U);
      EXPECT_EQ(node->fan_out.channels(), 0U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rings, PresenceStorm,
                         testing::Values(Storm{1, 1, 1}, Storm{2, 1, 1}, Storm{3, 1, 1}, Storm{4, 1, 8},
                                         Storm{3, 16, 1}, Storm{4, 64, 64}));

}  // namespace
}  // namespace hub
