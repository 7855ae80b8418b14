// Homes with channels that are maps: what a change is answered with, what subscribers and readers of state are told.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "hub/home.h"

namespace hub {
namespace {

using namespace std::chrono_literals;
using When = MapChange::When;

class FixedRules final : public Rules {
 public:
  const ChannelRules* rules_of(std::string_view channel) const override {
    return channel.starts_with("map") ? &map : &stream;
  }
  ChannelRules map{.map = MapRules{}};
  ChannelRules stream;
};

const Epoch kOther = parse_position("zzzzzzzz:1")->epoch;

// One home and what it says, to one worker.
class OneHome final : public Post {
 public:
  explicit OneHome(ChannelRules map_rules = {.map = MapRules{}}, HomeOptions options = {}) : options_(options) {
    rules.map = std::move(map_rules);
    home = std::make_unique<Home>(1, options, rules, entropy_, 99);
  }

  bool has_room(base::WorkerId) override { return room; }
  void send(base::WorkerId, Mail mail) override { sent.push_back(std::move(mail)); }

  template <class Answer>
  Answer ask(Mail mail) {
    sent.clear();
    home->receive(0, std::move(mail), now, *this);
    for (Mail& each : sent) {
      if (auto* answer = std::get_if<Answer>(&each)) return std::move(*answer);
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

  struct Asked {
    When when = When::always;
    std::int64_t score = 0;
    std::optional<Position> expected = {};
    std::uint64_t version = 0;
    std::optional<base::Hash128> idempotency_key = {};
    std::string state = {};
    Tags tags = {};
    std::string channel = "map";
  };
  Published put(const std::string& key, std::string_view payload, const Asked& asked) {
    Extras extras;
    extras.key = key;
    extras.score = asked.score;
    extras.tags = asked.tags;
    return publish(asked, Message::make(Kind::text, payload, now.instant, extras), extras);
  }
  Published put(const std::string& key, std::string_view payload) { return put(key, payload, Asked{}); }
  Published remove(const std::string& key, const Asked& asked) {
    Extras extras;
    extras.key = key;
    extras.removed = true;
    return publish(asked, Message::make(Kind::json, {}, now.instant, extras), extras);
  }
  Published remove(const std::string& key) { return remove(key, Asked{}); }
  StatePage read(ReadState asked = {}) {
    asked.channel = "map";
    if (asked.entries_max == 0) asked.entries_max = 100;
    return ask<StatePage>(std::move(asked));
  }
  Page attach(const Since& since) {
    return ask<Page>(Attach{.channel = base::SharedBytes::copy("map"), .local = {1, 1}, .since = since});
  }
  std::vector<std::string> state() {
    std::vector<std::string> all;
    for (const MessageRef& each : read().entries) {
      all.push_back(each->extras()->key + "=" + std::string(each->payload()));
    }
    return all;
  }
  // What the worker was sent since the last request, by key.
  std::vector<std::string> delivered() const {
    std::vector<std::string> all;
    for (const Mail& mail : sent) {
      const auto* delivery = std::get_if<Delivery>(&mail);
      if (delivery == nullptr) continue;
      for (const MessageRef& each : delivery->messages) {
        all.push_back((each->extras()->removed ? "-" : "+") + each->extras()->key);
      }
    }
    return all;
  }
  void advance(std::chrono::milliseconds by) {
    now.instant += by;
    now.wall.ms += by.count();
  }
  bool sweep() {
    sent.clear();
    return home->sweep(now, *this);
  }
  void change_rules() { home->rules_changed(options_, *this); }

  FixedRules rules;
  bool room = true;
  std::vector<Mail> sent;
  Now now{base::Instant{} + 1h, {1'000'000}};
  std::unique_ptr<Home> home;

 private:
  Published publish(const Asked& asked, std::unique_ptr<Message> message, const Extras& extras) {
    Publish publish{.channel = asked.channel, .version_epoch = {}};
    publish.message = std::move(message);
    publish.change = std::make_unique<MapChange>();
    publish.change->when = asked.when;
    publish.change->expected = asked.expected;
    if (!asked.state.empty()) publish.change->state = Message::make(Kind::text, asked.state, now.instant, extras);
    publish.version = asked.version;
    publish.idempotency_key = asked.idempotency_key;
    return ask<Published>(std::move(publish));
  }

  HomeOptions options_;
  base::SeededEntropy entropy_{1};
};

TEST(Maps, AChangeIsNumberedKeptAndDelivered) {
  OneHome hub;
  const Page attached = hub.attach({});
  const Published first = hub.put("b", "1");
  EXPECT_EQ(first.position, (Position{attached.head.epoch, 1}));
  EXPECT_EQ(first.workers, 1);
  EXPECT_EQ(hub.delivered(), std::vector<std::string>{"+b"});
  hub.put("a", "2");
  hub.put("b", "3");
  EXPECT_EQ(hub.state(), (std::vector<std::string>{"a=2", "b=3"}));
  EXPECT_EQ(hub.read().head.offset, 3U);
  EXPECT_EQ(hub.read().entries.at(1)->offset(), 3U);
  EXPECT_EQ(hub.home->map_keys(), 2U);
  EXPECT_GT(hub.home->map_bytes(), 0U);
  EXPECT_EQ(hub.remove("a").position.offset, 4U);
  EXPECT_EQ(hub.delivered(), std::vector<std::string>{"-a"});
  EXPECT_EQ(hub.state(), std::vector<std::string>{"b=3"});
}

TEST(Maps, WhatConditionsRefuseIsSuppressedWithTheReason) {
  OneHome hub;
  const Published one = hub.put("k", "1", {.version = 5});
  const auto refused = [&](const Published& answer, Suppression why) {
    EXPECT_EQ(answer.suppressed, why);
    EXPECT_EQ(answer.error, base::Error::none);
    EXPECT_EQ(answer.position, one.position) << "that of the channel";
    EXPECT_EQ(hub.state(), std::vector<std::string>{"k=1"});
  };
  refused(hub.put("k", "x", {.version = 5}), Suppression::version);
  refused(hub.put("k", "x", {.when = When::if_new}), Suppression::key_exists);
  refused(hub.put("other", "x", {.when = When::if_exists}), Suppression::key_not_found);
  refused(hub.remove("other"), Suppression::key_not_found);
  const Published stale = hub.put("k", "x", {.expected = Position{one.position.epoch, 9}});
  ASSERT_NE(stale.current, nullptr);
  EXPECT_EQ(stale.current->payload(), "1");
  refused(stale, Suppression::position_mismatch);
  refused(hub.put("k", "x", {.expected = Position{kOther, 1}}), Suppression::position_mismatch);
  EXPECT_EQ(hub.put("k", "2", {.expected = one.position}).suppressed, Suppression::none);
}

TEST(Maps, ARepeatWithTheSameIdempotencyKeyIsSuppressed) {
  OneHome hub;
  const Published first = hub.put("k", "1", {.idempotency_key = base::Hash128{1, 2}});
  hub.put("k", "2");
  const Published again = hub.put("k", "1", {.idempotency_key = base::Hash128{1, 2}});
  EXPECT_EQ(again.suppressed, Suppression::idempotency);
  EXPECT_EQ(again.position, first.position);
  EXPECT_EQ(hub.state(), std::vector<std::string>{"k=2"});
}

TEST(Maps, TheStateMayKeepOtherThanWhatSubscribersGet) {
  OneHome hub;
  hub.attach({});
  hub.put("k", "+5", {.state = "105"});
  EXPECT_EQ(std::get<Delivery>(hub.sent.back()).messages.at(0)->payload(), "+5");
  EXPECT_EQ(hub.state(), std::vector<std::string>{"k=105"});
  EXPECT_EQ(hub.read().entries.at(0)->offset(), 1U);
}

TEST(Maps, ARemovalHasTheTagsOfTheEntry) {
  OneHome hub;
  hub.attach({});
  hub.put("k", "1", {.tags = *Tags::make({{"room", "a"}})});
  hub.remove("k");
  EXPECT_EQ(*std::get<Delivery>(hub.sent.back()).messages.at(0)->extras()->tags.find("room"), "a");
}

TEST(Maps, ChannelsAreOfOneTypeOnly) {
  OneHome hub;
  EXPECT_EQ(hub.put("k", "1", {.channel = "news"}).error, base::Error::channel_type);
  Publish plain{.channel = "map", .version_epoch = {}};
  plain.message = std::make_unique<Message>(Kind::text, "x", hub.now.instant);
  EXPECT_EQ(hub.ask<Published>(std::move(plain)).error, base::Error::channel_type);
  EXPECT_EQ(hub.ask<StatePage>(ReadState{.channel = "news"}).error, base::Error::channel_type);
  EXPECT_EQ(hub.ask<StatePage>(Clear{.channel = "news"}).error, base::Error::channel_type);
  hub.rules.map.map->type = SubscriptionType::map_clients;
  EXPECT_EQ(hub.put("k", "1").error, base::Error::channel_type) << "nobody writes there but the server";
}

// What is on a later page may be newer than the head of the first: the changes since come again, and nothing is
// missing.
TEST(Maps, PagesAndThenTheStreamFromTheFirstOfThem) {
  OneHome hub;
  for (const char* key : {"a", "b", "c", "d"}) hub.put(key, "1");
  const StatePage first = hub.read({.entries_max = 2});
  EXPECT_EQ(first.keys, 4U);
  hub.put("d", "2");
  hub.put("aa", "1");
  hub.remove("b");
  const StatePage second = hub.read({.cursor = first.next, .entries_max = 2, .epoch = first.head.epoch});
  EXPECT_EQ(second.next, "");
  EXPECT_EQ(second.entries.at(1)->payload(), "2");
  const Page rest = hub.attach({.kind = Since::Kind::position, .position = first.head});
  EXPECT_FALSE(rest.gap);
  ASSERT_EQ(rest.messages.size(), 3U);
  EXPECT_EQ(rest.messages[0]->offset(), second.entries.at(1)->offset());
  EXPECT_TRUE(rest.messages[2]->extras()->removed);
}

TEST(Maps, AReadOfAnUnbornChannelSaysWhereItsStreamBegins) {
  OneHome hub;
  const StatePage empty = hub.read();
  EXPECT_EQ(empty.head.offset, 0U);
  hub.put("k", "1");
  const Page page = hub.attach({.kind = Since::Kind::position, .position = empty.head});
  EXPECT_FALSE(page.gap);
  EXPECT_EQ(page.messages.size(), 1U);
}

TEST(Maps, APageOfAnotherEpochOrWithABadCursorIsRefused) {
  OneHome hub({.map = MapRules{.ordered = true}});
  hub.put("k", "1");
  EXPECT_EQ(hub.read({.epoch = kOther}).error, base::Error::unrecoverable_position);
  EXPECT_EQ(hub.read({.cursor = "x"}).error, base::Error::bad_cursor);
  EXPECT_EQ(hub.read({.key = "k"}).entries.size(), 1U);
  EXPECT_TRUE(hub.read({.key = "l"}).entries.empty());
}

TEST(Maps, KeysExpireAfterTheirLastChange) {
  OneHome hub({.map = MapRules{.key_ttl = 10s}});
  hub.attach({});
  hub.put("a", "1");
  hub.advance(5s);
  hub.put("b", "1");
  hub.advance(4s);
  hub.put("a", "2");
  hub.advance(6s);
  hub.sweep();
  EXPECT_EQ(hub.delivered(), std::vector<std::string>{"-b"});
  EXPECT_EQ(hub.state(), std::vector<std::string>{"a=2"});
  hub.advance(4s);
  hub.sweep();
  EXPECT_EQ(hub.delivered(), std::vector<std::string>{"-a"});
  EXPECT_EQ(hub.home->map_bytes(), 0U);
}

// Whoever asks first, nobody sees a key whose time is over.
TEST(Maps, AnExpiredKeyIsGoneBeforeItIsSwept) {
  OneHome hub({.map = MapRules{.key_ttl = 10s}});
  hub.put("a", "1");
  hub.advance(10s);
  EXPECT_EQ(hub.put("a", "2", {.when = When::if_new}).suppressed, Suppression::none);
  EXPECT_EQ(hub.read().head.offset, 3U) << "the change, the removal, the change";
  hub.advance(10s);
  EXPECT_TRUE(hub.read().entries.empty());
}

TEST(Maps, ManyExpiredKeysGoAFewAtATime) {
  OneHome hub({.map = MapRules{.key_ttl = 10s}});
  for (int i = 0; i < 1000; ++i) hub.put("k" + std::to_string(i), "x");
  hub.advance(20s);
  EXPECT_TRUE(hub.sweep());
  EXPECT_GE(hub.home->map_keys(), 700U);
  for (int i = 0; i < 10; ++i) hub.sweep();
  EXPECT_EQ(hub.home->map_keys(), 0U);
}

TEST(Maps, AMapHasAsManyKeysAndBytesAsItMay) {
  OneHome hub({.map = MapRules{.keys_max = 2, .bytes_max = 2000}});
  hub.put("a", "1");
  hub.put("b", "1");
  EXPECT_EQ(hub.put("c", "1").error, base::Error::map_full);
  EXPECT_EQ(hub.put("a", std::string(3000, 'x')).error, base::Error::map_full);
  EXPECT_EQ(hub.put("a", "2").error, base::Error::none);
  hub.remove("b");
  EXPECT_EQ(hub.put("c", "1").error, base::Error::none);
  EXPECT_EQ(hub.state(), (std::vector<std::string>{"a=2", "c=1"}));
}

TEST(Maps, AllMapsTogetherHaveALimitToo) {
  OneHome hub({.map = MapRules{}}, {.map_bytes_max = 2000});
  hub.put("a", "1");
  EXPECT_EQ(hub.put("b", std::string(3000, 'x'), {.channel = "map2"}).error, base::Error::memory);
  EXPECT_EQ(hub.put("a", "2").error, base::Error::none);
}

// Who watches, and who comes back, is told.
TEST(Maps, ClearedMapsLeaveAGap) {
  OneHome hub;
  hub.attach({});
  hub.put("a", "1");
  const Position before = hub.read().head;
  EXPECT_EQ(hub.ask<StatePage>(Clear{.channel = "map"}).head.offset, 2U);
  const auto& told = std::get<Delivery>(hub.sent.front());
  EXPECT_EQ(told.first, 3U);
  EXPECT_TRUE(told.messages.empty());
  EXPECT_TRUE(hub.state().empty());
  EXPECT_TRUE(hub.attach({.kind = Since::Kind::position, .position = before}).gap);
  EXPECT_EQ(hub.put("a", "2").position.offset, 3U);
}

TEST(Maps, AWorkerWithoutRoomIsToldOfTheGapLater) {
  OneHome hub;
  hub.attach({});
  hub.put("a", "1");
  hub.room = false;
  hub.ask<StatePage>(Clear{.channel = "map"});
  EXPECT_TRUE(hub.home->has_backlog());
  hub.room = true;
  hub.sent.clear();
  hub.home->pump(hub);
  EXPECT_EQ(std::get<Delivery>(hub.sent.at(0)).first, 3U);
  EXPECT_FALSE(hub.home->has_backlog());
}

TEST(Maps, AChannelWithKeysIsNotPutAway) {
  OneHome hub({.log = {.age_max = 1s}, .map = MapRules{}});
  hub.put("a", "1");
  hub.advance(48h);
  hub.sweep();
  EXPECT_EQ(hub.state(), std::vector<std::string>{"a=1"});
  hub.remove("a");
  const Position head = hub.read().head;
  hub.advance(2min);
  hub.sweep();
  hub.sweep();
  EXPECT_EQ(hub.home->channels(), 0U);
  EXPECT_EQ(hub.read().head, head) << "its tombstone knew";
}

TEST(Maps, ARuleThatMakesAStreamOfAMapForgetsIt) {
  OneHome hub;
  hub.attach({});
  hub.put("a", "1");
  hub.sent.clear();
  hub.rules.map.map.reset();
  hub.change_rules();
  EXPECT_EQ(std::get<Delivery>(hub.sent.at(0)).first, 3U);
  EXPECT_EQ(hub.home->map_keys(), 0U);
  hub.rules.map.map = MapRules{.ordered = true};
  hub.change_rules();
  hub.put("a", "1", {.score = 1});
  hub.put("b", "1", {.score = 2});
  EXPECT_EQ(hub.state(), (std::vector<std::string>{"b=1", "a=1"}));
}

}  // namespace
}  // namespace hub
