#include "loop/send_ring.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "loop/kernel_sockets.h"
#include "loop/test_sockets.h"

namespace loop {
namespace {

// Socket pairs of the kernel; the ring's twin, one system call for each send, is tested with the same.
class SendMany : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) return;
    if (const auto ring = SendRing::open(); !ring) GTEST_SKIP() << ring.error();
    sockets_.use_ring();
  }
  ~SendMany() override {
    for (const SocketId socket : opened_) ::close(socket);
  }

  struct Ends {
    SocketId ours, theirs;
  };
  Ends open() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    opened_.insert(opened_.end(), {ends[0], ends[1]});
    return {ends[0], ends[1]};
  }
  std::string received(SocketId socket) {
    std::string all(std::size_t{1} << 20, '\0');
    const ssize_t size = ::recv(socket, all.data(), all.size(), 0);
    all.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return all;
  }
  static Send send_of(SocketId socket, std::string_view bytes) {
    return {socket, 0, bytes.data(), static_cast<std::uint32_t>(bytes.size()), -1};
  }

  KernelSockets sockets_;
  std::vector<SocketId> opened_;
};

TEST_P(SendMany, EverySocketGetsItsOwnBytes) {
  for (const std::size_t count : {1u, 15u, 16u, 255u, 256u, 257u, 700u}) {
    std::vector<Ends> ends;
    std::deque<std::string> texts;
    std::vector<Send> sends;
    for (std::size_t i = 0; i < count; ++i) {
      ends.push_back(open());
      texts.push_back("message " + std::to_string(i));
      sends.push_back(send_of(ends[i].ours, texts[i]));
    }
    for (int round = 0; round < 3; ++round) sockets_.send_many(sends);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(sends[i].result, static_cast<std::int32_t>(texts[i].size()));
      EXPECT_EQ(received(ends[i].theirs), texts[i] + texts[i] + texts[i]);
    }
  }
}

// One socket several times in a batch: in the order of the batch.
TEST_P(SendMany, OrderOfOneSocketIsKept) {
  const Ends ends = open();
  std::deque<std::string> texts;
  std::vector<Send> sends;
  std::string all;
  for (int i = 0; i < 600; ++i) {
    texts.push_back(std::to_string(i) + " ");
    all += texts.back();
    sends.push_back(send_of(ends.ours, texts.back()));
    if (i % 64 != 63) continue;
    sockets_.send_many(sends);
    for (const Send& each : sends) ASSERT_EQ(each.result, static_cast<std::int32_t>(each.size));
    ASSERT_EQ(received(ends.theirs), std::exchange(all, {}));
    sends.clear();
  }
}

TEST_P(SendMany, EachFailsOrSucceedsForItself) {
  const std::string text = "hello";
  test::Pair tcp;
  std::vector<Ends> ends;
  std::vector<Send> sends;
  for (int i = 0; i < 40; ++i) {
    ends.push_back(open());
    sends.push_back(send_of(ends.back().ours, text));
  }
  ::close(ends[3].theirs);
  std::erase(opened_, ends[3].theirs);
  const int size = 4096;
  ASSERT_EQ(::setsockopt(ends[5].ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
  const std::string block(4096, 'x');
  while (::send(ends[5].ours, block.data(), block.size(), MSG_DONTWAIT) > 0) continue;
  const std::string huge(32 << 20, 'y');
  sends[7] = send_of(tcp.server, huge);

  sockets_.send_many(sends);
  for (std::size_t i = 0; i < sends.size(); ++i) {
    if (i == 3) {
      EXPECT_EQ(sends[i].result, -EPIPE);
    } else if (i == 5) {
      EXPECT_EQ(sends[i].result, 0);
    } else if (i == 7) {
      EXPECT_GT(sends[i].result, 0);
      EXPECT_LT(sends[i].result, 32 << 20);
    } else {
      EXPECT_EQ(sends[i].result, 5);
      EXPECT_EQ(received(ends[i].theirs), text);
    }
  }
  // What was refused for want of room was not kept to be sent later.
  while (!received(ends[5].theirs).empty()) continue;
  sockets_.send_many(sends);
  EXPECT_EQ(sends[5].result, 5);
  EXPECT_EQ(received(ends[5].theirs), text);
}

TEST_P(SendMany, ADescriptorThatIsNoSocketIsAnError) {
  std::vector<Send> sends;
  const std::string text = "hello";
  std::vector<Ends> ends;
  for (int i = 0; i < 20; ++i) {
    ends.push_back(open());
    sends.push_back(send_of(ends.back().ours, text));
  }
  sends[2].socket = 1'000'000;
  sockets_.send_many(sends);
  EXPECT_EQ(sends[2].result, -EBADF);
  EXPECT_EQ(received(ends[19].theirs), text);
}

INSTANTIATE_TEST_SUITE_P(Ways, SendMany, testing::Bool(),
                         [](const auto& each) { return each.param ? "Ring" : "SystemCalls"; });

}  // namespace
}  // namespace loop
