#include "server/revocations.h"

#include <gtest/gtest.h>

namespace server {
namespace {

using Verdict = Revocations::Verdict;

auth::Principal somebody(std::string user, std::string token_id = "", std::int64_t issued_ms = 0) {
  return {.kind = auth::Principal::Kind::token,
          .subject = std::move(user),
          .issued = {issued_ms},
          .token_id = std::move(token_id)};
}

TEST(Revocations, ABlockEnds) {
  Revocations book;
  EXPECT_EQ(book.verdict(somebody("ann"), {5}), Verdict::good);
  ASSERT_TRUE(book.block("ann", {100}, {5}));
  EXPECT_EQ(book.verdict(somebody("ann"), {99}), Verdict::blocked);
  EXPECT_EQ(book.verdict(somebody("ann"), {100}), Verdict::good);
  EXPECT_EQ(book.verdict(somebody("bob"), {5}), Verdict::good);
  EXPECT_EQ(book.verdict(somebody(""), {5}), Verdict::good);
  ASSERT_TRUE(book.block("ann", {0}, {5}));
  EXPECT_EQ(book.verdict(somebody("ann"), {1'000'000'000'000'000}), Verdict::blocked);
  book.unblock("ann");
  book.unblock("ann");
  EXPECT_EQ(book.verdict(somebody("ann"), {5}), Verdict::good);
  auth::Principal key{.kind = auth::Principal::Kind::api_key, .subject = "ann"};
  ASSERT_TRUE(book.block("ann", {0}, {5}));
  EXPECT_EQ(book.verdict(key, {5}), Verdict::good);
}

TEST(Revocations, SpentBlocksMakeRoom) {
  Revocations book;
  for (std::size_t i = 0; i < Revocations::kBlockedMax; ++i) {
    ASSERT_TRUE(book.block(std::to_string(i), {i == 0 ? 50 : 1000}, {5}));
  }
  EXPECT_EQ(book.block("more", {1000}, {6}).error(), base::Error::busy);
  EXPECT_TRUE(book.block("7", {1000}, {6})) << "who is blocked already may be blocked longer";
  EXPECT_TRUE(book.block("more", {1000}, {50}));
}

TEST(Revocations, TokensByIdAndByTime) {
  Revocations book;
  ASSERT_TRUE(book.revoke_token("t1", {0}, {5}));
  EXPECT_EQ(book.verdict(somebody("ann", "t1"), {500}), Verdict::revoked);
  EXPECT_EQ(book.verdict(somebody("ann", "t2"), {500}), Verdict::good);
  ASSERT_TRUE(book.revoke_user("ann", {1000}, {0}, {5}));
  EXPECT_EQ(book.verdict(somebody("ann", "t2", 999), {500}), Verdict::revoked);
  EXPECT_EQ(book.verdict(somebody("ann", "t2", 1000), {500}), Verdict::good);
  EXPECT_FALSE(book.revoke_token("", {0}, {5}));
}

}  // namespace
}  // namespace server
