#include "loop/kernel_sockets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <thread>

#include "base/entropy.h"
#include "loop/address.h"
#include "loop/test_sockets.h"

namespace loop {
namespace {

using test::Pair;
using test::until_readable;

IoResult write_text(Sockets& sockets, SocketId socket, std::string_view text) {
  return sockets.write(socket, std::array{text});
}

std::string read_text(Sockets& sockets, SocketId socket) {
  until_readable(socket);
  std::array<char, 256> buffer{};
  const IoResult result = sockets.read(socket, buffer);
  EXPECT_EQ(result.status, IoStatus::ok);
  return {buffer.data(), result.bytes};
}

void talk_both_ways(Pair& pair) {
  std::array<char, 16> buffer{};
  EXPECT_EQ(pair.sockets.read(pair.server, buffer).status, IoStatus::would_block);
  EXPECT_EQ(write_text(pair.sockets, pair.client, "hello").bytes, 5u);
  EXPECT_EQ(read_text(pair.sockets, pair.server), "hello");
  EXPECT_EQ(write_text(pair.sockets, pair.server, "there").bytes, 5u);
  EXPECT_EQ(read_text(pair.sockets, pair.client), "there");
  EXPECT_EQ(pair.sockets.accept(pair.listener).socket, kNoSocket);
  EXPECT_EQ(pair.sockets.accept(pair.listener).error, 0);
}

TEST(KernelSockets, TcpV4) {
  Pair pair;
  EXPECT_EQ(to_string(pair.accepted.address), "127.0.0.1:" + std::to_string(bound_port(pair.client)));
  talk_both_ways(pair);
}

TEST(KernelSockets, TcpV6) {
  if (!test::has_ipv6_loopback()) GTEST_SKIP() << "no ::1 here";
  Pair pair("[::1]:0");
  EXPECT_EQ(to_string(pair.accepted.address), "[::1]:" + std::to_string(bound_port(pair.client)));
  talk_both_ways(pair);
}

TEST(KernelSockets, Unix) {
  const test::Folder folder;
  Pair pair("unix:" + (folder / "socket"));
  EXPECT_TRUE(is_unix(pair.accepted.address));
  talk_both_ways(pair);
}

TEST(KernelSockets, EofAfterShutdownWriteAndStillWritable) {
  Pair pair;
  write_text(pair.sockets, pair.client, "last");
  pair.sockets.shutdown_write(pair.client);
  EXPECT_EQ(read_text(pair.sockets, pair.server), "last");
  until_readable(pair.server);
  std::array<char, 16> buffer{};
  EXPECT_EQ(pair.sockets.read(pair.server, buffer).status, IoStatus::eof);
  EXPECT_EQ(write_text(pair.sockets, pair.server, "answer").status, IoStatus::ok);
  EXPECT_EQ(read_text(pair.sockets, pair.client), "answer");
}

TEST(KernelSockets, GracefulCloseIsEofAndResetIsFailed) {
  std::array<char, 16> buffer{};
  {
    Pair pair;
    pair.sockets.close(std::exchange(pair.client, kNoSocket), CloseMode::graceful);
    until_readable(pair.server);
    EXPECT_EQ(pair.sockets.read(pair.server, buffer).status, IoStatus::eof);
  }
  {
    Pair pair;
    pair.sockets.close(std::exchange(pair.client, kNoSocket), CloseMode::reset);
    until_readable(pair.server);
    const IoResult result = pair.sockets.read(pair.server, buffer);
    EXPECT_EQ(result.status, IoStatus::failed);
    EXPECT_EQ(result.error, ECONNRESET);
    // A write to it is an error too, not a signal.
    EXPECT_EQ(write_text(pair.sockets, pair.server, "x").status, IoStatus::failed);
  }
}

TEST(KernelSockets, GatherWriteKeepsOrderAcrossShortWrites) {
  Pair pair;
  base::SeededEntropy entropy(3);
  std::string sent;
  std::string received;
  std::vector<char> buffer(100'000);
  const auto read_all = [&] {
    while (true) {
      const IoResult result = pair.sockets.read(pair.client, buffer);
      if (result.status != IoStatus::ok) return;
      received.append(buffer.data(), result.bytes);
    }
  };
  bool was_short = false;
  bool was_blocked = false;
  while (!was_blocked || sent.size() < 1'000'000) {
    std::string content;
    while (content.size() < 200'000) content += std::to_string(entropy.next());
    std::vector<std::string_view> slices;
    for (std::string_view rest = content; slices.size() < 64;) {
      const std::size_t take = entropy.below(4) == 0 ? 0 : 1 + entropy.below(3000);
      slices.push_back(rest.substr(0, take));
      rest.remove_prefix(slices.back().size());
    }
    std::size_t total = 0;
    for (const std::string_view slice : slices) total += slice.size();
    const IoResult result = pair.sockets.write(pair.server, slices);
    if (result.status == IoStatus::would_block) {
      was_blocked = true;
      read_all();
      continue;
    }
    ASSERT_EQ(result.status, IoStatus::ok);
    was_short = was_short || result.bytes < total;
    sent.append(content, 0, result.bytes);
  }
  pair.sockets.shutdown_write(pair.server);
  while (received.size() < sent.size()) {
    until_readable(pair.client);
    read_all();
  }
  EXPECT_TRUE(was_short);
  EXPECT_EQ(received, sent);
}

int option(SocketId socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket, level, name, &value, &size), 0);
  return value;
}

TEST(KernelSockets, BothEndsHaveTheTcpOptions) {
  Pair pair;
  for (const SocketId socket : {pair.server, pair.client}) {
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option(socket, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPINTVL), 15);
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPCNT), 4);
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT), 30'000);
    EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 64 * 1024);
    EXPECT_NE(::fcntl(socket, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(socket, F_GETFD) & FD_CLOEXEC, 0);
  }
}

