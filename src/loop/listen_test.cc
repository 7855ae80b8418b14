#include "loop/listen.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "loop/test_sockets.h"

namespace loop {
namespace {

std::string on_port(const std::string& ip, SocketId listener) {
  return ip + ":" + std::to_string(bound_port(listener));
}

std::string error_of(const std::string& address) {
  const auto listener = listen_on(address);
  if (listener) ::close(*listener);
  return listener ? "none" : listener.error();
}

bool reaches(const std::string& address, SocketId listener) {
  KernelSockets sockets;
  const SocketId client = test::connect_now(address);
  test::until_readable(listener);
  const Accepted accepted = sockets.accept(listener);
  ::close(client);
  if (accepted.socket != kNoSocket) ::close(accepted.socket);
  return accepted.socket != kNoSocket;
}

TEST(Listen, PortZeroTellsItsPort) {
  const SocketId listener = listen_on("127.0.0.1:0").value();
  EXPECT_GT(bound_port(listener), 0);
  EXPECT_TRUE(reaches(on_port("127.0.0.1", listener), listener));
  ::close(listener);
}

TEST(Listen, EveryAddressMeansBothFamilies) {
  for (const std::string address : {":0", "[::]:0"}) {
    if (!test::has_ipv6_loopback()) GTEST_SKIP() << "no ::1 here";
    const SocketId listener = listen_on(address).value();
    EXPECT_TRUE(reaches(on_port("127.0.0.1", listener), listener));
    EXPECT_TRUE(reaches(on_port("[::1]", listener), listener));
    ::close(listener);
  }
}

TEST(Listen, ErrorsSayWhatToDo) {
  constexpr const char* kForm = ": not an address; write 127.0.0.1:8000, [::1]:8000, :8000 or unix:/path";
  constexpr const char* kIp = ": not an IP address of this machine; write 127.0.0.1:8000, [::1]:8000 or :8000";
  for (const std::string address : {"", "8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:http", "::1:8",
                                    "127.0.0.1:-1", "127.0.0.1:80 "}) {
    EXPECT_EQ(error_of(address), address + kForm);
  }
  for (const std::string address : {"localhost:0", "[]:0", "1.2.3:0", "[::g]:0", "*:0", "[fe80::1%nosuch]:0"}) {
    EXPECT_EQ(error_of(address), address + kIp);
  }
  EXPECT_EQ(error_of("192.0.2.1:0"), "192.0.2.1:0: this machine has no such address");
}

TEST(Listen, APortInUseIsAnErrorAloneAndShared) {
  const SocketId alone = listen_on("127.0.0.1:0").value();
  const std::string taken = on_port("127.0.0.1", alone);
  const std::string text = taken + ": address in use (is another wirebird running?)";
  EXPECT_EQ(error_of(taken), text);
  EXPECT_EQ(listen_on_shared(taken, 2).error(), text);
  ::close(alone);

  const std::vector<SocketId> shared = listen_on_shared("127.0.0.1:0", 2).value();
  const std::string shared_address = on_port("127.0.0.1", shared[0]);
  EXPECT_EQ(error_of(shared_address), shared_address + ": address in use (is another wirebird running?)");
  // Even by one that would share.
  EXPECT_EQ(listen_on_shared(shared_address, 2).error(),
            shared_address + ": address in use (is another wirebird running?)");
  for (const SocketId listener : shared) ::close(listener);
}

TEST(Listen, ARestartTakesThePortWhileOldConnectionsLinger) {
  std::string address;
  {
    test::Pair pair;
    address = on_port("127.0.0.1", pair.listener);
    // The server closes first: its end stays in TIME_WAIT.
    pair.sockets.close(std::exchange(pair.server, kNoSocket), CloseMode::graceful);
  }
  EXPECT_EQ(error_of(address), "none");
}

TEST(Listen, SharedListenersTakeEveryConnectionOnce) {
  const test::Folder folder;
  for (const std::string& address : {std::string("127.0.0.1:0"), "unix:" + (folder / "shared")}) {
    const std::vector<SocketId> listeners = listen_on_shared(address, 3).value();
    ASSERT_EQ(listeners.size(), 3u);
    const bool is_unix = address.starts_with("unix");
    for (const SocketId listener : listeners) EXPECT_EQ(bound_port(listener), bound_port(listeners[0]));
    KernelSockets sockets;
    std::vector<SocketId> clients;
    std::vector<std::size_t> counts(3);
    std::size_t accepted_total = 0;
    for (int i = 0; i < 60; ++i) {
      clients.push_back(test::connect_now(is_unix ? address : on_port("127.0.0.1", listeners[0])));
    }
    while (accepted_total < 60) {
      for (std::size_t i = 0; i < 3; ++i) {
        const Accepted accepted = sockets.accept(listeners[i]);
        if (accepted.socket == kNoSocket) continue;
        ::close(accepted.socket);
        ++counts[i];
        ++accepted_total;
      }
    }
    // 3 * (2/3)^60: the kernel's hash left one without a connection.
    for (const std::size_t count : counts) EXPECT_GT(count, 0u) << address;
    for (const SocketId socket : clients) ::close(socket);
    for (const SocketId socket : listeners) ::close(socket);
  }
}

TEST(Listen, UnixSocketFile) {
  const test::Folder folder;
  const std::string path = folder / "socket";
  const std::string address = "unix:" + path;

  const mode_t old_mask = ::umask(0077);
  const SocketId first = listen_on(address).value();
  ::umask(old_mask);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  EXPECT_TRUE(reaches(address, first));
  EXPECT_EQ(bound_port(first), 0);

  EXPECT_EQ(error_of(address), address + ": a process is listening on this socket (is another wirebird running?)");
  EXPECT_TRUE(reaches(address, first));

  ::close(first);  // the file stays behind, as after kill -9
  const SocketId second = listen_on(address, {.unix_mode = 0600}).value();
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(reaches(address, second));
  ::close(second);
}

TEST(Listen, UnixErrorsSayWhatToDo) {
  const test::Folder folder;
  const std::string file = folder / "file";
  std::ofstream(file) << "precious";
  EXPECT_EQ(error_of("unix:" + file), "unix:" + file + ": a file that is not a socket is in the way");
  EXPECT_TRUE(std::filesystem::exists(file));
  std::filesystem::create_symlink(folder / "nowhere", folder / "link");
  EXPECT_EQ(error_of("unix:" + (folder / "link")),
            "unix:" + (folder / "link") + ": a file that is not a socket is in the way");
  EXPECT_EQ(error_of("unix:" + (folder / "no/socket")),
            "unix:" + (folder / "no/socket") + ": the folder does not exist");
  EXPECT_EQ(error_of("unix:"), "unix:: the path is missing");
  const std::string long_path = "unix:" + (folder / std::string(120, 'x'));
  EXPECT_EQ(error_of(long_path), long_path + ": the path is longer than 107 bytes");
}

// Fails at the n-th descriptor until it succeeds: a text each time, and nothing left open.
TEST(Listen, EveryShortageOfDescriptorsIsCleanedUp) {
  const test::Folder folder;
  for (const std::string& address : {std::string("127.0.0.1:0"), std::string(":0"), "unix:" + (folder / "socket")}) {
    const std::size_t before = test::open_now();
    int failures = 0;
    for (int more = 0;; ++more) {
      std::expected<std::vector<SocketId>, std::string> listeners;
      {
        const test::DescriptorCap cap(more);
        listeners = listen_on_shared(address, 4);
      }
      if (listeners) {
        for (const SocketId listener : *listeners) ::close(listener);
        break;
      }
      ++failures;
      EXPECT_EQ(listeners.error(), address + ": too many open files (EMFILE)");
      EXPECT_EQ(test::open_now(), before);
    }
    EXPECT_GE(failures, 4);
    EXPECT_EQ(test::open_now(), before);
  }
}

}  // namespace
}  // namespace loop
