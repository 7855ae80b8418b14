#include "loop/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "loop/kernel_poller.h"
#include "loop/test_sockets.h"

namespace loop {
namespace {

using namespace std::chrono_literals;

TEST(Signals, ArriveAsValues) {
  const std::unique_ptr<Signals> signals = Signals::open().value();
  EXPECT_EQ(signals->wait(0s), std::nullopt);
  EXPECT_EQ(signals->wait(1ms), std::nullopt);
  for (const auto& [number, expected] : {std::pair{SIGTERM, Signal::terminate}, std::pair{SIGINT, Signal::interrupt},
                                         std::pair{SIGHUP, Signal::reload}}) {
    ::kill(::getpid(), number);
    EXPECT_EQ(signals->wait(base::Duration::max()), expected);
  }
  EXPECT_EQ(signals->wait(0s), std::nullopt);
}

TEST(Signals, WakeAPoller) {
  const std::unique_ptr<Signals> signals = Signals::open().value();
  const std::unique_ptr<KernelPoller> poller = KernelPoller::open().value();
  poller->add(signals->descriptor(), 5, Interest::read);
  EXPECT_TRUE(poller->wait(0s).empty());
  ::kill(::getpid(), SIGHUP);
  const auto ready = poller->wait(base::Duration::max());
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_TRUE(ready[0].readable);
  EXPECT_EQ(signals->wait(0s), Signal::reload);
}

TEST(Signals, ThreadsStartedLaterDoNotCatchThem) {
  const std::unique_ptr<Signals> signals = Signals::open().value();
  std::thread other([] { ::kill(::getpid(), SIGTERM); });
  EXPECT_EQ(signals->wait(base::Duration::max()), Signal::terminate);
  other.join();
}

TEST(Signals, BrokenPipesAreSilent) {
  const std::unique_ptr<Signals> signals = Signals::open().value();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  ::close(ends[1]);
}

TEST(Signals, AShortageIsAText) {
  const test::DescriptorCap cap(0);
  EXPECT_EQ(Signals::open().error(), "cannot watch for signals: too many open files (EMFILE)");
}

}  // namespace
}  // namespace loop
