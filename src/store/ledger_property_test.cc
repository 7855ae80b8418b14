// Random commands against the ledger and against a model in plain memory; restarts, kills and reads between them.
//
//     WIREBIRD_LEDGER_SEEDS=1000 store_test --gtest_filter=LedgerProperty*
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "sim/store_rig.h"
#include "store/limits.h"

namespace store {
namespace {

using namespace std::chrono_literals;

struct ModelStream {
  hub::Epoch epoch;
  hub::Offset cleared = 0;            // through
  std::vector<std::string> payloads;  // from offset 1 on
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : entropy_(seed), rig_(std::make_unique<sim::Disk>(seed)) {
    rig_.options.checkpoint_bytes = 128 * 1024;
    rig_.rules->retention.messages_max = 40;
  }

  void run() {
    ASSERT_EQ(rig_.open(), "");
    for (int i = 0; i < 120; ++i) {
      switch (entropy_.below(10)) {
        case 0:
          ASSERT_EQ(rig_.open(), "");
          break;
        case 1: {  // killed: what the kernel has of its files stays
          auto disk = rig_.disk->copy(entropy_.next());
          rig_.close();
          rig_.disk = std::move(disk);
          ASSERT_EQ(rig_.open(), "");
          break;
        }
        case 2:
          rig_.idle(std::chrono::milliseconds(100 + entropy_.below(1000)));
          break;
        case 3:
        case 4:
          read_pages();
          break;
        default:
          batch();
      }
      if (testing::Test::HasFatalFailure()) return;
    }
    read_pages();
  }

 private:
  struct Sent {
    Command command;
    std::vector<std::string> payloads;
  };
  struct Known {
    std::uint64_t content;
    std::vector<hub::Position> positions;
  };

  std::string channel() { return "c" + std::to_string(entropy_.below(4)); }

  void batch() {
    std::vector<Command> twins;  // of what is submitted, without the messages
    std::vector<std::vector<std::string>> payloads;
    for (std::uint32_t i = 0, commands = 1 + entropy_.below(20); i < commands; ++i) {
      Command command{.ticket = i};
      Command twin{.ticket = i};
      payloads.emplace_back();
      for (std::uint32_t operations = 1 + entropy_.below(4); operations > 0; --operations) {
        const std::string to = channel();
        if (entropy_.below(12) == 0) {
          command.operations.emplace_back(Clear{to});
          twin.operations.emplace_back(Clear{to});
          payloads.back().emplace_back();
        } else {
          payloads.back().push_back(std::to_string(entropy_.next()));
          command.operations.emplace_back(Append{to, text_message(payloads.back().back())});
          twin.operations.emplace_back(Append{to, nullptr});
        }
      }
      if (entropy_.below(3) == 0) {
        command.once = once(entropy_.below(40), command.operations.size() * 2 + entropy_.below(2));
        twin.once = command.once;
      }
      ASSERT_TRUE(rig_.ledger->submit(command));
      twins.push_back(std::move(twin));
    }
    const auto results = rig_.run();
    ASSERT_EQ(results.size(), twins.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_EQ(results[i].ticket, i);
      expect(twins[i], payloads[i], results[i]);
      if (testing::Test::HasFatalFailure()) return;
    }
  }

  void expect(const Command& command, const std::vector<std::string>& payloads, const Result& result) {
    if (command.once) {
      if (const auto known = known_.find(command.once->key.low); known != known_.end()) {
        const bool same = known->second.content == command.once->content.low;
        ASSERT_EQ(result.outcome, same ? Outcome::repeated : Outcome::refused);
        ASSERT_EQ(result.error, same ? Error::none : Error::conflict);
        for (std::size_t i = 0; i < result.changes.size(); ++i) {
          ASSERT_EQ(result.changes[i].position, known->second.positions[i]);
        }
        return;
      }
    }
    ASSERT_EQ(result.outcome, Outcome::done);
    ASSERT_TRUE(commits_.insert(result.commit).second);
    ASSERT_EQ(*commits_.rbegin(), result.commit);
    ASSERT_EQ(result.changes.size(), command.operations.size());
    std::vector<hub::Position> positions;
    for (std::size_t i = 0; i < command.operations.size(); ++i) {
      const Change& change = result.changes[i];
      ModelStream& stream = streams_[change.channel];
      if (stream.epoch.view().empty()) stream.epoch = change.position.epoch;
      if (std::holds_alternative<Append>(command.operations[i])) {
        stream.payloads.push_back(payloads[i]);
        ASSERT_EQ(change.message->payload(), payloads[i]);
      } else {
        stream.cleared = stream.payloads.size();
      }
      ASSERT_EQ(change.position, (hub::Position{stream.epoch, stream.payloads.size()}));
      positions.push_back(change.position);
    }
    if (command.once) known_[command.once->key.low] = {command.once->content.low, positions};
  }

