// A judge that cannot say no is no use: what clients of real runs wrote down, falsified in every way that the promise
// forbids; and real runs, judged by a history that is a little longer or shorter than that of the server.
#include "sim/centrifuge/judge.h"

#include <gtest/gtest.h>

#include <functional>

#include "sim/centrifuge/recovery_run.h"

namespace sim::centrifuge {
namespace {

using Kind = Record::Kind;
using World = RunOptions::World;

struct Falsified : testing::Test {
  static RecoveryRun run(World world, std::uint64_t seed, std::uint64_t reconnects = 300) {
    RecoveryRun made = run_recovery({.seed = seed, .reconnects = reconnects, .world = world});
    EXPECT_EQ(made.verdict.problems, std::vector<std::string>{});
    return made;
  }

  // The record that `fits`, and then as many more of these; with the one before and behind it in the same story.
  using Fits = std::function<bool(const Story&, std::size_t)>;
  struct Spot {
    Story* story = nullptr;
    std::size_t at = 0;
    Record& record() const { return story->records[at]; }
    void erase() const { story->records.erase(story->records.begin() + static_cast<std::ptrdiff_t>(at)); }
    void insert(Record made) const {
      story->records.insert(story->records.begin() + static_cast<std::ptrdiff_t>(at), std::move(made));
    }
  };
  static Spot find(Chronicle& chronicle, std::size_t nth, const Fits& fits) {
    for (Story& story : chronicle.stories) {
      for (std::size_t at = 1; at + 1 < story.records.size(); ++at) {
        if (fits(story, at) && nth-- == 0) return {&story, at};
      }
    }
    return {};
  }
  // Between two others of the same channel, nothing in between.
  static bool in_the_middle(const Story& story, std::size_t at) {
    const auto same = [&](std::size_t other) {
      return story.records[other].kind == Kind::message && story.records[other].channel == story.records[at].channel;
    };
    return same(at - 1) && same(at) && same(at + 1);
  }
  static const Record* ask_of(const Story& story, std::size_t answer) {
    for (std::size_t at = answer; at-- > 0;) {
      const Record& record = story.records[at];
      if (record.kind == Kind::ask && record.channel == story.records[answer].channel) return &record;
    }
    return nullptr;
  }

