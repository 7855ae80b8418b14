#include "hub/tags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hub/limits.h"

namespace hub {
namespace {

TEST(Tags, AreSortedAndFound) {
  const auto tags = Tags::make({{"b", "2"}, {"c", ""}, {"a", "1"}, {"ab", "12"}});
  ASSERT_TRUE(tags.has_value());
  const std::vector<Tag> sorted = {{"a", "1"}, {"ab", "12"}, {"b", "2"}, {"c", ""}};
  EXPECT_EQ(std::vector(tags->all().begin(), tags->all().end()), sorted);
  for (const Tag& tag : sorted) {
    ASSERT_NE(tags->find(tag.key), nullptr);
    EXPECT_EQ(*tags->find(tag.key), tag.value);
  }
  for (const std::string_view key : {"", "A", "aa", "abc", "d"}) EXPECT_EQ(tags->find(key), nullptr) << key;
  EXPECT_EQ(*tags, Tags::make(sorted));
  EXPECT_TRUE(Tags().empty());
  EXPECT_EQ(Tags().find("a"), nullptr);
}

TEST(Tags, Limits) {
  std::vector<Tag> many;
  for (std::size_t i = 0; i < kTagsMax; ++i) many.push_back({std::to_string(i), ""});
  EXPECT_TRUE(Tags::make(many).has_value());
  many.push_back({"more", ""});
  EXPECT_EQ(Tags::make(many).error(), TagsError::too_many);

  EXPECT_TRUE(Tags::make({{std::string(kTagKeyBytesMax, 'k'), std::string(kTagValueBytesMax, 'v')}}).has_value());
  EXPECT_EQ(Tags::make({{std::string(kTagKeyBytesMax + 1, 'k'), ""}}).error(), TagsError::key_bytes);
  EXPECT_EQ(Tags::make({{"", "v"}}).error(), TagsError::key_bytes);
  EXPECT_EQ(Tags::make({{"k", std::string(kTagValueBytesMax + 1, 'v')}}).error(), TagsError::value_bytes);
  EXPECT_EQ(Tags::make({{"k", "1"}, {"l", ""}, {"k", "1"}}).error(), TagsError::doubled);
}

TEST(Tags, EveryErrorHasAName) {
  EXPECT_EQ(to_string(TagsError::too_many), "too_many");
  EXPECT_EQ(to_string(TagsError::key_bytes), "key_bytes");
  EXPECT_EQ(to_string(TagsError::value_bytes), "value_bytes");
  EXPECT_EQ(to_string(TagsError::doubled), "doubled");
}

TEST(Tags, AreChargedWithTheirText) {
  const auto tags = Tags::make({{"key", "value"}, {"k", std::string(1000, 'v')}});
  EXPECT_EQ(tags->charged_bytes(), 2 * sizeof(Tag) + 8 + 1001);
}

}  // namespace
}  // namespace hub
