#include "door/centrifuge/map_paging.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace door::centrifuge {
namespace {

using namespace base;

constexpr Instant kNow{1h};
constexpr std::int32_t kState = 2, kStream = 1, kLive = 0;
const hub::Epoch kEpoch = hub::parse_position("k3j9x0ab:0")->epoch;
const hub::Epoch kOther = hub::parse_position("aaaaaaaa:0")->epoch;
const MapPagingRules kRecoverable{.page_sizes = {.usual = 10, .min = 2, .max = 20}};
const MapPagingRules kEphemeral{.recoverable = false, .page_sizes = {.usual = 10, .min = 2, .max = 20}};

template <typename T, typename Variant>
T as(const Variant& value) {
  EXPECT_TRUE(std::holds_alternative<T>(value)) << value.index();
  return std::holds_alternative<T>(value) ? std::get<T>(value) : T{};
}

SubscribeRequest state(std::string_view cursor = {}) { return {.type = 1, .phase = kState, .cursor = cursor}; }
SubscribeRequest changes(hub::Offset offset, std::string_view epoch = "k3j9x0ab", bool recover = false) {
  return {.recover = recover, .epoch = epoch, .offset = offset, .type = 1, .phase = kStream};
}

TEST(MapPageSizes, AreBoundedBothWays) {
  const MapPageSizes sizes{.usual = 10, .min = 2, .max = 20};
  EXPECT_EQ(sizes.of(0), 10U);
  EXPECT_EQ(sizes.of(-7), 10U);
  EXPECT_EQ(sizes.of(1), 2U);
  EXPECT_EQ(sizes.of(15), 15U);
  EXPECT_EQ(sizes.of(std::numeric_limits<std::int32_t>::max()), 20U);
}

TEST(MapPaging, BeginsWithAFirstPageOrARecoveryOrAtOnce) {
  EXPECT_FALSE(MapPaging::begins(state(), kRecoverable));
  EXPECT_EQ(MapPaging::begins(state("17"), kRecoverable), ErrorCode::permission_denied);
  EXPECT_FALSE(MapPaging::begins(changes(3, "k3j9x0ab", true), kRecoverable));
  EXPECT_EQ(MapPaging::begins(changes(3), kRecoverable), ErrorCode::permission_denied);
  EXPECT_EQ(MapPaging::begins(changes(3, "k3j9x0ab", true), kEphemeral), ErrorCode::bad_request);
  EXPECT_FALSE(MapPaging::begins({.type = 1, .phase = kLive}, kRecoverable));
  for (const std::int32_t phase : {-1, 3, 1000}) {
    EXPECT_EQ(MapPaging::begins({.type = 1, .phase = phase}, kRecoverable), ErrorCode::bad_request);
  }
}

TEST(MapPaging, OnePageOfStateGoesLive) {
  MapPaging paging(kRecoverable, kNow);
  EXPECT_EQ(as<MapPaging::ReadState>(paging.ask(state(), kNow)).entries_max, 10U);
  const auto join = as<MapPaging::Join>(paging.state_read({kEpoch, 7}, true));
  EXPECT_EQ(join.after, (hub::Position{kEpoch, 7}));
  EXPECT_FALSE(join.recovering || join.from_now);
}

TEST(MapPaging, LaterPagesStandWhereTheFirstOneStood) {
  MapPaging paging(kRecoverable, kNow);
  paging.ask(state(), kNow);
  EXPECT_EQ(as<MapPaging::Page>(paging.state_read({kEpoch, 7}, false)).position, (hub::Position{kEpoch, 7}));
  paging.ask(state("a"), kNow);
  EXPECT_EQ(as<MapPaging::Page>(paging.state_read({kEpoch, 12}, false)).position, (hub::Position{kEpoch, 7}));
  EXPECT_TRUE(paging.brings(7));
  EXPECT_FALSE(paging.brings(8));
  paging.ask(state("b"), kNow);
  EXPECT_EQ(as<MapPaging::Join>(paging.state_read({kEpoch, 17}, true)).after, (hub::Position{kEpoch, 7}));
}

TEST(MapPaging, MuchThatWasPublishedMeanwhileComesInPages) {
  MapPaging paging(kRecoverable, kNow);
  paging.ask(state(), kNow);
  EXPECT_EQ(as<MapPaging::Page>(paging.state_read({kEpoch, 7}, false)).position.offset, 7U);
  paging.ask(state("a"), kNow);
  EXPECT_EQ(as<MapPaging::Page>(paging.state_read({kEpoch, 30}, true)).position.offset, 7U);
  const auto read = as<MapPaging::ReadChanges>(paging.ask(changes(7), kNow));
  EXPECT_EQ(read.after, (hub::Position{kEpoch, 7}));
  EXPECT_EQ(read.messages_max, 10U);
  EXPECT_EQ(as<MapPaging::Page>(paging.changes_read({kEpoch, 35}, 17, false)).position, (hub::Position{kEpoch, 17}));
  // 20 is within one page of where the map stood when its state had been read, however far it is by now.
  paging.ask(changes(17), kNow);
  EXPECT_EQ(as<MapPaging::Page>(paging.changes_read({kEpoch, 90}, 20, false)).position.offset, 20U);
  const auto join = as<MapPaging::Join>(paging.ask(changes(20), kNow));
  EXPECT_EQ(join.after, (hub::Position{kEpoch, 20}));
  EXPECT_FALSE(join.recovering);
}

TEST(MapPaging, ARecoveryReadsTheChangesFirst) {
  MapPaging paging(kRecoverable, kNow);
  as<MapPaging::ReadChanges>(paging.ask(changes(3, "k3j9x0ab", true), kNow));
  auto join = as<MapPaging::Join>(paging.changes_read({kEpoch, 13}, 13, false));
  EXPECT_EQ(join.after, (hub::Position{kEpoch, 3}));
  EXPECT_TRUE(join.recovering);

  MapPaging longer(kRecoverable, kNow);
  as<MapPaging::ReadChanges>(longer.ask(changes(3, "k3j9x0ab", true), kNow));
  EXPECT_EQ(as<MapPaging::Page>(longer.changes_read({kEpoch, 18}, 13, false)).position.offset, 13U);
  join = as<MapPaging::Join>(longer.ask(changes(13, "k3j9x0ab", true), kNow));
  EXPECT_TRUE(join.recovering);
}

TEST(MapPaging, APageThatIsShortInBytesGoesOnWhereItEnded) {
  MapPaging paging(kRecoverable, kNow);
  as<MapPaging::ReadChanges>(paging.ask(changes(3, "k3j9x0ab", true), kNow));
  EXPECT_EQ(as<MapPaging::Page>(paging.changes_read({kEpoch, 50}, 4, false)).position.offset, 4U);
}

TEST(MapPaging, WhatIsNotHeldAnyMoreIsUnrecoverable) {
  const auto unrecoverable = ErrorCode::unrecoverable_position;
  for (const std::string_view epoch : {"", "_", "aaaaaaa", "AAAAAAAA", "aaaaaaaa:1"}) {
    MapPaging paging(kRecoverable, kNow);
    EXPECT_EQ(as<ErrorCode>(paging.ask(changes(3, epoch, true), kNow)), unrecoverable) << epoch;
  }
  MapPaging lost(kRecoverable, kNow);
  lost.ask(changes(3, "k3j9x0ab", true), kNow);
  EXPECT_EQ(as<ErrorCode>(lost.changes_read({kEpoch, 20}, 20, true)), unrecoverable);
  MapPaging reborn(kRecoverable, kNow);
  reborn.ask(changes(3, "k3j9x0ab", true), kNow);
  EXPECT_EQ(as<ErrorCode>(reborn.changes_read({kOther, 20}, 20, false)), unrecoverable);
  for (const bool last : {false, true}) {
    MapPaging cleared(kRecoverable, kNow);
    cleared.ask(state(), kNow);
    as<MapPaging::Page>(cleared.state_read({kEpoch, 7}, false));
    cleared.ask(state("a"), kNow);
    EXPECT_EQ(as<ErrorCode>(cleared.state_read({kOther, 7}, last)), unrecoverable);
  }
  MapPaging wrong(kRecoverable, kNow);
  wrong.ask(state(), kNow);
  as<MapPaging::Page>(wrong.state_read({kEpoch, 7}, false));
  SubscribeRequest next = state("a");
  next.epoch = "aaaaaaaa";
  EXPECT_EQ(as<ErrorCode>(wrong.ask(next, kNow)), unrecoverable);
  EXPECT_EQ(as<ErrorCode>(wrong.ask({.type = 1, .phase = kLive}, kNow)), unrecoverable);
}

TEST(MapPaging, EphemeralMapsHaveNoPagesOfChanges) {
  MapPaging paging(kEphemeral, kNow);
  paging.ask(state(), kNow);
  as<MapPaging::Page>(paging.state_read({kEpoch, 7}, false));
  paging.ask(state("a"), kNow);
  // However much came meanwhile.
  const auto join = as<MapPaging::Join>(paging.state_read({kEpoch, 7000}, true));
  EXPECT_EQ(join.after, (hub::Position{kEpoch, 7}));
  EXPECT_FALSE(join.from_now);
  EXPECT_EQ(as<ErrorCode>(paging.ask(changes(7), kNow)), ErrorCode::bad_request);
  EXPECT_TRUE(as<MapPaging::Join>(MapPaging(kEphemeral, kNow).ask({.type = 1, .phase = kLive}, kNow)).from_now);
}

TEST(MapPaging, OnePageAtATime) {
  MapPaging paging(kRecoverable, kNow);
  paging.ask(state(), kNow);
  EXPECT_TRUE(paging.reading());
  for (const SubscribeRequest& request : {state(), state("a"), changes(1), SubscribeRequest{.type = 1}}) {
    EXPECT_EQ(as<ErrorCode>(paging.ask(request, kNow)), ErrorCode::concurrent_pagination);
  }
  paging.state_read({kEpoch, 7}, false);
  EXPECT_FALSE(paging.reading());
  as<MapPaging::ReadState>(paging.ask(state("a"), kNow));
}

TEST(MapPaging, WhoTakesTooLongIsSlow) {
  MapPaging paging(kRecoverable, kNow);
  paging.ask(state(), kNow);
  paging.state_read({kEpoch, 7}, false);
  EXPECT_FALSE(paging.late(kNow + 5s));
  EXPECT_TRUE(paging.late(kNow + 5s + 1ns));
  EXPECT_EQ(as<DisconnectCode>(paging.ask(state("a"), kNow + 6s)), DisconnectCode::slow);
}

TEST(MapPaging, AnyOffsetIsAnOffset) {
  constexpr hub::Offset kLast = std::numeric_limits<hub::Offset>::max();
  MapPaging paging(kRecoverable, kNow);
  paging.ask(state(), kNow);
  paging.state_read({kEpoch, 7}, false);
  paging.ask(state("a"), kNow);
  paging.state_read({kEpoch, 100}, true);
  EXPECT_EQ(as<MapPaging::Join>(paging.ask(changes(kLast), kNow)).after.offset, kLast);  // the hub calls it lost
  as<MapPaging::ReadChanges>(paging.ask(changes(0), kNow));
}

// A map and its log, read as a home would read them: whole pages of entries in the order of their keys.
struct World {
  std::map<std::string, hub::Offset> entries;
  std::vector<std::pair<std::string, bool>> log;  // key, removed; offset 1 first

