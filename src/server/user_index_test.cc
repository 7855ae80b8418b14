#include "server/user_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/entropy.h"

namespace server {
namespace {

std::vector<std::uint32_t> slots(const UserIndex& index, std::string_view name) {
  std::vector<std::uint32_t> result;
  for (const base::PeerId each : index.find(name)) result.push_back(each.slot);
  return result;
}

TEST(UserIndex, FindsWhatWasAdded) {
  UserIndex index;
  EXPECT_TRUE(index.find("ann").empty());
  index.add("ann", {7, 1});
  index.add("ann", {3, 2});
  index.add("ann", {7, 1});
  index.add("anna", {5, 1});
  index.add("an", {6, 1});
  EXPECT_EQ(slots(index, "ann"), (std::vector<std::uint32_t>{3, 7}));
  EXPECT_EQ(slots(index, "an"), (std::vector<std::uint32_t>{6}));
  EXPECT_EQ(slots(index, ""), (std::vector<std::uint32_t>{}));
  EXPECT_EQ(index.find("ann")[0].generation, 2U);
  EXPECT_EQ(index.names(), 3U);
  EXPECT_EQ(index.connections(), 4U);
  index.remove("ann", {7, 2});
  EXPECT_EQ(index.connections(), 4U) << "another generation is another connection";
  index.remove("ann", {7, 1});
  index.remove("ann", {7, 1});
  EXPECT_EQ(index.names(), 3U);
  index.remove("ann", {3, 2});
  EXPECT_EQ(index.names(), 2U);
  EXPECT_TRUE(index.find("ann").empty());
}

TEST(UserIndex, IsAMapOfSets) {
  UserIndex index;
  std::map<std::string, std::set<std::uint32_t>> model;
  base::SeededEntropy entropy(1);
  for (int round = 0; round < 20'000; ++round) {
    const std::string name = std::to_string(entropy.below(20));
    const std::uint32_t slot = entropy.below(30);
    if (entropy.below(2) == 0) {
      index.add(name, {slot, 1});
      model[name].insert(slot);
    } else {
      index.remove(name, {slot, 1});
      model[name].erase(slot);
      if (model[name].empty()) model.erase(name);
    }
    ASSERT_EQ(index.names(), model.size());
    const std::set<std::uint32_t>& expected = model[name];
    ASSERT_TRUE(std::ranges::equal(slots(index, name), expected));
    if (expected.empty()) model.erase(name);
  }
}

}  // namespace
}  // namespace server
