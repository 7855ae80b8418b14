#include "hub/attendance.h"

#include <gtest/gtest.h>

#include <vector>

#include "hub/home.h"

namespace hub {
namespace {

constexpr std::uint64_t kSeed = 3;

class Outbox final : public Post {
 public:
  bool has_room(base::WorkerId) override { return room > 0; }
  void send(base::WorkerId to, Mail mail) override {
    if (auto* enter = std::get_if<Enter>(&mail)) {
      entered.push_back(*enter);
    } else {
      --room;
      left.push_back(std::get<Leave>(mail).member);
    }
    targets.push_back(to);
  }
  std::size_t room = 100;
  std::vector<Enter> entered;
  std::vector<SubscriptionId> left;
  std::vector<base::WorkerId> targets;
};

class AttendanceTest : public testing::Test {
 protected:
  void enter(SubscriptionId id) { attendance.enter(id, news, {}, Announce::yes, post); }
  void answer(std::size_t which, base::Error error = base::Error::none) {
    attendance.receive({.request = post.entered[which].request, .error = error});
  }
  const base::SharedBytes news = base::SharedBytes::copy("news");
  Outbox post;
  Attendance attendance{4, kSeed};
};

TEST_F(AttendanceTest, EntersAndLeavesOnceAtTheHomeOfTheChannel) {
  enter({1, 1});
  enter({1, 1});
  ASSERT_EQ(post.entered.size(), 1U);
  EXPECT_EQ(post.entered[0].member, (SubscriptionId{1, 1}));
  EXPECT_TRUE(attendance.holds({1, 1}));
  answer(0);
  EXPECT_TRUE(attendance.holds({1, 1}));
  attendance.leave({1, 1});
  attendance.leave({1, 1});
  EXPECT_FALSE(attendance.holds({1, 1}));
  EXPECT_TRUE(post.left.empty()) << "leaving is sent by pump()";
  EXPECT_TRUE(attendance.has_backlog());
  attendance.pump(post);
  attendance.pump(post);
  EXPECT_EQ(post.left, (std::vector<SubscriptionId>{{1, 1}}));
  const base::WorkerId home = home_of("news", 4, kSeed);
  EXPECT_EQ(post.targets, (std::vector<base::WorkerId>{home, home}));
  EXPECT_EQ(attendance.members(), 0U);
  EXPECT_FALSE(attendance.has_backlog());
}

TEST_F(AttendanceTest, ALeaveNeverOvertakesItsEnter) {
  enter({1, 1});
  attendance.leave({1, 1});
  attendance.leave({1, 1});
  EXPECT_FALSE(attendance.holds({1, 1}));
  attendance.pump(post);
  EXPECT_TRUE(post.left.empty());
  EXPECT_FALSE(attendance.has_backlog()) << "it waits for an answer, not for room";
  answer(0);
  attendance.pump(post);
  EXPECT_EQ(post.left, (std::vector<SubscriptionId>{{1, 1}}));
  EXPECT_EQ(attendance.members(), 0U);
}

TEST_F(AttendanceTest, WhoWasRefusedDoesNotLeave) {
  enter({1, 1});
  enter({2, 1});
  answer(0, base::Error::memory);
  attendance.leave({2, 1});
  answer(1, base::Error::memory);
  attendance.leave({1, 1});
  attendance.pump(post);
  EXPECT_TRUE(post.left.empty());
  EXPECT_EQ(attendance.members(), 0U);
}

TEST_F(AttendanceTest, LeavesWaitForRoom) {
  for (std::uint32_t i = 0; i < 5; ++i) {
    enter({i, 1});
    answer(i);
    attendance.leave({i, 1});
  }
  post.room = 2;
  attendance.pump(post);
  EXPECT_EQ(post.left.size(), 2U);
  EXPECT_TRUE(attendance.has_backlog());
  EXPECT_EQ(attendance.members(), 3U);
  post.room = 10;
  attendance.pump(post);
  EXPECT_EQ(post.left.size(), 5U);
  EXPECT_EQ(attendance.members(), 0U);
}

TEST_F(AttendanceTest, ANewSubscriptionInTheSamePlaceIsAnotherMember) {
  enter({1, 1});
  attendance.leave({1, 1});
  enter({1, 2});
  ASSERT_EQ(post.entered.size(), 2U);
  answer(0);
  answer(1);
  attendance.pump(post);
  EXPECT_EQ(post.left, (std::vector<SubscriptionId>{{1, 1}}));
  EXPECT_TRUE(attendance.holds({1, 2}));
}

TEST_F(AttendanceTest, WhoNeverEnteredDoesNotLeave) {
  attendance.leave({1, 1});
  enter({2, 1});
  attendance.leave({2, 2});
  answer(0);
  attendance.pump(post);
  EXPECT_TRUE(post.left.empty());
  EXPECT_TRUE(attendance.holds({2, 1}));
}

}  // namespace
}  // namespace hub
