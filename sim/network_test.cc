// The network itself: whoever tests on it must be able to trust it.
#include "sim/network.h"

#include <gtest/gtest.h>

#include <string>

namespace sim {
namespace {

struct Pair {
  explicit Pair(std::uint64_t seed, Link with = {})
      : network(clock, seed), server(network, seed), client(network, seed) {
    link = with;
    listener = network.listen();
    server.add(listener, 1, loop::Interest::read);
    outside = network.connect(listener, {}, link);
    client.add(outside, 2, loop::Interest::read);
  }
  void pass_time(base::Duration time) {
    const base::Instant end = clock.now() + time;
    while (network.next_arrival() <= end) {
      clock.advance_to(std::max(clock.now(), network.next_arrival()));
      network.deliver();
    }
    clock.advance_to(end);
  }
  void accept() {
    pass_time(link.latency_max);
    inside = network.accept(listener).socket;
    ASSERT_NE(inside, loop::kNoSocket);
    server.add(inside, 3, loop::Interest::read);
  }
  std::size_t write(loop::SocketId socket, std::string_view bytes) { return network.write(socket, {&bytes, 1}).bytes; }
  std::string read(loop::SocketId socket) {
    std::string all;
    char buffer[7];
    for (;;) {
      const loop::IoResult result = network.read(socket, buffer);
      if (result.status != loop::IoStatus::ok) return all;
      all.append(buffer, result.bytes);
    }
  }
  loop::IoStatus status(loop::SocketId socket) {
    char byte;
    return network.read(socket, {&byte, 1}).status;
  }
  bool ready(Poller& poller, std::uint64_t token, bool loop::Ready::* what) {
    for (const loop::Ready& each : poller.wait({})) {
      if (each.token == token) return each.*what;
    }
    return false;
  }

  Link link;
  Clock clock;
  Network network;
  Poller server, client;
  loop::SocketId listener, outside, inside = loop::kNoSocket;
};

TEST(Network, BytesArriveInOrderAfterTheLatencyHoweverTheyAreCut) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Pair pair(seed, {.window_bytes = 64, .short_percent = 60});
    pair.accept();
    std::string sent, received;
    base::SeededEntropy entropy(seed);
    while (received.size() < 2000) {
      std::string more(1 + entropy.below(100), 'x');
      for (char& each : more) each = static_cast<char>('a' + entropy.below(26));
      sent += more.substr(0, pair.write(pair.outside, more));
      pair.pass_time(std::chrono::microseconds(entropy.below(200)));
      if (entropy.below(3) == 0) received += pair.read(pair.inside);
      EXPECT_LE(sent.size() - received.size(), 64U);
    }
    pair.pass_time(std::chrono::seconds(1));
    received += pair.read(pair.inside);
    EXPECT_EQ(received, sent);
  }
}

TEST(Network, ReadinessIsLevelTriggered) {
  Pair pair(1);
  EXPECT_FALSE(pair.ready(pair.server, 1, &loop::Ready::readable));
  pair.pass_time(pair.link.latency_max);
  EXPECT_TRUE(pair.ready(pair.server, 1, &loop::Ready::readable));
  EXPECT_TRUE(pair.ready(pair.server, 1, &loop::Ready::readable));
  pair.accept();
  EXPECT_FALSE(pair.ready(pair.server, 1, &loop::Ready::readable));
  EXPECT_FALSE(pair.server.has_ready());
  pair.write(pair.outside, "hello");
  EXPECT_FALSE(pair.server.has_ready());
  pair.pass_time(pair.link.latency_max);
  EXPECT_TRUE(pair.ready(pair.server, 3, &loop::Ready::readable));
  EXPECT_TRUE(pair.ready(pair.server, 3, &loop::Ready::readable));
  pair.read(pair.inside);
  EXPECT_FALSE(pair.server.has_ready());
}

TEST(Network, AFullWindowBlocksTheWriterUntilTheOtherEndReads) {
  Pair pair(1, {.window_bytes = 10, .short_percent = 0});
  pair.accept();
  EXPECT_EQ(pair.write(pair.inside, "0123456789abc"), 10U);
  EXPECT_EQ(pair.write(pair.inside, "abc"), 0U);
  pair.server.modify(pair.inside, 3, loop::Interest::write);
  EXPECT_FALSE(pair.ready(pair.server, 3, &loop::Ready::writable));
  pair.pass_time(pair.link.latency_max);
  EXPECT_FALSE(pair.ready(pair.server, 3, &loop::Ready::writable));
  EXPECT_EQ(pair.read(pair.outside), "0123456789");
  EXPECT_TRUE(pair.ready(pair.server, 3, &loop::Ready::writable));
}