// F14: out of descriptors, every waiting connection is refused at once and the listener does not stay readable.
TEST(KernelSockets, WithoutDescriptorsConnectionsAreRefusedAndTheListenerCalmsDown) {
  Pair pair;
  const std::string address = "127.0.0.1:" + std::to_string(bound_port(pair.listener));
  std::vector<SocketId> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(test::connect_now(address));
  until_readable(pair.listener);
  {
    const test::DescriptorCap cap(0);
    for (int i = 0; i < 5; ++i) {
      until_readable(pair.listener);
      const Accepted refused = pair.sockets.accept(pair.listener);
      EXPECT_EQ(refused.socket, kNoSocket);
      EXPECT_EQ(refused.error, EMFILE);
      EXPECT_EQ(ip_to_string(refused.address), "127.0.0.1");
    }
    EXPECT_FALSE(test::readable_now(pair.listener));
    for (const SocketId socket : waiting) {
      until_readable(socket);
      std::array<char, 1> byte{};
      EXPECT_EQ(pair.sockets.read(socket, byte).error, ECONNRESET);
    }
  }
  const SocketId later = test::connect_now(address);
  until_readable(pair.listener);
  const Accepted accepted = pair.sockets.accept(pair.listener);
  EXPECT_NE(accepted.socket, kNoSocket);
  EXPECT_EQ(write_text(pair.sockets, accepted.socket, "welcome").status, IoStatus::ok);
  EXPECT_EQ(read_text(pair.sockets, later), "welcome");
  for (const SocketId socket : waiting) ::close(socket);
  ::close(later);
  ::close(accepted.socket);
}

TEST(KernelSockets, ASpareThatCouldNotBeOpenedComesBack) {
  Pair pair;
  const std::string address = "127.0.0.1:" + std::to_string(bound_port(pair.listener));
  const SocketId first = test::connect_now(address);
  const SocketId second = test::connect_now(address);
  until_readable(pair.listener);
  {
    const test::DescriptorCap cap(0);
    KernelSockets without_spare;
    EXPECT_EQ(without_spare.accept(pair.listener).error, EMFILE);
    EXPECT_TRUE(test::readable_now(pair.listener));  // nothing to take it with: the owner pauses
  }
  for (int i = 0; i < 2; ++i) {
    const Accepted accepted = pair.sockets.accept(pair.listener);
    ASSERT_NE(accepted.socket, kNoSocket);
    ::close(accepted.socket);
  }
  ::close(first);
  ::close(second);
}

TEST(Connect, RefusedIsAnErrorInWords) {
  const SocketId listener = listen_on("127.0.0.1:0").value();
  const std::string address = "127.0.0.1:" + std::to_string(bound_port(listener));
  ::close(listener);
  const auto endpoints = resolve(address);
  ASSERT_TRUE(endpoints);
  const auto socket = start_connect(endpoints->front());
  ASSERT_TRUE(socket);
  test::until_writable(*socket);
  const auto finished = finish_connect(*socket);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error(), "cannot connect: connection refused (ECONNREFUSED)");
  ::close(*socket);

  const auto missing = start_connect(resolve("unix:/nonexistent/socket")->front());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), "cannot connect to unix: no such file or directory (ENOENT)");
}

TEST(Connect, ResolvesNamesAndRefusesNonsense) {
  const auto local = resolve("localhost:80");
  ASSERT_TRUE(local) << local.error();
  EXPECT_FALSE(local->empty());
  for (const std::string address : {"", "localhost", ":80", "[]:80", "localhost:", "localhost:99999", "::1:80"}) {
    const auto result = resolve(address);
    ASSERT_FALSE(result) << address;
    EXPECT_EQ(result.error(), address + ": not an address; write host:port or unix:/path");
  }
  EXPECT_EQ(resolve("unix:").error(), "unix:: the path is missing");
  EXPECT_FALSE(resolve("does-not-exist.invalid:80"));
}

}  // namespace
}  // namespace loop
