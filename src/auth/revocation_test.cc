#include "auth/revocation.h"

#include <gtest/gtest.h>

#include <string>

namespace auth {
namespace {

using base::Error;

constexpr base::WallTime kNow{1'700'000'000'000};
constexpr base::WallTime kLater{kNow.ms + 3'600'000};

Principal token(std::string subject, base::WallTime issued, std::string id = {}) {
  return {.kind = Principal::Kind::token, .subject = std::move(subject), .issued = issued, .token_id = std::move(id)};
}

TEST(RevocationBook, ByUserAndMoment) {
  RevocationBook book;
  EXPECT_FALSE(book.is_revoked(token("alice", kNow)));
  ASSERT_TRUE(book.revoke_user("alice", kNow, kLater, kNow));
  EXPECT_TRUE(book.is_revoked(token("alice", {kNow.ms - 1})));
  EXPECT_FALSE(book.is_revoked(token("alice", kNow))) << "issued at that moment: the new one";
  EXPECT_TRUE(book.is_revoked(token("alice", {}))) << "no iat";
  EXPECT_FALSE(book.is_revoked(token("bob", {})));
  EXPECT_FALSE(book.is_revoked(token("", {})));
  // Said again, the later moment counts.
  ASSERT_TRUE(book.revoke_user("alice", {kNow.ms + 10}, kLater, kNow));
  ASSERT_TRUE(book.revoke_user("alice", {kNow.ms - 10}, kLater, kNow));
  EXPECT_TRUE(book.is_revoked(token("alice", {kNow.ms + 9})));
  EXPECT_FALSE(book.is_revoked(token("alice", {kNow.ms + 10})));
  EXPECT_EQ(book.size(), 1U);
}

TEST(RevocationBook, ById) {
  RevocationBook book;
  ASSERT_TRUE(book.revoke_token("id-1", kLater, kNow));
  EXPECT_TRUE(book.is_revoked(token("alice", kNow, "id-1")));
  EXPECT_FALSE(book.is_revoked(token("alice", kNow, "id-2")));
  EXPECT_FALSE(book.is_revoked(token("id-1", kNow)));
  EXPECT_FALSE(book.is_revoked(token("alice", kNow)));
}

TEST(RevocationBook, EverythingBeforeAMoment) {
  RevocationBook book;
  book.revoke_before(kNow);
  book.revoke_before({kNow.ms - 1000});
  EXPECT_TRUE(book.is_revoked(token("alice", {kNow.ms - 1})));
  EXPECT_TRUE(book.is_revoked(token("", {})));
  EXPECT_FALSE(book.is_revoked(token("alice", kNow)));
  book.drop_expired({kNow.ms * 2});
  EXPECT_TRUE(book.is_revoked(token("alice", {kNow.ms - 1}))) << "never taken back";
}

TEST(RevocationBook, WhoHasNoTokenIsNotMeant) {
  RevocationBook book;
  book.revoke_before(kLater);
  ASSERT_TRUE(book.revoke_user("alice", kLater, kLater, kNow));
  EXPECT_FALSE(book.is_revoked({}));
  EXPECT_FALSE(book.is_revoked({.kind = Principal::Kind::api_key, .subject = "alice"}));
}

TEST(RevocationBook, EntriesGoWhenTheirTokensAreOver) {
  RevocationBook book;
  ASSERT_TRUE(book.revoke_token("a", {kNow.ms + 1000}, kNow));
  ASSERT_TRUE(book.revoke_token("b", {kNow.ms + 1000}, kNow));
  ASSERT_TRUE(book.revoke_token("b", {kNow.ms + 2000}, kNow));
  ASSERT_TRUE(book.revoke_token("b", {kNow.ms + 500}, kNow));
  ASSERT_TRUE(book.revoke_user("u", kNow, {kNow.ms + 1000}, kNow));
  book.drop_expired({kNow.ms + 999});
  EXPECT_EQ(book.size(), 3U);
  book.drop_expired({kNow.ms + 1000});
  EXPECT_EQ(book.size(), 1U);
  EXPECT_TRUE(book.is_revoked(token("x", kNow, "b")));
  book.drop_expired({kNow.ms + 2000});
  EXPECT_EQ(book.size(), 0U);
  // What is over already needs no entry.
  ASSERT_TRUE(book.revoke_token("c", kNow, kNow));
  ASSERT_TRUE(book.revoke_user("c", kNow, kNow, kNow));
  EXPECT_EQ(book.size(), 0U);
}

TEST(RevocationBook, NamesThatNoTokenHasAreRefused) {
  RevocationBook book;
  for (const std::string& name : {std::string(), std::string(256, 'x'), std::string("a\nb")}) {
    EXPECT_EQ(book.revoke_token(name, kLater, kNow), std::unexpected(Error::bad_parameter));
    EXPECT_EQ(book.revoke_user(name, kNow, kLater, kNow), std::unexpected(Error::bad_parameter));
  }
}

TEST(RevocationBook, IsBounded) {
  RevocationBook book;
  for (std::size_t i = 0; i < RevocationBook::kEntriesMax; ++i) {
    ASSERT_TRUE(book.revoke_token(std::to_string(i), {kNow.ms + (i == 7 ? 1000 : 2000)}, kNow));
  }
  EXPECT_EQ(book.revoke_token("one more", kLater, kNow), std::unexpected(Error::busy));
  EXPECT_EQ(book.revoke_user("one more", kNow, kLater, kNow), std::unexpected(Error::busy));
  EXPECT_TRUE(book.revoke_token("8", kLater, kNow)) << "one that is there already";
  const base::WallTime after{kNow.ms + 1000};
  EXPECT_TRUE(book.revoke_user("one more", kNow, kLater, after)) << "in the place of one that is over";
  EXPECT_EQ(book.revoke_token("and more", kLater, after), std::unexpected(Error::busy));
  EXPECT_EQ(book.size(), RevocationBook::kEntriesMax);
  EXPECT_FALSE(book.is_revoked(token("x", kNow, "7")));
  EXPECT_TRUE(book.is_revoked(token("one more", {})));
}

}  // namespace
}  // namespace auth