TEST(Network, ClosingGracefullyDeliversWhatWasWritten) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair(seed, {.short_percent = 0});
    pair.accept();
    pair.write(pair.inside, "the last words");
    pair.server.remove(pair.inside);
    pair.network.close(pair.inside, loop::CloseMode::graceful);
    pair.pass_time(std::chrono::seconds(1));
    EXPECT_EQ(pair.read(pair.outside), "the last words");
    EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::eof);
    // What is sent now meets a closed socket.
    EXPECT_GT(pair.write(pair.outside, "too late"), 0U);
    pair.pass_time(std::chrono::seconds(1));
    EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::failed);
    EXPECT_TRUE(pair.ready(pair.client, 2, &loop::Ready::hang_up));
    pair.client.remove(pair.outside);
    pair.network.close(pair.outside, loop::CloseMode::graceful);
    EXPECT_EQ(pair.network.connections(), 0U);
    EXPECT_EQ(pair.network.open_sockets(), 1U);
  }
}

TEST(Network, ClosingWithUnreadInputResets) {
  Pair pair(1);
  pair.accept();
  pair.write(pair.outside, "nobody reads this");
  pair.pass_time(std::chrono::seconds(1));
  pair.server.remove(pair.inside);
  pair.network.close(pair.inside, loop::CloseMode::graceful);
  pair.pass_time(std::chrono::seconds(1));
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::failed);
}

TEST(Network, HalfCloseLeavesTheOtherDirectionOpen) {
  Pair pair(1, {.short_percent = 0});
  pair.accept();
  pair.write(pair.outside, "question");
  pair.network.shutdown_write(pair.outside);
  pair.pass_time(std::chrono::seconds(1));
  EXPECT_EQ(pair.read(pair.inside), "question");
  EXPECT_EQ(pair.status(pair.inside), loop::IoStatus::eof);
  EXPECT_EQ(pair.write(pair.inside, "answer"), 6U);
  pair.pass_time(std::chrono::seconds(1));
  EXPECT_EQ(pair.read(pair.outside), "answer");
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::would_block);
}

TEST(Network, ACutResetsBothEndsAndLosesWhatWasOnItsWay) {
  Pair pair(1);
  pair.accept();
  pair.write(pair.outside, "lost");
  pair.network.cut(pair.outside);
  EXPECT_EQ(pair.read(pair.inside), "");
  EXPECT_EQ(pair.status(pair.inside), loop::IoStatus::failed);
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::failed);
  EXPECT_TRUE(pair.ready(pair.server, 3, &loop::Ready::hang_up));
}

TEST(Network, ADarkConnectionSwallowsEverythingAndTellsNobody) {
  Pair pair(1, {.window_bytes = 100,
                .short_percent = 0,
                .unacknowledged_max = base::Duration::max(),
                .silence_max = base::Duration::max()});
  pair.accept();
  pair.network.go_dark(pair.outside);
  EXPECT_EQ(pair.write(pair.inside, std::string(80, 'x')), 80U);
  EXPECT_EQ(pair.write(pair.inside, std::string(80, 'x')), 20U);
  EXPECT_EQ(pair.write(pair.inside, "x"), 0U);
  pair.client.remove(pair.outside);
  pair.network.close(pair.outside, loop::CloseMode::reset);
  pair.pass_time(std::chrono::hours(1));
  EXPECT_EQ(pair.status(pair.inside), loop::IoStatus::would_block);
  pair.server.remove(pair.inside);
  pair.network.close(pair.inside, loop::CloseMode::graceful);
  EXPECT_EQ(pair.network.connections(), 0U);
}

TEST(Network, TheKernelGivesUpOnADarkConnection) {
  using namespace std::chrono_literals;
  Pair pair(1);
  pair.accept();
  pair.network.go_dark(pair.outside);
  pair.pass_time(40s);
  pair.write(pair.inside, "hello?");
  pair.pass_time(29s);
  EXPECT_EQ(pair.status(pair.inside), loop::IoStatus::would_block);
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::would_block);
  pair.pass_time(1s);
  EXPECT_EQ(pair.status(pair.inside), loop::IoStatus::failed);
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::would_block);
  pair.pass_time(20s);
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::failed);
}

TEST(Network, WithoutAListenerTheClientIsReset) {
  Pair pair(1);
  pair.server.remove(pair.listener);
  pair.network.close(pair.listener, loop::CloseMode::graceful);
  pair.write(pair.outside, "anybody?");
  pair.pass_time(std::chrono::seconds(1));
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::failed);
}

TEST(Network, ConnectionsThatWaitForAcceptAreResetWithTheListener) {
  Pair pair(1);
  pair.pass_time(std::chrono::seconds(1));
  pair.server.remove(pair.listener);
  pair.network.close(pair.listener, loop::CloseMode::graceful);
  pair.pass_time(std::chrono::seconds(1));
  EXPECT_EQ(pair.status(pair.outside), loop::IoStatus::failed);
  pair.client.remove(pair.outside);
  pair.network.close(pair.outside, loop::CloseMode::graceful);
  EXPECT_EQ(pair.network.connections(), 0U);
}

TEST(Network, AConnectionThatIsCutBeforeItIsAcceptedIsStillAccepted) {
  Pair pair(1);
  pair.pass_time(std::chrono::seconds(1));
  pair.network.cut(pair.outside);
  pair.client.remove(pair.outside);
  pair.network.close(pair.outside, loop::CloseMode::reset);
  pair.accept();
  EXPECT_EQ(pair.status(pair.inside), loop::IoStatus::failed);
}

}  // namespace
}  // namespace sim
