#include "hub/wildcard.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/entropy.h"
#include "hub/home.h"
#include "hub/limits.h"

namespace hub {
namespace {

using namespace std::chrono_literals;

TEST(Wildcard, OnlyAWholePartIsAStar) {
  for (const char* name : {"*", "**", "news.*", "*.news", "a.*.b", "chat:*", "a.b:**", "*:*", "a.*."}) {
    EXPECT_TRUE(is_wildcard(name)) << name;
  }
  for (const char* name : {"", "news", "news*", "*news", "a.b*.c", "**.a", "***", "a/*", "news.", "a.*b"}) {
    EXPECT_FALSE(is_wildcard(name)) << name;
  }
}

TEST(Wildcard, Matches) {
  struct Row {
    const char* wildcard;
    std::vector<const char*> in;
    std::vector<const char*> out;
  };
  const std::vector<Row> rows = {
      {"news.*",
       {"news.a", "news.a*b", "news./", "news.*"},
       {"news", "news.", "news.a.b", "news.a:b", "news:a", "new.a", "*.a"}},
      {"news.**", {"news.a", "news.a.b", "news.a:b.", "news.**"}, {"news", "news.", "news..a", "news:a", "news.*"}},
      {"*", {"news", "a/b"}, {"", "a.b", "a:b", "**"}},
      {"**", {"news", "a.b:c"}, {"", ".a", "*"}},
      {"chat:*", {"chat:7"}, {"chat.7", "chat:7.typing", "chat:"}},
      {"a.*.c", {"a.b.c"}, {"a.c", "a..c", "a.b.d", "a.b.c.d", "a.b:c"}},
      {"*.*", {"a.b"}, {"a", "a.b.c", "a:b"}},
  };
  for (const Row& row : rows) {
    for (const char* name : row.in) EXPECT_TRUE(matches_wildcard(row.wildcard, name)) << row.wildcard << ' ' << name;
    for (const char* name : row.out) EXPECT_FALSE(matches_wildcard(row.wildcard, name)) << row.wildcard << ' ' << name;
  }
}

TEST(Wildcard, FeedsNameTheirHome) {
  for (const int number : {0, 1, 15, 16, 255, 1023, 65535}) {
    const auto home = static_cast<base::WorkerId>(number);
    const std::string feed = wildcard_feed("news.*", home);
    EXPECT_TRUE(is_wildcard_feed(feed));
    EXPECT_EQ(home_of_feed(feed), home);
    EXPECT_EQ(wildcard_of(feed), "news.*");
    EXPECT_EQ(home_of(feed, 1024, 7), home);
    EXPECT_FALSE(List{.prefix = {}}.asks_for(feed));
  }
  EXPECT_EQ(wildcard_of("news"), "news");
}

// One home, whose worker 0 publishes and watches.
class OneHome : public Post, public Rules {
 public:
  bool has_room(base::WorkerId) override { return room; }
  void send(base::WorkerId, Mail mail) override {
    if (const auto* delivery = std::get_if<Delivery>(&mail)) {
      for (const MessageRef& each : delivery->messages) {
        const Extras* extras = each->extras();
        const bool fed = extras != nullptr && !extras->channel.empty();
        seen.push_back(std::to_string(delivery->local.slot) + ' ' +
                       std::string(fed ? extras->channel.view() : std::string_view("-")) + ' ' +
                       std::string(each->payload()));
      }
    }
    if (const auto* page = std::get_if<Page>(&mail)) answered = page->error;
  }
  const ChannelRules* rules_of(std::string_view) const override { return &rules; }

  void publish(const std::string& channel, const std::string& payload, std::uint64_t version = 0) {
    Publish publish;
    publish.channel = channel;
    publish.message = std::make_unique<Message>(Kind::text, payload, now.instant);
    publish.version = version;
    home.receive(0, std::move(publish), now, *this);
  }
  base::Error watch(std::uint32_t slot, const std::string& name) {
    home.receive(0, Attach{.request = 1, .channel = base::SharedBytes::copy(name), .local = {slot, 1}}, now, *this);
    return answered;
  }
  void leave(std::uint32_t slot, const std::string& name) {
    home.receive(0, Detach{base::SharedBytes::copy(name), {slot, 1}, {}}, now, *this);
  }
  std::vector<std::string> take() { return std::exchange(seen, {}); }
  void idle() {
    now.instant += 2min;
    for (int i = 0; i < 10; ++i) home.sweep(now, *this);
  }

