#include "auth/api_key.h"

#include <gtest/gtest.h>

#include <string>

namespace auth {
namespace {

using base::Secret;

TEST(ApiKeys, AcceptsEachOfItsKeysAndNothingElse) {
  const ApiKeys keys({Secret("first-key"), Secret("second-key")});
  ASSERT_TRUE(keys.verify("first-key"));
  EXPECT_EQ(keys.verify("first-key")->kind, Principal::Kind::api_key);
  EXPECT_TRUE(keys.verify("second-key"));
  for (const std::string_view wrong : {"", "first-ke", "first-key ", "First-key", "first-keyfirst-key"}) {
    EXPECT_EQ(keys.verify(wrong), std::unexpected(base::Error::api_key)) << wrong;
  }
}

TEST(ApiKeys, AnEmptyKeyNeverMatches) {
  const ApiKeys keys({Secret("")});
  EXPECT_TRUE(keys.empty());
  EXPECT_EQ(keys.verify(""), std::unexpected(base::Error::api_key));
  EXPECT_EQ(ApiKeys{}.verify(""), std::unexpected(base::Error::api_key));
  EXPECT_EQ(ApiKeys{}.verify("x"), std::unexpected(base::Error::api_key));
}

TEST(ApiKeys, RefusesWhatIsTooLongUnread) {
  const std::string longest(ApiKeys::kKeyBytesMax, 'k');
  const ApiKeys keys({Secret(longest), Secret(longest + "k")});
  EXPECT_TRUE(keys.verify(longest));
  EXPECT_FALSE(keys.verify(longest + "k"));
}

}  // namespace
}  // namespace auth