  hub::Offset head() const { return log.size(); }
  void change(std::mt19937& chance) {
    const std::string key(1, static_cast<char>('a' + chance() % 26));
    const bool removed = chance() % 3 == 0;
    log.emplace_back(key, removed);
    if (removed) {
      entries.erase(key);
    } else {
      entries[key] = head();
    }
  }
};

struct Client {
  std::map<std::string, hub::Offset> entries;
  void take(const World& world, hub::Offset after, hub::Offset upto) {
    for (hub::Offset offset = after + 1; offset <= upto; ++offset) {
      const auto& [key, removed] = world.log[offset - 1];
      if (removed) {
        entries.erase(key);
      } else {
        entries[key] = offset;
      }
    }
  }
};

TEST(MapPaging, WhateverHappensMeanwhileTheClientEndsWithTheState) {
  int with_pages_of_changes = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 chance(seed);
    World world;
    const auto publish = [&] {
      for (unsigned n = chance() % 8; n > 0; --n) world.change(chance);
    };
    for (int n = 0; n < 20; ++n) publish();
    const MapPagingRules rules{.recoverable = seed % 4 != 0, .page_sizes = {.usual = 3, .min = 1, .max = 5}};
    MapPaging paging(rules, kNow);
    Client client;
    std::optional<hub::Offset> joins;
    std::string cursor;
    for (bool last = false; !last;) {
      const auto read = as<MapPaging::ReadState>(paging.ask(state(cursor), kNow));
      std::vector<std::pair<std::string, hub::Offset>> page;
      auto next = world.entries.upper_bound(cursor);
      for (; next != world.entries.end() && page.size() < read.entries_max; ++next) page.push_back(*next);
      last = next == world.entries.end();
      if (!page.empty()) cursor = page.back().first;
      const auto answer = paging.state_read({kEpoch, world.head()}, last);
      for (const auto& [key, offset] : page) {
        if (paging.brings(offset)) client.entries[key] = offset;
      }
      if (const auto* join = std::get_if<MapPaging::Join>(&answer))
        joins = join->after.offset;
      else if (last)
        client.entries[""] = as<MapPaging::Page>(answer).position.offset;
      publish();
    }
    if (!joins) {
      hub::Offset from = client.entries[""];
      client.entries.erase("");
      ++with_pages_of_changes;
      while (!joins) {
        const auto asked = paging.ask(changes(from), kNow);
        if (const auto* join = std::get_if<MapPaging::Join>(&asked)) {
          joins = join->after.offset;
          break;
        }
        const hub::Offset end =
            std::min<hub::Offset>(world.head(), from + as<MapPaging::ReadChanges>(asked).messages_max);
        const auto answer = paging.changes_read({kEpoch, world.head()}, end, false);
        if (const auto* join = std::get_if<MapPaging::Join>(&answer)) {
          joins = join->after.offset;
        } else {
          client.take(world, from, end);
          from = as<MapPaging::Page>(answer).position.offset;
        }
        publish();
      }
    }
    client.take(world, *joins, world.head());
    ASSERT_EQ(client.entries, world.entries) << "seed " << seed;
  }
  EXPECT_GT(with_pages_of_changes, 100);
}

}  // namespace
}  // namespace door::centrifuge
