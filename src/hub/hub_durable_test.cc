// Durable channels at one home, with a model of the ledger and of its reader, whose answers come through two rings in
// any order between them: who watches gets everything once, in order, whenever it comes and goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "base/entropy.h"
#include "hub/home.h"

namespace hub {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kWorkers = 3;
constexpr base::WorkerId kLedger = kWorkers;
constexpr base::WorkerId kReader = kWorkers + 1;
constexpr std::string_view kChannel = "orders";

struct Watcher {
  enum class State : std::uint8_t { away, asking, attached } state = State::away;
  std::uint32_t generation = 0;
  Offset next = 1;
  std::vector<std::string> got;
};

class World : public Post, public Rules {
 public:
  World(std::uint64_t seed, ChannelRules rules) : entropy(seed), rules_(rules), home{kWorkers, {}, *this, entropy, 7} {
    rules_.durable = true;
  }
  bool has_room(base::WorkerId) override { return always_room || entropy.below(4) != 0; }
  void send(base::WorkerId to, Mail mail) override {
    if (to == kLedger) {
      ledger.push_back(std::get<Sequence>(std::move(mail)));
    } else if (to == kReader) {
      reader.push_back(std::get<Load>(std::move(mail)));
    } else {
      to_workers[to].push_back(std::move(mail));
    }
  }
  const ChannelRules* rules_of(std::string_view) const override { return &rules_; }

  void publish() {
    Publish publish{.request = ++published, .channel = std::string(kChannel)};
    publish.message = std::make_unique<Message>(Kind::text, std::to_string(published), now.instant);
    home.receive(0, std::move(publish), now, *this);
  }
  void attach(base::WorkerId worker) {
    Watcher& watcher = watchers[worker];
    watcher.state = Watcher::State::asking;
    Attach attach{.request = worker, .channel = base::SharedBytes::copy(kChannel), .local = local(worker)};
    attach.since = {.kind = Since::Kind::position, .position = {epoch, watcher.next - 1}};
    attach.since.any_epoch = watcher.next == 1;
    home.receive(worker, std::move(attach), now, *this);
  }
  void detach(base::WorkerId worker) {
    home.receive(worker, Detach{.channel = base::SharedBytes::copy(kChannel), .local = local(worker)}, now, *this);
    watchers[worker].state = Watcher::State::away;
    ++watchers[worker].generation;
  }
  LocalChannelId local(base::WorkerId worker) const { return {worker, watchers[worker].generation}; }

  void ledger_turn() {
    if (ledger.empty()) return;
    Sequence asked = std::move(ledger.front());
    ledger.pop_front();
    Sequenced answer{.request = asked.request, .channel = asked.channel};
    if (error != base::Error::none) {
      answer.error = error;
    } else {
      exists = true;
      if (asked.what == Sequence::What::append) {
        asked.message->number(stream.size() + 1, now.wall, now.instant);
        answer.message = std::move(asked.message);
        stream.push_back(answer.message);
      }
      answer.position = {epoch, stream.size()};
      answer.time = now.wall;
    }
    from_ledger.push_back(std::move(answer));
  }
  void reader_turn() {
    if (reader.empty()) return;
    const Load asked = std::move(reader.front());
    reader.pop_front();
    Loaded answer{.request = asked.request};
    if (exists) {
      answer.head = {epoch, stream.size()};
      const bool end = asked.since.kind == Since::Kind::last;
      const Offset count = std::min<Offset>(asked.messages_max, stream.size());
      answer.start = answer.end = end ? stream.size() - count : asked.since.position.offset;
      if (answer.end > stream.size()) {
        answer.gap = Gap{stream.size() + 1, stream.size(), GapReason::too_far};
        answer.start = answer.end = stream.size();
      }
      while (answer.end < stream.size() && answer.messages.size() < asked.messages_max) {
        answer.messages.push_back(stream[answer.end++]);
      }
    }
    from_reader.push_back(std::move(answer));
  }
  template <class Answer>
  void take(std::deque<Answer>& ring) {
    if (ring.empty()) return;
    Answer answer = std::move(ring.front());
    ring.pop_front();
    home.receive(std::is_same_v<Answer, Sequenced> ? kLedger : kReader, std::move(answer), now, *this);
  }
  void worker_turn(base::WorkerId worker) {
    if (to_workers[worker].empty()) return;
    Mail mail = std::move(to_workers[worker].front());
    to_workers[worker].pop_front();
    Watcher& watcher = watchers[worker];
    if (const auto* const page = std::get_if<Page>(&mail)) {
      if (page->local != local(worker) || watcher.state == Watcher::State::away) return;
      ASSERT_EQ(page->error, base::Error::none);
      ASSERT_FALSE(page->gap) << page->gap->from << ".." << page->gap->to << ' ' << static_cast<int>(page->gap->reason);
      ASSERT_EQ(page->start.offset + 1, watcher.next);
      take_messages(watcher, page->messages);
      ASSERT_EQ(page->end + 1, watcher.next);
      if (page->state == Page::State::more) return attach(worker);
      watcher.state = Watcher::State::attached;
    } else if (const auto* const delivery = std::get_if<Delivery>(&mail)) {
      if (delivery->local != local(worker) || watcher.state != Watcher::State::attached) return;
      if (delivery->first > watcher.next) {  // its ring was full for longer than the log remembers: it comes back
        detach(worker);
        return attach(worker);
      }
      take_messages(watcher, delivery->messages);
    } else {
      const auto& answer = std::get<Published>(mail);
      ASSERT_EQ(answer.error, error);
      if (error == base::Error::none) {
        ASSERT_EQ(answer.level, Level::durable);
        ASSERT_EQ(stream.at(answer.position.offset - 1)->payload(), std::to_string(answer.request));
      }
      ++answered;
    }
  }
  static void take_messages(Watcher& watcher, const std::vector<MessageRef>& messages) {
    for (const MessageRef& each : messages) {
      if (each->offset() < watcher.next) continue;
      ASSERT_EQ(each->offset(), watcher.next);
      watcher.got.emplace_back(each->payload());
      ++watcher.next;
    }
  }
  bool idle() const {
    const auto empty = [](const auto& queue) { return queue.empty(); };
    return ledger.empty() && reader.empty() && from_ledger.empty() && from_reader.empty() && !home.has_backlog() &&
           std::ranges::all_of(to_workers, empty);
  }
  void settle() {
    always_room = true;
    while (!idle()) {
      ledger_turn();
      reader_turn();
      take(from_ledger);
      take(from_reader);
      home.pump(*this);
      for (base::WorkerId worker = 0; worker < kWorkers; ++worker) worker_turn(worker);
      if (::testing::Test::HasFatalFailure()) return;
    }
    always_room = false;
  }

