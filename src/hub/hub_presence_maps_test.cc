// Maps that a home keeps of who is a member: by client, by user.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "hub/home.h"

namespace hub {
namespace {

using namespace std::chrono_literals;

class KeptRules final : public Rules {
 public:
  const ChannelRules* rules_of(std::string_view channel) const override {
    return channel.starts_with("clients") ? &clients : channel.starts_with("users") ? &users : &stream;
  }
  ChannelRules clients{.map = MapRules{.type = SubscriptionType::map_clients}};
  ChannelRules users{.map = MapRules{.type = SubscriptionType::map_users}};
  ChannelRules stream;
};

class OneHome final : public Post {
 public:
  OneHome() { home = std::make_unique<Home>(1, HomeOptions{}, rules, entropy_, 99); }

  bool has_room(base::WorkerId) override { return true; }
  void send(base::WorkerId, Mail mail) override { sent.push_back(std::move(mail)); }
  void say(Mail mail) {
    sent.clear();
    home->receive(0, std::move(mail), {base::Instant(1h), {1000}}, *this);
  }

  void enter(const std::string& channel, std::uint32_t member, std::string_view client, std::string_view user) {
    ClientIdentity identity;
    identity.client = base::SharedBytes::copy(client);
    identity.user = base::SharedBytes::copy(user);
    say(Enter{.request = 1, .channel = base::SharedBytes::copy(channel), .member = {member, 1}, .identity = identity});
    EXPECT_TRUE(std::holds_alternative<Entered>(sent.front()));
  }
  void leave(std::uint32_t member) { say(Leave{{member, 1}}); }

  std::vector<std::string> keys(const std::string& channel) {
    say(ReadState{.request = 2, .channel = channel, .entries_max = 100});
    std::vector<std::string> keys;
    for (const MessageRef& entry : std::get<StatePage>(sent.front()).entries) keys.push_back(entry->extras()->key);
    return keys;
  }
  // What the last mail told those who watch: "+key" and "-key".
  std::vector<std::string> told() const {
    std::vector<std::string> changes;
    for (const Mail& mail : sent) {
      const auto* delivery = std::get_if<Delivery>(&mail);
      if (delivery == nullptr) continue;
      for (const MessageRef& each : delivery->messages) {
        changes.push_back((each->extras()->removed ? "-" : "+") + each->extras()->key);
      }
    }
    return changes;
  }
  void watch(const std::string& channel) { say(Attach{.request = 3, .channel = base::SharedBytes::copy(channel)}); }

  KeptRules rules;
  std::unique_ptr<Home> home;
  std::vector<Mail> sent;

 private:
  base::SeededEntropy entropy_{7};
};

using Keys = std::vector<std::string>;

TEST(PresenceMaps, ByClientEachConnectionHasAKey) {
  OneHome one;
  one.watch("clients:a");
  one.enter("clients:a", 1, "c1", "ann");
  EXPECT_EQ(one.told(), Keys{"+c1"});
  one.enter("clients:a", 2, "c2", "ann");
  EXPECT_EQ(one.told(), Keys{"+c2"});
  EXPECT_EQ(one.keys("clients:a"), (Keys{"c1", "c2"}));
  EXPECT_EQ(std::get<StatePage>(one.sent.front()).entries.front()->extras()->publisher.user.view(), "ann");
  one.leave(1);
  EXPECT_EQ(one.told(), Keys{"-c1"});
  EXPECT_EQ(one.keys("clients:a"), Keys{"c2"});
}

TEST(PresenceMaps, ByUserTheFirstComesAndTheLastGoes) {
  OneHome one;
  one.watch("users:a");
  one.enter("users:a", 1, "c1", "ann");
  EXPECT_EQ(one.told(), Keys{"+ann"});
  one.enter("users:a", 2, "c2", "ann");
  EXPECT_EQ(one.told(), Keys{});
  one.enter("users:a", 3, "c3", "bob");
  one.leave(1);
  EXPECT_EQ(one.told(), Keys{});
  EXPECT_EQ(one.keys("users:a"), (Keys{"ann", "bob"}));
  one.leave(2);
  EXPECT_EQ(one.told(), Keys{"-ann"});
  EXPECT_EQ(one.keys("users:a"), Keys{"bob"});
}

TEST(PresenceMaps, WhoIsThereAlreadyDoesNotComeAgain) {
  OneHome one;
  one.watch("clients:a");
  one.enter("clients:a", 1, "c1", "ann");
  one.enter("clients:a", 1, "c1", "ann");
  EXPECT_EQ(one.told(), Keys{});
  one.leave(1);
  one.leave(1);
  EXPECT_EQ(one.told(), Keys{});
  EXPECT_EQ(one.keys("clients:a"), Keys{});
}

TEST(PresenceMaps, WithoutANameThereIsNoKey) {
  OneHome one;
  one.enter("users:a", 1, "c1", "");
  one.enter("clients:a", 2, "", "ann");
  one.enter("users:a", 3, "c3", std::string(kMessageKeyBytesMax + 1, 'x'));
  EXPECT_EQ(one.keys("users:a"), Keys{});
  EXPECT_EQ(one.keys("clients:a"), Keys{});
  for (const std::uint32_t member : {1U, 2U, 3U}) one.leave(member);
}

TEST(PresenceMaps, WhoDidNotFitTakesNobodyElsesKeyAway) {
  OneHome one;
  one.rules.clients.map->keys_max = 1;
  one.enter("clients:a", 1, "c1", "ann");
  one.enter("clients:a", 2, "c2", "bob");
  EXPECT_EQ(one.keys("clients:a"), Keys{"c1"});
  one.leave(2);
  EXPECT_EQ(one.keys("clients:a"), Keys{"c1"});
  one.leave(1);
  EXPECT_EQ(one.keys("clients:a"), Keys{});
}

TEST(PresenceMaps, AMapThatWasClearedIsLeftQuietly) {
  OneHome one;
  one.enter("clients:a", 1, "c1", "ann");
  one.say(Clear{.request = 4, .channel = "clients:a"});
  one.leave(1);
  EXPECT_EQ(one.keys("clients:a"), Keys{});
}

TEST(PresenceMaps, OfAStreamThereIsNone) {
  OneHome one;
  one.enter("news", 1, "c1", "ann");
  one.say(Who{.request = 5, .channel = "news", .members_max = 10});
  EXPECT_EQ(std::get<Present>(one.sent.front()).clients, 1U);
  one.leave(1);
}

}  // namespace
}  // namespace hub
