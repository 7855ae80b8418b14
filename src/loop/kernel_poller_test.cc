#include "loop/kernel_poller.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "loop/kernel_clock.h"
#include "loop/kernel_entropy.h"
#include "loop/mailbox_ring.h"
#include "loop/test_sockets.h"

namespace {
std::atomic<bool> refuse_watches{false};
std::atomic<bool> is_old_kernel{false};
}  // namespace

// Stands in for libc's: the only way to see the kernel run out of watches without using up the machine's.
extern "C" int epoll_ctl(int epoll, int operation, int socket, epoll_event* event) {
  if (refuse_watches && operation == EPOLL_CTL_ADD) {
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, socket, event));
}

// A kernel before Linux 5.11.
extern "C" int epoll_pwait2(int epoll, epoll_event* events, int count, const timespec* timeout, const sigset_t* mask) {
  if (is_old_kernel) {
    errno = ENOSYS;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_epoll_pwait2, epoll, events, count, timeout, mask, sizeof(std::uint64_t)));
}

namespace loop {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kForEver = base::Duration::max();

class KernelPollerTest : public ::testing::Test {
 protected:
  void send(SocketId socket, std::string_view text) { pair_.sockets.write(socket, std::array{text}); }

  test::Pair pair_;
  std::unique_ptr<KernelPoller> poller_ = KernelPoller::open().value();
};

TEST_F(KernelPollerTest, ReportsWhatIsAskedFor) {
  poller_->add(pair_.server, 7, Interest::read);
  EXPECT_TRUE(poller_->wait(0ns).empty());
  send(pair_.client, "x");
  auto ready = poller_->wait(kForEver);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].token, 7u);
  EXPECT_TRUE(ready[0].readable);
  EXPECT_FALSE(ready[0].writable);
  EXPECT_FALSE(ready[0].hang_up);

  EXPECT_EQ(poller_->wait(kForEver).size(), 1u);  // level-triggered: still there

  poller_->modify(pair_.server, 8, Interest::read_write);
  ready = poller_->wait(kForEver);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].token, 8u);
  EXPECT_TRUE(ready[0].readable && ready[0].writable);

  poller_->modify(pair_.server, 8, Interest::write);
  ready = poller_->wait(kForEver);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_TRUE(!ready[0].readable && ready[0].writable);

  poller_->modify(pair_.server, 8, Interest::none);
  EXPECT_TRUE(poller_->wait(0ns).empty());
  poller_->modify(pair_.server, 8, Interest::read);
  EXPECT_EQ(poller_->wait(0ns).size(), 1u);
  poller_->remove(pair_.server);
  EXPECT_TRUE(poller_->wait(0ns).empty());
}

TEST_F(KernelPollerTest, HangUpIsReportedWithoutInterest) {
  poller_->add(pair_.server, 1, Interest::none);
  pair_.sockets.close(std::exchange(pair_.client, kNoSocket), CloseMode::reset);
  const auto ready = poller_->wait(kForEver);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_TRUE(ready[0].hang_up);
}

TEST_F(KernelPollerTest, FindsMoreThanOneBatch) {
  constexpr std::uint64_t kSockets = 1200;
  std::vector<std::array<int, 2>> pairs(kSockets);
  for (std::uint64_t i = 0; i < kSockets; ++i) {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[i].data()), 0);
    poller_->add(pairs[i][0], i, Interest::read);
    send(pairs[i][1], "x");
  }
  std::vector<bool> seen(kSockets);
  std::size_t distinct = 0;
  for (int round = 0; round < 3; ++round) {
    for (const Ready& ready : poller_->wait(0ns)) {
      if (!seen[ready.token]) ++distinct;
      seen[ready.token] = true;
    }
  }
  EXPECT_EQ(distinct, kSockets);
  for (const auto& [a, b] : pairs) {
    ::close(a);
    ::close(b);
  }
}

TEST_F(KernelPollerTest, TimeoutsAreNotEarly) {
  KernelClock clock;
  for (const base::Duration timeout : {base::Duration(1ns), base::Duration(1ms), base::Duration(2500us)}) {
    const base::Instant start = clock.now();
    EXPECT_TRUE(poller_->wait(timeout).empty());
    EXPECT_GE(clock.now() - start, timeout);
  }
}

TEST_F(KernelPollerTest, AShortTimeoutIsNotRoundedToMilliseconds) {
  timespec zero{};
  epoll_event event;
  if (::epoll_pwait2(-1, &event, 1, &zero, nullptr) < 0 && errno == ENOSYS) GTEST_SKIP() << "the kernel is older";
  KernelClock clock;
  base::Duration shortest = kForEver;  // of many: others may have the CPU
  for (int i = 0; i < 100; ++i) {
    const base::Instant start = clock.now();
    poller_->wait(200us);
    shortest = std::min(shortest, clock.now() - start);
  }
  EXPECT_GE(shortest, 200us);
  EXPECT_LT(shortest, 800us);
}

