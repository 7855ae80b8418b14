#include "server/post_office.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace server {
namespace {

class CountingWakeup final : public loop::Wakeup {
 public:
  bool wake() override { return ++count, asleep; }
  int count = 0;
  bool asleep = true;
};

// Two workers whose mailboxes hold one request, one answer and one consequence each way.
class PostOfficeTest : public testing::Test {
 protected:
  std::array<CountingWakeup, 2> wakeups;
  std::array<loop::Wakeup*, 2> pointers{&wakeups[0], &wakeups[1]};
  Mailboxes mailboxes{2, {.credits = 1, .consequences = 1}};
  PostOffice a{0, mailboxes, pointers};
  PostOffice b{1, mailboxes, pointers};

  static hub::Mail read(hub::RequestId request) { return hub::Read{.request = request}; }
  static hub::Mail answer(hub::RequestId request) {
    return hub::Page{.request = request, .state = hub::Page::State::read_only};
  }
};

TEST_F(PostOfficeTest, RequestsWithoutACreditWaitInOrder) {
  for (hub::RequestId request = 1; request <= 3; ++request) a.send(1, read(request));
  EXPECT_EQ(a.parked(), 2U);
  std::vector<hub::RequestId> handled;
  for (int round = 0; round < 3; ++round) {
    b.take(0, 10, [&](hub::Mail mail) {
      const hub::RequestId request = std::get<hub::Read>(mail).request;
      handled.push_back(request);
      b.send(0, answer(request));
    });
    EXPECT_EQ(handled.size(), static_cast<std::size_t>(round) + 1) << "one credit: one request at a time";
    a.take(1, 10, [](hub::Mail) {});
  }
  EXPECT_EQ(handled, (std::vector<hub::RequestId>{1, 2, 3}));
  EXPECT_EQ(a.parked(), 0U);
}

TEST_F(PostOfficeTest, AnswersAreNeverRefusedWhenConsequencesFillTheMailbox) {
  a.send(1, read(1));
  ASSERT_TRUE(b.has_room(0));
  b.send(0, hub::Delivery{});
  EXPECT_FALSE(b.has_room(0));
  b.take(0, 10, [&](hub::Mail) { b.send(0, answer(1)); });
  std::vector<std::size_t> kinds;
  a.take(1, 10, [&](hub::Mail mail) { kinds.push_back(mail.index()); });
  EXPECT_EQ(kinds, (std::vector<std::size_t>{hub::Mail(hub::Delivery{}).index(), hub::Mail(hub::Page{}).index()}))
      << "one ring keeps the order";
}

TEST_F(PostOfficeTest, WhoFoundNoRoomIsWokenOnceThereIs) {
  b.send(0, hub::Delivery{});
  EXPECT_FALSE(b.has_room(0));
  a.take(1, 10, [](hub::Mail) {});
  a.wake_others();
  EXPECT_EQ(wakeups[1].count, 1);
  EXPECT_TRUE(b.has_room(0));
  a.wake_others();
  EXPECT_EQ(wakeups[1].count, 1) << "once";
}

TEST_F(PostOfficeTest, CountsWhatGoesToOtherWorkers) {
  a.send(0, hub::Delivery{});
  a.wake_others();
  EXPECT_EQ(a.mails_sent() + a.deliveries_sent() + a.wakeups(), 0U) << "its own";
  a.send(1, read(1));
  a.send(1, hub::Delivery{});
  a.wake_others();
  wakeups[1].asleep = false;
  a.send(1, hub::Delivery{});
  a.wake_others();
  EXPECT_EQ(a.mails_sent(), 3U);
  EXPECT_EQ(a.deliveries_sent(), 2U);
  EXPECT_EQ(a.wakeups(), 1U);
  EXPECT_EQ(b.mails_sent(), 0U);
}

}  // namespace
}  // namespace server