  void read_pages() {
    auto reader = rig_.ledger->new_reader();
    ASSERT_TRUE(reader);
    for (const auto& [name, stream] : streams_) {
      const auto whole = (*reader)->look(name);
      ASSERT_TRUE(whole && *whole);
      const StreamView view = **whole;
      const hub::Offset head = stream.payloads.size();
      ASSERT_EQ(view.head, (hub::Position{stream.epoch, head}));
      ASSERT_GE(view.base, stream.cleared);
      const std::uint64_t kept = rig_.rules->retention.messages_max;
      ASSERT_LE(head - view.base, kept + kSlackRows + 80) << "what one batch may add is on top";
      ASSERT_LE(view.base, std::max(stream.cleared, head - std::min(head, kept)));
      const PageRequest request{
          .order = entropy_.below(2) == 0 ? PageRequest::Order::oldest_first : PageRequest::Order::newest_first,
          .from = entropy_.below(static_cast<std::uint32_t>(head) + 3),
          .messages_max = entropy_.below(60),
          .bytes_max = entropy_.below(2) == 0 ? 300 : UINT32_MAX};
      const auto read = (*reader)->read(name, request, rig_.clock.instant, rig_.clock.wall);
      ASSERT_TRUE(read && *read);
      expect_page(stream, view, request, **read);
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_FALSE(*(*reader)->look("never"));
  }

  static void expect_page(const ModelStream& stream, const StreamView& view, const PageRequest& request,
                          const StreamPage& page) {
    ASSERT_TRUE(page.lost.empty());
    const bool forwards = request.order == PageRequest::Order::oldest_first;
    const hub::Offset head = view.head.offset;
    hub::Offset next = forwards ? std::max(view.base, request.from) + 1
                                : (request.from == 0 ? head : std::min(head, request.from - 1));
    ASSERT_LE(page.messages.size(), request.messages_max);
    for (const auto& message : page.messages) {
      ASSERT_EQ(message->offset(), next);
      ASSERT_EQ(message->payload(), stream.payloads[next - 1]);
      forwards ? ++next : --next;
    }
    const bool left = forwards ? next <= head : next > view.base;
    ASSERT_EQ(page.more, left);
    if (request.messages_max > 0 && left && request.bytes_max == UINT32_MAX) {
      ASSERT_EQ(page.messages.size(), request.messages_max);
    }
    ASSERT_FALSE(request.messages_max > 0 && left && page.messages.empty());
  }

  base::SeededEntropy entropy_;
  Rig rig_;
  std::map<std::string, ModelStream> streams_;
  std::map<std::uint64_t, Known> known_;
  std::set<std::uint64_t> commits_;
};

std::uint64_t seeds_wanted() {
  const char* const asked = std::getenv("WIREBIRD_LEDGER_SEEDS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 40;
}

TEST(LedgerPropertyTest, IsWhatTheModelIs) {
  for (std::uint64_t seed = 1; seed <= seeds_wanted(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model(seed).run();
    if (HasFatalFailure()) return;
  }
}

// Any byte of the files may be another (robustness.md F09): what is served then is what was written at that place, or
// is said to be lost, or the ledger says that its file is damaged.
TEST(LedgerDamageTest, NothingIsServedThatWasNotWritten) {
  Rig rig;
  ASSERT_EQ(rig.open(), "");
  for (int i = 1; i <= 60; ++i) {
    rig.append("a", "a" + std::to_string(i) + std::string(static_cast<std::size_t>(i) * 40, '.'));
    rig.append("b", "b" + std::to_string(i));
  }
  rig.close();
  base::SeededEntropy entropy(5);
  std::size_t opened = 0;
  std::size_t lost = 0;
  for (int i = 0; i < 1500; ++i) {
    Rig damaged(rig.disk->copy(1));
    std::string& file = *damaged.disk->content(kDatabaseFile);
    const std::size_t at = entropy.below(static_cast<std::uint32_t>(file.size()));
    switch (entropy.below(3)) {
      case 0:
        file[at] = static_cast<char>(file[at] ^ (1 << entropy.below(8)));
        break;
      case 1:
        file.resize(at);
        break;
      case 2:
        for (std::size_t each = at / 512 * 512; each < std::min(file.size(), at / 512 * 512 + 512); ++each)
          file[each] = 0;
        break;
    }
    if (!damaged.open().empty()) continue;
    ++opened;
    auto reader = damaged.ledger->new_reader();
    if (!reader) continue;
    for (const std::string name : {"a", "b"}) {
      const auto page = (*reader)->read(name, {.messages_max = 1000, .bytes_max = UINT32_MAX}, damaged.clock.instant,
                                        damaged.clock.wall);
      if (!page || !*page) continue;
      lost += (*page)->lost.size();
      for (const auto& message : (*page)->messages) {
        const std::string expected = name + std::to_string(message->offset());
        ASSERT_TRUE(message->payload().starts_with(expected)) << i;
        ASSERT_EQ(message->payload().size(), expected.size() + (name == "a" ? message->offset() * 40 : 0)) << i;
      }
      damaged.append(name, "another");
    }
  }
  EXPECT_GT(opened, 500U);
  EXPECT_GT(lost, 100U);
}

}  // namespace
}  // namespace store
