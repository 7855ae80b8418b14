// What one home answers about the past, and to publishes that ask for more than to be published.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/entropy.h"
#include "hub/home.h"

namespace hub {
namespace {

using namespace std::chrono_literals;

class OneHome : public Post, public Rules {
 public:
  explicit OneHome(ChannelRules rules = {}) : rules_(rules) {}
  bool has_room(base::WorkerId) override { return true; }
  void send(base::WorkerId, Mail mail) override { sent_.push_back(std::move(mail)); }
  const ChannelRules* rules_of(std::string_view) const override { return &rules_; }

  template <class Answer>
  Answer ask(Mail mail) {
    sent_.clear();
    home.receive(0, std::move(mail), now, *this);
    return std::get<Answer>(std::move(sent_.at(0)));
  }
  Published publish(const std::string& channel, const std::string& payload, std::uint64_t version = 0,
                    const std::string& epoch = {}, bool transient = false) {
    Publish publish;
    publish.channel = channel;
    publish.message = std::make_unique<Message>(Kind::text, payload, now.instant);
    if (transient) publish.message->set(Mark::transient);
    publish.version = version;
    publish.version_epoch = epoch;
    return ask<Published>(std::move(publish));
  }
  Page read(const Window& window, const std::string& channel = "news") {
    return ask<Page>(Read{.request = 1, .channel = channel, .since = {}, .messages_max = 0, .window = window});
  }
  // The payloads, and `+` if there is more; `!` if there is no such position.
  std::string shown(const Window& window) {
    const Page page = read(window);
    if (page.window->status == WindowView::Status::unrecoverable) return "!";
    std::string text;
    for (const MessageRef& each : page.window->messages) text += std::string(each->payload()) + " ";
    return text + (page.window->more ? "+" : "");
  }

