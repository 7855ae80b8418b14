#include "base/slab.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/entropy.h"

namespace base {
namespace {

struct Numbered {
  static inline int living = 0;
  Numbered() { ++living; }
  ~Numbered() { --living; }
  Numbered(const Numbered&) = delete;
  Numbered& operator=(const Numbered&) = delete;
  std::uint32_t generation = 0;
  int value = 0;
};

TEST(Slab, TakesTheLowestFreeSlot) {
  Slab<int> slab;
  for (std::uint32_t slot = 0; slot < 200; ++slot) EXPECT_EQ(slab.take(), slot);
  for (const std::uint32_t slot : {150U, 7U, 70U}) slab.give_back(slot);
  EXPECT_EQ(slab.size(), 197U);
  EXPECT_FALSE(slab.taken(70));
  for (const std::uint32_t slot : {7U, 70U, 150U, 200U}) EXPECT_EQ(slab.take(), slot);
}

TEST(Slab, AnObjectNeverMovesAndIsNewForItsNextUser) {
  Slab<Numbered> slab;
  Numbered* const first = &slab[slab.take()];
  first->value = 5;
  first->generation = 9;
  for (int i = 0; i < 10'000; ++i) slab.take();
  EXPECT_EQ(&slab[0], first);
  slab.give_back(0);
  EXPECT_EQ(slab.take(), 0U);
  EXPECT_EQ(slab[0].value, 0);
  EXPECT_EQ(slab[0].generation, 9U);
}

TEST(Slab, MemoryOfAllButOneFreeChunkGoesBack) {
  const int before = Numbered::living;
  Slab<Numbered> slab;
  for (int i = 0; i < 1000; ++i) slab.take();
  const int full = Numbered::living - before;
  EXPECT_GE(full, 1000);
  for (std::uint32_t slot = 0; slot < 1000; ++slot) slab.give_back(slot);
  EXPECT_TRUE(slab.empty());
  EXPECT_EQ(Numbered::living - before, 64);
  EXPECT_TRUE(slab.holds(0));
  EXPECT_FALSE(slab.holds(999));
  EXPECT_FALSE(slab.taken(999));
}

TEST(Slab, ComingAndGoingAtTheEdgeOfAChunkKeepsIt) {
  Slab<Numbered> slab;
  for (int i = 0; i < 64; ++i) slab.take();
  const Numbered* const edge = &slab[slab.take()];
  const int living = Numbered::living;
  for (int i = 0; i < 100; ++i) {
    slab.give_back(64);
    EXPECT_EQ(Numbered::living, living);
    EXPECT_EQ(&slab[slab.take()], edge);
  }
}

// Against a map: whatever order, a slot has one user, and a generation that only grows although its chunk comes and
// goes.
TEST(Slab, GenerationsOutliveTheirChunks) {
  SeededEntropy entropy(4);
  Slab<Numbered> slab;
  std::map<std::uint32_t, int> model;
  std::map<std::uint32_t, std::uint32_t> newest;
  for (int round = 0; round < 60; ++round) {
    const bool grow = round % 2 == 0;
    for (std::uint32_t steps = entropy.below(2000); steps > 0; --steps) {
      if (entropy.below(8) == 0 ? !grow : grow) {
        const std::uint32_t slot = slab.take();
        Numbered& item = slab[slot];
        EXPECT_EQ(item.value, 0);
        EXPECT_GE(item.generation, newest[slot]);
        newest[slot] = ++item.generation;
        item.value = static_cast<int>(entropy.below(1000)) + 1;
        EXPECT_TRUE(model.emplace(slot, item.value).second);
      } else if (!model.empty()) {
        auto each = model.lower_bound(entropy.below(slab.slots()));
        if (each == model.end()) each = model.begin();
        EXPECT_EQ(slab[each->first].value, each->second);
        slab.give_back(each->first);
        model.erase(each);
      }
    }
    std::map<std::uint32_t, int> found;
    slab.for_each([&](std::uint32_t slot, const Numbered& item) { found[slot] = item.value; });
    EXPECT_EQ(found, model);
    EXPECT_EQ(slab.size(), model.size());
  }
}

}  // namespace
}  // namespace base
