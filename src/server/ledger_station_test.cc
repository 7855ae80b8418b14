// The stations of the ledger and of its reader with a home, the real ledger and a disk in memory, over rings of any
// size; all in one thread.
#include "server/ledger_station.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "server/reader_station.h"
#include "server/retention.h"
#include "server/test_outside.h"
#include "sim/disk.h"

namespace server {
namespace {

using namespace std::chrono_literals;

class NoWakeup final : public loop::Wakeup {
 public:
  bool wake() override { return false; }
};

class Lines final : public Log {
 public:
  bool wants(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class Durable final : public hub::Rules {
 public:
  const hub::ChannelRules* rules_of(std::string_view) const override { return &rules; }
  hub::ChannelRules rules{.durable = true};
};

SnapshotRef durable_snapshot() {
  NamespaceOptions all;
  all.durable = true;
  auto made = Snapshot::make({.namespaces = {all}}, 1, loop::TicketKeys{});
  EXPECT_TRUE(made) << made.error();
  return *made;
}

// One worker, of which there is only the home and the mail.
class Process {
 public:
  Process(sim::Disk& disk, MailboxSize size, store::LedgerOptions options = {})
      : mailboxes(3, size), wakeups{&wakeup, &wakeup, &wakeup}, home(1, {}, rules, entropy, 5) {
    options.reserve_bytes = 0;
    options.cache_bytes = 1 << 20;
    auto opened = store::Ledger::open(disk, entropy, options, std::make_shared<NamespaceRetention>(snapshot));
    EXPECT_TRUE(opened) << opened.error();
    ledger = *std::move(opened);
    reader = *ledger->new_reader();
    ledger_station = std::make_unique<LedgerStation>(shared, *ledger, mailboxes, wakeups);
    reader_station = std::make_unique<ReaderStation>(1, *reader, mailboxes, wakeups);
  }

  void publish(const std::string& text, std::optional<std::uint64_t> key = {}) {
    hub::Publish publish{.request = ++asked, .channel = "a"};
    publish.message = std::make_unique<hub::Message>(hub::Kind::text, text, now.instant);
    if (key) publish.idempotency_key = base::Hash128{*key, *key};
    if (key) publish.content = base::hash128(text, 1);
    post.send(0, std::move(publish));
  }
  void turn() {
    for (base::WorkerId from = 0; from < 3; ++from) {
      post.take(from, 100, [&](hub::Mail mail) {
        if (auto* const published = std::get_if<hub::Published>(&mail)) {
          answers.push_back(*published);
        } else if (auto* const page = std::get_if<hub::Page>(&mail)) {
          pages.push_back(std::move(*page));
        } else {
          home.receive(from, std::move(mail), now, post);
        }
      });
    }
    ledger_station->turn(now);
    reader_station->turn(now);
    now.instant += 1ms;
    now.wall.ms += 1;
  }
  void run_until_answered() {
    for (int turns = 0; turns < 10'000 && answers.size() < asked; ++turns) turn();
    ASSERT_EQ(answers.size(), asked);
  }
  hub::Loaded load(const hub::Since& since, std::uint32_t messages_max = 100) {
    return server::load(*reader, {.channel = "a", .since = since, .messages_max = messages_max, .bytes_max = 1 << 20},
                        now);
  }

  base::SeededEntropy entropy{3};
  hub::Now now{base::Instant{} + 1h, {1'763'640'000'000}};
  SnapshotRef snapshot = durable_snapshot();
  Lines log;
  Shared shared{snapshot, 1, 5, base::Instant{}, log};
  Durable rules;
  NoWakeup wakeup;
  Mailboxes mailboxes;
  std::array<loop::Wakeup*, 3> wakeups;
  PostOffice post{0, mailboxes, wakeups};
  hub::Home home;
  std::unique_ptr<store::Ledger> ledger;
  std::unique_ptr<store::Reader> reader;
  std::unique_ptr<LedgerStation> ledger_station;
  std::unique_ptr<ReaderStation> reader_station;
  hub::RequestId asked = 0;
  std::vector<hub::Published> answers;
  std::vector<hub::Page> pages;
};

std::string text_of(const hub::Loaded& loaded) {
  std::string text = std::to_string(loaded.start) + ".." + std::to_string(loaded.end) + ":";
  for (const hub::MessageRef& each : loaded.messages) text += " " + std::string(each->payload());
  if (loaded.gap) {
    text += " gap " + std::to_string(loaded.gap->from) + ".." + std::to_string(loaded.gap->to) + " " +
            std::to_string(static_cast<int>(loaded.gap->reason));
  }
  return text;
}

TEST(LedgerStation, WhatWasAnsweredSurvivesAPowerCutWithRingsOfOne) {
  sim::Disk disk(1);
  hub::Epoch epoch;
  {
    Process process(disk, {.credits = 1, .consequences = 1});
    for (int i = 1; i <= 50; ++i) process.publish(std::to_string(i));
    process.run_until_answered();
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(process.answers[i].error, base::Error::none);
      EXPECT_EQ(process.answers[i].level, hub::Level::durable);
      EXPECT_EQ(process.answers[i].position.offset, i + 1);
    }
    epoch = process.answers.front().position.epoch;
    disk.cut_power();
    process.ledger_station.reset();
    process.reader_station.reset();
    process.reader.reset();
    auto after = disk.copy(2);
    process.ledger.reset();
    Process again(*after, {.credits = 1, .consequences = 1});
    const hub::Loaded all = again.load({.kind = hub::Since::Kind::position, .position = {epoch, 0}});
    EXPECT_EQ(all.head, (hub::Position{epoch, 50}));
    ASSERT_EQ(all.messages.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(all.messages[i]->payload(), std::to_string(i + 1));
  }
}

TEST(LedgerStation, AFullQueueOfTheLedgerOnlyTakesLonger) {
  sim::Disk disk(1);
  Process process(disk, {.credits = 64, .consequences = 64}, {.queue_commands_max = 2});
  for (int i = 1; i <= 40; ++i) process.publish(std::to_string(i));
  process.run_until_answered();
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(process.answers[i].request, i + 1);
    EXPECT_EQ(process.answers[i].position.offset, i + 1);
  }
}

TEST(LedgerStation, AFailedSyncIsUnknownThenStorage) {
  sim::Disk disk(1);
  Process process(disk, {});
  process.publish("kept");
  process.run_until_answered();
  EXPECT_EQ(process.shared.storage.state, StorageState::open);
  disk.fail_next_sync();
  process.publish("unknown", 1);
  process.run_until_answered();
  EXPECT_EQ(process.answers.back().error, base::Error::outcome_unknown);
  process.publish("refused");
  process.run_until_answered();
  EXPECT_EQ(process.answers.back().error, base::Error::storage);
  EXPECT_EQ(process.shared.storage.state, StorageState::failed);
  EXPECT_EQ(std::ranges::count(process.log.lines, "storage_failed"), 1);
  EXPECT_EQ(process.load({.kind = hub::Since::Kind::last, .count = 1}).messages.front()->payload(), "kept");
}

TEST(LedgerStation, AFullDiskTakesNothingUntilThereIsRoom) {
  sim::Disk disk(1);
  Process process(disk, {});
  process.publish("one");
  process.run_until_answered();
  disk.set_capacity(disk.used());
  const std::string large(100'000, 'x');
  process.publish(large);
  process.run_until_answered();
  EXPECT_EQ(process.answers.back().error, base::Error::disk_full);
  EXPECT_EQ(process.shared.storage.state, StorageState::full);
  disk.set_capacity(1ULL << 40);
  process.now.instant += 2s;
  process.turn();
  process.publish(large);
  process.run_until_answered();
  EXPECT_EQ(process.answers.back().error, base::Error::none);
  EXPECT_EQ(process.shared.storage.state, StorageState::open);
}

TEST(LedgerStation, ARepeatHasTheAnswerOfTheFirstTime) {
  sim::Disk disk(1);
  Process process(disk, {});
  process.publish("pay", 1);
  process.publish("pay", 1);
  process.publish("pay more", 1);
  process.run_until_answered();
  EXPECT_EQ(process.answers[1].position, process.answers[0].position);
  EXPECT_EQ(process.answers[2].error, base::Error::conflict);
  EXPECT_EQ(process.load({.kind = hub::Since::Kind::last, .count = 9}).head.offset, 1U);
}

TEST(ReaderStation, AnswersAsALogDoes) {
  sim::Disk disk(1);
  Process process(disk, {});
  using Kind = hub::Since::Kind;
  EXPECT_EQ(process.load({.kind = Kind::last, .count = 3}).head.epoch, hub::Epoch{});
  std::vector<base::WallTime> times;
  for (int i = 1; i <= 9; ++i) {
    process.publish(std::to_string(i));
    process.run_until_answered();
    times.push_back(process.answers.back().time);
  }
  const hub::Epoch epoch = process.answers.back().position.epoch;
  const auto behind = [&](hub::Offset offset) {
    return hub::Since{.kind = Kind::position, .position = {epoch, offset}};
  };
  EXPECT_EQ(text_of(process.load({.kind = Kind::last, .count = 3})), "6..9: 7 8 9");
  EXPECT_EQ(text_of(process.load({.kind = Kind::last, .count = 5}, 2)), "4..6: 5 6") << "the first page of five";
  EXPECT_EQ(text_of(process.load(behind(4), 3)), "4..7: 5 6 7");
  EXPECT_EQ(text_of(process.load(behind(9))), "9..9:");
  EXPECT_EQ(text_of(process.load(behind(12))), "9..9: gap 10..9 2");
  EXPECT_EQ(text_of(process.load({.kind = Kind::position, .position = {hub::Epoch{}, 4}})), "9..9: gap 1..9 1");
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto found = process.load({.kind = Kind::time, .time = times[i]});
    EXPECT_EQ(found.start, i) << "the first of that time";
    EXPECT_FALSE(found.gap);
  }
  EXPECT_EQ(process.load({.kind = Kind::time, .time = {times.back().ms + 1}}).start, 9U);
  process.post.send(0, hub::Remove{.request = 1, .channel = "a"});
  while (process.pages.empty()) process.turn();
  EXPECT_EQ(process.pages.front().head.offset, 9U);
  process.publish("10");
  process.run_until_answered();
  EXPECT_EQ(text_of(process.load(behind(4))), "10..10: gap 5..10 0") << "what is missed is not all there";
  EXPECT_EQ(text_of(process.load({.kind = Kind::last, .count = 5})), "9..10: 10");
  EXPECT_EQ(text_of(process.load({.kind = Kind::time, .time = times[2]})), "9..10: 10 gap 1..9 0");
}

TEST(ReaderStation, WindowsGoBothWays) {
  sim::Disk disk(1);
  Process process(disk, {});
  for (int i = 1; i <= 5; ++i) process.publish(std::to_string(i));
  process.run_until_answered();
  const hub::Epoch epoch = process.answers.back().position.epoch;
  const auto shown = [&](const hub::Window& window) {
    hub::Load load{.channel = "a", .bytes_max = 1 << 20, .window = window};
    const hub::Loaded loaded = server::load(*process.reader, load, process.now);
    std::string text;
    for (const hub::MessageRef& each : loaded.window->messages) text += each->payload();
    if (loaded.window->status == hub::WindowView::Status::unrecoverable) text += '!';
    return text + (loaded.window->more ? "+" : "");
  };
  using Order = hub::Window::Order;
  EXPECT_EQ(shown({.messages_max = 3}), "123+");
  EXPECT_EQ(shown({.order = Order::newest_first, .messages_max = 3}), "543+");
  EXPECT_EQ(shown({.since = hub::Position{epoch, 3}, .messages_max = 9}), "45");
  EXPECT_EQ(shown({.order = Order::newest_first, .since = hub::Position{epoch, 3}, .messages_max = 9}), "21");
  EXPECT_EQ(shown({.order = Order::newest_first, .since = hub::Position{epoch, 1}, .messages_max = 9}), "");
  EXPECT_EQ(shown({.since = hub::Position{epoch, 6}, .messages_max = 9}), "!");
  EXPECT_EQ(shown({.messages_max = 0}), "");
}

}  // namespace
}  // namespace server