  // Each change, made to a copy, must be found, at each of some places.
  static void expect_found(const RecoveryRun& run, const std::string& what, const Fits& fits,
                           const std::function<void(const Spot&)>& falsify) {
    std::size_t found = 0;
    for (const std::size_t nth : {0U, 3U, 10U}) {
      Chronicle chronicle = run.chronicle;
      const Spot spot = find(chronicle, nth, fits);
      if (spot.story == nullptr) continue;
      ++found;
      falsify(spot);
      EXPECT_FALSE(judge(chronicle, run.rules).problems.empty()) << "not found: " << what << ", place " << nth;
    }
    EXPECT_GT(found, 0U) << "the run has no place for: " << what;
  }
};

TEST_F(Falsified, Messages) {
  for (const World world : {World::keeps_all, World::brief}) {
    const RecoveryRun run = Falsified::run(world, 7);
    expect_found(run, "a lost message", in_the_middle, [](const Spot& spot) { spot.erase(); });
    expect_found(run, "a doubled message", in_the_middle, [](const Spot& spot) { spot.insert(Record(spot.record())); });
    expect_found(run, "two messages in the wrong order", in_the_middle,
                 [](const Spot& spot) { std::swap(spot.record(), spot.story->records[spot.at - 1]); });
    expect_found(run, "two payloads exchanged", in_the_middle,
                 [](const Spot& spot) { std::swap(spot.record().text, spot.story->records[spot.at - 1].text); });
    expect_found(run, "a payload that nobody has published", in_the_middle,
                 [](const Spot& spot) { spot.record().text = R"("nobody")"; });
    expect_found(run, "a wrong offset", in_the_middle, [](const Spot& spot) { ++spot.record().place.offset; });
    expect_found(run, "another epoch", in_the_middle, [](const Spot& spot) { spot.record().place.epoch = "aaaaaaaa"; });
    expect_found(
        run, "the last message of a client",
        [](const Story& story, std::size_t at) {
          return story.records[at].kind == Kind::message && at + 2 == story.records.size();
        },
        [](const Spot& spot) { spot.erase(); });
    expect_found(
        run, "the first of what was missed",
        [](const Story& story, std::size_t at) {
          return story.records[at].kind == Kind::message && story.records[at - 1].kind == Kind::answer &&
                 story.records[at - 1].recovered;
        },
        [](const Spot& spot) { spot.erase(); });
  }
}

bool recovers(const Story& story, std::size_t at) {
  const Record& record = story.records[at];
  return record.kind == Kind::answer && record.was_recovering && !story.by_library &&
         !story.wishes[record.channel].channel.starts_with("cache");
}

TEST_F(Falsified, Answers) {
  const RecoveryRun all = run(World::keeps_all, 7);
  const Fits told_the_truth = [](const Story& story, std::size_t at) {
    return recovers(story, at) && story.records[at].recovered && story.records[at].brought == 0;
  };
  expect_found(all, "a loss where nothing was missing", told_the_truth,
               [](const Spot& spot) { spot.record().recovered = false; });
  expect_found(all, "was_recovering", told_the_truth, [](const Spot& spot) { spot.record().was_recovering = false; });
  expect_found(all, "recovered from somewhere else", told_the_truth,
               [](const Spot& spot) { ++spot.record().place.offset; });
  expect_found(all, "no position", told_the_truth, [](const Spot& spot) { spot.record().positioned = false; });
  expect_found(all, "an epoch that comes and goes", told_the_truth,
               [](const Spot& spot) { spot.record().place.epoch = "aaaaaaaa"; });
  expect_found(
      all, "the wrong place to begin",
      [](const Story& story, std::size_t at) {
        return story.records[at].kind == Kind::answer && !story.records[at].was_recovering;
      },
      [](const Spot& spot) { spot.record().place.offset += 1000; });

  const RecoveryRun brief = run(World::brief, 7);
  const Fits lost = [](const Story& story, std::size_t at) {
    return recovers(story, at) && !story.records[at].recovered &&
           ask_of(story, at)->honesty == Record::Honesty::true_place;
  };
  expect_found(brief, "`recovered` where something was lost", lost, [](const Spot& spot) {
    spot.record().recovered = true;
    spot.record().place.offset = ask_of(*spot.story, spot.at)->place.offset;
  });
  expect_found(brief, "`recovered` up to the head, by a jump", lost,
               [](const Spot& spot) { spot.record().recovered = true; });
  expect_found(brief, "publications without `recovered`", lost, [](const Spot& spot) { spot.record().brought = 1; });
}

TEST_F(Falsified, Ends) {
  const RecoveryRun all = run(World::keeps_all, 7);
  const Fits own_cut = [](const Story& story, std::size_t at) {
    return story.records[at].kind == Kind::ended && story.records[at].code == 0;
  };
  for (const std::uint32_t code : {3010U, 3501U, 3004U, 1006U}) {
    const Fits fits = [&](const Story& story, std::size_t at) {
      for (const Wish& each : story.wishes) {
        if (each.channel.starts_with("drop")) return false;
      }
      return own_cut(story, at);
    };
    expect_found(all, "an end with " + std::to_string(code), fits,
                 [&](const Spot& spot) { spot.record().code = code; });
  }
  const Fits live = [](const Story& story, std::size_t at) {
    return in_the_middle(story, at) && !story.wishes[story.records[at].channel].channel.starts_with("drop");
  };
  expect_found(all, "unsubscribed without a reason", live, [](const Spot& spot) {
    spot.record().kind = Kind::unsubscribed;
    spot.record().code = 2500;
  });
  expect_found(
      all, "error 112 where nothing was missing",
      [](const Story& story, std::size_t at) {
        return story.records[at].kind == Kind::answer && ask_of(story, at)->rejects &&
               ask_of(story, at)->honesty == Record::Honesty::true_place &&
               !story.wishes[story.records[at].channel].channel.starts_with("cache");
      },
      [](const Spot& spot) {
        spot.record().kind = Kind::refused;
        spot.record().code = 112;
      });
}

TEST_F(Falsified, JoinsAndLeaves) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const RecoveryRun all = run_recovery({.seed = seed, .reconnects = 200, .world = World::keeps_all});
    if (all.verdict.joins < 100) continue;
    const Fits event = [](const Story& story, std::size_t at) {
      return story.records[at].kind == Kind::join || story.records[at].kind == Kind::leave;
    };
    expect_found(all, "a doubled join or leave", event, [](const Spot& spot) { spot.insert(Record(spot.record())); });
    return;
  }
  FAIL() << "no run with joins";
}

