#include "auth/ticket.h"

#include <gtest/gtest.h>

#include <set>

namespace auth {
namespace {

using base::Error;
using namespace std::chrono_literals;

constexpr base::WorkerId kWorker = 0x01af;

Principal user(std::string subject) {
  return {.kind = Principal::Kind::token, .subject = std::move(subject), .subscribe = {"a"}, .publish = {"b"}};
}

class TicketBookTest : public testing::Test {
 protected:
  std::string issue(std::string subject, base::Instant now) {
    return book_.issue(user(std::move(subject)), now, entropy_).value();
  }
  TicketBook book_{kWorker};
  base::SeededEntropy entropy_{5};
  base::Instant start_{};
};

TEST_F(TicketBookTest, GivesThePrincipalOnce) {
  const std::string ticket = issue("alice", start_);
  EXPECT_EQ(book_.redeem(ticket, start_ + 1s), user("alice"));
  EXPECT_EQ(book_.redeem(ticket, start_ + 1s), std::unexpected(Error::token_invalid));
}

TEST_F(TicketBookTest, LivesForThirtySeconds) {
  const std::string in_time = issue("a", start_);
  const std::string late = issue("b", start_);
  EXPECT_TRUE(book_.redeem(in_time, start_ + 30s - 1ns));
  EXPECT_EQ(book_.redeem(late, start_ + 30s), std::unexpected(Error::token_invalid));
  EXPECT_EQ(book_.open(), 0U);
}

TEST_F(TicketBookTest, RefusesEveryAlteredTicket) {
  const std::string ticket = issue("a", start_);
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    std::string altered = ticket;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(book_.redeem(altered, start_), std::unexpected(Error::token_invalid)) << i;
  }
  EXPECT_FALSE(book_.redeem("", start_));
  EXPECT_FALSE(book_.redeem(ticket + "A", start_));
  EXPECT_FALSE(book_.redeem(std::string_view(ticket).substr(1), start_));
  EXPECT_TRUE(book_.redeem(ticket, start_));
}

TEST_F(TicketBookTest, NamesItsWorker) {
  const std::string ticket = issue("a", start_);
  EXPECT_EQ(ticket.substr(0, 4), "01af");
  EXPECT_EQ(TicketBook::worker_of(ticket), kWorker);
  TicketBook other(2);
  EXPECT_FALSE(other.redeem(ticket, start_));
  EXPECT_EQ(TicketBook::worker_of(""), std::nullopt);
  EXPECT_EQ(TicketBook::worker_of("zzzz" + ticket.substr(4)), std::nullopt);
  EXPECT_EQ(TicketBook::worker_of(ticket.substr(0, 35) + "="), std::nullopt);
}

TEST_F(TicketBookTest, IsBoundedAndRecovers) {
  for (std::size_t i = 0; i < TicketBook::kOpenMax; ++i) issue("a", start_);
  EXPECT_EQ(book_.issue(user("late"), start_ + 29s, entropy_), std::unexpected(Error::busy));
  EXPECT_TRUE(book_.issue(user("later"), start_ + 30s, entropy_));
  EXPECT_EQ(book_.open(), 1U);
}

TEST_F(TicketBookTest, RedeemingDoesNotMakeRoomForAFlood) {
  for (std::size_t i = 0; i < TicketBook::kOpenMax; ++i) ASSERT_TRUE(book_.redeem(issue("a", start_), start_));
  EXPECT_EQ(book_.open(), 0U);
  EXPECT_FALSE(book_.issue(user("late"), start_, entropy_));
}

TEST_F(TicketBookTest, TicketsDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 4000; ++i) EXPECT_TRUE(seen.insert(issue("a", start_)).second);
}

}  // namespace
}  // namespace auth
