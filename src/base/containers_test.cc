// Against the library's containers, over random steps that grow and shrink.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/hash.h"
#include "base/hash_index.h"
#include "base/one_or_many.h"
#include "base/ring.h"

namespace base {
namespace {

// Steps in long waves: mostly up, then mostly down.
bool grows(SeededEntropy& entropy, int step) { return entropy.below(10) < (step / 3000 % 2 == 0 ? 7U : 3U); }

TEST(Ring, IsAQueue) {
  SeededEntropy entropy(1);
  Ring<std::shared_ptr<int>> ring;
  std::deque<std::shared_ptr<int>> model;
  for (int step = 0; step < 30'000; ++step) {
    if (grows(entropy, step)) {
      const auto item = std::make_shared<int>(step);
      ring.push_back(item);
      model.push_back(item);
    } else if (!model.empty()) {
      const std::weak_ptr<int> gone = model.front();
      ring.pop_front();
      model.pop_front();
      EXPECT_TRUE(gone.expired());
    }
    ASSERT_EQ(ring.size(), model.size());
    ASSERT_EQ(ring.empty(), model.empty());
    if (model.empty()) continue;
    ASSERT_EQ(ring.front(), model.front());
    ASSERT_EQ(ring.back(), model.back());
    const std::size_t any = entropy.below(static_cast<std::uint32_t>(model.size()));
    ASSERT_EQ(ring[any], model[any]);
  }
}

TEST(Ring, WhatIsMovedFromIsEmpty) {
  Ring<std::string> first;
  first.push_back("a");
  Ring<std::string> second = std::move(first);
  EXPECT_EQ(second.front(), "a");
  first = std::move(second);
  EXPECT_EQ(first.size(), 1U);
  EXPECT_TRUE(second.empty());
}

TEST(OneOrMany, IsAnArray) {
  SeededEntropy entropy(2);
  OneOrMany<int> array;
  std::vector<int> model;
  for (int step = 0; step < 60'000; ++step) {
    if (grows(entropy, step)) {
      array.push_back(step);
      model.push_back(step);
    } else if (!model.empty()) {
      array.pop_back();
      model.pop_back();
    }
    ASSERT_EQ(array.size(), model.size());
    if (step % 500 == 0 || model.size() < 5) {
      ASSERT_EQ(std::vector(array.begin(), array.end()), model);
    }
    if (!model.empty()) {
      ASSERT_EQ(array.back(), model.back());
    }
  }
}

// With the worst hashes as with good ones: what stands behind an erased entry stays to be found.
TEST(HashIndex, FindsWhatIsInIt) {
  for (const std::uint32_t hashes : {3U, 40U, 1'000'000U}) {
    SeededEntropy entropy(3);
    HashIndex index;
    std::map<std::uint32_t, std::uint64_t> model;  // slot to hash
    for (int step = 0; step < 30'000; ++step) {
      const std::uint32_t slot = entropy.below(hashes < 100 ? 300 : 3000);
      const auto known = model.find(slot);
      if (known == model.end() && grows(entropy, step)) {
        const std::string key = std::to_string(entropy.below(hashes));
        model[slot] = hash64(key, 5);
        index.insert(model[slot], slot);
      } else if (known != model.end() && !grows(entropy, step)) {
        ASSERT_TRUE(index.erase(known->second, slot));
        ASSERT_FALSE(index.erase(known->second, slot));
        model.erase(known);
      }
      ASSERT_EQ(index.size(), model.size());
      const auto found = model.find(entropy.below(3000));
      if (found == model.end()) continue;
      ASSERT_EQ(index.find(found->second, [&](std::uint32_t each) { return each == found->first; }), found->first);
      ASSERT_EQ(index.find(found->second, [&](std::uint32_t) { return false; }), HashIndex::kNone);
    }
  }
}

}  // namespace
}  // namespace base
