#include "hub/map_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace hub {
namespace {

using namespace std::chrono_literals;
using When = MapChange::When;

MessageRef change(std::string key, std::string_view payload, Offset offset, std::int64_t score = 0,
                  base::Instant at = {}) {
  Extras extras;
  extras.key = std::move(key);
  extras.score = score;
  auto message = Message::make(Kind::text, payload, at, std::move(extras));
  message->number(offset, {static_cast<std::int64_t>(offset)}, at);
  return message;
}

std::vector<std::string> keys_of(const std::vector<MessageRef>& entries) {
  std::vector<std::string> keys;
  for (const MessageRef& each : entries) keys.push_back(each->extras()->key);
  return keys;
}

TEST(MapState, KeepsTheLastChangeOfEachKey) {
  MapState state(MapState::Sorted::by_key);
  state.put(change("b", "1", 1), 0, {});
  state.put(change("a", "2", 2), 0, {});
  state.put(change("b", "3", 3), 0, {});
  EXPECT_EQ(state.keys(), 2U);
  EXPECT_EQ(state.find("b")->message->payload(), "3");
  EXPECT_EQ(state.find("c"), nullptr);
  EXPECT_EQ(state.oldest()->message->extras()->key, "a");
  state.remove("a");
  EXPECT_EQ(state.oldest()->message->extras()->key, "b");
  state.remove("b");
  EXPECT_EQ(state.oldest(), nullptr);
  EXPECT_EQ(state.bytes(), 0U);
}

TEST(MapState, ConditionsAreLookedAtInTheirOrder) {
  MapState state(MapState::Sorted::by_key);
  state.put(change("k", "1", 5), 7, "a");
  const auto check = [&](std::string_view key, MapState::Conditions conditions) {
    return state.check(key, conditions);
  };
  EXPECT_EQ(check("k", {}), Suppression::none);
  EXPECT_EQ(check("new", {.version = 1}), Suppression::none);
  EXPECT_EQ(check("k", {.version = 7, .version_epoch = "a"}), Suppression::version);
  EXPECT_EQ(check("k", {.version = 7}), Suppression::version) << "without an epoch the number alone counts";
  EXPECT_EQ(check("k", {.version = 8, .version_epoch = "a"}), Suppression::none);
  EXPECT_EQ(check("k", {.version = 1, .version_epoch = "b"}), Suppression::none);
  EXPECT_EQ(check("k", {.version = 1, .when = When::if_new}), Suppression::version);
  EXPECT_EQ(check("k", {.when = When::if_new, .expected = 4}), Suppression::key_exists);
  EXPECT_EQ(check("new", {.when = When::if_new}), Suppression::none);
  EXPECT_EQ(check("new", {.when = When::if_exists, .expected = 4}), Suppression::key_not_found);
  EXPECT_EQ(check("new", {.removal = true}), Suppression::key_not_found);
  EXPECT_EQ(check("k", {.removal = true}), Suppression::none);
  EXPECT_EQ(check("k", {.expected = 4}), Suppression::position_mismatch);
  EXPECT_EQ(check("new", {.expected = 4}), Suppression::position_mismatch);
  EXPECT_EQ(check("k", {.expected = 5, .removal = true}), Suppression::none);
}

TEST(MapState, AChangeWithoutAVersionKeepsTheOneBefore) {
  MapState state(MapState::Sorted::by_key);
  state.put(change("k", "1", 1), 7, "a");
  state.put(change("k", "2", 2), 0, {});
  EXPECT_EQ(state.check("k", {.version = 7, .version_epoch = "a"}), Suppression::version);
  state.remove("k");
  EXPECT_EQ(state.check("k", {.version = 7, .version_epoch = "a"}), Suppression::none) << "it went with the key";
}

TEST(MapState, PagesOfScoresGoBothWays) {
  MapState state(MapState::Sorted::by_score);
  Offset offset = 0;
  for (const auto& [key, score] : {std::pair{"a", 5}, {"b", -3}, {"c", 5}, {"d", 9}}) {
    state.put(change(key, "x", ++offset, score), 0, {});
  }
  const auto page = [&](std::string_view cursor, ReadState::Order order, std::size_t max) {
    return state.page(cursor, order, max, 1 << 20).value();
  };
  const MapState::Page first = page({}, ReadState::Order::usual, 2);
  EXPECT_EQ(keys_of(first.entries), (std::vector<std::string>{"d", "c"}));
  const MapState::Page second = page(first.next, ReadState::Order::usual, 2);
  EXPECT_EQ(keys_of(second.entries), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(second.next, "");
  const MapState::Page up = page({}, ReadState::Order::ascending, 3);
  EXPECT_EQ(keys_of(up.entries), (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_EQ(keys_of(page(up.next, ReadState::Order::ascending, 3).entries), (std::vector<std::string>{"d"}));
}

TEST(MapState, ACursorThatIsNoneIsRefused) {
  MapState state(MapState::Sorted::by_score);
  for (const std::string_view cursor : {"x", ":", "5", "x:a", "99999999999999999999:a"}) {
    EXPECT_FALSE(state.page(cursor, ReadState::Order::usual, 1, 1)) << cursor;
  }
  EXPECT_TRUE(state.page("-5:", ReadState::Order::usual, 1, 1));
}

TEST(MapState, APageIsBoundedByItsPayloadsButNeverEmpty) {
  MapState state(MapState::Sorted::by_key);
  for (int i = 0; i < 5; ++i) {
    state.put(change("k" + std::to_string(i), std::string(100, 'x'), static_cast<Offset>(i + 1)), 0, {});
  }
  EXPECT_EQ(state.page({}, ReadState::Order::usual, 9, 250)->entries.size(), 2U);
  EXPECT_EQ(state.page({}, ReadState::Order::usual, 9, 10)->entries.size(), 1U);
  const MapState::Page none = *state.page({}, ReadState::Order::usual, 0, 250);
  EXPECT_TRUE(none.entries.empty());
  EXPECT_EQ(none.next, "");
}

TEST(MapState, AnotherOrderIsTakenOnTheWay) {
  MapState state(MapState::Sorted::by_key);
  for (int i = 0; i < 2000; ++i) {
    state.put(change("k" + std::to_string(i), "x", static_cast<Offset>(i + 1), i % 37), 0, {});
  }
  state.sort(MapState::Sorted::by_score);
  EXPECT_EQ(state.page({}, ReadState::Order::usual, 1, 9)->entries.front()->extras()->score, 36);
  state.sort(MapState::Sorted::by_key);
  EXPECT_EQ(keys_of(state.page({}, ReadState::Order::usual, 1, 9)->entries), (std::vector<std::string>{"k0"}));
}

// Against a map of the library, which is sorted anew for every page: random changes, and readers of pages while they
// happen. What stays on its place for as long as somebody reads comes exactly once.
class Reference {
 public:
  struct Entry {
    std::string payload;
    std::int64_t score = 0;
    std::uint64_t changed = 0;
  };
  std::map<std::string, Entry> entries;

  std::vector<std::string> in_order(MapState::Sorted sorted, ReadState::Order order) const {
    std::vector<std::string> keys;
    for (const auto& [key, entry] : entries) keys.push_back(key);
    if (sorted == MapState::Sorted::by_key) return keys;
    std::ranges::sort(keys, [&](const std::string& a, const std::string& b) {
      return std::pair(entries.at(a).score, a) < std::pair(entries.at(b).score, b);
    });
    if (order == ReadState::Order::usual) std::ranges::reverse(keys);
    return keys;
  }
};

struct Reader {
  ReadState::Order order = ReadState::Order::usual;
  std::string cursor;
  std::map<std::string, std::uint64_t> stayed;  // since it began, and the count of changes then
  std::map<std::string, int> seen;
};

void run_model(std::uint32_t seed, MapState::Sorted sorted, std::uint32_t keys, int steps) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  MapState state(sorted);
  Reference reference;
  Reader reader;
  bool reading = false;
  std::uint64_t changes = 0;
  for (int step = 0; step < steps; ++step) {
    const std::string key = "key" + std::to_string(below(keys));
    const std::uint32_t what = below(100);
    if (what < 45) {
      const std::int64_t score = static_cast<std::int64_t>(below(9)) - 4;
      const std::string payload(below(40), 'x');
      const bool known = reference.entries.contains(key);
      const bool stays = known && reference.entries[key].score == score;
      EXPECT_EQ(state.check(key, {.when = When::if_new}), known ? Suppression::key_exists : Suppression::none);
      const MessageRef message = change(key, payload, ++changes, score);
      const std::int64_t before = static_cast<std::int64_t>(state.bytes());
      const std::int64_t growth = state.growth(*message);
      state.put(message, 0, {});
      EXPECT_EQ(static_cast<std::int64_t>(state.bytes()) - before, growth);
      reference.entries[key] = {payload, score, changes};
      if (!stays || sorted == MapState::Sorted::by_key) {
        if (!known || !stays) reader.stayed.erase(key);
      }
    } else if (what < 75) {
      if (!reference.entries.contains(key)) {
        EXPECT_EQ(state.check(key, {.removal = true}), Suppression::key_not_found);
        continue;
      }
      state.remove(key);
      reference.entries.erase(key);
      reader.stayed.erase(key);
    } else if (what < 76) {
      state.clear();
      reference.entries.clear();
      reader.stayed.clear();
    } else {
      if (!reading) {
        reader = {.order = below(2) == 0 ? ReadState::Order::usual : ReadState::Order::ascending};
        for (const auto& [each, entry] : reference.entries) reader.stayed[each] = entry.changed;
        reading = true;
      }
      const std::size_t max = 1 + below(20);
      const MapState::Page page = state.page(reader.cursor, reader.order, max, 300).value();
      EXPECT_LE(page.entries.size(), max);
      const std::vector<std::string> wanted = reference.in_order(sorted, reader.order);
      const std::vector<std::string> got = keys_of(page.entries);
      if (!got.empty()) {
        const auto at = std::ranges::search(wanted, got);
        ASSERT_EQ(static_cast<std::size_t>(at.size()), got.size()) << "a page is a part of what is there";
        EXPECT_EQ(page.next.empty(), at.end() == wanted.end());
      }
      for (const MessageRef& each : page.entries) {
        EXPECT_EQ(each->payload(), reference.entries.at(each->extras()->key).payload);
        ++reader.seen[each->extras()->key];
      }
      reader.cursor = page.next;
      if (!page.next.empty()) continue;
      reading = false;
      for (const auto& [each, when] : reader.stayed) EXPECT_EQ(reader.seen[each], 1) << each;
    }
    EXPECT_EQ(state.keys(), reference.entries.size());
    const auto oldest =
        std::ranges::min_element(reference.entries, {}, [](const auto& each) { return each.second.changed; });
    if (oldest == reference.entries.end()) {
      EXPECT_EQ(state.oldest(), nullptr);
      EXPECT_EQ(state.bytes(), 0U);
    } else {
      EXPECT_EQ(state.oldest()->message->extras()->key, oldest->first);
    }
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << " step " << step;
  }
}

TEST(MapState, IsWhatAPlainMapIs) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const MapState::Sorted sorted = seed % 2 == 0 ? MapState::Sorted::by_key : MapState::Sorted::by_score;
    run_model(seed, sorted, 60, 1000);
    if (HasFailure()) return;
  }
}

// Enough for many blocks, which split and grow together again.
TEST(MapState, IsWhatAPlainMapIsWhenItIsLarge) {
  for (const MapState::Sorted sorted : {MapState::Sorted::by_key, MapState::Sorted::by_score}) {
    MapState state(sorted);
    std::mt19937 random(7);
    std::map<std::string, std::int64_t> reference;
    const auto check = [&] {
      std::vector<std::pair<std::int64_t, std::string>> wanted;
      for (const auto& [key, score] : reference) {
        wanted.emplace_back(sorted == MapState::Sorted::by_score ? score : 0, key);
      }
      if (sorted == MapState::Sorted::by_score) std::ranges::sort(wanted, std::greater<>());
      std::size_t at = 0;
      std::string cursor;
      do {
        const MapState::Page page = state.page(cursor, ReadState::Order::usual, 700, 1 << 20).value();
        for (const MessageRef& each : page.entries) ASSERT_EQ(each->extras()->key, wanted.at(at++).second);
        cursor = page.next;
      } while (!cursor.empty());
      ASSERT_EQ(at, wanted.size());
    };
    Offset offset = 0;
    for (int i = 0; i < 20'000; ++i) {
      const std::string key = std::to_string(random() % 30'000);
      const auto score = static_cast<std::int64_t>(random() % 1000);
      state.put(change(key, "x", ++offset, score), 0, {});
      reference[key] = score;
    }
    check();
    while (reference.size() > 300) {
      const auto victim = reference.lower_bound(std::to_string(random() % 30'000));
      if (victim == reference.end()) continue;
      state.remove(victim->first);
      reference.erase(victim);
    }
    check();
  }
}

}  // namespace
}  // namespace hub