  base::SeededEntropy entropy{1};
  Now now{base::Instant{} + 1h, {1'000'000}};
  ChannelRules rules_;
  Home home{1, {}, *this, entropy, 99};
  std::vector<Mail> sent_;
};

Epoch other_epoch() { return parse_position("zzzzzzzz:1")->epoch; }

TEST(Window, Forwards) {
  OneHome home({.log = {.messages_max = 4}});
  EXPECT_EQ(home.shown({.messages_max = 10}), "");
  for (int i = 1; i <= 6; ++i) home.publish("news", std::to_string(i));
  const Epoch epoch = home.read({}).head.epoch;
  EXPECT_EQ(home.read({}).head.offset, 6U);
  EXPECT_EQ(home.shown({}), "") << "only where it stands";
  EXPECT_EQ(home.shown({.messages_max = 2}), "3 4 +") << "what is held begins with 3";
  EXPECT_EQ(home.shown({.messages_max = 4}), "3 4 5 6 ");
  EXPECT_EQ(home.shown({.since = Position{epoch, 4}, .messages_max = 10}), "5 6 ");
  EXPECT_EQ(home.shown({.since = Position{{}, 4}, .messages_max = 1}), "5 +") << "any epoch";
  EXPECT_EQ(home.shown({.since = Position{epoch, 0}, .messages_max = 10}), "3 4 5 6 ") << "what is left of it";
  EXPECT_EQ(home.shown({.since = Position{epoch, 6}, .messages_max = 10}), "");
  EXPECT_EQ(home.shown({.since = Position{epoch, 7}, .messages_max = 10}), "!");
  EXPECT_EQ(home.shown({.since = Position{epoch, UINT64_MAX}, .messages_max = 10}), "!");
  EXPECT_EQ(home.shown({.since = Position{other_epoch(), 4}, .messages_max = 10}), "!");
}

TEST(Window, Backwards) {
  OneHome home({.log = {.messages_max = 4}});
  const auto back = [](std::optional<Position> since, std::uint32_t max) {
    return Window{.order = Window::Order::newest_first, .since = since, .messages_max = max};
  };
  EXPECT_EQ(home.shown(back({}, 10)), "");
  for (int i = 1; i <= 6; ++i) home.publish("news", std::to_string(i));
  const Epoch epoch = home.read({}).head.epoch;
  EXPECT_EQ(home.shown(back({}, 2)), "6 5 +");
  EXPECT_EQ(home.shown(back({}, 4)), "6 5 4 3 ");
  EXPECT_EQ(home.shown(back(Position{epoch, 5}, 10)), "4 3 ");
  EXPECT_EQ(home.shown(back(Position{{}, 5}, 1)), "4 +");
  EXPECT_EQ(home.shown(back(Position{epoch, 2}, 10)), "");
  EXPECT_EQ(home.shown(back(Position{epoch, 0}, 10)), "");
  EXPECT_EQ(home.shown(back(Position{epoch, 7}, 10)), "!");
  EXPECT_EQ(home.shown(back(Position{other_epoch(), 5}, 10)), "!");
}

TEST(Window, LeavesTransientMessagesOutAndCountsOnlyWhatItShows) {
  OneHome home({.log = {.messages_max = 2}});
  home.publish("news", "1");
  home.publish("news", "2");
  for (int i = 3; i <= 3000; ++i) home.publish("news", "t", 0, {}, true);
  EXPECT_EQ(home.shown({.messages_max = 2}), "") << "beyond the limit of transient messages the oldest go";
  home.publish("news", "3001");
  home.publish("news", "t", 0, {}, true);
  home.publish("news", "3003");
  EXPECT_EQ(home.shown({.messages_max = 2}), "3001 3003 ");
  EXPECT_EQ(home.shown({.order = Window::Order::newest_first, .messages_max = 1}), "3003 +");
  EXPECT_LE(home.home.log_bytes(), 1200U * 200);
}

TEST(Window, EndsBeforeItIsTooLong) {
  OneHome home({.log = {.bytes_max = 64 << 20}});
  for (int i = 0; i < 5; ++i) home.publish("news", std::string(kWindowBytesMax / 2, 'x'));
  EXPECT_EQ(home.read({.messages_max = 10}).window->messages.size(), 2U);
  EXPECT_TRUE(home.read({.messages_max = 10}).window->more);
}

TEST(Window, OfABuriedChannelIsEmptyAndKnowsWhereItStood) {
  OneHome home({.log = {.age_max = 1s}});
  home.publish("news", "1");
  const Epoch epoch = home.read({}).head.epoch;
  home.now.instant += 62s;
  home.home.sweep(home.now, home);
  home.now.instant += 62s;
  home.home.sweep(home.now, home);
  ASSERT_EQ(home.home.channels(), 0U);
  EXPECT_EQ(home.read({.messages_max = 10}).head, (Position{epoch, 1}));
  EXPECT_EQ(home.shown({.since = Position{epoch, 1}, .messages_max = 10}), "");
  EXPECT_EQ(home.shown({.since = Position{epoch, 2}, .messages_max = 10}), "!");
}

TEST(Remove, ForgetsMessagesButNotThePosition) {
  OneHome home({.last_value = true});
  for (int i = 1; i <= 3; ++i) home.publish("news", std::to_string(i));
  const Position head = home.read({}).head;
  const Page removed = home.ask<Page>(Remove{.request = 7, .channel = "news"});
  EXPECT_EQ(removed.request, 7U);
  EXPECT_EQ(removed.state, Page::State::read_only);
  EXPECT_EQ(removed.head, head);
  EXPECT_EQ(removed.first_held, 4U);
  EXPECT_EQ(home.home.log_bytes(), 0U);
  EXPECT_EQ(home.shown({.messages_max = 10}), "");
  const Page last = home.ask<Page>(
      Read{.channel = "news", .since = {.kind = Since::Kind::last, .count = 1}, .messages_max = 1, .window = {}});
  EXPECT_TRUE(last.messages.empty()) << "the last value went too";
  const Page behind = home.ask<Page>(Read{.channel = "news",
                                          .since = {.kind = Since::Kind::position, .position = {head.epoch, 1}},
                                          .messages_max = 9,
                                          .window = {}});
  EXPECT_EQ(behind.gap, (Gap{2, 3, GapReason::expired})) << "who missed them is told";
  EXPECT_EQ(home.publish("news", "4").position.offset, 4U);
  EXPECT_EQ(home.ask<Page>(Remove{.request = 8, .channel = "unknown"}).head.offset, 0U);
  EXPECT_EQ(home.home.channels(), 1U) << "asking makes no channel";
}

TEST(Version, OlderOnesAreSuppressed) {
  OneHome home;
  EXPECT_EQ(home.publish("doc", "v5", 5, "a").suppressed, Suppression::none);
  const Published again = home.publish("doc", "v5", 5, "a");
  EXPECT_EQ(again.suppressed, Suppression::version);
  EXPECT_EQ(again.position.offset, 1U);
  EXPECT_EQ(again.error, base::Error::none);
  EXPECT_EQ(home.publish("doc", "v4", 4, "a").suppressed, Suppression::version);
  EXPECT_EQ(home.publish("doc", "v6", 6, "a").suppressed, Suppression::none);
  EXPECT_EQ(home.publish("doc", "other epoch", 1, "b").suppressed, Suppression::none);
  EXPECT_EQ(home.publish("doc", "not counted").suppressed, Suppression::none);
  EXPECT_EQ(home.publish("doc", "v1", 1, "b").suppressed, Suppression::version);
  EXPECT_EQ(home.publish("doc", "no epoch", 1).suppressed, Suppression::none);
  EXPECT_EQ(home.read({}, "doc").head.offset, 5U);
  EXPECT_EQ(home.publish("another", "v1", 1, "a").suppressed, Suppression::none);
}

TEST(List, TheFirstByNameThatMatch) {
  OneHome home;
  for (const char* name : {"c", "chat:2", "chat:10", "a", "chat:1", "b"}) home.publish(name, "x");
  const auto names = [&](List list) {
    std::string text;
    for (const ChannelSummary& each : home.home.list(list).channels) text += each.channel + " ";
    return text;
  };
  EXPECT_EQ(names({.channels_max = 100}), "a b c chat:1 chat:10 chat:2 ");
  EXPECT_EQ(names({.channels_max = 2}), "a b ");
  EXPECT_EQ(names({.channels_max = 2, .after = "b"}), "c chat:1 ");
  EXPECT_EQ(names({.prefix = "chat:", .channels_max = 2, .after = "chat:1"}), "chat:10 chat:2 ");
  EXPECT_EQ(names({.channels_max = 100, .pattern = "chat:?"}), "chat:1 chat:2 ");
  EXPECT_EQ(names({.channels_max = 100, .after = "zzz"}), "");
  EXPECT_EQ(names({.channels_max = 0}), "");
  EXPECT_EQ(home.home.list({.channels_max = 1}).channels_total, 6U);
}

}  // namespace
}  // namespace hub