  using Lines = std::vector<std::string>;
  bool room = true;
  base::Error answered = base::Error::none;
  Lines seen;
  base::SeededEntropy entropy{1};
  Now now{base::Instant{} + 1h, {1'000'000}};
  ChannelRules rules;
  Home home{1, {}, *this, entropy, 99};
};

const std::string kNews = wildcard_feed("news.*", 0);

TEST(WildcardHome, AFeedGetsWhatItsWildcardMatches) {
  OneHome home;
  home.publish("news.a", "before");
  home.watch(1, kNews);
  home.watch(2, wildcard_feed("**", 0));
  home.watch(3, "news.a");
  home.publish("news.a", "1");
  home.publish("other", "2");
  home.publish("news.b", "3");
  EXPECT_EQ(home.take(),
            (OneHome::Lines{"1 news.a 1", "2 news.a 1", "3 - 1", "2 other 2", "1 news.b 3", "2 news.b 3"}));
  EXPECT_EQ(home.home.channels(), 3U);  // feeds are none
}

TEST(WildcardHome, WhatIsSuppressedIsNotFed) {
  OneHome home;
  home.watch(1, kNews);
  home.publish("news.a", "new", 7);
  home.publish("news.a", "old", 6);
  EXPECT_EQ(home.take(), OneHome::Lines{"1 news.a new"});
}

TEST(WildcardHome, WhoIsHeldBackIsNotWaitedFor) {
  OneHome home;
  home.rules.max_delay = 1s;
  home.watch(1, kNews);
  home.watch(2, "news.a");
  home.publish("news.a", "1");
  EXPECT_EQ(home.take(), OneHome::Lines{"1 news.a 1"});
  home.now.instant += 1s;
  home.home.release_due(home.now.instant, home);
  EXPECT_EQ(home.take(), OneHome::Lines{"2 - 1"});
}

TEST(WildcardHome, WhoIsBehindGetsItOnceThereIsRoom) {
  OneHome home;
  home.watch(1, kNews);
  home.room = false;
  home.publish("news.a", "1");
  home.publish("news.b", "2");
  EXPECT_TRUE(home.home.has_backlog());
  EXPECT_EQ(home.take(), OneHome::Lines{});
  home.room = true;
  home.home.pump(home);
  EXPECT_EQ(home.take(), (OneHome::Lines{"1 news.a 1", "1 news.b 2"}));
  EXPECT_FALSE(home.home.has_backlog());
}

TEST(WildcardHome, AFeedThatNobodyWatchesIsForgotten) {
  OneHome home;
  home.watch(1, kNews);
  home.publish("news.a", "1");
  home.leave(1, kNews);
  home.publish("news.a", "2");
  home.idle();
  home.publish("news.a", "3");
  EXPECT_EQ(home.take(), OneHome::Lines{"1 news.a 1"});
  EXPECT_EQ(home.home.tombstones(), 0U);
  // Its place may be another channel's now, or another wildcard's.
  home.watch(4, wildcard_feed("other.*", 0));
  home.watch(5, kNews);
  home.publish("news.a", "4");
  EXPECT_EQ(home.take(), OneHome::Lines{"5 news.a 4"});
}

TEST(WildcardHome, ThereIsAMostOfThem) {
  OneHome home;
  for (std::size_t i = 0; i < kWildcardsMax; ++i) {
    EXPECT_EQ(home.watch(1, wildcard_feed(std::to_string(i) + ".*", 0)), base::Error::none);
  }
  EXPECT_EQ(home.watch(1, kNews), base::Error::memory);
  EXPECT_EQ(home.watch(1, wildcard_feed("7.*", 0)), base::Error::none);
  EXPECT_EQ(home.watch(1, "news.a"), base::Error::none);
}

}  // namespace
}  // namespace hub