TEST_F(KernelPollerTest, AnOldKernelWaitsByMilliseconds) {
  is_old_kernel = true;
  const std::unique_ptr<KernelPoller> poller = KernelPoller::open().value();
  KernelClock clock;
  const base::Instant start = clock.now();
  EXPECT_TRUE(poller->wait(200us).empty());
  EXPECT_GE(clock.now() - start, 1ms - 10us);
  poller->wake();
  EXPECT_TRUE(poller->wait(kForEver).empty());
  is_old_kernel = false;
}

TEST_F(KernelPollerTest, AWakeUpBeforeTheWaitIsNotLost) {
  poller_->wake();
  EXPECT_TRUE(poller_->wait(kForEver).empty());  // returns
  poller_->wake();
  poller_->wake();
  EXPECT_TRUE(poller_->wait(kForEver).empty());
}

TEST_F(KernelPollerTest, AWakeUpThatAPollFoundDoesNotStay) {
  poller_->wake();
  poller_->wait(0ns);
  KernelClock clock;
  const base::Instant start = clock.now();
  poller_->wait(2ms);
  EXPECT_GE(clock.now() - start, 2ms);
}

// The protocol of a worker: wait, then pop. If one wake-up were lost, this would stand still.
TEST_F(KernelPollerTest, NoWakeUpIsLostBetweenTwoThreads) {
  constexpr int kItems = 100'000;
  const std::unique_ptr<KernelPoller> producer_poller = KernelPoller::open().value();
  MailboxRing<int> there(4);
  MailboxRing<int> back(4);
  std::thread producer([&] {
    int returned = 0;
    int item = 0;
    for (int sent = 0; returned < kItems;) {
      while (sent < kItems && there.try_push(int{sent})) ++sent;
      poller_->wake();
      producer_poller->wait(kForEver);
      while (back.try_pop(item)) ++returned;
    }
  });
  int expected = 0;
  while (expected < kItems) {
    poller_->wait(kForEver);
    int item = 0;
    while (back.free_slots() > 0 && there.try_pop(item)) {
      ASSERT_EQ(item, expected++);
      ASSERT_TRUE(back.try_push(int{item}));
    }
    producer_poller->wake();
  }
  producer.join();
}

TEST_F(KernelPollerTest, ARefusedWatchIsAHangUpUntilRemoved) {
  refuse_watches = true;
  poller_->add(pair_.server, 42, Interest::read);
  refuse_watches = false;
  poller_->modify(pair_.server, 42, Interest::read_write);
  for (int i = 0; i < 2; ++i) {
    const auto ready = poller_->wait(kForEver);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_EQ(ready[0].token, 42u);
    EXPECT_TRUE(ready[0].hang_up);
  }
  poller_->remove(pair_.server);
  EXPECT_TRUE(poller_->wait(0ns).empty());
  poller_->add(pair_.server, 43, Interest::write);
  EXPECT_TRUE(poller_->wait(kForEver)[0].writable);
}

TEST(KernelPoller, EveryShortageIsATextAndLeavesNothingOpen) {
  const std::size_t before = test::open_now();
  int failures = 0;
  for (int more = 0;; ++more) {
    std::expected<std::unique_ptr<KernelPoller>, std::string> poller;
    {
      const test::DescriptorCap cap(more);
      poller = KernelPoller::open();
    }
    if (poller) break;
    ++failures;
    EXPECT_TRUE(poller.error().ends_with("too many open files (EMFILE)")) << poller.error();
    EXPECT_EQ(test::open_now(), before);
  }
  EXPECT_EQ(failures, 2);

  refuse_watches = true;
  EXPECT_EQ(KernelPoller::open().error(), "cannot watch an eventfd: no space left on device (ENOSPC)");
  refuse_watches = false;
  EXPECT_EQ(test::open_now(), before);
}

TEST(KernelClock, RunsForwardAndKnowsTheCentury) {
  KernelClock clock;
  const base::Instant first = clock.now();
  EXPECT_LE(first, clock.now());
  EXPECT_GT(clock.wall().ms, 1'700'000'000'000);
}

TEST(KernelEntropy, DoesNotRepeat) {
  KernelEntropy entropy;
  std::vector<std::uint64_t> words;
  for (int i = 0; i < 1000; ++i) words.push_back(entropy.next());
  std::ranges::sort(words);
  EXPECT_EQ(std::ranges::adjacent_find(words), words.end());
  EXPECT_NE(words.front(), 0u);
}

}  // namespace
}  // namespace loop