  base::SeededEntropy entropy;
  Now now{base::Instant{} + 1h, {1'000'000}};
  ChannelRules rules_;
  Home home;
  Epoch epoch = parse_position("k3j9x0ab:1")->epoch;
  base::Error error = base::Error::none;
  bool exists = false;
  bool always_room = false;
  std::vector<MessageRef> stream;
  std::deque<Sequence> ledger;
  std::deque<Load> reader;
  std::deque<Sequenced> from_ledger;
  std::deque<Loaded> from_reader;
  std::array<std::deque<Mail>, kWorkers> to_workers;
  std::array<Watcher, kWorkers> watchers;
  RequestId published = 0;
  RequestId answered = 0;
};

TEST(Durable, WhoWatchesGetsEverythingOnceInAnyOrderOfThings) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, {.log = {.messages_max = static_cast<std::uint32_t>(1 + seed % 7)}});
    for (int step = 0; step < 400; ++step) {
      const auto worker = static_cast<base::WorkerId>(world.entropy.below(kWorkers));
      switch (world.entropy.below(12)) {
        case 0:
        case 1:
        case 2:
          world.publish();
          break;
        case 3:
          world.ledger_turn();
          world.ledger_turn();
          break;
        case 4:
          world.reader_turn();
          break;
        case 5:
          world.take(world.from_ledger);
          break;
        case 6:
          world.take(world.from_reader);
          break;
        case 7:
          world.home.pump(world);
          break;
        case 8:
          if (world.watchers[worker].state == Watcher::State::away) {
            world.attach(worker);
          } else if (world.entropy.below(4) == 0) {
            world.detach(worker);
          }
          break;
        case 9:
          if (world.entropy.below(8) == 0) world.now.instant += 2h;  // the log expires, and an idle channel goes
          world.home.sweep(world.now, world);
          break;
        default:
          world.worker_turn(worker);
      }
      if (HasFatalFailure()) return;
    }
    for (base::WorkerId worker = 0; worker < kWorkers; ++worker) {
      if (world.watchers[worker].state == Watcher::State::away) world.attach(worker);
    }
    world.settle();
    if (HasFatalFailure()) return;
    ASSERT_EQ(world.answered, world.published);
    for (const Watcher& each : world.watchers) {
      ASSERT_EQ(each.state, Watcher::State::attached);
      ASSERT_EQ(each.got.size(), world.stream.size());
      for (std::size_t i = 0; i < each.got.size(); ++i) ASSERT_EQ(each.got[i], world.stream[i]->payload());
    }
  }
}

// A channel that never was gets its epoch from the ledger before anybody is told of it.
TEST(Durable, TheFirstWhoWatchesOpensTheStream) {
  World world(1, {});
  world.attach(0);
  EXPECT_EQ(world.reader.size(), 1U);
  world.settle();
  EXPECT_TRUE(world.exists);
  EXPECT_EQ(world.watchers[0].state, Watcher::State::attached);
}

TEST(Durable, WhatTheLedgerRefusesIsSaidAndNotDelivered) {
  World world(1, {});
  world.attach(0);
  world.settle();
  world.error = base::Error::storage;
  world.publish();
  world.settle();
  EXPECT_EQ(world.answered, 1U);
  EXPECT_TRUE(world.watchers[0].got.empty());
}

}  // namespace
}  // namespace hub