TEST_F(Falsified, WhatPublishersWereTold) {
  const RecoveryRun all = run(World::keeps_all, 7, 50);
  Chronicle chronicle = all.chronicle;
  chronicle.log.publications.front().acknowledged.reset();
  EXPECT_FALSE(judge(chronicle, all.rules).problems.empty());
  chronicle = all.chronicle;
  for (Publication& each : chronicle.log.publications) {
    if (each.channel == chronicle.log.publications.front().channel && each.acknowledged->offset == 2) {
      each.acknowledged->offset = 1;
    }
  }
  EXPECT_FALSE(judge(chronicle, all.rules).problems.empty());
}

// The model is exact: one message more or less, or a tenth of the time, and it disagrees with the server.
TEST_F(Falsified, TheHistoryOfTheModel) {
  std::map<std::string, int> caught;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    const RecoveryRun made = run(World::brief, seed);
    const auto expect_other = [&](const std::string& what, const std::function<bool(ChannelRules&)>& change) {
      Rules rules = made.rules;
      bool changed = false;
      for (auto& [name, each] : rules.channels) changed |= change(each);
      if (changed && !judge(made.chronicle, rules).problems.empty()) ++caught[what];
    };
    const auto by_count = [](const ChannelRules& each) {
      return !each.cache && each.kept.messages < 1000 && !each.kept.age;
    };
    expect_other("one message more", [&](ChannelRules& each) { return by_count(each) && ++each.kept.messages > 0; });
    expect_other("one message less", [&](ChannelRules& each) { return by_count(each) && each.kept.messages-- > 0; });
    const auto by_age = [](ChannelRules& each, double factor) {
      if (each.cache || !each.kept.age) return false;
      each.kept.age = std::chrono::duration_cast<base::Duration>(*each.kept.age * factor);
      return true;
    };
    expect_other("a tenth longer", [&](ChannelRules& each) { return by_age(each, 1.1); });
    expect_other("a tenth shorter", [&](ChannelRules& each) { return by_age(each, 0.9); });
    if (!made.chronicle.removals.empty()) {
      Chronicle chronicle = made.chronicle;
      chronicle.removals.clear();
      if (!judge(chronicle, made.rules).problems.empty()) ++caught["removals"];
    }
  }
  for (const char* what : {"one message more", "one message less", "a tenth longer", "a tenth shorter", "removals"}) {
    EXPECT_GT(caught[what], 2) << what;
  }
}

TEST_F(Falsified, TheMemoryOfTheModel) {
  RecoveryRun made = run(World::forgetful, 2);
  ASSERT_GT(made.verdict.epochs, 10U);
  made.rules.remembered *= 4;
  EXPECT_FALSE(judge(made.chronicle, made.rules).problems.empty());
}

}  // namespace
}  // namespace sim::centrifuge
